"""Compares the built command with transformers and the gguf package, at sizes that are not kept as fixtures.

1. Dequantised values of 20,000 random blocks of each type, to the bit, by the scalar kernels compiled on the spot.
2. For each type a model whose stored blocks are random: logits of the dequantised weights within 1e-4, 64 greedy tokens equal.
3. For each architecture a model of several layers, as a folder and as the GGUF file that `engine quantize` makes of it.
"""
import ctypes
import glob
import json
import os
import subprocess
import sys
import tempfile

import gguf
import numpy as np
import torch

import fixtures
import tiny

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
COMMAND = os.environ.get("WEIGHBRIDGE_COMMAND", f"{ROOT}/.build/release/weighbridge")
SIZES = dict(hidden_size=256, intermediate_size=512, num_hidden_layers=3, num_attention_heads=8)
PROMPT = [1] + [(7 * i * i + 3 * i) % (tiny.VOCABULARY - 3) + 3 for i in range(40)]
failures = []


def report(name, holds, finding):
    print(("ok    " if holds else "FAILED"), name, finding, flush=True)
    if not holds:
        failures.append(name)


def blocks(name, count, random):
    kind = gguf.GGMLQuantizationType[name]
    values, size = gguf.GGML_QUANT_SIZES[kind]
    if name in ("F32", "F16", "BF16"):
        plain = random.standard_normal(count).astype(np.float32) * np.float32(0.07)
        return gguf.quants.quantize(plain.reshape(1, -1), kind).view(np.uint8).reshape(count, size)
    return random.integers(0, 256, (count, size), dtype=np.uint8)


def set_scales(name, data, halves):
    for place, half in zip(fixtures.SCALES.get(name, []), halves):
        data[:, place:place + 2] = np.asarray(half, np.float16).reshape(-1, 1).view(np.uint8)


def values_of(name, data):
    kind = gguf.GGMLQuantizationType[name]
    flat = data.reshape(-1)
    return gguf.quants.dequantize(flat.view(np.float32) if name == "F32" else flat, kind).astype(np.float32).reshape(-1)


def compare_values(folder):
    library = f"{folder}/kernels.so"
    subprocess.run(["clang", "-O2", "-shared", "-fPIC", f"-I{ROOT}/Sources/CKernels/include", *glob.glob(f"{ROOT}/Sources/CKernels/*.c"),
                    "-o", library, "-lm", "-lpthread"], check=True)
    kernels, random = ctypes.CDLL(library), np.random.default_rng(3)
    for name in fixtures.TYPES:
        count = 20000
        data = blocks(name, count, random)
        halves = [(random.integers(0, 31 << 10, count, dtype=np.uint16) | random.integers(0, 2, count, dtype=np.uint16) << 15)
                  .view(np.float16) for _ in range(2)]
        set_scales(name, data, halves)
        wanted = values_of(name, data)
        got = np.empty_like(wanted)
        kernel = getattr(kernels, f"ck_dequantize_{name.lower()}_ref")
        kernel.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
        kernel(got.ctypes.data, data.ctypes.data, wanted.size)
        report(f"values {name}", np.array_equal(got.view(np.uint32), wanted.view(np.uint32)), f"{wanted.size} to the bit")


def logits(path, tokens):
    run = subprocess.run([COMMAND, "engine", "logits", "--model", path, "--tokens", ",".join(map(str, tokens)), "--json"],
                         capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"{path}: {run.stderr}")
    return np.array(json.loads(run.stdout)["logits"], np.float32)


def compare_model(name, model, path):
    (wanted, case), = tiny.reference(model, [PROMPT])
    tokens = PROMPT + case["greedy"]
    got = logits(path, tokens[:-1])
    worst = np.abs(got[:len(PROMPT)] - wanted).max()
    chosen = got[len(PROMPT) - 1:].argmax(axis=1).tolist()
    report(name, worst <= 1e-4 and chosen == case["greedy"],
           f"worst {worst:.2e} of logits up to {np.abs(wanted).max():.1f}, greedy {len(chosen)} "
           f"{'equal' if chosen == case['greedy'] else 'DIFFER'}, smallest gap {case['smallest_gap']:.1e}")


