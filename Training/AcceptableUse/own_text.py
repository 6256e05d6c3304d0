"""Texts of our own: acts from word lists put into ways of asking, for the items of the policy that no public data set covers,
and harmless texts in exactly the same ways of asking, so that a model cannot learn the asking instead of the act."""

import pathlib
import random
import re

HERE = pathlib.Path(__file__).parent / "texts"
# Texts of each item, and harmless ones, in the other languages.
AMOUNTS = {"de": (40, 900), "es": (40, 900), "fr": (40, 900), "zh": (120, 3000)}
LANGUAGES = ("en", "de", "es", "fr", "zh")


def sections(name):
    """The lines of a list by the section they stand in; comments and blank lines left out."""
    result, current = {}, None
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            current = result.setdefault(line[3:].strip(), [])
        elif line.strip() and not line.startswith("#"):
            result.setdefault("", []) if current is None else None
            (current if current is not None else result[""]).append(line.strip())
    return result


def expand(text, random_source):
    """Replaces each {a|b|c}, innermost first, by one of its alternatives."""
    pattern = re.compile(r"\{([^{}]*\|[^{}]*)\}")
    while True:
        match = pattern.search(text)
        if not match:
            return re.sub(r"\s+", " ", text).strip()
        text = text[: match.start()] + random_source.choice(match.group(1).split("|")) + text[match.end():]


DOUBLED = {"get", "put", "cut", "hit", "rob", "plan", "run", "set", "stop", "sit", "beat_", "chop", "trap", "drop", "dump_", "rig", "scam",
           "con", "tap", "jam", "spam", "dox_", "skim", "shop", "ship", "let", "wrap", "grab", "snap", "win", "spy_", "pin", "swap", "trim", "sob",
           "stab", "hug", "program", "spot", "zip", "abet", "fit", "submit", "drug", "slap", "mob", "step", "slip", "shred_", "shut", "spit", "dig",
           "shoplift_", "jog", "begin", "forget", "strip", "smug", "bet", "quit", "refer", "abhor", "hop", "nag", "rip", "whip", "log", "ban"}


def gerund(act):
    """The act with its first verb (and one joined by "and") in -ing."""
    words = act.split(" ")

    def inflect(word):
        if not word.isalpha():
            return word
        if word in DOUBLED:
            return word + word[-1] + "ing"
        if word.endswith("ie"):
            return word[:-2] + "ying"
        if word.endswith("e") and not word.endswith(("ee", "oe", "ye")) and word != "be":
            return word[:-1] + "ing"
        return word + "ing"

    start = 1 if words[0] in ("falsely", "secretly") and len(words) > 1 else 0
    words[start] = inflect(words[start])
    return " ".join(words)


def fill(frame, act, random_source, topics):
    text = frame.replace("{acting}", gerund(act)).replace("{act}", act)
    while "{topic}" in text:
        text = text.replace("{topic}", expand(random_source.choice(topics), random_source), 1)
    return text


def styled(text, random_source):
    """Small changes of style that carry no meaning."""
    draw = random_source.random()
    if draw < 0.25:
        text = text.lower()
    elif draw < 0.3:
        text = text.upper()
    elif draw < 0.5 and text:
        text = text[0].upper() + text[1:]
    if random_source.random() < 0.15:
        text = text.rstrip("?.!")
    if random_source.random() < 0.1:
        text = random_source.choice(["Hi, ", "hey ", "Please: ", "Question: ", "hello! "]) + text
    if random_source.random() < 0.1:
        text += random_source.choice([" Thanks!", " thank you", " Be brief.", " Answer in detail.", " Use bullet points.", " please"])
    return text


