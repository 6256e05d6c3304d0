"""Trains the linear tier and writes the weights that the gateway ships.

    python train.py DATA --weights Policies/classifier/linear.weights --golden Policies/classifier/golden.jsonl [--leave-out]

DATA holds train.jsonl and tune.jsonl (other sources), one object a line: text, label, categories, source. Nothing of it is copied
into the repository. The weights' format is written down in docs/decisions/0006-linear-classifier.md.
"""

import argparse
import json
import math
import pathlib
import random
import struct

import numpy

import features
import normaliser
import own_text
import training

HEADS = ["1a-i", "1a-ii", "1a-iii", "1a-iv", "1a-v", "1a-vi", "1b", "1c", "1d", "1e", "1f", "1g", "2a", "2b", "2c", "2d", "2e", "2f",
         "3a", "3b", "3c", "3d", "3e", "3f", "4", "jailbreak"]
POLICY = "llama-2"
LANES = 32
HEAD_FEATURES = 4096
SEGMENT = 96
PIECE = 48
SEEN = 2048
PROMPTS = ("figstep", "dangerousqa", "gptfuzz", "tdc2023")
CHAT = ("vicuna", "self_instruct", "dolly_sensitive")
FOLDS = [(("catqa_en", "catqa_zh", "catqa_vi"), ("coconot_pref",)), (("harmfulqa",), ("aounon_safe", "cvalues")),
         (("advbench",), ("ifeval", "mitre_frr")), (("ailuminate_en",), ("belle", "medquad")),
         (("inthewild_jb", "cse_interpreter"), ("cse_instruct", "gsm8k")), (("davidson", "surge_toxicity"), ("hardneg", "humaneval"))]


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def distinct(row):
    """The features of a text, each once, as the gateway drops repeats: by a direct-mapped table of the last ones seen."""
    seen, result = [-1] * SEEN, []
    mask = (1 << features.BITS) - 1
    for word in row:
        for feature in word:
            index = feature & mask
            if seen[index % SEEN] != index:
                seen[index % SEEN] = index
                result.append(feature)
    return result


