#!/usr/bin/env python3
"""Verifies an audit bundle offline:  python3 verify.py DIR [LOG-KEY [CERTIFICATE.pem]]
LOG-KEY (a verifier key) and the signer's certificate are those you trust; without them the bundle's own are used. Needs Python
3.9 and openssl 3.0. Ends with 0 where all holds, 1 with file and line where not, 2 if called wrongly. See README.txt."""
import base64, csv, hashlib, json, os, re, subprocess, sys, tempfile

NUMBER, ID = "0|[1-9][0-9]{0,24}", "_[0-7][0-9a-hjkmnp-tv-z]{25}"
FORMS = {"at": "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z", "boot": ".+", "type": "[a-z][a-z_]{0,15}",
         "usage": "usg" + ID, "customer": "cus" + ID, "currency": "[A-Z]{3}", "amount_nano": NUMBER, "prompt_uncached": NUMBER,
         "prompt_cached": NUMBER, "completion": NUMBER}
FORMS = {name: re.compile(form) for name, form in FORMS.items()}
MONEY = ("amount_nano", "prompt_uncached", "prompt_cached", "completion")
problems, usages, totals, settled = [], {}, {}, {}                         # see move()
sha256 = lambda data: hashlib.sha256(data).digest()
node = lambda left, right: sha256(b"\1" + left + right)                    # RFC 6962; a leaf is sha256(b"\0" + line)
integer = lambda text: int(text) if len(text) < 18 and abs(int(text)) < 1 << 53 and text != "-0" else text
path = lambda name: os.path.join(directory, name)

def bad(file, message, line=None): problems.append(f"{file} line {line}: {message}" if line else f"{file}: {message}")
def require(condition, message):
    if not condition: raise ValueError(message)
def attempt(file, step, *arguments):
    """The result of a step; None, with what went wrong in `file`, where it fails."""
    try: return step(*arguments)
    except Exception as error: bad(file, f"{type(error).__name__}: {error}")
def load(name):
    with open(path(name), "rb") as file: return file.read()
def temporary(content):
    with tempfile.NamedTemporaryFile(delete=False, dir=scratch) as file: file.write(content)
    return file.name
