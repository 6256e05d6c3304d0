"""The normaliser of Sources/AcceptableUse/Normalisation in Python: same words, same readings, hash for hash.

The tables of letters are read from the Swift sources, so that there is one truth; scalars that no table names go by the
Unicode properties of this Python, which may lag behind the standard library's by a version for newly assigned letters.
"""

import pathlib
import re
import unicodedata

SOURCES = pathlib.Path(__file__).parents[2] / "Sources" / "AcceptableUse" / "Normalisation"
SEPARATOR, IGNORABLE, PLAIN, PAIR, LOOKALIKE, LETTER, IDEOGRAPH, SIGN = range(8)
PAIRS = ["ae", "th", "ss", "ij", "oe", "dz", "lj", "nj"]
LEET_DIGITS = "oizeasgtbg"
OFFSET, PRIME, MASK = 0xCBF29CE484222325, 0x100000001B3, 0xFFFFFFFFFFFFFFFF
PREFIX = 5
TOKEN_WORD_LIMIT = 24


def literals(text, name):
    """The joined string literals that follow `name =` in a Swift source."""
    body = re.split(r"\n\n|\n  private|\n  static|\n  /// ", text.split(name, 1)[1], maxsplit=1)[0]
    return "".join(re.findall(r'"([^"]*)"', body))


def tables():
    entries = {}
    latin = (SOURCES / "LatinFolding.swift").read_text(encoding="utf-8")
    for first, name in ((0xC0, "static let supplement"), (0x1E00, "static let additional")):
        for index, letter in enumerate(literals(latin, name)):
            if letter != ".":
                entries[first + index] = (PAIR, int(letter)) if letter.isdigit() else (PLAIN, letter)
    forms = latin.split("static let forms", 1)[1].split("static var entries", 1)[0]
    for first, letters in re.findall(r'\(0x([0-9A-F]+), "([^"]*)"\)', forms):
        for index, letter in enumerate(letters):
            if letter != ".":
                entries[int(first, 16) + index] = (PLAIN, letter)
    looks = (SOURCES / "Lookalikes.swift").read_text(encoding="utf-8")
    for name in ("cyrillic", "greek", "armenian"):
        letters = literals(looks, f"private static let {name}")
        for index in range(0, len(letters) - 1, 2):
            entries[ord(letters[index])] = (LOOKALIKE, letters[index + 1])
    return entries


TABLE = tables()
UNSPACED = [(0x0E01, 0x0E7F), (0x0E81, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17DD), (0x2E80, 0x2FD5), (0x3005, 0x3007), (0x3041, 0x30FA),
            (0x30FC, 0x312F), (0x31A0, 0x31BF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFD)]
COMBINING = [(0x0300, 0x036F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F)]
ALPHABETS = [(0x1D400, 0x1D6A3), (0x1F110, 0x1F129), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189), (0x1F1E6, 0x1F1FF)]
IGNORABLE_LETTERS = {0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, 0x034F} | set(range(0x180B, 0x1810)) | set(range(0xFE00, 0xFE10))
SIGNS = {"@": "a", "$": "s", "!": "i", "|": "i", "+": "t"}


def inside(value, ranges):
    return any(low <= value <= high for low, high in ranges)


def ascii_class(value):
    letter = chr(value)
    if letter.isalnum():
        return (PLAIN, letter.lower())
    if letter in "'`":
        return (IGNORABLE, None)
    if letter in SIGNS:
        return (SIGN, SIGNS[letter])
    if 0x09 <= value <= 0x0D:
        return (SEPARATOR, None)
    return (IGNORABLE, None) if value < 0x20 or value == 0x7F else (SEPARATOR, None)


def by_properties(value):
    if inside(value, COMBINING) or value in (0x2018, 0x2019, 0x02BC):
        return (IGNORABLE, None)
    if inside(value, UNSPACED):
        return (IDEOGRAPH, None)
    letter = chr(value)
    category = unicodedata.category(letter)
    if category in ("Cf", "Co", "Cn", "Cs") or value in IGNORABLE_LETTERS or inside(value, [(0xE0100, 0xE01EF)]):
        return (IGNORABLE, None)
    if category == "Cc":
        return (SEPARATOR if value == 0x85 else IGNORABLE, None)
    if category == "Nd":
        return (PLAIN, str(unicodedata.digit(letter)))
    return (LETTER, None) if category in ("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc") else (SEPARATOR, None)


def classify(value):
    if value < 0x80:
        return ascii_class(value)
    if 0xFF01 <= value <= 0xFF5E:
        return ascii_class(value - 0xFF01 + 0x21)
    if value in TABLE:
        return TABLE[value]
    if value >= 0x10000:
        if 0xE0020 <= value <= 0xE007E:
            return ascii_class(value - 0xE0000)
        if 0x1D7CE <= value <= 0x1D7FF:
            return (PLAIN, str((value - 0x1D7CE) % 10))
        for low, high in ALPHABETS:
            if low <= value <= high:
                return (PLAIN, chr(97 + (value - low) % 26))
    return by_properties(value)


