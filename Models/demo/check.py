"""Asks demo.gguf the demonstration questions with its dequantised Q8_0 weights and writes golden.json.

python3 check.py --model demo.gguf          exit code 1 when an answer fails
"""

import argparse
import json
import re
import sys

import sentencepiece
import torch

import corpus
from model import generate, load_gguf, prompt_ids

GOLDEN_TOKENS, GOLDEN_MARGIN = 48, 1e-3


def words(text):
    return " ".join(re.findall(r"[a-z0-9+]+", text.lower()))


def conversation(entry):
    return [tuple(t) for t in entry.get("turns", [])] + [(entry["user"], None)], entry.get("system")


def sentences(text):
    return [s for s in re.split(r"(?<=[.!?]) (?=[A-Z\"])|\n", text) if s]


def known_shapes(conversations):
    """Sentences of the corpus with names, numbers and loads replaced, to recognise a broken sentence when sampling."""
    return {shape_of(s) for c in conversations for _, a in c["turns"] for s in sentences(a)}


def shape_of(sentence):
    for values, mark in ((corpus.DRIVERS, "<driver>"), (corpus.TOWNS, "<town>"), (corpus.LOADS, "<load>"), (corpus.COLORS, "<color>")):
        sentence = re.sub(r"\b(" + "|".join(map(re.escape, values)) + r")\b", mark, sentence)
    return re.sub(r"\d+", "<number>", sentence)


def problems(entry, text, count, ended, asked_before):
    found = [f"lacks {k!r}" for k in entry["contains"] if k.lower() not in text.lower()]
    if not ended:
        found.append("did not end by itself")
    if count < entry.get("at_least_tokens", 1):
        found.append(f"only {count} tokens")
    if words(entry["user"]) in asked_before:
        found.append("the question is in the training text")
    return found


def check_vocabulary(vocabulary, tokenizer, conversations):
    """The pieces and scores in the file must give the ids that training saw, also across the end of the prompt."""
    for c in conversations:
        for question, answer in c["turns"]:
            prompt = f"[INST] {question} [/INST]"
            apart = tokenizer.encode(prompt) + tokenizer.encode(answer + " ")
            assert tokenizer.encode(f"{prompt} {answer} ") == apart, question
            assert vocabulary.encode(prompt) == tokenizer.encode(prompt), question


def golden(model, vocabulary, entries):
    """Greedy ids of prompts chosen for their wide margins: they are the same in any float32 engine that is right."""
    made = []
    for entry in entries:
        turns, system = conversation(entry)
        prompt = prompt_ids(vocabulary.encode, turns, system)
        ids, ended, margins = generate(model, prompt, 400)
        # Without the cache, in one pass over prompt and completion: the same choice at every position.
        with torch.no_grad():
            logits = model(torch.tensor(prompt + ids))[len(prompt) - 1:]
        assert logits.argmax(-1).tolist()[:len(ids)] == ids
        made.append({"system": system, "user": entry["user"], "prompt_ids": prompt, "completion_ids": ids, "ended_by_eos": ended,
                     "minimum_margin": round(min(margins), 6), "text": vocabulary.decode(ids).strip(" "),
                     "first_logits": [round(float(x), 5) for x in logits[0, :8]]})
    return made


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--model", default="demo.gguf")
    p.add_argument("--tokenizer", default="tokenizer.model")
    p.add_argument("--questions", default="questions.json")
    p.add_argument("--golden", default="golden.json")
    p.add_argument("--answers", help="write the answers as Markdown to this file")
    p.add_argument("--samples", type=int, default=45000, help="as in training, to show that the questions are new")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    model, vocabulary = load_gguf(a.model)
    training, held_out = corpus.generate(a.samples, a.seed)
    asked_before = {words(q) for c in training for q, _ in c["turns"]}
    shapes = known_shapes(training)
    check_vocabulary(vocabulary, sentencepiece.SentencePieceProcessor(model_file=a.tokenizer), held_out[:200])
    with open(a.questions) as f:
        wanted = json.load(f)

    failed, lines = 0, []
    for entry in wanted["questions"]:
        turns, system = conversation(entry)
        ids, ended, margins = generate(model, prompt_ids(vocabulary.encode, turns, system), 400)
        text = vocabulary.decode(ids).strip(" ")
        found = problems(entry, text, len(ids), ended, asked_before)
        found += [f"broken sentence: {s}" for s in sentences(text) if shape_of(s) not in shapes]
        failed += bool(found)
        print(f"{'FAIL' if found else 'ok  '} {entry['user']}\n     [{len(ids)} tokens, margin {min(margins):.4f}] {text}")
        for problem in found:
            print(f"     ! {problem}")
        lines.append(f"| {entry['user']} | {text.replace(chr(10), '<br>')} |")

    good = total = 0
    generator = torch.Generator().manual_seed(7)
    for entry in wanted["questions"]:
        turns, system = conversation(entry)
        for _ in range(3):
            ids, ended, _ = generate(model, prompt_ids(vocabulary.encode, turns, system), 400, 0.7, generator)
            for s in sentences(vocabulary.decode(ids).strip(" ")):
                total += 1
                good += shape_of(s) in shapes
                if shape_of(s) not in shapes:
                    print(f"     temperature 0.7, unknown sentence: {s}")
    failed += good < 0.95 * total
    print(f"temperature 0.7: {good} of {total} sentences are whole sentences of the corpus up to names and numbers")

    right = asked = 0
    for c in held_out:
        if len(c["turns"]) != 1 or len(c["turns"][0][1]) > 400 or c["turns"][0][1].startswith("{"):
            continue
        ids, ended, _ = generate(model, prompt_ids(vocabulary.encode, [(c["turns"][0][0], None)], c["system"]), 200)
        text = vocabulary.decode(ids).strip(" ")
        same = text in corpus.acceptable(c["turns"][0][1])
        right, asked = right + same, asked + 1
        if not same:
            print(f"     held out, differs: {c['turns'][0][0]!r} -> {text!r}")
    print(f"held-out questions answered as the corpus would: {right} of {asked}")
    failed += right < 0.9 * asked

    made = golden(model, vocabulary, wanted["golden"])
    for g in made:
        wide = g["minimum_margin"] > GOLDEN_MARGIN and len(g["completion_ids"]) >= GOLDEN_TOKENS
        failed += not wide
        print(f"{'ok  ' if wide else 'FAIL'} golden: margin {g['minimum_margin']:.4f} over {len(g['completion_ids'])} tokens: {g['user']}")
    with open(a.golden, "w") as f:
        json.dump({"model": "demo.gguf", "weights": "Q8_0 dequantised to float32", "sampling": "greedy", "eos": 2, "prompts": made}, f, indent=1)
        f.write("\n")
    if a.answers:
        with open(a.answers, "w") as f:
            f.write("\n".join(["| question | greedy answer |", "|---|---|"] + lines) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
