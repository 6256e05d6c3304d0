"""Measures llama.cpp, through llama-cpp-python, as `engine bench` measures the engine, and prints the same keys as JSON.

usage: peer.py MODEL THREADS PROMPT GENERATE PARALLEL

Prompts of PROMPT tokens are read one after another, then GENERATE greedy tokens of each of PARALLEL sequences are made, all in one
batch a step.
"""
import ctypes
import json
import sys
import time

import llama_cpp as peer
import numpy as np


class Session:
    def __init__(self, path, threads, positions, parallel):
        peer.llama_log_set(quiet, ctypes.c_void_p(0))
        peer.llama_backend_init()
        self.model = peer.llama_model_load_from_file(path.encode(), peer.llama_model_default_params())
        options = peer.llama_context_default_params()
        options.n_ctx = (positions * parallel + 255) // 256 * 256
        options.n_batch = options.n_ubatch = 512
        options.n_seq_max = parallel
        options.n_threads = options.n_threads_batch = threads
        self.context = peer.llama_init_from_model(self.model, options)
        self.vocabulary = peer.llama_vocab_n_tokens(peer.llama_model_get_vocab(self.model))
        self.batch = peer.llama_batch_init(512, 0, 1)

    def run(self, rows):
        """rows: (token, position, sequence, whether its logits are wanted)."""
        self.batch.n_tokens = len(rows)
        for index, (token, position, sequence, wanted) in enumerate(rows):
            self.batch.token[index] = token
            self.batch.pos[index] = position
            self.batch.n_seq_id[index] = 1
            self.batch.seq_id[index][0] = sequence
            self.batch.logits[index] = wanted
        if peer.llama_decode(self.context, self.batch) != 0:
            sys.exit("The peer could not run a batch.")
        # Waits for the end.
        peer.llama_get_logits(self.context)

    def highest(self, row):
        logits = peer.llama_get_logits_ith(self.context, row)
        return int(np.ctypeslib.as_array(logits, (self.vocabulary,)).argmax())

    def clear(self):
        peer.llama_memory_clear(peer.llama_get_memory(self.context), True)


@peer.llama_log_callback
def quiet(level, text, data):
    pass


def prompt_rows(session, count, sequence):
    token = [(index * 7919 + sequence * 104729 + 13) % session.vocabulary for index in range(count)]
    return [(token[index], index, sequence, index == count - 1) for index in range(count)]


def main():
    path, numbers = sys.argv[1], [int(number) for number in sys.argv[2:6]]
    threads, prompt, generate, parallel = numbers
    session = Session(path, threads, prompt + generate, parallel)
    session.run(prompt_rows(session, min(32, prompt), 0))
    session.clear()
    start = time.perf_counter()
    for sequence in range(parallel):
        rows = prompt_rows(session, prompt, sequence)
        for first in range(0, prompt, 512):
            session.run(rows[first:first + 512])
    middle = time.perf_counter()
    tokens = [0] * parallel
    for step in range(generate):
        session.run([(tokens[sequence], prompt + step, sequence, True) for sequence in range(parallel)])
        tokens = [session.highest(sequence) for sequence in range(parallel)]
    end = time.perf_counter()
    print(json.dumps({
        "prefill_tokens_per_second": parallel * prompt / (middle - start),
        "decode_tokens_per_second": parallel * generate / (end - middle),
    }))


main()
