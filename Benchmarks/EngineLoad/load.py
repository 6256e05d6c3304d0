#!/usr/bin/env python3
"""Runs engine-load and the peer (peer_load.py) in turn over the same model and streams, several times, and prints medians and the ratio.

usage: load.py --engine-load BINARY --peer-python PYTHON --model FILE [--rounds 3] [--streams 16] [--shared 512] [--own 16]
               [--generate 128] [--threads 2] [--preload ALLOCATIONS.SO]
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
NUMBERS = {"threads": 2, "streams": 16, "shared": 512, "own": 16, "generate": 128}


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine-load", required=True)
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--preload")
    for name, standard in NUMBERS.items():
        parser.add_argument("--" + name, type=int, default=standard)
    return parser.parse_args()


def run(arguments, preload=None):
    environment = dict(os.environ, LD_PRELOAD=preload) if preload else None
    result = subprocess.run(arguments, stdout=subprocess.PIPE, text=True, env=environment)
    if result.returncode != 0:
        sys.exit(f"{' '.join(arguments)} failed with status {result.returncode}")
    return json.loads(result.stdout)


def speed(result):
    return result["throughput"]["tokens_per_second"]


def main():
    given = options()
    numbers = {name: str(getattr(given, name)) for name in NUMBERS}
    ours, peers = [], []
    for round in range(given.rounds):
        print(f"round {round + 1} of {given.rounds}", file=sys.stderr, flush=True)
        flags = [part for name, value in numbers.items() for part in ("--" + name, value)]
        ours.append(run([given.engine_load, "--model", given.model] + flags, given.preload))
        peers.append(run([given.peer_python, os.path.join(HERE, "peer_load.py"), given.model] + list(numbers.values())))
        print(f"engine {speed(ours[-1]):.1f}, llama.cpp {speed(peers[-1]):.1f} tokens/s", file=sys.stderr, flush=True)
    engine, peer = (statistics.median(map(speed, results)) for results in (ours, peers))
    print(f"{given.streams} streams, {given.shared} shared tokens, {given.generate} generated each, medians of {given.rounds}:")
    print(f"  engine {engine:.1f} tokens/s, llama.cpp {peer:.1f} tokens/s, ratio {engine / peer:.2f}")
    for waiting in (result["waiting"] for result in ours):
        print(f"  first token beside {waiting['long_prompt_tokens']} prompt tokens: {waiting['short_first_token_busy_seconds']:.2f} s, "
              f"bound {waiting['bound_seconds']:.2f} s (2 x {waiting['short_first_token_idle_seconds']:.2f} + a chunk of "
              f"{waiting['chunk_seconds']:.2f}): {'holds' if waiting['holds'] else 'DOES NOT HOLD'}")
    for allocations in (result["allocations"] for result in ours if "allocations" in result):
        print(f"  allocations: {allocations['per_token']:.2f} a token, none at all for {allocations['tokens_without_any']} of "
              f"{allocations['tokens']} tokens")


main()
