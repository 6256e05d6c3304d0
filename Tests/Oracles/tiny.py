"""Random models of each architecture, small enough to be kept, with what transformers computes from them.

Every weight is a number that the stored type holds exactly, so that a reader's logits differ by rounding alone.
"""
import json
import os
import struct

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM

# Small products are slower on many threads.
torch.set_num_threads(1)

WORDS = ("\u2581 a b c d e f g h i j k l m n o p q r s t th he in er an re \u2581t \u2581the").split()
VOCABULARY = 259 + len(WORDS)
SIZES = dict(vocab_size=VOCABULARY, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
             bos_token_id=1, eos_token_id=2, rms_norm_eps=1e-5)

ARCHITECTURES = {
    "llama-2": (LlamaForCausalLM, LlamaConfig, torch.float16,
                dict(num_key_value_heads=2, max_position_embeddings=128, rope_theta=10000.0)),
    "llama-guard": (LlamaForCausalLM, LlamaConfig, torch.bfloat16,
                    dict(num_key_value_heads=4, max_position_embeddings=128, rope_theta=10000.0)),
    "llama-3.1": (LlamaForCausalLM, LlamaConfig, torch.float16,
                  dict(num_key_value_heads=2, max_position_embeddings=128, rope_theta=500000.0, tie_word_embeddings=True,
                       rope_scaling=dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                         original_max_position_embeddings=32))),
    "mistral": (MistralForCausalLM, MistralConfig, torch.float16,
                dict(num_key_value_heads=2, max_position_embeddings=128, sliding_window=7, rope_theta=10000.0)),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config, torch.bfloat16,
              dict(num_key_value_heads=2, max_position_embeddings=128, tie_word_embeddings=True, rope_theta=1000000.0,
                   use_sliding_window=False)),
    "qwen2-window": (Qwen2ForCausalLM, Qwen2Config, torch.bfloat16,
                     dict(num_key_value_heads=2, max_position_embeddings=128, rope_theta=1000000.0, num_hidden_layers=3,
                          use_sliding_window=True, sliding_window=5, max_window_layers=1)),
}


def windowed(attention, window):
    """Gives one layer the window that this version of transformers leaves to its flash attention: a query looks at `window` positions,
    its own included."""
    plain = attention.forward

    def forward(hidden_states, attention_mask=None, **rest):
        # Sequences are read whole; the mask may have a column more than there are keys.
        queries, keys = attention_mask.shape[-2:]
        position = torch.arange(queries).reshape(-1, 1)
        outside = torch.arange(keys).reshape(1, -1) <= position - window
        mask = attention_mask.masked_fill(outside, torch.finfo(attention_mask.dtype).min)
        return plain(hidden_states, attention_mask=mask, **rest)

    attention.forward = forward


def model_of(name, seed=5, **sizes):
    kind, config, dtype, own = ARCHITECTURES[name]
    torch.manual_seed(seed)
    model = kind(config(**{**SIZES, **own, **sizes}, attn_implementation="eager")).eval()
    with torch.no_grad():
        for key, weight in model.named_parameters():
            noise = torch.randn_like(weight)
            if "norm" in key:
                weight.copy_(1 + 0.1 * noise)
            elif "bias" in key:
                weight.copy_(0.3 * noise)
            elif "embed" in key:
                # Tied to the output, it makes logits of ordinary size at any width.
                weight.copy_(noise * (32 / weight.shape[1]) ** 0.5)
            else:
                weight.copy_(noise * 1.5 / weight.shape[1] ** 0.5)
            weight.copy_(weight.to(dtype).float())
    if name == "qwen2-window":
        for layer in model.model.layers[model.config.max_window_layers:]:
            windowed(layer.self_attn, model.config.sliding_window)
    return model, dtype


