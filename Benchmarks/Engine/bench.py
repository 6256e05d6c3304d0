#!/usr/bin/env python3
"""Runs `engine bench` and llama.cpp (peer.py) in turn over the same files, several times, and prints medians and ratios as a table.

usage: bench.py --command WEIGHBRIDGE --peer-python PYTHON --models FOLDER [--rounds 5] [--names 1b-Q4_0,...] [--cases ...]
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = ["1b-Q4_0", "1b-Q8_0", "1b-Q4_K_M", "1b-Q5_K_M", "1b-Q6_K", "1b-F16", "7b-Q4_0"]
# threads, prompt tokens, generated tokens, sequences, figures of it by their headings
CASES = {
    "single": (2, 512, 64, 1, {"prefill 512, 2 threads": "prefill", "decode behind 512, 2 threads": "decode"}),
    # From an empty context, as llama-bench measures decoding: weights are nearly all that is read.
    "start": (2, 1, 128, 1, {"decode from the start, 2 threads": "decode"}),
    "thread": (1, 64, 32, 1, {"prefill 64, 1 thread": "prefill", "decode, 1 thread": "decode"}),
    "batch8": (2, 64, 32, 8, {"decode of 8, 2 threads": "decode"}),
    "batch32": (2, 64, 32, 32, {"decode of 32, 2 threads": "decode"}),
}


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--command", required=True)
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--models", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--names", default=",".join(NAMES))
    parser.add_argument("--cases", default=",".join(CASES))
    return parser.parse_args()


def run(arguments):
    result = subprocess.run(arguments, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(arguments)} failed:\n{result.stderr}")
    return json.loads(result.stdout.strip().splitlines()[-1])


def ours(given, path, case, profiled):
    threads, prompt, generate, parallel, _ = case
    return run([given.command, "engine", "bench", "--model", path, "--threads", str(threads), "--prompt-tokens", str(prompt),
                "--generate-tokens", str(generate), "--parallel", str(parallel), "--json"] + (["--profile"] if profiled else []))


def peers(given, path, case):
    threads, prompt, generate, parallel, _ = case
    return run([given.peer_python, os.path.join(HERE, "peer.py"), path, str(threads), str(prompt), str(generate), str(parallel)])


def compare(given, name, case):
    """Medians of both sides, and of our bound where one stream decodes; pairs are run in turn, so that both meet the same noise."""
    path = os.path.join(given.models, f"{name}.gguf")
    mine, theirs, bounds = [], [], []
    single = case[3] == 1
    for number in range(given.rounds):
        pair = [lambda: mine.append(ours(given, path, case, single)), lambda: theirs.append(peers(given, path, case))]
        for side in pair if number % 2 == 0 else reversed(pair):
            side()
        if single:
            bounds.append(mine[-1]["profile"]["decode_bound_tokens_per_second"])
    for heading, figure in case[4].items():
        key = f"{figure}_tokens_per_second"
        a, b = (statistics.median(result[key] for result in side) for side in (mine, theirs))
        bound = f"{statistics.median(bounds):.1f}" if bounds and figure == "decode" else "\u2013"
        share = statistics.median(result[key] / limit for result, limit in zip(mine, bounds)) if bound != "\u2013" else None
        print(f"| {name} | {heading} | {a:.1f} | {b:.1f} | {a / b:.2f} | {bound} | "
              f"{f'{share:.0%}' if share is not None else chr(0x2013)} |", flush=True)


def main():
    given = options()
    print("| model | what | engine, tokens/s | llama.cpp, tokens/s | ratio | bound | of the bound |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for name in given.names.split(","):
        for case in given.cases.split(","):
            compare(given, name, CASES[case])


main()