CLASSES = {}


def lowercase(value):
    if 0x0400 <= value <= 0x040F:
        return value + 80
    if 0x0410 <= value <= 0x042F or 0x0391 <= value <= 0x03A9:
        return value + 32
    if (0x0430 <= value <= 0x045F or 0x03AC <= value <= 0x03CE or 0x0590 <= value <= 0x109F or 0x2E80 <= value <= 0xABFF
            or 0xAC00 <= value <= 0xD7A3 or 0x20000 <= value <= 0x3FFFF):
        return value
    if 0x0460 <= value <= 0x0481 or 0x048A <= value <= 0x04BF or 0x04D0 <= value <= 0x052F:
        return value | 1
    return ord(chr(value).lower()[0])


def fnv(letters):
    value = OFFSET
    for letter in letters:
        value = ((value ^ letter) * PRIME) & MASK
    return value


class Word:
    """A word of a text for the classifier: letters as scalar values, the place in bytes, and the letter of a word of one, else 0."""

    __slots__ = ("letters", "start", "end", "single")

    def __init__(self, letters, start, end, single):
        self.letters, self.start, self.end, self.single = letters, start, end, single


class Scanner:
    """`WordScanner` with the sink that the classifier has: a token with digits or signs for letters is one word."""

    def __init__(self):
        self.words = []
        self.clear_word()
        self.clear_token()

    def clear_word(self):
        self.written, self.folded, self.latin, self.lookalike, self.digits = [], [], False, False, False

    def clear_token(self):
        self.pending, self.leet, self.trimmed, self.token_letter, self.disguise = [], [], 0, False, False
        self.token_start = self.token_end = None

    def grow(self, value, folded, leet, start, end):
        if not self.written:
            self.word_start = start
        if self.token_start is None:
            self.token_start = start
        self.written.append(value)
        self.folded.append(folded)
        self.leet.append(leet)
        self.trimmed = len(self.leet)
        self.word_end = self.token_end = end

    def add_latin(self, letter, start, end):
        if letter.isdigit():
            self.grow(ord(letter), ord(letter), ord(LEET_DIGITS[int(letter)]), start, end)
            self.disguise = self.digits = True
        else:
            self.add_letter(ord(letter), ord(letter), start, end)
            self.latin = True

    def add_letter(self, value, folded, start, end):
        self.grow(value, folded, folded, start, end)
        self.token_letter = True

    def end_word(self):
        if not self.written:
            return
        letters = self.folded if self.latin and self.lookalike else self.written
        single = self.folded[0] if len(letters) == 1 and not self.digits and not self.is_ideograph else 0
        self.pending.append(Word(letters, self.word_start, self.word_end, single))
        self.clear_word()

    def separate(self):
        self.end_word()
        if self.token_start is None:
            return
        if self.disguise and self.token_letter and 1 <= len(self.pending) <= TOKEN_WORD_LIMIT:
            last = self.pending[-1]
            joined = Word(self.leet[: self.trimmed], self.pending[0].start, last.end, 0)
            if joined.letters == last.letters and len(self.pending) == 1:
                joined.single = last.single
            self.words.append(joined)
        else:
            self.words += self.pending
        self.clear_token()

    is_ideograph = False

    def scan(self, value, start, end):
        entry = CLASSES.get(value)
        if entry is None:
            entry = CLASSES[value] = classify(value)
        kind, payload = entry
        if kind == PLAIN:
            self.add_latin(payload, start, end)
        elif kind == SEPARATOR:
            self.separate()
        elif kind == IGNORABLE:
            return
        elif kind == SIGN:
            self.end_word()
            if self.token_start is None:
                self.token_start = start
            self.disguise = True
            self.leet.append(ord(payload))
        elif kind == PAIR:
            self.add_latin(PAIRS[payload][0], start, end)
            self.add_latin(PAIRS[payload][1], start, end)
        elif kind == LOOKALIKE:
            self.add_letter(lowercase(value), ord(payload), start, end)
            self.lookalike = True
        elif kind == LETTER:
            folded = lowercase(value)
            self.add_letter(folded, folded, start, end)
        else:
            self.separate()
            self.add_letter(value, value, start, end)
            self.is_ideograph = True
            self.separate()
            self.is_ideograph = False


def join_spelled(words):
    """Runs of three or more single letters, one byte apart, are the word they spell."""
    result, run = [], []

    def flush():
        if len(run) >= 3:
            result.append(Word([word.single for word in run], run[0].start, run[-1].end, 0))
        else:
            result.extend(run)
        run.clear()

    for word in words:
        if run and not (word.single and word.start - run[-1].end == 1):
            flush()
        if word.single:
            run.append(word)
        else:
            result.append(word)
    flush()
    return result


def words(text):
    scanner, offset = Scanner(), 0
    for letter in text:
        width = len(letter.encode("utf-8", "replace"))
        scanner.scan(ord(letter), offset, offset + width)
        offset += width
    scanner.separate()
    return join_spelled(scanner.words)