def reference(model, prompts, new=64):
    cases = []
    for ids in prompts:
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0].float().numpy()
            tokens, gap = list(ids), float("inf")
            for _ in range(new):
                last = model(torch.tensor([tokens])).logits[0, -1]
                top = torch.topk(last, 2)
                gap = min(gap, float(top.values[0] - top.values[1]))
                tokens.append(int(top.indices[0]))
        cases.append((logits, dict(prompt=list(ids), greedy=tokens[len(ids):], smallest_gap=gap)))
    return cases


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, payload):
    if isinstance(payload, int):
        return varint(number << 3) + varint(payload)
    if isinstance(payload, float):
        return varint(number << 3 | 5) + struct.pack("<f", payload)
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def sentencepiece_model(path, count=VOCABULARY):
    """The bytes of a SentencePiece model (proto2): pieces, then the trainer's and the normaliser's settings."""
    pieces = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3)]
    pieces += [(f"<0x{byte:02X}>", 0.0, 6) for byte in range(256)]
    pieces += [(word, float(-index), 1) for index, word in enumerate(reversed(WORDS))][::-1]
    pieces += [(f"<extra{index}>", 0.0, 3) for index in range(count - len(pieces))]
    with open(path, "wb") as file:
        for text, score, kind in pieces:
            file.write(field(1, field(1, text.encode()) + field(2, score) + field(3, kind)))
        file.write(field(2, field(3, 2) + field(35, 1) + field(40, 0) + field(41, 1) + field(42, 2)))
        file.write(field(3, field(3, 1) + field(4, 0)))


def save_huggingface(model, dtype, folder, shards=1):
    os.makedirs(folder, exist_ok=True)
    config = model.config.to_dict()
    keep = ("model_type", "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
            "num_key_value_heads", "max_position_embeddings", "rms_norm_eps", "rope_theta", "rope_scaling", "sliding_window",
            "use_sliding_window", "max_window_layers", "tie_word_embeddings", "hidden_act", "bos_token_id", "eos_token_id")
    kept = {key: config[key] for key in keep if config.get(key) is not None}
    json.dump(kept, open(f"{folder}/config.json", "w"), indent=1)
    json.dump(dict(bos_token_id=1, eos_token_id=2), open(f"{folder}/generation_config.json", "w"))
    tied = config.get("tie_word_embeddings")
    state = {key: value.to(dtype).contiguous() for key, value in model.state_dict().items() if not (tied and key == "lm_head.weight")}
    if shards == 1:
        save_file(state, f"{folder}/model.safetensors")
        return
    keys, places = sorted(state), {}
    for index in range(shards):
        name = f"model-{index + 1:05d}-of-{shards:05d}.safetensors"
        part = {key: state[key] for key in keys[index::shards]}
        save_file(part, f"{folder}/{name}")
        places.update({key: name for key in part})
    json.dump(dict(metadata={}, weight_map=places), open(f"{folder}/model.safetensors.index.json", "w"), indent=0)


def paired(weight, heads):
    """Rows of a head from (half, pair) to (pair, half): how Meta and GGUF keep what Hugging Face keeps in halves."""
    return weight.view(heads, 2, weight.shape[0] // heads // 2, weight.shape[1]).transpose(1, 2).reshape(weight.shape).contiguous()


def save_meta(model, dtype, folder, parts):
    os.makedirs(folder, exist_ok=True)
    config, state = model.config, model.state_dict()
    whole = {"tok_embeddings.weight": (state["model.embed_tokens.weight"], 1), "norm.weight": (state["model.norm.weight"], None),
             "output.weight": (state["lm_head.weight"], 0)}
    names = (("self_attn.q_proj", "attention.wq", 0), ("self_attn.k_proj", "attention.wk", 0), ("self_attn.v_proj", "attention.wv", 0),
             ("self_attn.o_proj", "attention.wo", 1), ("mlp.gate_proj", "feed_forward.w1", 0), ("mlp.down_proj", "feed_forward.w2", 1),
             ("mlp.up_proj", "feed_forward.w3", 0), ("input_layernorm", "attention_norm", None),
             ("post_attention_layernorm", "ffn_norm", None))
    for layer in range(config.num_hidden_layers):
        for theirs, ours, axis in names:
            weight = state[f"model.layers.{layer}.{theirs}.weight"]
            if ours.endswith("wq"):
                weight = paired(weight, config.num_attention_heads)
            if ours.endswith("wk"):
                weight = paired(weight, config.num_key_value_heads)
            whole[f"layers.{layer}.{ours}.weight"] = (weight, axis)
    for part in range(parts):
        piece = {key: (weight if axis is None else weight.chunk(parts, axis)[part]).to(dtype).clone().contiguous()
                 for key, (weight, axis) in whole.items()}
        torch.save(piece, f"{folder}/consolidated.{part:02d}.pth")
    json.dump(dict(dim=config.hidden_size, multiple_of=config.intermediate_size, n_heads=config.num_attention_heads,
                   n_kv_heads=config.num_key_value_heads, n_layers=config.num_hidden_layers, norm_eps=config.rms_norm_eps,
                   ffn_dim_multiplier=0.7, vocab_size=-1), open(f"{folder}/params.json", "w"))
