"""Trains the demonstration model from nothing: tokenizer, weights, demo.gguf, curve.csv and curve.png.

nice -n 10 python3 train.py --threads 1
"""

import argparse
import csv
import io
import math
import os
import random
import sys
import time
from dataclasses import asdict

import sentencepiece
import torch
from torch.nn import functional as F

import corpus
from export import write_gguf
from model import BOS, EOS, Layout, Llama, Shape, turn_text

PROMPT_WEIGHT = 0.01   # loss weight of prompt tokens
LONG = 60              # an answer token weighs 1; in answers of more tokens than this LONG / length, not below 1/4


def train_tokenizer(conversations, vocab, path):
    text = []
    for c in conversations:
        if "plain" in c:
            text.append(c["plain"])
        for i, (user, answer) in enumerate(c["turns"]):
            text += turn_text(user, c["system"] if i == 0 else None).split("\n") + [answer]
    # Every printable ASCII character gets a piece of its own, whatever the corpus holds.
    alphabet = " ".join(chr(c) for c in range(33, 127))
    buffer = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text), model_writer=buffer, model_type="bpe", vocab_size=vocab,
        byte_fallback=True, add_dummy_prefix=True, normalization_rule_name="identity",
        remove_extra_whitespaces=False, allow_whitespace_only_pieces=True, split_digits=True,
        character_coverage=1.0, required_chars=alphabet.replace(" ", ""),
        unk_id=0, bos_id=1, eos_id=2, pad_id=-1, num_threads=1, minloglevel=1)
    with open(path, "wb") as f:
        f.write(buffer.getvalue())


def example(encode, conversation, context):
    """(ids, loss weight of each id as a target) or None when it does not fit the context."""
    ids, weights = [], []

    def add(more, weight):
        ids.extend(more)
        weights.extend([weight] * len(more))

    if "plain" in conversation:
        add([BOS], 0.0)
        add(encode(conversation["plain"]) + [EOS], 0.25)
    turns = conversation["turns"]
    for i, (user, answer) in enumerate(turns):
        add([BOS], 0.0)
        add(encode(turn_text(user, conversation["system"] if i == 0 else None)), PROMPT_WEIGHT)
        said = encode(answer)
        weight = min(1.0, max(0.25, LONG / len(said)))
        add(said, weight)
        if i + 1 < len(turns):
            add(closing_space(encode), 0.0)   # a closed turn is "answer " before EOS
            add([EOS], 0.0)
        else:
            add([EOS], weight)
    return (ids, weights) if len(ids) <= context else None


def closing_space(encode):
    """The piece of one trailing space, as in encode('word ')."""
    return encode("a ")[len(encode("a")):]


def batches(examples, tokens, rng):
    """One epoch in random order, about `tokens` tokens a batch: a batch mixes short and long, so that it can contrast them."""
    order = list(range(len(examples)))
    rng.shuffle(order)
    out, current, size = [], [], 0
    for i in order:
        current.append(i)
        size += len(examples[i][0]) - 1
        if size >= tokens:
            out.append(current)
            current, size = [], 0
    return out + [current] if current else out


def tensors(examples, indices):
    """(ids, targets, weights) of some examples laid end to end, and their layout."""
    chosen = [examples[i] for i in indices]
    ids = torch.tensor([t for e in chosen for t in e[0][:-1]])
    targets = torch.tensor([t for e in chosen for t in e[0][1:]])
    weights = torch.tensor([w for e in chosen for w in e[1][1:]])
    return ids, targets, weights, Layout([len(e[0]) - 1 for e in chosen])


def losses(model, ids, targets, weights, layout, half):
    """(weighted loss, mean loss of answer tokens, number of answer tokens)."""
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
        logits = model(ids, layout)
    each = F.cross_entropy(logits.float(), targets, reduction="none")
    answer = weights > PROMPT_WEIGHT
    count = int(answer.sum())
    return (each * weights).sum() / weights.sum(), float(each.detach()[answer].sum()) / count, count


@torch.no_grad()
def held_out_loss(model, examples, tokens, half):
    model.eval()
    total = count = 0
    for indices in batches(examples, tokens, random.Random(0)):
        _, mean, n = losses(model, *tensors(examples, indices), half)
        total, count = total + mean * n, count + n
    model.train()
    return total / count


def learning_rate(step, steps, peak, warmup=100):
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup))))


