"""Features of the classifier: what words say apart from how they ask, hashed. The Swift twin is Classifier/FeatureScan.swift."""

import pathlib

import numpy
import scipy.sparse

import normaliser

HERE = pathlib.Path(__file__).parent
BITS = 22
HEAD_BITS = 15
PAIR = 0x9E3779B97F4A7C15
MASK = 0xFFFFFFFFFFFFFFFF
WINDOW = 64


def frame_words():
    lines = (HERE / "texts" / "frame-words.txt").read_text(encoding="utf-8").splitlines()
    found = {normaliser.fnv(word.letters) for line in lines if not line.startswith("#") for word in normaliser.words(line)}
    # One's own letters, alone in brackets, are words of no meaning either.
    return found


FRAME = frame_words()


def mix(value):
    value &= MASK
    value ^= value >> 29
    value = (value * 0xBF58476D1CE4E5B9) & MASK
    return value ^ (value >> 32)


CACHE = {}


def hashed(word):
    key = tuple(word.letters)
    entry = CACHE.get(key)
    if entry is None:
        whole = normaliser.fnv(key)
        entry = CACHE[key] = (whole, normaliser.fnv(key[: normaliser.PREFIX]), whole in FRAME)
    return entry


def features(words):
    """For each word the mixed hashes of its features, in the order of the text."""
    result, before, first, second = [], None, None, None
    for word in words:
        whole, prefix, is_frame = hashed(word)
        row = []
        if before is not None and not (is_frame and before[1]):
            row.append(mix(before[0] * PAIR + whole + 5))
        if not is_frame:
            row.append(mix(whole + 1))
            row.append(mix(prefix + 2))
            if first is not None:
                row.append(mix(first * PAIR + prefix + 3))
            if second is not None:
                row.append(mix(second * PAIR + prefix + 4))
            second, first = first, prefix
        before = (whole, is_frame)
        result.append(row)
    return result


def matrix(rows, bits=BITS, limit=400, counts=True, power=0.5):
    """Counts over the square root of their sum. `rows`: the result of `features` for each text."""
    data, columns, ends = [], [], [0]
    mask = (1 << bits) - 1
    for row in rows:
        found = [feature & mask for word in row[:limit] for feature in word]
        if not counts: found = list(set(found))
        data.append(numpy.full(len(found), 1 / max(1, len(found)) ** power, numpy.float32))
        columns.append(numpy.array(found, dtype=numpy.int32))
        ends.append(ends[-1] + len(found))
    result = scipy.sparse.csr_matrix(
        (numpy.concatenate(data), numpy.concatenate(columns), numpy.array(ends)), shape=(len(rows), 1 << bits))
    result.sum_duplicates()
    return result