def segments(row):
    """A text in pieces of PIECE words that overlap by half, to train on: what a long text says must show in any part of it."""
    if len(row) <= PIECE:
        return [row]
    return [row[start:start + PIECE] for start in range(0, len(row) - PIECE // 2, PIECE // 2)][:6]


def counted(lists, bits):
    return features.matrix([[found] for found in lists], bits=bits, limit=1)


class Corpus:
    def __init__(self, rows):
        self.rows = rows
        self.texts = [features.features(normaliser.words(row["text"])) for row in rows]
        pieces = [(index, piece) for index, text in enumerate(self.texts) for piece in segments(text)]
        self.owner = numpy.array([index for index, _ in pieces])
        self.lists = [distinct(piece) for _, piece in pieces]
        self.labels = numpy.array([rows[index]["label"] for index in self.owner], dtype=float)
        self.share = 1 / numpy.bincount(self.owner)[self.owner]

    def weights(self, without=()):
        return training.balanced(self.rows, without=without)[self.owner] * self.share


def fit(corpus, matrix, without=(), strength=5):
    weights = corpus.weights(without)
    used = weights > 0
    return training.logistic(matrix[used], corpus.labels[used], weights[used], strength, 40)


def sources(rows, *names):
    return numpy.array([row["source"] in names for row in rows])


def show(name, rows, scores):
    chat = scores[sources(rows, *CHAT)]
    harm = scores[sources(rows, *PROMPTS)]
    labels = numpy.r_[numpy.ones(len(harm)), numpy.zeros(len(chat))]
    print(f"{name}: tuning prompts against chat: AP {training.average_precision(labels, numpy.r_[harm, chat]):.3f}, "
          f"recall {training.recall_at(harm, chat, 0.05):.3f} at 5 % false positives, {training.recall_at(harm, chat, 0.01):.3f} at 1 %")


def leave_out(corpus, matrix, tune, tune_matrix):
    chat = sources(tune.rows, *CHAT)
    for positive, negative in FOLDS:
        weights, bias = fit(corpus, matrix, without=positive + negative)
        scores, base = matrix @ weights + bias, (tune_matrix @ weights + bias)[chat]
        threshold = numpy.quantile(base, 0.95)
        for name in positive + negative:
            for label in (1, 0):
                chosen = numpy.array([corpus.rows[index]["source"] == name and corpus.rows[index]["label"] == label for index in corpus.owner])
                if not chosen.any():
                    continue
                part = scores[chosen]
                precision = training.average_precision(numpy.r_[numpy.ones(len(part)), numpy.zeros(len(base))], numpy.r_[part, base]) if label else None
                print(f"  left out {name:16s} label {label} pieces {len(part):5d} over the 5 % threshold {float((part > threshold).mean()):.3f}"
                      + (f" AP against chat {precision:.3f}" if label else ""), flush=True)


def quantised(weights, levels=127):
    """Signed bytes and the worth of one step; the few largest weights are held at the 99.9th percentile."""
    used = numpy.abs(weights[weights != 0])
    step = float(numpy.float32(numpy.quantile(used, 0.999) / levels))
    return numpy.clip(numpy.floor(weights / step + 0.5), -levels, levels).astype(numpy.int8), step


def total(table, lists, bits):
    mask = (1 << bits) - 1
    sums = numpy.array([int(table[[feature & mask for feature in found]].astype(int).sum()) if found else 0 for found in lists])
    return sums, numpy.array([len(found) for found in lists])


def logit_milli(sums, counts, step, bias):
    """As the gateway computes it: the same operations on the same doubles in the same order."""
    return [math.floor((step * s / math.sqrt(c) + bias) * 1000 + 0.5) if c else math.floor(bias * 1000 + 0.5) for s, c in zip(sums, counts)]


def isotonic(values):
    """Pool adjacent violators over (value, weight) pairs."""
    blocks = []
    for value, weight in values:
        blocks.append([value, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            v, w, n = blocks.pop()
            blocks[-1] = [(blocks[-1][0] * blocks[-1][1] + v * w) / (blocks[-1][1] + w), blocks[-1][1] + w, blocks[-1][2] + n]
    return [block[0] for block in blocks for _ in range(block[2])]


def knots(rows, logits):
    """From logit to probability where violations and harmless texts are equally frequent: isotonic over quantiles of the tuning set."""
    chosen = sources(rows, *PROMPTS, *CHAT)
    labels = numpy.array([row["label"] for row in rows])[chosen]
    values = numpy.array(logits)[chosen]
    weight = numpy.where(labels == 1, 0.5 / labels.sum(), 0.5 / (1 - labels).sum())
    order = numpy.argsort(values, kind="stable")
    bins = numpy.array_split(order, 24)
    points = [(float(values[b].mean()), float((weight[b] * labels[b]).sum() / weight[b].sum()), float(weight[b].sum())) for b in bins]
    smooth = isotonic([(p, w) for _, p, w in points])
    result = [(-20000, 0)]
    for (logit, _, _), probability in zip(points, smooth):
        x, y = int(round(logit)), int(round(min(max(probability, 0.01), 0.97) * 1_000_000))
        if x > result[-1][0]:
            result.append((x, max(y, result[-1][1] + 500)))
    return result + [(max(20000, result[-1][0] + 1), 1_000_000)]


def interpolate(points, value):
    """Integer interpolation between knots, rounded down."""
    if value <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        if value <= x1:
            return y0 + (y1 - y0) * (value - x0) // (x1 - x0)
    return points[-1][1]


HEAD_KNOTS = [(z, int(round(1_000_000 / (1 + math.exp(-z / 1000))))) for z in range(-8000, 8001, 500)]


def heads(corpus):
    """One model for each item, among texts that violate some: which one it is. Shared table of LANES bytes a slot."""
    names = {own_text.ordinal(name): index for index, name in enumerate(HEADS)}
    chosen = [i for i, index in enumerate(corpus.owner) if corpus.rows[index]["label"] == 1 and corpus.rows[index]["categories"]]
    matrix = training.pruned(counted([corpus.lists[i] for i in chosen], features.HEAD_BITS), 2)
    weights = corpus.weights()[chosen]
    table, steps, biases = numpy.zeros((1 << features.HEAD_BITS, LANES), dtype=numpy.int8), [], []
    for name, index in names.items():
        labels = numpy.array([1.0 if name in corpus.rows[corpus.owner[i]]["categories"] else 0.0 for i in chosen])
        share = weights.copy()
        share[labels == 1] *= 0.25 / share[labels == 1].sum()
        share[labels == 0] *= 0.75 / share[labels == 0].sum()
        dense, bias = training.logistic(matrix, labels, share, 5, 20)
        table[:, index], step = quantised(dense)
        steps.append(step)
        biases.append(float(numpy.float32(bias)))
    return table, steps, biases


def checksum(data):
    """FNV-1a over 64-bit little-endian words, the rest padded with zeros."""
    value = normaliser.OFFSET
    padded = data + b"\0" * (-len(data) % 8)
    for (word,) in struct.iter_unpack("<Q", padded):
        value = ((value ^ word) * normaliser.PRIME) & normaliser.MASK
    return value


class Model:
    def __init__(self, table, step, bias, points, threshold, segment_bar, head_table, head_steps, head_biases):
        self.__dict__.update(locals())

    def encoded(self):
        frame = sorted(features.FRAME)
        data = b"WBLINEAR" + struct.pack("<8I", 1, features.BITS, features.HEAD_BITS, len(HEADS), len(frame), len(self.points), len(HEAD_KNOTS), SEGMENT)
        data += POLICY.encode().ljust(16, b"\0") + struct.pack("<2d2i", self.step, self.bias, self.threshold, self.segment_bar)
        for name, step, bias in zip(HEADS, self.head_steps, self.head_biases):
            data += name.encode().ljust(16, b"\0") + struct.pack("<2d", step, bias)
        data += b"".join(struct.pack("<Q", word) for word in frame)
        data += b"".join(struct.pack("<2i", x, y) for x, y in self.points + HEAD_KNOTS)
        data += self.table.tobytes() + self.head_table.tobytes()
        return data + struct.pack("<Q", checksum(data))

    def logit(self, row):
        """The whole text, or a stretch of it that is worse by the bar."""
        spans = [row] + [row[s:s + SEGMENT] for s in range(SEGMENT // 2, len(row), SEGMENT // 2)]
        if len(row) > SEGMENT:
            spans.append(row[:SEGMENT])
        lists = [distinct(span) for span in spans]
        found = logit_milli(*total(self.table, lists, features.BITS), self.step, self.bias)
        return max([found[0]] + [value - self.segment_bar for value in found[1:]])

    def assess(self, text):
        row = features.features(normaliser.words(text))
        logit = self.logit(row)
        found = distinct(row)[:HEAD_FEATURES]
        mask = (1 << features.HEAD_BITS) - 1
        sums = self.head_table[[feature & mask for feature in found]].astype(int).sum(0) if found else numpy.zeros(LANES, dtype=int)
        values = [logit_milli([int(sums[i])], [len(found)], self.head_steps[i], self.head_biases[i])[0] for i in range(len(HEADS))]
        return {"logit": logit, "score": interpolate(self.points, logit), "heads": [interpolate(HEAD_KNOTS, value) for value in values]}


def golden_texts():
    """Texts of our own, plain and disguised."""
    source = random.Random(99)
    rows = source.sample(own_text.everything(seed=5), 160)
    texts = [row["text"] for row in rows]
    texts += [text.replace("a", "@").replace("o", "0").replace("e", "3") for text in texts[:20]]
    texts += [" ".join(text.replace(" ", "  ")) for text in texts[20:30]]
    texts += ["\u200b".join(text) for text in texts[30:40]]
    texts += [text.translate(str.maketrans("aeopc", "аеорс")) for text in texts[40:50]]
    texts += [" ".join(texts[50:90]), " ".join(texts[:160]), "", "!!!", "42", "é" * 40, "好" * 300, "𝐡𝐨𝐰 𝐭𝐨 𝐤𝐢𝐥𝐥 𝐬𝐨𝐦𝐞𝐨𝐧𝐞"]
    return texts


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--weights", type=pathlib.Path, required=True)
    parser.add_argument("--golden", type=pathlib.Path, required=True)
    parser.add_argument("--leave-out", action="store_true", help="also train without each group of sources and measure on it")
    options = parser.parse_args()

    corpus = Corpus(read(options.data / "train.jsonl") + own_text.everything())
    tune = Corpus(read(options.data / "tune.jsonl"))
    print(f"{len(corpus.rows)} texts to train on, of which {sum(row['source'].startswith('own_') for row in corpus.rows)} our own; {len(tune.rows)} to tune on", flush=True)
    matrix = training.pruned(counted(corpus.lists, features.BITS), 2)
    if options.leave_out:
        leave_out(corpus, matrix, tune, counted(tune.lists, features.BITS))
    dense, bias = fit(corpus, matrix)
    table, step = quantised(dense)
    model = Model(table, step, float(numpy.float32(bias)), [(-1, 0), (1, 1)], 0, 10 ** 6, *heads(corpus))
    whole = numpy.array([model.logit(text) for text in tune.texts])
    show("whole texts", tune.rows, whole)
    chat = sources(tune.rows, *CHAT)
    # Stretches may add at most a fiftieth of the false positives that the threshold allows.
    for bar in range(0, 4001, 250):
        model.segment_bar = bar
        logits = numpy.array([model.logit(text) for text in tune.texts])
        if (logits[chat] > numpy.quantile(whole[chat], 0.95)).mean() <= 0.051:
            break
    show(f"with stretches at a bar of {bar}", tune.rows, logits)
    model.points = knots(tune.rows, logits)
    model.threshold = interpolate(model.points, int(numpy.quantile(logits[chat], 0.95)))
    print(f"threshold {model.threshold / 1e6:.3f}: 5 % of the harmless chat of sources that training did not see")
    options.weights.write_bytes(model.encoded())
    with open(options.golden, "w", encoding="utf-8") as output:
        for text in golden_texts():
            output.write(json.dumps({"text": text, **model.assess(text)}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
