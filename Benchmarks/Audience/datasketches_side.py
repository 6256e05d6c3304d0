"""The streams of `audience-bench stream USERS SEEDS`, counted by the PyPI packages datasketches and numpy (pip install both)."""
import math
import sys
import time

import datasketches as ds
import numpy as np

users = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 8
ranges = [(0, users // 2), (users // 4, users * 3 // 4), (users // 2, users)]


def fingerprints(first, last, seed):
    with np.errstate(over="ignore"):
        z = np.arange(first, last, dtype=np.uint64) + np.uint64(seed * 0x9E3779B97F4A7C15 & (1 << 64) - 1)
        z = (z ^ z >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ z >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        return (z ^ z >> np.uint64(31)).view(np.int64).tolist()


kinds = [("hll_sketch", k, lambda k: ds.hll_sketch(k, ds.tgt_hll_type.HLL_8)) for k in (12, 14, 16, 18)]
kinds += [("cpc_sketch", k, ds.cpc_sketch) for k in (14, 16)]
kinds += [("theta_sketch", k, ds.update_theta_sketch) for k in (14, 16)]
unite = {"hll_sketch": ds.hll_union, "cpc_sketch": ds.cpc_union, "theta_sketch": ds.theta_union}
errors = {kind[:2]: [] for kind in kinds}
sizes, spent, merging = {}, dict.fromkeys(errors, 0.0), dict.fromkeys(errors, 0.0)
for seed in range(1, seeds + 1):
    unions = {(name, k): unite[name](k) for name, k, _ in kinds}
    for first, last in ranges:
        numbers = fingerprints(first, last, seed)
        for name, k, make in kinds:
            begin = time.perf_counter()
            sketch = make(k)
            for number in numbers:
                sketch.update(number)
            middle = time.perf_counter()
            unions[name, k].update(sketch)
            spent[name, k] += middle - begin
            merging[name, k] += time.perf_counter() - middle
    for (name, k), union in unions.items():
        result = union.get_result()
        errors[name, k].append(result.get_estimate() / users - 1)
        # HLL has two forms; the theta union gives the compact one, which has only one.
        blob = result.serialize_compact() if name == "hll_sketch" else result.serialize()
        sizes[name, k] = len(blob)
for (name, k), values in errors.items():
    rms = math.sqrt(sum(e * e for e in values) / len(values))
    added = seeds * sum(last - first for first, last in ranges)
    print(f"datasketches {name} lg_k {k}: {users} users, {seeds} seeds: rms {rms:.4%}, largest {max(map(abs, values)):.4%}, "
          f"{sizes[name, k]} bytes, {spent[name, k] / added * 1e9:.0f} ns per added user in Python's loop, "
          f"three nodes merged in {merging[name, k] / seeds * 1e6:.0f} µs")