def compare_types(folder):
    random = np.random.default_rng(4)
    names = (("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"), ("self_attn.v_proj", "attn_v"),
             ("self_attn.o_proj", "attn_output"), ("mlp.gate_proj", "ffn_gate"), ("mlp.up_proj", "ffn_up"), ("mlp.down_proj", "ffn_down"))
    for name in fixtures.TYPES:
        kind = gguf.GGMLQuantizationType[name]
        block, _ = gguf.GGML_QUANT_SIZES[kind]
        model, _ = tiny.model_of("llama-2", **SIZES)
        config, state = model.config, model.state_dict()
        path = f"{folder}/{name}.gguf"
        writer = gguf.GGUFWriter(path, "llama")
        head(writer, config)

        def add(ours, theirs, heads=None, scale=1.0):
            rows, columns = state[theirs].shape
            data = blocks(name, rows * columns // block, random)
            set_scales(name, data, [1.0, 1.0])
            spread = values_of(name, data).std()
            set_scales(name, data, [scale / spread / columns ** 0.5] * 2)
            weight = torch.from_numpy(values_of(name, data).reshape(rows, columns).copy())
            with torch.no_grad():
                state[theirs].copy_(weight)
            stored = data.reshape(rows, -1)
            if heads:
                stored = stored.reshape(heads, 2, rows // heads // 2, -1).swapaxes(1, 2).reshape(rows, -1)
            stored = np.ascontiguousarray(stored)
            if name in ("F32", "F16"):
                writer.add_tensor(ours, stored.view(np.float32 if name == "F32" else np.float16))
            else:
                writer.add_tensor(ours, stored, raw_dtype=kind)

        add("token_embd.weight", "model.embed_tokens.weight", scale=16.0)
        for layer in range(config.num_hidden_layers):
            for theirs, ours in names:
                heads = dict(attn_q=config.num_attention_heads, attn_k=config.num_key_value_heads).get(ours)
                add(f"blk.{layer}.{ours}.weight", f"model.layers.{layer}.{theirs}.weight", heads)
            for theirs, ours in (("input_layernorm", "attn_norm"), ("post_attention_layernorm", "ffn_norm")):
                writer.add_tensor(f"blk.{layer}.{ours}.weight", state[f"model.layers.{layer}.{theirs}.weight"].numpy())
        writer.add_tensor("output_norm.weight", state["model.norm.weight"].numpy())
        add("output.weight", "lm_head.weight", scale=2.0)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        compare_model(f"type {name}", model, path)


def head(writer, config):
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_theta)
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + tiny.WORDS
    writer.add_tokenizer_model("llama")
    writer.add_token_list(pieces)
    writer.add_token_scores([0.0] * len(pieces))
    writer.add_token_types([2, 3, 3] + [6] * 256 + [1] * len(tiny.WORDS))


def compare_architectures(folder):
    for name in tiny.ARCHITECTURES:
        model, dtype = tiny.model_of(name, **SIZES)
        place = f"{folder}/{name}"
        tiny.save_huggingface(model, dtype, place, shards=4)
        tiny.sentencepiece_model(f"{place}/tokenizer.model")
        compare_model(f"{name}, folder", model, place)
        subprocess.run([COMMAND, "engine", "quantize", "--model", place, "--type", "F16", "--output", f"{place}.gguf"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        compare_model(f"{name}, GGUF of it", model, f"{place}.gguf")
        if name == "llama-2":
            for parts in (1, 2, 4):
                # The same sizes by the formula of Meta's parameters.
                tiny.save_meta(model, dtype, f"{place}-{parts}", parts)
                tiny.sentencepiece_model(f"{place}-{parts}/tokenizer.model")
                compare_model(f"{name}, checkpoint in {parts}", model, f"{place}-{parts}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        compare_values(folder)
        compare_types(folder)
        compare_architectures(folder)
    sys.exit(f"{len(failures)} comparisons failed: {failures}" if failures else None)