def openssl(*arguments):
    result = subprocess.run(["openssl", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    require(result.returncode == 0, "openssl says: " + " / ".join((result.stderr or result.stdout).split("\n"))[-300:])
def canonical(raw, end=b""):
    """The value of canonical JSON (RFC 8785), then `end`. What is no small integer is kept as text, and fails the comparison."""
    value = json.loads(raw, parse_int=integer, parse_float=str, parse_constant=str)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    require(text.encode() + end == raw, "is not canonical JSON")
    return value
def check_file(name, wanted): require(sha256(load(name)).hex() == wanted, "is not the file that the manifest lists")

def append(frontier, size, leaf):
    while size & 1: leaf, size = node(frontier.pop(), leaf), size >> 1
    frontier.append(leaf)
def root(frontier):
    result = frontier[-1] if frontier else sha256(b"")
    for left in reversed(frontier[:-1]): result = node(left, result)
    return result
def consistent(first, old, second, new, proof):
    """RFC 9162, section 2.1.4.2."""
    if first in (0, second): return not proof and old == (new if first else sha256(b""))
    nodes, fn, sn = ([] if first & (first - 1) else [old]) + proof, first - 1, second - 1
    while fn & 1: fn, sn = fn >> 1, sn >> 1
    if not nodes or first > second: return False
    fr = sr = nodes[0]
    for c in nodes[1:]:
        if sn == 0: return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while fn and not fn & 1: fn, sn = fn >> 1, sn >> 1
        else: sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and (fr, sr) == (old, new)
def checkpoint(name, origin, key_name, public):
    """The size and root of a checkpoint (C2SP signed-note) that the key has signed."""
    text, _, lines = load(name).decode().rpartition("\n\n")
    prefix, head = sha256(f"{key_name}\n\1".encode() + public)[:4], text.split("\n")
    require(len(head) > 2 and head[0] == origin and re.fullmatch(NUMBER, head[1]), "is no checkpoint of this log")
    marks = [line.split(" ") for line in lines.split("\n")[:-1] if line.startswith("\u2014 ")]
    blobs = [base64.b64decode(mark[2], validate=True) for mark in marks if len(mark) == 3 and mark[1] == key_name]
    blobs = [temporary(blob[4:]) for blob in blobs if blob[:4] == prefix]
    require(blobs, "is not signed with keys/log.vkey")
    key, note = temporary(bytes.fromhex("302a300506032b6570032100") + public), temporary((text + "\n").encode())
    for blob in blobs: openssl(*"pkeyutl -verify -pubin -keyform DER -rawin -inkey".split(), key, "-in", note, "-sigfile", blob)
    return int(head[1]), base64.b64decode(head[2], validate=True)

def field(entry, name):
    value = entry.get(name)
    require(isinstance(value, str) and FORMS[name].fullmatch(value), f"has no '{name}', or a malformed one")
    return value
def move(entry, kind):
    """The rules of money: one hold, then extensions, then one settlement of at most what is held, or one void."""
    usage, amount = field(entry, "usage"), int(field(entry, "amount_nano")) if kind != "void" else 0
    account = (field(entry, "customer"), field(entry, "currency")) if kind in ("hold", "settle") else None
    if kind == "hold":
        require(usage not in usages, f"holds {usage} a second time")
        usages[usage] = [account, amount, entry.get("seq"), None]          # the last two: seq of the hold, seq of the end
        return
    require(usage in usages, f"{kind} of {usage}, which no earlier entry holds")
    state = usages[usage]
    require(state[3] is None, f"{kind} of {usage}, which entry {state[3]} has ended already")
    if kind == "settle":
        require(account == state[0], f"settles {usage} for another customer or in another currency than the hold")
        require(amount <= state[1], f"settles {amount} nano-units of {usage}, of which {state[1]} are held")
        totals[account] = [a + int(b) for a, b in zip(totals.get(account, [0] * 5), [1] + [field(entry, name) for name in MONEY])]
        settled[usage] = account, amount
    if kind == "extend": state[1] += amount
    else: state[3] = entry.get("seq")
def read_entry(line, seq, before, counts, period):
    entry = canonical(line)
    at, kind, _ = field(entry, "at"), field(entry, "type"), field(entry, "boot")
    counts[kind] = counts.get(kind, 0) + 1
    if kind in ("hold", "extend", "settle", "void"): move(entry, kind)
    require(entry.get("seq") == seq, f"has seq {entry.get('seq')} where {seq} belongs")
    require(before <= at and period["from"] <= at < period["to"], "has an 'at' out of order or outside the period")
    return at
def read_entries(manifest, first, size, frontier, entries, leaves):
    """One pass over the entries beside their leaf hashes; gives the lines whose hash differs."""
    last, count, differing, counts = "", 0, [], {}
    for number, raw in enumerate(entries, 1):
        if number > size - first: bad("entries.jsonl", f"is one too many: the log has {size - first} entries here", number); break
        line, count, leaf = raw[:-1] if raw.endswith(b"\n") else raw + b"?", number, sha256(b"\0" + raw[:-1])
        append(frontier, first + number - 1, leaf)
        if leaves.readline(80) != leaf.hex().encode() + b"\n": differing.append(number)
        try: last = read_entry(line, first + number - 1, last, counts, manifest["period"])
        except (ValueError, AttributeError, RecursionError) as error: bad("entries.jsonl", error, number)
    if count < size - first: bad("entries.jsonl", f"is missing: the log has {size - first} entries here", count + 1)
    elif leaves.read(1): bad("leaves.txt", "is one too many", count + 1)
    if (manifest["entries"], manifest["counts"]) != (count, counts): bad("manifest.json", "counts other entries than there are")
    return differing
def read_usage(rows):
    """The rows of each usage in usage.csv against its settlement."""
    found = {}
    for row in rows:
        try:
            usage, account = field(row, "usage"), (field(row, "customer"), field(row, "currency"))
            found[usage] = account, int(field(row, "amount_nano")) + found.get(usage, (account, 0))[1]
            require(usage in settled and settled[usage][0] == account and found[usage][1] <= settled[usage][1],
                    f"charges {usage} otherwise than the log settles it")
        except (ValueError, AttributeError) as error: bad("usage.csv", error, rows.line_num)
    for usage in settled:
        if found.get(usage) != settled[usage]: bad("usage.csv", f"lacks a part of {usage}, settled by entry {usages[usage][3]}")
def check_summary(summary):
    names = ("customer", "currency", "amount_nano", "requests", "prompt_uncached", "prompt_cached", "completion")
    sums = [[*account, str(sums[1]), sums[0], *map(str, sums[2:])] for account, sums in sorted(totals.items())]
    require(sums == [[row[name] for name in names] for row in summary["totals"]], "has other totals than the entries add up to")
    left = sorted((held[2], usage, *held[0], str(held[1])) for usage, held in usages.items() if held[3] is None)
    names = ("seq", "usage", "customer", "currency", "amount_nano")
    require(left == [tuple(hold[name] for name in names) for hold in summary["open_after"]], "has other open holds than the log")
def verify(log_key=None, certificate=None):
    manifest = attempt("manifest.json", lambda: canonical(load("manifest.json"), b"\n"))
    if not manifest: return
    attempt("manifest.cms", openssl, *"cms -verify -binary -inform DER -out".split(), os.devnull, "-in", path("manifest.cms"),
            "-content", path("manifest.json"), "-CAfile", certificate or path("keys/signer.pem"))
    listed = {file["path"]: file["sha256"] for file in manifest["files"]}
    found = {os.path.relpath(os.path.join(base, name), directory) for base, _, names in os.walk(directory) for name in names}
    wanted = {"manifest.json", "manifest.cms", *listed, *(["manifest.tsr"] if "keys/tsa.pem" in listed else [])}
    for name in sorted(found ^ wanted): bad(name, "is missing" if name in wanted else "is not in the manifest")
    for name in sorted(found & listed.keys()): attempt(name, check_file, name, listed[name])
    if "keys/tsa.pem" in listed:
        attempt("manifest.tsr", openssl, "ts", "-verify", "-data", path("manifest.cms"), "-in", path("manifest.tsr"), "-CAfile",
                path("keys/tsa.pem"))
    vkey = (attempt("keys/log.vkey", lambda: load("keys/log.vkey").decode()) or "").strip()
    if log_key and vkey != log_key: bad("keys/log.vkey", f"is not the key that you trust, {log_key}")
    public = attempt("keys/log.vkey", lambda: base64.b64decode(vkey.split("+", 2)[2], validate=True)[1:]) or b""
    key, first, known = (manifest["origin"], vkey.split("+")[0], public), manifest["first_seq"], "previous-checkpoint" in listed
    size, top = attempt("checkpoint", checkpoint, "checkpoint", *key) or (manifest["size"], None)
    old_size, old = 0, sha256(b"")
    if known: old_size, old = attempt("previous-checkpoint", checkpoint, "previous-checkpoint", *key) or (0, None)
    consistency = attempt("consistency.json", lambda: canonical(load("consistency.json"), b"\n")) or {"frontier": [], "proof": []}
    proof, frontier = ([bytes.fromhex(hash) for hash in consistency[name]] for name in ("proof", "frontier"))
    sizes = (consistency.get("first_size"), consistency.get("previous_size"), len(frontier), old_size, size)
    if sizes != (first, manifest["previous_size"], bin(first).count("1"), manifest["previous_size"], manifest["size"]):
        bad("consistency.json", "has other sizes than the manifest or the checkpoints")
    if old and top and not consistent(old_size, old, size, top, proof): bad("consistency.json", "proves no extension")
    if old_size == first and old != root(frontier): bad("consistency.json", "has not the frontier of the previous checkpoint")
    summary = attempt("summary.json", lambda: canonical(load("summary.json"), b"\n")) or {"open_before": []}
    for hold in summary["open_before"]:
        usages[hold["usage"]] = [(hold["customer"], hold["currency"]), int(hold["amount_nano"]), hold["seq"], None]
    with open(path("entries.jsonl"), "rb") as entries, open(path("leaves.txt"), "rb") as leaves:
        differing = read_entries(manifest, first, size, frontier, entries, leaves)
    sound = root(frontier) == top
    for line in differing[:1]:
        bad("leaves.txt" if sound else "entries.jsonl", "entry and leaf hash differ: changed, dropped, added or moved here", line)
    if not sound: bad("entries.jsonl", f"lines 1 to {size - first} do not give the root in checkpoint")
    attempt("summary.json", check_summary, summary)
    with open(path("usage.csv"), newline="", encoding="utf-8") as rows: read_usage(csv.DictReader(rows))
    return f"{size - first} entries, seq {first} to {size - 1}, of {manifest['origin']}\nlog key {vkey}\nroot {top and top.hex()}"

if len(sys.argv) not in (2, 3, 4) or not os.path.isdir(sys.argv[1]):
    print(__doc__, file=sys.stderr)
    sys.exit(2)
directory = sys.argv[1]
with tempfile.TemporaryDirectory() as scratch:
    result = attempt("the bundle", verify, *sys.argv[2:])
print("\n".join(problems[:100] + ([f"... and {len(problems) - 100} more"] if len(problems) > 100 else [])) or f"OK: {result}")
sys.exit(1 if problems else 0)
