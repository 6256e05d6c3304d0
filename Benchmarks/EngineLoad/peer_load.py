"""The peer under the load of engine-load: streams that begin alike, decoded together.

usage: peer_load.py MODEL [THREADS [STREAMS [SHARED [OWN [GENERATE]]]]]

The shared beginning is computed once and copied to every sequence; then each stream's own tokens are read and all streams are decoded in
one batch a step: what llama.cpp's server does at its best, without its HTTP and its queue. (The server of llama-cpp-python itself answers
one request at a time, so it would be no fair measure.) Tells its progress on standard error and prints one JSON object.
"""
import json
import sys
import time

import llama_cpp


def number(index, standard):
    return int(sys.argv[index]) if len(sys.argv) > index else standard


def tell(text):
    print(text, file=sys.stderr, flush=True)


def tokens(count, salt):
    return [300 + (i * 7919 + salt * 104729 + 13) % 30000 for i in range(count)]


def run(context, batch, rows):
    """rows: (token, position, sequence, whether logits are wanted)"""
    batch.n_tokens = len(rows)
    for i, (token, position, sequence, wanted) in enumerate(rows):
        batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = token, position, 1, wanted
        batch.seq_id[i][0] = sequence
    if llama_cpp.llama_decode(context, batch) != 0:
        raise SystemExit("llama_decode failed")


def best(context, row, vocabulary):
    import numpy as np
    logits = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(context, row), shape=(vocabulary,))
    logits[2] -= 100
    return int(logits.argmax())


def main():
    path, threads, streams = sys.argv[1], number(2, 2), number(3, 16)
    shared, own, generate = number(4, 512), number(5, 16), number(6, 128)
    llama_cpp.llama_backend_init()
    silent = llama_cpp.llama_log_callback(lambda level, text, data: None)
    llama_cpp.llama_log_set(silent, None)
    model = llama_cpp.llama_model_load_from_file(path.encode(), llama_cpp.llama_model_default_params())
    if not model:
        raise SystemExit(f"llama.cpp cannot load {path}")
    vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
    settings = llama_cpp.llama_context_default_params()
    settings.n_ctx = (shared + own + generate + 32) * (streams + 1)
    settings.n_batch = settings.n_ubatch = 512
    settings.n_seq_max = streams + 1
    settings.n_threads = settings.n_threads_batch = threads
    if hasattr(settings, "kv_unified"):
        settings.kv_unified = True
    context = llama_cpp.llama_init_from_model(model, settings)
    if not context:
        raise SystemExit("llama.cpp made no context; is there memory enough?")
    memory = llama_cpp.llama_get_memory(context)
    batch = llama_cpp.llama_batch_init(512, 0, 1)
    run(context, batch, [(t, i, streams, i == 31) for i, t in enumerate(tokens(32, 999))])
    llama_cpp.llama_memory_clear(memory, True)
    start = time.perf_counter()
    beginning = tokens(shared, 1)
    for first in range(0, shared, 512):
        run(context, batch, [(t, first + i, 0, False) for i, t in enumerate(beginning[first:first + 512])])
    tell(f"peer: {shared} shared tokens read after {time.perf_counter() - start:.1f} s")
    for stream in range(1, streams):
        llama_cpp.llama_memory_seq_cp(memory, 0, stream, -1, -1)
    rows = [(t, shared + i, s, i == own - 1) for s in range(streams) for i, t in enumerate(tokens(own, 2 + s))]
    last, firsts = [0] * streams, []
    for first in range(0, len(rows), 512):
        part = rows[first:first + 512]
        run(context, batch, part)
        for i, row in enumerate(part):
            if row[3]:
                last[row[2]] = best(context, i, vocabulary)
                firsts.append(time.perf_counter() - start)
    tell(f"peer: all prompts read after {time.perf_counter() - start:.1f} s")
    for step in range(1, generate):
        if step % 16 == 0:
            tell(f"peer: {step} of {generate} tokens of each of {streams} streams after {time.perf_counter() - start:.1f} s")
        run(context, batch, [(last[s], shared + own + step - 1, s, True) for s in range(streams)])
        last = [best(context, s, vocabulary) for s in range(streams)]
    seconds = time.perf_counter() - start
    print(json.dumps({
        "streams": streams, "shared_tokens": shared, "own_tokens": own, "generate": generate, "threads": threads,
        "throughput": {"tokens": streams * generate, "seconds": seconds, "tokens_per_second": streams * generate / seconds,
                       "first_token_max_seconds": firsts[-1]}}, indent=2))


main()
