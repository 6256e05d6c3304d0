"""Trains the linear tier and writes the weights that the gateway ships.

    python train.py DATA --weights Policies/classifier/linear.weights --golden Policies/classifier/golden.jsonl

DATA holds train.jsonl, one object a line: text, label, categories, source. Nothing of it is copied into the repository. Threshold and
calibration come from the sources of the training set, each left out in turn; the tuning set is not read here. The weights' format is written down in docs/decisions/0006-linear-classifier.md.
"""

import argparse
import json
import math
import pathlib
import random
import struct

import numpy
import scipy.sparse

import embedding
import features
import normaliser
import own_text
import training

HEADS = ["1a-i", "1a-ii", "1a-iii", "1a-iv", "1a-v", "1a-vi", "1b", "1c", "1d", "1e", "1f", "1g", "2a", "2b", "2c", "2d", "2e", "2f",
         "3a", "3b", "3c", "3d", "3e", "3f", "4", "jailbreak"]
POLICY = "llama-2"
LANES = 32
HEAD_FEATURES = 4096
SEGMENT = 48
PIECE = 48
SEEN = 2048
# What is left out together: sources of one hand, and harmless ones beside them. Every source of the training set is in one of them.
FOLDS = [(("catqa_en", "catqa_zh", "catqa_vi"), ("coconot_pref", "belle")), (("harmfulqa",), ("aounon_safe", "cvalues")),
         (("advbench",), ("ifeval", "mitre_frr")), (("ailuminate_en",), ("medquad",)),
         (("inthewild_jb", "cse_interpreter"), ("cse_instruct", "gsm8k")), (("davidson", "surge_toxicity"), ("hardneg", "humaneval")),
         (("cold_train",), ())]
CORE = ("catqa_en", "harmfulqa", "advbench", "ailuminate_en")
CHAT = ("aounon_safe", "ifeval", "gsm8k", "medquad", "belle", "cvalues", "humaneval")
ALIKE = ("coconot_pref", "hardneg", "mitre_frr")


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
    def __init__(self, rows, vectors):
        self.rows = rows
        self.vectors = vectors
        words = [normaliser.words(row["text"]) for row in rows]
        self.texts = [features.features(text) for text in words]
        known = [vectors.places(text) for text in words]
        pieces = [(index, piece) for index, text in enumerate(self.texts) for piece in segments(text)]
        self.owner = numpy.array([index for index, _ in pieces])
        self.lists = [distinct(piece) for _, piece in pieces]
        self.meanings = vectors.sums([piece for text in known for piece in segments(text)], [len(piece) for piece in self.lists])
        self.labels = numpy.array([rows[index]["label"] for index in self.owner], dtype=float)
        self.share = 1 / numpy.bincount(self.owner)[self.owner]

    def weights(self, without=()):
        return training.balanced(self.rows, without=without)[self.owner] * self.share


def fit(corpus, matrix, without=(), strength=5, rows_without=None):
    """Weights of the features. What the meanings of words weigh is folded into the weights of the words, those of the vectors that no
    text of the training set has included: a text's sum is the same."""
    weights = corpus.weights(without)
    if rows_without is not None:
        weights = numpy.where(rows_without[corpus.owner], 0, weights)
    used = weights > 0
    both = scipy.sparse.hstack([matrix, scipy.sparse.csr_matrix(corpus.meanings)]).tocsr()
    dense, bias = training.logistic(both[used], corpus.labels[used], weights[used], strength, 30)
    table = dense[: matrix.shape[1]].copy()
    # One step of a quantised weight is chosen by the weights that were trained: those that are folded in are many and small.
    step = training.step(table)
    corpus.vectors.fold(dense[matrix.shape[1]:], table)
    return table, bias, step


def sources(rows, *names):
    return numpy.array([row["source"] in names for row in rows])


def parts(rows, scores, names, label):
    """The scores of each source that has texts of this label."""
    found = [scores[numpy.array([row["source"] == name and row["label"] == label for row in rows])] for name in names]
    return [part for part in found if len(part)]


def shares(groups, total):
    """For each text how much it counts: a source by the root of its size."""
    roots = [len(group) ** 0.5 for group in groups]
    return numpy.concatenate([numpy.full(len(group), total * root / sum(roots) / len(group)) for group, root in zip(groups, roots)])


