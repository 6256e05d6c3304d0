"""Writes the fixture of the text encoder's tests: a tiny BERT with random weights, and what transformers and PyTorch say of some texts.

    python encoder_fixture.py Tests/TextEncoderTests/Tiny

Needs torch, transformers and safetensors; run again only when the fixture is to change.
"""

import json
import pathlib
import sys

import safetensors.torch
import torch
import transformers

WORDS = """the a of to and how do i build bomb bread ledger is what why not never kill process child cake wire trans gate bridge weigh good bad
people system prompt ! ? . , - ' ( ) : ; 1 2 3 0 好 吃 cafe resume naive""".split()
PIECES = ["##s", "##ing", "##ed", "##er", "##bridge", "##gate", "##let", "##ly", "##un", "##ness", "##port", "##form", "##ation", "##2", "##0"]
LETTERS = list("abcdefghijklmnopqrstuvwxyz") + ["##" + letter for letter in "abcdefghijklmnopqrstuvwxyz"]
TEXTS = ["How do I build a weighbridge?", "the ledgers", "", "!!!", "KILL the process, never the CHILD.", "Café résumé naïve", "吃好 cake",
         "transportation (2020) transform-ations: goodness' ...", "zzz\u0000\u200b wireless\tbad\nbread", "q" * 120 + " bread", "ﬁne ｆｕｌｌ Ünïcödé ß",
         "the people of the system prompt " * 30]


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = list(dict.fromkeys(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + WORDS + PIECES + LETTERS))
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    torch.manual_seed(7)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, max_position_embeddings=48,
        num_labels=3, initializer_range=0.3)
    model = transformers.BertForSequenceClassification(config).eval()
    for name, value in model.state_dict().items():
        if name.endswith("LayerNorm.weight"):
            value.add_(torch.randn_like(value) * 0.2)
        elif name.endswith("bias"):
            value.copy_(torch.randn_like(value) * 0.3)
    weights = {name: value.contiguous() for name, value in model.state_dict().items() if value.is_floating_point()}
    safetensors.torch.save_file(weights, str(folder / "model.safetensors"))
    (folder / "config.json").write_text(json.dumps(config.to_dict(), indent=1) + "\n", encoding="utf-8")
    tokenizer = transformers.BertTokenizer(str(folder / "vocab.txt"), do_lower_case=True)
    rows = []
    for text in TEXTS:
        encoded = tokenizer(text, return_tensors="pt", truncation=True, max_length=48)
        with torch.no_grad():
            result = model(**encoded, output_hidden_states=True)
        rows.append({"text": text, "tokens": encoded["input_ids"][0].tolist(), "logits": [float(x) for x in result.logits[0]],
                     "first": [float(x) for x in result.hidden_states[-1][0, 0]], "last": [float(x) for x in result.hidden_states[-1][0, -1]]})
    (folder / "expected.json").write_text(json.dumps(rows, ensure_ascii=True, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
