"""Writes Tests/Fixtures/Engine: tiny models with reference logits, and stored blocks with their values.

Run by `make fixtures`. The files are kept, so that tests need neither Python nor torch.
"""
import json
import os
import shutil

import gguf
import numpy as np

import tiny

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Fixtures", "Engine")
TYPES = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL"]
# Where the half-precision scales stand in a block.
SCALES = dict(Q4_0=[0], Q4_1=[0, 2], Q5_0=[0], Q5_1=[0, 2], Q8_0=[0], Q2_K=[80, 82], Q3_K=[108], Q4_K=[0, 2], Q5_K=[0, 2],
              Q6_K=[208], IQ4_NL=[0])


def models():
    long = [1] + [(7 * i * i + 3 * i) % (tiny.VOCABULARY - 3) + 3 for i in range(23)]
    for name in tiny.ARCHITECTURES:
        folder = f"{OUT}/{name}"
        shutil.rmtree(folder, ignore_errors=True)
        model, dtype = tiny.model_of(name)
        tiny.save_huggingface(model, dtype, folder, shards=3 if name == "llama-2" else 1)
        tiny.sentencepiece_model(f"{folder}/tokenizer.model")
        cases = tiny.reference(model, [long, [1, 259, 260]])
        np.save(f"{folder}/logits.npy", cases[0][0])
        json.dump([case for _, case in cases], open(f"{folder}/reference.json", "w"))
        if name == "llama-2":
            shutil.rmtree(f"{OUT}/llama-2-meta", ignore_errors=True)
            tiny.save_meta(model, dtype, f"{OUT}/llama-2-meta", parts=2)
            tiny.sentencepiece_model(f"{OUT}/llama-2-meta/tokenizer.model")


def blocks():
    random = np.random.default_rng(11)
    stored = {}
    for name in TYPES:
        kind = gguf.GGMLQuantizationType[name]
        values, size = gguf.GGML_QUANT_SIZES[kind]
        count = max(1, 512 // values)
        data = random.integers(0, 256, (count, size), dtype=np.uint8)
        for place in SCALES.get(name, []):
            # Finite halves of every size, subnormal ones too.
            halves = random.integers(0, 31 << 10, count, dtype=np.uint16) | random.integers(0, 2, count, dtype=np.uint16) << 15
            data[:, place:place + 2] = halves.view(np.uint8).reshape(count, 2)
        if name in ("F32", "F16", "BF16"):
            plain = random.standard_normal(count).astype(np.float32)
            data = gguf.quants.quantize(plain.reshape(1, -1), kind).view(np.uint8).reshape(count, size)
        result = gguf.quants.dequantize(data.reshape(-1) if name != "F32" else data.reshape(-1).view(np.float32), kind)
        stored[name] = dict(bytes=data.tobytes().hex(), values=result.astype(np.float32).tobytes().hex())
    plain = random.standard_normal(256).astype(np.float32)
    plain[32:64] = 0
    packed = {name: gguf.quants.quantize(plain.reshape(1, -1), gguf.GGMLQuantizationType[name]).tobytes().hex()
              for name in ("F16", "Q8_0", "Q4_0")}
    json.dump(dict(stored=stored, plain=plain.tobytes().hex(), packed=packed), open(f"{OUT}/blocks.json", "w"), indent=0)


if __name__ == "__main__":
    os.makedirs(OUT, exist_ok=True)
    models()
    blocks()