# Harmless texts to violations, as in the sets that the targets speak of.
RATIO = 2.7


def measured(positive, negative):
    """Average precision, recall at 5 % and at 1 % false positives, and the score at 5 %."""
    scores = numpy.concatenate(positive + negative)
    labels = numpy.r_[numpy.ones(sum(map(len, positive))), numpy.zeros(sum(map(len, negative)))]
    weights = numpy.r_[shares(positive, 1), shares(negative, RATIO)]
    order = numpy.argsort(-scores, kind="stable")
    scores, labels, weights = scores[order], labels[order], weights[order]
    hits, false = numpy.cumsum(weights * labels), numpy.cumsum(weights * (1 - labels)) / RATIO
    precision = float((hits / numpy.cumsum(weights) * weights * labels).sum())
    place = {rate: min(int(numpy.searchsorted(false, rate)), len(scores) - 1) for rate in (0.05, 0.01)}
    return precision, float(hits[place[0.05]]), float(hits[place[0.01]]), float(scores[place[0.05]])


def left_out(corpus, matrix):
    """For each text of the training set what a model says that has not seen its source: whole, and its worst stretch."""
    whole, worst = numpy.full(len(corpus.rows), -math.inf), numpy.full(len(corpus.rows), -math.inf)
    for positive, negative in FOLDS:
        dense, bias, step = fit(corpus, matrix, without=positive + negative)
        model = Model(quantised(dense, step), step, float(numpy.float32(bias)), [(-1, 0), (1, 1)], 0, 0, None, None, None)
        for index in numpy.flatnonzero(sources(corpus.rows, *positive, *negative)):
            whole[index], worst[index] = model.logits(corpus.texts[index])
    return whole, worst


def within_chinese(corpus, matrix, parts_count=5):
    """For each Chinese text of others what a model says that has not seen the part of its source that it is in.

    Leaving whole sources out says little of Chinese: with CatQA's three languages and BELLE out, no request in Chinese is left but our
    own, and no insult with COLD out. The sets that are measured on elsewhere are other parts of these sources."""
    chinese = numpy.array([row.get("lang") == "zh" and not row["source"].startswith("own_") for row in corpus.rows])
    part = numpy.random.default_rng(5).integers(0, parts_count, len(corpus.rows))
    scores = numpy.full(len(corpus.rows), -math.inf)
    for index in range(parts_count):
        held = chinese & (part == index)
        dense, bias, step = fit(corpus, matrix, rows_without=held)
        model = Model(quantised(dense, step), step, float(numpy.float32(bias)), [(-1, 0), (1, 1)], 0, 0, None, None, None)
        for row in numpy.flatnonzero(held):
            scores[row] = max(model.logits(corpus.texts[row]))
    print(f"Chinese, a {parts_count}th of each source left out in turn:")
    for name, positive, negative in (
            ("requests and insults against chat and COLD's harmless", ("catqa_zh", "cold_train"), ("belle", "cvalues", "cold_train")),
            ("requests against chat", ("catqa_zh",), ("belle", "cvalues")), ("insults against harmless of the same source", ("cold_train",), ("cold_train",))):
        precision, recall, strict, _ = measured(parts(corpus.rows, scores, positive, 1), parts(corpus.rows, scores, negative, 0))
        print(f"  {name}: AP {precision:.3f}, recall {recall:.3f} at 5 % false positives, {strict:.3f} at 1 %", flush=True)


def report(corpus, scores):
    rows = corpus.rows
    harmless = parts(rows, scores, CHAT + ALIKE, 0)
    print("sources that the model has not seen (each left out in turn; own texts are always in):")
    for name, positive, negative in (
            ("requests against chat and look-alikes", CORE, CHAT + ALIKE), ("requests against chat", CORE, CHAT),
            ("jailbreaks against chat and look-alikes", ("inthewild_jb",), CHAT + ALIKE), ("Chinese requests against Chinese chat", ("catqa_zh",), ("belle", "cvalues")),
            ("Chinese insults against harmless of the same source", ("cold_train",), ("cold_train",))):
        precision, recall, strict, _ = measured(parts(rows, scores, positive, 1), parts(rows, scores, negative, 0))
        print(f"  {name}: AP {precision:.3f}, recall {recall:.3f} at 5 % false positives, {strict:.3f} at 1 %")
    threshold = measured(parts(rows, scores, CORE, 1), harmless)[3]
    for label in (1, 0):
        names = sorted({row["source"] for row in rows if row["label"] == label and not row["source"].startswith("own_")})
        found = [(name, parts(rows, scores, (name,), label)) for name in names]
        shown = ", ".join(f"{name} {float((part[0] > threshold).mean()):.2f}" for name, part in found if part)
        print(f"  over the threshold, {'violations' if label else 'harmless'}: {shown}", flush=True)
    return threshold


