"""Token ids by the reference implementations, for the Swift tests to compare with.

    tokenizer_vectors.py golden FOLDER                      trains small vocabularies and writes them with a few hundred vectors
    tokenizer_vectors.py generate FOLDER GOLDEN [SHARED]    writes COUNT vectors a tokenizer (COUNT, SEED from the environment)

A set is one JSON file: {"source": a file or "gguf", "pre": ..., "seed": ..., "cases": [[hex of the UTF-8 text, [ids]], ...]}.
"""

import base64
import json
import os
import random
import sys

import sentencepiece
import tiktoken
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
EXPRESSIONS = {
    "gpt-2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "llama-bpe": CONTRACTIONS + r"\p{N}{1,3}" + REST,
    "qwen2": CONTRACTIONS + r"\p{N}" + REST,
}

WORDS = (
    "the of and to in is it that for was on are as with his they at be this have from or one had by word but not what all were we "
    "when your can said there use an each which she do how their if will up other about out many then them these so some her would "
    "make like him into time has look two more write go see number no way could people my than first water been call who oil its "
    "now find long down day did get come made may part don't I'll we've they're it's SHE'S WE'RE naïve café Ελληνικά русский язык "
    "中文 字符 日本語 한국어 العربية हिन्दी ไทย עברית"
).split()
CODE = [
    "def f(x):\n    return x + 1\n", "for (int i = 0; i < n; ++i) {\n\ta[i] = b[i];\n}\n", '{"key": [1, 2.5e-3, null]}',
    "<div class=\"x\">&amp;</div>", "SELECT * FROM t WHERE id='7';\r\n", "https://example.com/a?b=c#d", "\\begin{x}$$\\frac{1}{2}$$",
]
SPACES = [" ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", " \n ", "\u00a0", "\u2028", "\u3000", "\u200b", "\x0b", "\x85", "\ufeff"]
EMOJI = ["🦙", "👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "❤️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "🧑🏿‍🚀"]
OTHER = ["'s", "'S", "'LL", "'ſ", "''", "123", "1234567", "٣٤٥", "½", "Ⅷ", "e\u0301", "\u212b", "ﬁ", "क्षि", "\0", "\x7f", "▁", "Ġ", "ſ", "K"]


def piece(rng):
    kind = rng.randrange(9)
    if kind == 0:
        return rng.choice(WORDS)
    if kind == 1:
        return rng.choice(SPACES) * rng.choice([1, 1, 2, 5])
    if kind == 2:
        return rng.choice(EMOJI)
    if kind == 3:
        return rng.choice(CODE)
    if kind == 4:
        return rng.choice(OTHER)
    if kind == 5:
        return str(rng.randrange(10 ** rng.randrange(1, 12)))
    if kind == 6:
        return " " + rng.choice(WORDS)
    plane = rng.choice([0, 0, 0, 0, 1, 1, 2, 3, 14, 16])
    def scalar():
        while True:
            value = rng.randrange(0x300 if rng.random() < 0.3 else 0x10000) + 0x10000 * plane
            if not 0xD800 <= value < 0xE000:
                return chr(value)
    return "".join(scalar() for _ in range(rng.randrange(1, 6)))


def texts(seed, count):
    rng = random.Random(seed)
    for _ in range(count):
        text = "".join(piece(rng) for _ in range(rng.randrange(0, 14)))
        yield text[: rng.randrange(len(text) + 1)] if rng.random() < 0.1 else text


def byte_level(model, pre, composes):
    tokenizer = Tokenizer(model)
    if composes:
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(EXPRESSIONS[pre]), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def write(folder, name, source, pre, seed, count, encode):
    cases = [[text.encode().hex(), encode(text)] for text in texts(seed, count)]
    with open(os.path.join(folder, name + ".vectors.json"), "w") as file:
        json.dump({"source": source, "pre": pre, "seed": seed, "cases": cases}, file, separators=(",", ":"))
    print(f"{name}: {count} texts, seed {seed}")


def corpus(seed):
    rng = random.Random(seed)
    for _ in range(3000):
        yield " ".join(rng.choice(WORDS[:110]) for _ in range(12)) + rng.choice([".", "!\n", "...\n\n", ";\t"])
        if rng.random() < 0.3:
            yield rng.choice(CODE)


