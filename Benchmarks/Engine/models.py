"""Writes models with random weights in the shapes of TinyLlama 1.1B and Llama 2 7B, for speed alone.

usage: models.py FOLDER NAME...    NAME: SHAPE-TYPE, as 1b-Q4_K_M or 7b-Q4_0

One random matrix of each shape is quantised by the peer's own library and stands in every layer; which tensors of a mixture have
which type is what the peer's quantiser would choose. Files that are there already are kept.
"""
import ctypes
import glob
import os
import sys

import gguf
import llama_cpp
import numpy as np

SHAPES = {
    "1b": dict(width=2048, layers=22, heads=32, shared=4, hidden=5632, context=2048),
    # For endurance: quick to run, with a vocabulary of ordinary size.
    "tiny": dict(width=256, layers=4, heads=4, shared=2, hidden=512, context=2048),
    "7b": dict(width=4096, layers=32, heads=32, shared=32, hidden=11008, context=4096),
}
VOCABULARY = 32000
TYPE = gguf.GGMLQuantizationType
KIND = gguf.LlamaFileType
# Type of the matrices, of `output` and of every second or so of attn_v and ffn_down; number of the mixture.
MIXTURES = {
    "F16": (TYPE.F16, TYPE.F16, TYPE.F16, KIND.MOSTLY_F16),
    "Q8_0": (TYPE.Q8_0, TYPE.Q8_0, TYPE.Q8_0, KIND.MOSTLY_Q8_0),
    "Q4_0": (TYPE.Q4_0, TYPE.Q6_K, TYPE.Q4_0, KIND.MOSTLY_Q4_0),
    "Q4_K_M": (TYPE.Q4_K, TYPE.Q6_K, TYPE.Q6_K, KIND.MOSTLY_Q4_K_M),
    "Q5_K_M": (TYPE.Q5_K, TYPE.Q6_K, TYPE.Q6_K, KIND.MOSTLY_Q5_K_M),
    "Q6_K": (TYPE.Q6_K, TYPE.Q6_K, TYPE.Q6_K, KIND.MOSTLY_Q6_K),
}


def quantiser():
    folder = os.path.join(os.path.dirname(llama_cpp.__file__), "lib")
    library = ctypes.CDLL(glob.glob(f"{folder}/libggml-base.so*")[0])
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    library.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + [ctypes.c_int64] * 3 + [ctypes.c_void_p]
    return library.ggml_quantize_chunk


class Matrices:
    """Random matrices by shape and type, each made once."""

    def __init__(self):
        self.random, self.quantise, self.made = np.random.default_rng(1), quantiser(), {}

    def matrix(self, rows, columns, kind):
        key = (rows, columns, kind)
        if key not in self.made:
            values = self.random.standard_normal((rows, columns), dtype=np.float32) * np.float32(0.02)
            self.made[key] = self.stored(values, kind)
        return self.made[key]

    def stored(self, values, kind):
        if kind == TYPE.F16:
            return values.astype(np.float16)
        rows, columns = values.shape
        block, size = gguf.GGML_QUANT_SIZES[kind]
        data = np.empty((rows, columns // block * size), np.uint8)
        written = self.quantise(int(kind), values.ctypes.data, data.ctypes.data, 0, rows, columns, None)
        assert written == data.nbytes
        return data


def head(writer, shape, number):
    writer.add_name("random weights")
    writer.add_context_length(shape["context"])
    writer.add_embedding_length(shape["width"])
    writer.add_block_count(shape["layers"])
    writer.add_feed_forward_length(shape["hidden"])
    writer.add_head_count(shape["heads"])
    writer.add_head_count_kv(shape["shared"])
    writer.add_rope_dimension_count(shape["width"] // shape["heads"])
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_file_type(number)
    writer.add_vocab_size(VOCABULARY)
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    pieces += [f"\u2581w{index}" for index in range(VOCABULARY - len(pieces))]
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(pieces)
    writer.add_token_scores([-float(index) for index in range(VOCABULARY)])
    writer.add_token_types([2, 3, 3] + [6] * 256 + [1] * (VOCABULARY - 259))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)


def write(path, shape, mixture):
    base, output, better, number = mixture
    width, layers, hidden = shape["width"], shape["layers"], shape["hidden"]
    keys = width // shape["heads"] * shape["shared"]
    matrices = Matrices()
    writer = gguf.GGUFWriter(path, "llama")
    head(writer, shape, number)

    def add(name, rows, columns, kind):
        data = matrices.matrix(rows, columns, kind)
        writer.add_tensor(name, data, raw_dtype=None if kind == TYPE.F16 else kind)

    def kind(name, layer):
        in_turn = layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2
        return better if name in ("attn_v", "ffn_down") and in_turn else base

    add("token_embd.weight", VOCABULARY, width, base)
    ones = np.ones(width, np.float32)
    for layer in range(layers):
        prefix = f"blk.{layer}."
        writer.add_tensor(prefix + "attn_norm.weight", ones)
        writer.add_tensor(prefix + "ffn_norm.weight", ones)
        for name, rows, columns in (
                ("attn_q", width, width), ("attn_k", keys, width), ("attn_v", keys, width), ("attn_output", width, width),
                ("ffn_gate", hidden, width), ("ffn_up", hidden, width), ("ffn_down", width, hidden)):
            add(f"{prefix}{name}.weight", rows, columns, kind(name, layer))
    writer.add_tensor("output_norm.weight", ones)
    add("output.weight", VOCABULARY, width, output)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    folder, names = sys.argv[1], sys.argv[2:]
    os.makedirs(folder, exist_ok=True)
    for name in names:
        path = os.path.join(folder, f"{name}.gguf")
        if not os.path.exists(path):
            shape, mixture = name.split("-")
            write(path + ".part", SHAPES[shape], MIXTURES[mixture])
            os.rename(path + ".part", path)
        print(path, flush=True)


main()