def quantised(weights, step, levels=127):
    """Signed bytes of steps; the few largest weights are held at the end of the scale."""
    return numpy.clip(numpy.floor(weights / step + 0.5), -levels, levels).astype(numpy.int8)


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
    """From logit to probability where violations and harmless texts are equally frequent: isotonic over quantiles of unseen sources."""
    positive, negative = parts(rows, logits, CORE + ("inthewild_jb",), 1), parts(rows, logits, CHAT + ALIKE, 0)
    values = numpy.concatenate(positive + negative)
    labels = numpy.r_[numpy.ones(sum(map(len, positive))), numpy.zeros(sum(map(len, negative)))]
    weight = numpy.r_[shares(positive, 0.5), shares(negative, 0.5)]
    order = numpy.argsort(values, kind="stable")
    # As many bins as before, each of the same weight.
    ends = numpy.searchsorted(numpy.cumsum(weight[order]), numpy.arange(1, 24) / 24)
    bins = [piece for piece in numpy.split(order, ends) if len(piece)]
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
        step = training.step(dense)
        table[:, index] = quantised(dense, step)
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

    def logits(self, row):
        """Of the whole text, and of its worst stretch."""
        spans = [row] + [row[s:s + SEGMENT] for s in range(SEGMENT // 2, len(row), SEGMENT // 2)]
        if len(row) > SEGMENT:
            spans.append(row[:SEGMENT])
        lists = [distinct(span) for span in spans]
        found = logit_milli(*total(self.table, lists, features.BITS), self.step, self.bias)
        return found[0], max(found[1:], default=-math.inf)

    def logit(self, row):
        """The whole text, or a stretch of it that is worse by the bar."""
        whole, worst = self.logits(row)
        return max(whole, worst - self.segment_bar) if worst > -math.inf else whole

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
    options = parser.parse_args()

    corpus = Corpus(read(options.data / "train.jsonl") + own_text.everything(), embedding.Vectors.installed())
    print(f"{len(corpus.rows)} texts to train on, of which {sum(row['source'].startswith('own_') for row in corpus.rows)} our own", flush=True)
    matrix = training.pruned(counted(corpus.lists, features.BITS), 2)
    whole, worst = left_out(corpus, matrix)
    # How much less a stretch counts than a whole text: whatever finds most of requests and of jailbreaks, which are long.
    def found(bar):
        logits = numpy.maximum(whole, worst - bar)
        harmless = parts(corpus.rows, logits, CHAT + ALIKE, 0)
        return sum(measured(parts(corpus.rows, logits, names, 1), harmless)[1] for names in (CORE, ("inthewild_jb",)))

    bar = max(range(0, 2001, 250), key=found)
    logits = numpy.maximum(whole, worst - bar)
    print(f"stretches count at a bar of {bar}")
    threshold = report(corpus, logits)
    dense, bias, step = fit(corpus, matrix)
    table = quantised(dense, step)
    points = knots(corpus.rows, logits)
    model = Model(table, step, float(numpy.float32(bias)), points, interpolate(points, int(threshold)), bar, *heads(corpus))
    print(f"threshold {model.threshold / 1e6:.3f}: 5 % of harmless texts of sources left out")
    options.weights.write_bytes(model.encoded())
    with open(options.golden, "w", encoding="utf-8") as output:
        for text in golden_texts():
            output.write(json.dumps({"text": text, **model.assess(text)}, ensure_ascii=False) + "\n")
    within_chinese(corpus, matrix)


if __name__ == "__main__":
    main()
