"""Fine-tunes an encoder of the operator's own and writes the folder that `policies.encoder` names.

    python encoder.py DATA --base FOLDER --weights Policies/classifier/linear.weights --output FOLDER

BASE is a checkpoint in BERT's form: config.json, model.safetensors, and vocab.txt or tokenizer.json. DATA holds train.jsonl. How the two tiers'
logits are weighed, and when the encoder is asked, is chosen on sources that neither tier has seen: each group of them is left out in turn.
The tuning set is not read here. Nothing of base or output belongs into the repository.
"""

import argparse
import hashlib
import json
import math
import pathlib
import random
import struct
import sys
import time

import numpy
import tokenizers
import torch
import transformers

import embedding
import features
import own_text
import train
import training

PLACES = 128
# A text counts by three stretches at most in training.
STRETCHES = 3
BATCH_TOKENS = 3072
# So many layers stay as they are.
KEPT = 3
LABELS = ["violation"] + train.HEADS
# Left out together, so that three models do for all sources.
GROUPS = [train.FOLDS[index] for index in (0, 4)], [train.FOLDS[index] for index in (1, 5, 6)], [train.FOLDS[index] for index in (2, 3)]
# Of harmless chat so much may be in doubt and be read by the encoder.
READ = 0.30


def vocabulary(base):
    listed = base / "vocab.txt"
    if listed.exists():
        return listed.read_text(encoding="utf-8").splitlines()
    words = json.loads((base / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    return sorted(words, key=words.get)


class Texts:
    """Rows and their stretches as tokens, as the gateway cuts them."""

    def __init__(self, rows, words):
        self.rows = rows
        pieces = tokenizers.BertWordPieceTokenizer({word: index for index, word in enumerate(words)}, lowercase=True)
        first, last, room = pieces.token_to_id("[CLS]"), pieces.token_to_id("[SEP]"), PLACES - 2
        self.stretches = []
        for found in pieces.encode_batch([row["text"] for row in rows], add_special_tokens=False):
            starts = range(0, max(1, len(found.ids)), room)[:6]
            self.stretches.append([[first] + found.ids[start:start + room] + [last] for start in starts])
        self.labels = torch.zeros(len(rows), len(LABELS))
        self.named = torch.zeros(len(rows))
        places = {own_text.ordinal(name): index + 1 for index, name in enumerate(train.HEADS)}
        for index, row in enumerate(rows):
            self.labels[index, 0] = row["label"]
            for category in row["categories"]:
                if category in places:
                    self.labels[index, places[category]] = 1
            # Which item a text is of is learnt from those that say so.
            self.named[index] = 1.0 if row["categories"] or not row["label"] else 0.0


def padded(lists):
    """States of stretches side by side, and a mask to add to what attention scores: none of the rest."""
    length = max(map(len, lists))
    states, mask = torch.zeros(len(lists), length, lists[0].shape[1]), torch.full((len(lists), 1, 1, length), -1e9)
    for row, found in enumerate(lists):
        states[row, : len(found)] = found
        mask[row, ..., : len(found)] = 0
    return states, mask


def batches(stretches, source):
    """Of like length, at most BATCH_TOKENS of tokens and padding."""
    order = sorted(stretches, key=lambda entry: len(entry[1]) + 4 * source.random())
    found, current = [], []
    for entry in order:
        if current and (len(current) + 1) * len(entry[1]) > BATCH_TOKENS:
            found.append(current)
            current = []
        current.append(entry)
    if current:
        found.append(current)
    source.shuffle(found)
    return found


def network(base):
    # That the classifier's head is new is as it should be.
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    configuration = transformers.BertConfig.from_pretrained(base)
    configuration.id2label = dict(enumerate(LABELS))
    configuration.label2id = {label: index for index, label in enumerate(LABELS)}
    # Tokens are left out of each text instead, which takes next to no time.
    configuration.hidden_dropout_prob = configuration.attention_probs_dropout_prob = 0.0
    configuration.classifier_dropout = 0.1
    model = transformers.BertForSequenceClassification.from_pretrained(base, config=configuration)
    table = model.bert.embeddings.position_embeddings.weight.data[:PLACES].clone()
    model.bert.embeddings.position_embeddings = torch.nn.Embedding.from_pretrained(table, freeze=False)
    model.config.max_position_embeddings = PLACES
    model.config.do_lower_case = True
    # What words mean, alone and beside each other, is taken over: those of the training set must not drift from those that it lacks.
    model.bert.embeddings.requires_grad_(False)
    for layer in model.bert.encoder.layer[:KEPT]:
        layer.requires_grad_(False)
    return model


@torch.inference_mode()
def states_below(base, texts):
    """The states of all stretches below the layers that are trained: the same for all models."""
    model = network(base).eval()
    entries = [(row, place, found) for row, entry in enumerate(texts.stretches) for place, found in enumerate(entry)]
    entries.sort(key=lambda entry: len(entry[2]))
    states = [[None] * len(entry) for entry in texts.stretches]
    for start in range(0, len(entries), 64):
        part = entries[start:start + 64]
        length = len(part[-1][2])
        hidden = model.bert.embeddings(torch.tensor([found + [0] * (length - len(found)) for _, _, found in part]))
        mask = torch.tensor([[0.0] * len(found) + [-1e9] * (length - len(found)) for _, _, found in part])[:, None, None, :]
        for layer in model.bert.encoder.layer[:KEPT]:
            hidden = first(layer(hidden, mask))
        for index, (row, place, found) in enumerate(part):
            states[row][place] = hidden[index, : len(found)].half()
    return states


def first(result):
    return result[0] if isinstance(result, tuple) else result


def logits_above(model, states, mask):
    for layer in model.bert.encoder.layer[KEPT:]:
        states = first(layer(states, mask))
    return model.classifier(model.dropout(model.bert.pooler(states)))


def narrow():
    """Products of sixteen bits where the processor has them as tiles: with them a step takes two thirds of the time."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=getattr(torch.cpu, "_is_amx_tile_supported", bool)())


def fit(base, texts, states, weights, epochs, title, rate=2e-4, seed=11):
    torch.manual_seed(seed)
    source = random.Random(seed)
    model = network(base).train()
    chosen = [(index, found) for index in numpy.flatnonzero(weights) for found in states[index][:STRETCHES]]
    share = numpy.array([weights[index] / min(len(states[index]), STRETCHES) for index in range(len(states))])
    share = torch.tensor(share * len(chosen) / weights.sum(), dtype=torch.float).clamp(max=10)
    trained = [value for value in model.parameters() if value.requires_grad]
    optimiser = torch.optim.AdamW(
        [{"params": [value for value in trained if value.dim() > 1], "weight_decay": 0.05},
         {"params": [value for value in trained if value.dim() == 1], "weight_decay": 0.0}], lr=rate, betas=(0.9, 0.98))
    plan = [batch for _ in range(math.ceil(epochs)) for batch in batches(chosen, source)]
    plan = plan[: int(len(plan) * epochs / math.ceil(epochs))]
    start, losses = time.monotonic(), []
    for step, batch in enumerate(plan):
        done = step / len(plan)
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1, (done + 1e-3) / 0.06) * (1 - done)
        indices = torch.tensor([index for index, _ in batch])
        inputs, mask = padded([found for _, found in batch])
        # One token in twelve is not seen: no single word may decide.
        mask = mask.masked_fill(torch.rand(mask.shape) < 1 / 12, -1e9)
        mask[..., 0] = 0
        with narrow():
            logits = logits_above(model, inputs, mask).float()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, texts.labels[indices] * 0.96 + 0.02, reduction="none")
        loss = ((loss[:, 0] + 0.3 * loss[:, 1:].sum(1) * texts.named[indices]) * share[indices]).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        losses.append(float(loss.detach()))
        if step % 25 == 24 or step + 1 == len(plan):
            passed = time.monotonic() - start
            end = "\n" if step + 1 == len(plan) or not sys.stderr.isatty() else "\r"
            print(f"{title}: {step + 1}/{len(plan)} batches, loss {numpy.mean(losses[-50:]):.3f}, "
                  f"{passed / (step + 1) * (len(plan) - step - 1):.0f} s left ", end=end, file=sys.stderr, flush=True)
    return model.eval()


@torch.inference_mode()
def read(model, states, chosen):
    """The violation's logit of each text's worst stretch, in thousandths."""
    entries = sorted(((index, found) for index in chosen for found in states[index]), key=lambda entry: len(entry[1]))
    worst = {}
    for start in range(0, len(entries), 64):
        part = entries[start:start + 64]
        for (index, _), logit in zip(part, logits_above(model, *padded([found for _, found in part]))[:, 0].tolist()):
            worst[index] = max(worst.get(index, -math.inf), logit * 1000)
    return worst


def linear_header(data):
    """Threshold, bar of a stretch and knots, by the format in Policies/classifier/README.md."""
    (_, _, _, heads, frame, knots, _, _), (threshold, bar) = struct.unpack_from("<8I", data, 8), struct.unpack_from("<2i", data, 72)
    points = [struct.unpack_from("<2i", data, 80 + heads * 32 + frame * 8 + 8 * index) for index in range(knots)]
    return threshold, bar, points


def linear_left_out(rows, bar):
    """What the linear tier says of each source when it has not seen it, in thousandths."""
    corpus = train.Corpus(rows + own_text.everything(), embedding.Vectors.installed())
    whole, worst = train.left_out(corpus, training.pruned(train.counted(corpus.lists, features.BITS), 2))
    return numpy.maximum(whole, worst - bar)[: len(rows)]


def ensemble(rows, linear, encoder, weights):
    threshold, _, points = linear_header(weights)
    # The logit at which the linear tier's score reaches its threshold: there both tiers together have theirs.
    at = next(logit for logit in range(-20000, 20001) if train.interpolate(points, logit) >= threshold)

    def split(scores):
        return train.parts(rows, scores, train.CORE + ("inthewild_jb",), 1), train.parts(rows, scores, train.CHAT + train.ALIKE, 0)

    chat = numpy.concatenate(train.parts(rows, linear, train.CHAT, 0))
    low = int(numpy.quantile(chat, 1 - READ))
    doubt = linear >= low

    def show(name, scores):
        found = []
        for positive, negative in ((train.CORE, train.CHAT + train.ALIKE), (train.CORE, train.CHAT), (("inthewild_jb",), train.CHAT + train.ALIKE)):
            ap, recall, strict, _ = train.measured(train.parts(rows, scores, positive, 1), train.parts(rows, scores, negative, 0))
            found.append(f"{ap:.3f} {recall:.3f} {strict:.3f}")
        print(f"  {name:22s} " + "   ".join(found), flush=True)

    print("sources left out: AP, recall at 5 % and at 1 % false positives; requests, requests against chat alone, jailbreaks")
    show("linear tier", linear)
    show("encoder", encoder)
    best = None
    for share in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
        # On the linear tier's scale: both logits count by how far they spread over the same texts.
        own, other = 1 - share, share * numpy.std(linear) / numpy.std(encoder)
        both = own * linear + other * encoder
        show(f"encoder counts {share:.1f}", both)
        positive, negative = split(both)
        ap, recall, _, place = train.measured(positive, negative)
        if best is None or ap + recall > best[0]:
            best = (ap + recall, own, other, at - place)
    _, own, other, offset = best
    cascade = numpy.where(doubt, own * linear + other * encoder + offset, linear)
    show("asked where in doubt", cascade)
    positive, negative = split(cascade)
    print(f"  over the threshold where asked in doubt: {numpy.mean(numpy.concatenate(positive) >= at):.3f} of violations, "
          f"{numpy.mean(numpy.concatenate(negative) >= at):.3f} of harmless texts")
    return {"schema": "weighbridge/encoder-ensemble/v1", "linear_sha256": hashlib.sha256(weights).hexdigest(),
            "band_from_milli": low, "band_to_milli": 1_000_000, "linear_weight_milli": round(own * 1000),
            "encoder_weight_milli": round(other * 1000), "offset_milli": round(offset)}


def own_rows(count):
    """Of our own texts so many; beside them code, and long texts: the linear tier reads words, but this one would take length for a sign."""
    source = random.Random(7)
    chosen = source.sample(own_text.everything(), count)
    return chosen + own_text.code(source, count // 25) + own_text.joined(source, chosen, count // 6)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--base", type=pathlib.Path, required=True)
    parser.add_argument("--weights", type=pathlib.Path, required=True, help="the linear tier's weights, which the ensemble is for")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--own", type=int, default=8000, help="how many of our own texts are trained on beside those of DATA")
    parser.add_argument("--epochs", type=float, default=3)
    options = parser.parse_args()

    public = train.read(options.data / "train.jsonl")
    rows = public + own_rows(options.own)
    words = vocabulary(options.base)
    texts = Texts(rows, words)
    print(f"{len(rows)} texts, {sum(len(found) for entry in texts.stretches for found in entry[:STRETCHES])} tokens", flush=True)
    options.output.mkdir(parents=True, exist_ok=True)
    states = states_below(options.base, texts)
    logits = numpy.full(len(rows), numpy.nan)
    for number, group in enumerate(GROUPS):
        names = [name for pair in group for part in pair for name in part]
        model = fit(options.base, texts, states, training.balanced(rows, own_share=1.0, without=names), options.epochs, f"group {number + 1} left out")
        for index, logit in read(model, states, numpy.flatnonzero(train.sources(rows, *names))).items():
            logits[index] = logit
    weights = options.weights.read_bytes()
    linear = linear_left_out(public, linear_header(weights)[1])
    numpy.savez(options.output / "left-out.npz", encoder=logits, linear=linear)
    terms = ensemble(public, linear, logits[: len(public)], weights)
    model = fit(options.base, texts, states, training.balanced(rows, own_share=1.0), options.epochs, "all sources")
    model.half().save_pretrained(options.output)
    (options.output / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    (options.output / "ensemble.json").write_text(json.dumps(terms, indent=1) + "\n", encoding="utf-8")
    print(f"{options.output}: {terms}")


if __name__ == "__main__":
    main()