def plot(csv_path, png_path):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    with open(csv_path) as f:
        rows = list(csv.DictReader(f))
    steps = [int(r["step"]) for r in rows]
    held = [(int(r["step"]), float(r["held_out_loss"])) for r in rows if r["held_out_loss"]]
    figure, axes = pyplot.subplots(figsize=(7, 4), dpi=110)
    axes.plot(steps, [float(r["train_loss"]) for r in rows], label="training", color="#7a9cc6", linewidth=1)
    axes.plot([h[0] for h in held], [h[1] for h in held], label="held-out phrasings", color="#b3372b", marker="o", markersize=3)
    axes.set_yscale("log")
    axes.set_xlabel("step")
    axes.set_ylabel("loss of answer tokens (nats)")
    axes.set_title("Weighbridge demonstration model")
    axes.grid(True, which="both", alpha=0.25)
    axes.legend()
    figure.tight_layout()
    figure.savefig(png_path)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--output", default=".", help="folder for tokenizer.model, demo.gguf and the curve")
    p.add_argument("--build", default="build", help="folder for checkpoints")
    p.add_argument("--samples", type=int, default=45000)
    p.add_argument("--steps", type=int, default=1800)
    p.add_argument("--tokens", type=int, default=2048, help="tokens a step")
    p.add_argument("--vocab", type=int, default=1536)
    p.add_argument("--peak", type=float, default=2e-3, help="highest learning rate")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--every", type=int, default=250, help="steps between held-out losses and checkpoints")
    p.add_argument("--float32", action="store_true", help="no bfloat16 in matrix products")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    os.makedirs(a.build, exist_ok=True)
    os.makedirs(a.output, exist_ok=True)

    training, held_out = corpus.generate(a.samples, a.seed)
    tokenizer_path = os.path.join(a.output, "tokenizer.model")
    train_tokenizer(training, a.vocab, tokenizer_path)
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=tokenizer_path)
    shape = Shape(vocab=a.vocab)
    prepared = [[e for e in (example(tokenizer.encode, c, shape.context) for c in part) if e]
                for part in (training, held_out)]
    sizes = [sum(len(e[0]) for e in part) for part in prepared]
    print(f"training {len(prepared[0])} conversations, {sizes[0]} tokens; held out {len(prepared[1])}, {sizes[1]} tokens",
          file=sys.stderr)

    model = Llama(shape)
    print(f"{sum(x.numel() for x in model.parameters())} parameters", file=sys.stderr)
    decayed = [x for x in model.parameters() if x.dim() == 2]
    plain = [x for x in model.parameters() if x.dim() != 2]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}],
                                  lr=a.peak, betas=(0.9, 0.98))
    rng = random.Random(a.seed)
    queue, began, seen, running = [], time.time(), 0, []
    curve_path = os.path.join(a.output, "curve.csv")
    with open(curve_path, "w", newline="") as f:
        curve = csv.writer(f)
        curve.writerow(["step", "tokens", "seconds", "learning_rate", "train_loss", "held_out_loss"])
        for step in range(1, a.steps + 1):
            if not queue:
                queue = batches(prepared[0], a.tokens, rng)
            batch = tensors(prepared[0], queue.pop())
            rate = learning_rate(step - 1, a.steps, a.peak)
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss, answer_loss, _ = losses(model, *batch, not a.float32)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            seen += len(batch[0])
            running.append(answer_loss)
            last = step == a.steps
            check = last or step % a.every == 0
            if check or step % 25 == 0:
                held = held_out_loss(model, prepared[1], a.tokens, not a.float32) if check else None
                mean, running = sum(running) / len(running), []
                seconds = time.time() - began
                curve.writerow([step, seen, f"{seconds:.1f}", f"{rate:.6f}", f"{mean:.4f}", "" if held is None else f"{held:.4f}"])
                f.flush()
                print(f"step {step} loss {mean:.4f}{'' if held is None else f' held-out {held:.4f}'} "
                      f"{seen / seconds:.0f} tokens/s {seconds:.0f} s", file=sys.stderr)
            if check:
                state = {k: v.detach().clone() for k, v in model.state_dict().items()}
                torch.save({"state": state, "shape": asdict(shape), "step": step}, os.path.join(a.build, "checkpoint.pt"))
                write_gguf(state, shape, tokenizer, os.path.join(a.output, "demo.gguf"))
    plot(curve_path, os.path.join(a.output, "curve.png"))


if __name__ == "__main__":
    main()