def suffixed(text, random_source):
    """With letters behind it that mean nothing, as searches for a way round the rules find them; forbidden or not, they say nothing."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFG"
    marks = ["!", "--", "}{", "\\\\", "(\"", "]]", "==", "};", "**", "<<", "\\n", "'>", "|", "::", "revert", "Sure", "tutorial", "Two", "json", "pt", "with"]
    pieces = []
    for _ in range(random_source.randint(5, 18)):
        if random_source.random() < 0.5:
            pieces.append(random_source.choice(marks))
        else:
            pieces.append("".join(random_source.choice(letters) for _ in range(random_source.randint(2, 8))))
    return text + " " + " ".join(pieces)


def row(text, label, categories, source, language, group):
    return {"text": text, "label": label, "categories": categories, "source": source, "lang": language, "group": group}


def ordinal(use):
    """`1a-ii` as the data folder writes it: 1.1.2."""
    if use == "jailbreak" or len(use) == 1:
        return use
    roman = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6}
    number, rest = use[0], use[1:]
    letter, _, item = rest.partition("-")
    parts = [number, str(ord(letter) - ord("a") + 1)] + ([str(roman[item])] if item else [])
    return ".".join(parts)


def english(random_source, per_use, harmless):
    """Forbidden and harmless acts in the same ways of asking, and forbidden acts in ways that only ask about them."""
    harm, benign, frames = sections("harm-en.txt"), sections("benign-en.txt"), sections("frames-en.txt")
    topics, plain = sections("topics-en.txt")[""], benign.pop("topics")
    rows = []
    for use, acts in harm.items():
        for index in range(per_use):
            act = expand(acts[index % len(acts)], random_source)
            text = fill(random_source.choice(frames["ask"]), act, random_source, topics)
            rows.append(row(styled(text, random_source), 1, [ordinal(use)], "own_harm_en", "en", use))
        for index in range(per_use // 2):
            act = expand(acts[index % len(acts)], random_source)
            text = fill(random_source.choice(frames["defend"]), act, random_source, topics)
            rows.append(row(styled(text, random_source), 0, [], "own_defend_en", "en", use))
        for index in range(per_use // 4):
            act = expand(random_source.choice(acts), random_source)
            text = expand(fill(random_source.choice(frames["scenario"]), act, random_source, topics), random_source)
            rows.append(row(styled(text, random_source), 1, [ordinal(use)], "own_scenario_en", "en", use))
        for index in range(per_use // 16):
            act = expand(random_source.choice(acts), random_source)
            text = suffixed(fill(random_source.choice(frames["ask"]), act, random_source, topics), random_source)
            rows.append(row(text, 1, [ordinal(use)], "own_scenario_en", "en", use))
    kinds = [(kind, act) for kind, acts in benign.items() for act in acts]
    for index in range(harmless // 5):
        kind, act = random_source.choice(kinds)
        text = expand(fill(random_source.choice(frames["scenario"]), expand(act, random_source), random_source, topics), random_source)
        rows.append(row(styled(text, random_source), 0, [], "own_harmless_scenario_en", "en", kind))
    for index in range(harmless // 20):
        kind, act = random_source.choice(kinds)
        text = suffixed(fill(random_source.choice(frames["ask"]), expand(act, random_source), random_source, topics), random_source)
        rows.append(row(text, 0, [], "own_harmless_scenario_en", "en", kind))
    for index in range(harmless):
        kind, act = kinds[index % len(kinds)]
        text = fill(random_source.choice(frames["ask"]), expand(act, random_source), random_source, topics)
        rows.append(row(styled(text, random_source), 0, [], "own_" + kind + "_en", "en", kind))
    for _ in range(harmless // 3):
        text = fill(random_source.choice(frames["subject"]), "", random_source, topics)
        rows.append(row(styled(text, random_source), 0, [], "own_subject_en", "en", "subject"))
    for _ in range(harmless // 8):
        text = fill(random_source.choice(frames["plain"]), "", random_source, plain)
        rows.append(row(styled(text, random_source), 0, [], "own_plain_en", "en", "plain"))
    return rows


def illegal(random_source, per_use):
    """Acts with the word that a wary asker avoids, so that "illegal" alone does not count as harmless."""
    harm, frames = sections("harm-en.txt"), sections("frames-en.txt")["illegal"]
    rows = []
    for use, acts in harm.items():
        for _ in range(per_use):
            text = fill(random_source.choice(frames), expand(random_source.choice(acts), random_source), random_source, [])
            rows.append(row(styled(text, random_source), 1, [ordinal(use)], "own_harm_en", "en", use))
    return rows


def loaded(random_source, per_line):
    """Whole sentences: loaded questions, insults, cries for a method, and their harmless neighbours."""
    rows = []
    for use, lines in sections("loaded-en.txt").items():
        for line in lines:
            for text in sorted({styled(expand(line, random_source), random_source) for _ in range(per_line)}):
                harmless = use == "harmless"
                source = "own_harmless_loaded_en" if harmless else "own_loaded_en"
                rows.append(row(text, 0 if harmless else 1, [] if harmless else [ordinal(use)], source, "en", use))
    return rows


def jailbreaks(random_source, count):
    """Attempts to get round the rules, and harmless role play that looks like them."""
    parts = sections("jailbreak-en.txt")
    rows = []
    for index in range(count):
        chosen = [random_source.choice(parts["opening"]) for _ in range(1 + index % 2)]
        chosen += [random_source.choice(parts["middle"]) for _ in range(random_source.choice((0, 0, 1, 2, 3)))]
        chosen += [random_source.choice(parts["closing"]) for _ in range(random_source.choice((0, 0, 1)))]
        text = " ".join(expand(line, random_source) for line in chosen)
        rows.append(row(styled(text, random_source), 1, ["jailbreak"], "own_jailbreak_en", "en", "jailbreak"))
        lines = [random_source.choice(parts["harmless"]) for _ in range(random_source.choice((1, 1, 2, 3)))]
        text = " ".join(expand(line, random_source) for line in lines)
        rows.append(row(styled(text, random_source), 0, [], "own_harmless_play_en", "en", "play"))
    return rows


def jailbreaks_elsewhere(random_source, count):
    """The same in the other languages; Chinese sentences follow each other without a space."""
    rows = []
    for name, lines in sections("jailbreak-other.txt").items():
        language, kind = name.split(" ")
        attempt = kind == "attempt"
        for _ in range(count):
            chosen = [random_source.choice(lines) for _ in range(random_source.choice((1, 1, 2, 3)))]
            text = ("" if language == "zh" else " ").join(expand(line, random_source) for line in chosen)
            source = f"own_jailbreak_{language}" if attempt else f"own_harmless_play_{language}"
            rows.append(row(styled_other(text, random_source), int(attempt), ["jailbreak"] if attempt else [], source, language, "jailbreak"))
    return rows


def other(language, random_source, per_use, harmless):
    """The same scheme in another language, whose ways of asking take the act as it stands in the list."""
    lists = sections(f"other-{language}.txt")
    ask, defend, benign = lists.pop("ask"), lists.pop("defend"), lists.pop("harmless")
    plain = lists.pop("plain")
    rows = []

    def text(frames, acts):
        return random_source.choice(frames).replace("{act}", expand(random_source.choice(acts), random_source))

    for use, acts in lists.items():
        for index in range(per_use):
            rows.append(row(styled_other(text(ask, acts), random_source), 1, [ordinal(use)], f"own_harm_{language}", language, use))
            if index % 2:
                rows.append(row(text(defend, acts), 0, [], f"own_defend_{language}", language, use))
    for _ in range(harmless):
        rows.append(row(styled_other(text(ask, benign), random_source), 0, [], f"own_everyday_{language}", language, "everyday"))
    for _ in range(harmless // 4):
        rows.append(row(styled_other(expand(random_source.choice(plain), random_source), random_source), 0, [], f"own_plain_{language}", language, "plain"))
    return rows


def code(random_source, count):
    """Pieces of programs, tables and queries, as people paste them."""
    rows = []
    for lines in sections("code.txt").values():
        for _ in range(count):
            pieces = [random_source.choice(lines) for _ in range(random_source.choice((1, 1, 1, 2, 3)))]
            text = "\n\n".join(unfolded(expand(piece.replace("\\{", "\x01").replace("\\}", "\x02"), random_source)) for piece in pieces)
            rows.append(row(text, 0, [], "own_code", "en", "code"))
    return rows


def unfolded(line):
    """A program of one line, with `~` for its ends and `_` for a step in."""
    lines = line.replace("\x01", "{").replace("\x02", "}").split("~")
    return "\n".join("    " * (len(part) - len(part.lstrip("_"))) + part.lstrip("_") for part in lines)


def joined(random_source, rows, count):
    """Long texts of short ones: harmless throughout, or with one that is not, so that length says nothing."""
    harmless = [entry for entry in rows if not entry["label"]]
    wrong = [entry for entry in rows if entry["label"]]
    result = []
    for index in range(count):
        found = random_source.choice(wrong) if index % 3 == 0 else None
        # Of what is cut into stretches each has the label of the whole, so a text with something forbidden in it stays short.
        parts = [random_source.choice(harmless) for _ in range(random_source.choice((1, 2, 3) if found else (2, 3, 4, 6, 9)))]
        if found:
            parts.insert(random_source.randrange(len(parts) + 1), found)
        text = random_source.choice((" ", "\n", "\n\n", "\n- ")).join(part["text"] for part in parts)
        result.append(row(text, int(bool(found)), found["categories"] if found else [], "own_long_harm" if found else "own_long_harmless", "en", "long"))
    return result


def styled_other(text, random_source):
    return text.lower() if random_source.random() < 0.3 else text


def everything(seed=1):
    """All of it, the same for the same seed; texts that occur twice are left out."""
    source = random.Random(seed)
    rows = english(source, 160, 6000) + illegal(source, 10) + loaded(source, 14) + jailbreaks(source, 1500)
    for language in LANGUAGES[1:]:
        rows += other(language, source, *AMOUNTS[language])
    rows += jailbreaks_elsewhere(source, 150)
    return list({entry["text"]: entry for entry in rows}.values())


if __name__ == "__main__":
    import json
    import sys

    for entry in everything():
        json.dump(entry, sys.stdout, ensure_ascii=False)
        sys.stdout.write("\n")
