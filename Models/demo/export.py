"""Writes demo.gguf from a training checkpoint: GGUF v3, architecture llama, matrices Q8_0, norms F32."""

import argparse
import os

import gguf
import sentencepiece
import torch

from model import BOS, EOS, UNK, Shape

# The Llama 2 chat form, in our own words.
CHAT_TEMPLATE = (
    "{% set ns = namespace(system='') %}"
    "{% for m in messages %}"
    "{% if m['role'] == 'system' %}{% set ns.system = '<<SYS>>\\n' + m['content'] + '\\n<</SYS>>\\n\\n' %}"
    "{% elif m['role'] == 'user' %}{{ bos_token + '[INST] ' + ns.system + m['content'] + ' [/INST]' }}"
    "{% set ns.system = '' %}"
    "{% else %}{{ ' ' + m['content'] + ' ' + eos_token }}{% endif %}"
    "{% endfor %}"
)


def write_gguf(state, shape, tokenizer, path):
    """Writes to a neighbour first and renames, so that a reader never sees half a file."""
    w = gguf.GGUFWriter(path + ".part", "llama")
    w.add_name("Weighbridge demonstration")
    w.add_author("The Weighbridge project")
    w.add_description("Trained from scratch on text written by the project; not Llama 2 and carries nothing of it.")
    w.add_license("Apache-2.0")
    w.add_context_length(shape.context)
    w.add_embedding_length(shape.width)
    w.add_block_count(shape.layers)
    w.add_feed_forward_length(shape.hidden)
    w.add_head_count(shape.heads)
    w.add_head_count_kv(shape.kv_heads)
    w.add_rope_dimension_count(shape.head)
    w.add_rope_freq_base(shape.rope_base)
    w.add_layer_norm_rms_eps(shape.epsilon)
    w.add_vocab_size(shape.vocab)
    w.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    w.add_quantization_version(gguf.GGML_QUANT_VERSION)
    add_tokenizer(w, tokenizer)
    for name, tensor in state.items():
        data = tensor.float().numpy()
        if data.ndim == 2:
            quantized = gguf.quants.quantize(data, gguf.GGMLQuantizationType.Q8_0)
            w.add_tensor(name, quantized, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        else:
            w.add_tensor(name, data)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    os.replace(path + ".part", path)


def add_tokenizer(w, tokenizer):
    pieces, scores, types = [], [], []
    for i in range(tokenizer.vocab_size()):
        pieces.append(tokenizer.id_to_piece(i))
        scores.append(tokenizer.get_score(i))
        if tokenizer.is_unknown(i):
            types.append(gguf.TokenType.UNKNOWN)
        elif tokenizer.is_control(i):
            types.append(gguf.TokenType.CONTROL)
        elif tokenizer.is_byte(i):
            types.append(gguf.TokenType.BYTE)
        else:
            types.append(gguf.TokenType.NORMAL)
    w.add_tokenizer_model("llama")
    w.add_token_list(pieces)
    w.add_token_scores(scores)
    w.add_token_types(types)
    w.add_bos_token_id(BOS)
    w.add_eos_token_id(EOS)
    w.add_unk_token_id(UNK)
    w.add_add_bos_token(True)
    w.add_add_eos_token(False)
    w.add_add_space_prefix(True)
    w.add_chat_template(CHAT_TEMPLATE)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--checkpoint", default="build/checkpoint.pt")
    p.add_argument("--tokenizer", default="tokenizer.model")
    p.add_argument("--output", default="demo.gguf")
    a = p.parse_args()
    saved = torch.load(a.checkpoint)
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=a.tokenizer)
    write_gguf(saved["state"], Shape(**saved["shape"]), tokenizer, a.output)
    print(f"{a.output}: {os.path.getsize(a.output)} bytes, step {saved['step']}")


if __name__ == "__main__":
    main()