def characters(processor):
    """A tokenizer.json over characters, as SentencePiece models are converted."""
    pieces = [processor.id_to_piece(i) for i in range(processor.get_piece_size())]
    ids = {piece: i for i, piece in enumerate(pieces)}
    merges = []
    for piece, i in ids.items():
        if processor.is_control(i) or processor.is_unknown(i) or processor.is_byte(i):
            continue
        for cut in range(1, len(piece)):
            if piece[:cut] in ids and piece[cut:] in ids:
                merges.append((piece[:cut], piece[cut:]))
    merges.sort(key=lambda m: (-processor.get_score(ids[m[0] + m[1]]), ids[m[0]], ids[m[1]]))
    tokenizer = Tokenizer(models.BPE(ids, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    return tokenizer


def write_ranks(folder):
    """A list of ranks in the form of Llama 3's tokenizer.model: the byte-level vocabulary, and runs of a letter, which merge in several
    ways."""
    with open(os.path.join(folder, "llama-bpe.tokenizer.json")) as file:
        vocabulary = json.load(file)["model"]["vocab"]
    letters = {letter: byte for byte, letter in alphabet().items()}
    tokens = [bytes(letters[letter] for letter in piece) for piece in sorted(vocabulary, key=vocabulary.get)]
    tokens += [token for token in (b"a" * n for n in (2, 3, 5, 6)) if token not in tokens]
    with open(os.path.join(folder, "ranks.tokenizer.model"), "wb") as file:
        for rank, token in enumerate(tokens):
            file.write(base64.b64encode(token) + f" {rank}\n".encode())


def alphabet():
    """By byte: the character that byte-level vocabularies write it with."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(0x100 + i) for i, byte in enumerate(others)}


def ranked(path, name):
    with open(path, "rb") as file:
        ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in file)}
    return tiktoken.Encoding(name, pat_str=EXPRESSIONS["llama-bpe"], mergeable_ranks=ranks, special_tokens={})


def train(folder):
    lines = list(corpus(1))
    for pre, composes in [("llama-bpe", False), ("qwen2", True), ("gpt-2", False)]:
        tokenizer = byte_level(models.BPE(ignore_merges=pre == "llama-bpe"), pre, composes)
        trainer = trainers.BpeTrainer(
            vocab_size=500, special_tokens=[], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
        tokenizer.train_from_iterator(lines, trainer)
        tokenizer.save(os.path.join(folder, pre + ".tokenizer.json"), pretty=False)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_prefix=os.path.join(folder, "sentencepiece"), vocab_size=600, model_type="bpe",
        byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False, character_coverage=0.999,
        user_defined_symbols=["water", "▁▁▁"], minloglevel=2)
    os.rename(os.path.join(folder, "sentencepiece.model"), os.path.join(folder, "sentencepiece.tokenizer.model"))
    os.remove(os.path.join(folder, "sentencepiece.vocab"))
    plain = sentencepiece.SentencePieceProcessor(model_file=os.path.join(folder, "sentencepiece.tokenizer.model"))
    characters(plain).save(os.path.join(folder, "characters.tokenizer.json"), pretty=False)
    write_ranks(folder)


def small(out, golden, seed, count):
    for pre in EXPRESSIONS:
        tokenizer = Tokenizer.from_file(os.path.join(golden, pre + ".tokenizer.json"))
        write(out, pre, pre + ".tokenizer.json", pre, seed, count, lambda text: tokenizer.encode(text).ids)
    processor = sentencepiece.SentencePieceProcessor(model_file=os.path.join(golden, "sentencepiece.tokenizer.model"))
    write(out, "sentencepiece", "sentencepiece.tokenizer.model", "", seed, count, processor.encode)
    tokenizer = Tokenizer.from_file(os.path.join(golden, "characters.tokenizer.json"))
    write(out, "characters", "characters.tokenizer.json", "", seed, count, lambda text: tokenizer.encode(text).ids)
    encoding = ranked(os.path.join(golden, "ranks.tokenizer.model"), "small")
    write(out, "ranks", "ranks.tokenizer.model", "llama-bpe", seed, count, encoding.encode_ordinary)


def large(out, shared, seed, count):
    from gguf import GGUFReader

    folder = os.path.join(shared, "data", "tokenizer")
    reader = GGUFReader(os.path.join(folder, "ggml-vocab-llama-bpe.gguf"))
    field = lambda name: reader.fields[name]
    strings = lambda name: [bytes(field(name).parts[i]).decode() for i in field(name).data]
    types = [int(field("tokenizer.ggml.token_type").parts[i][0]) for i in field("tokenizer.ggml.token_type").data]
    vocabulary = {text: i for i, text in enumerate(strings("tokenizer.ggml.tokens")) if types[i] == 1}
    merges = [tuple(merge.split(" ")) for merge in strings("tokenizer.ggml.merges")]
    for pre, composes in [("llama-bpe", False), ("qwen2", True), ("gpt-2", False)]:
        model = models.BPE(vocabulary, merges, ignore_merges=pre == "llama-bpe")
        tokenizer = byte_level(model, pre, composes)
        write(out, "large-" + pre, "gguf", pre, seed, count, lambda text: tokenizer.encode(text).ids)
    processor = sentencepiece.SentencePieceProcessor(model_file=os.path.join(folder, "tokenizer.model"))
    write(out, "large-sentencepiece", "tokenizer.model", "", seed, count, processor.encode)


if __name__ == "__main__":
    if sys.argv[1] == "golden":
        train(sys.argv[2])
        small(sys.argv[2], sys.argv[2], 11, 150)
    else:
        seed, count = int(os.environ.get("SEED", random.randrange(1 << 30))), int(os.environ.get("COUNT", "10000"))
        os.makedirs(sys.argv[2], exist_ok=True)
        small(sys.argv[2], sys.argv[3], seed, count)
        if len(sys.argv) > 4 and os.path.isdir(sys.argv[4]):
            large(sys.argv[2], sys.argv[4], seed, count)
        else:
            print("without the shared vocabularies: the small ones alone")
