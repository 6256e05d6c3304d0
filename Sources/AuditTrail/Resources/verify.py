#!/usr/bin/env python3
"""Verifies an audit bundle offline:  python3 verify.py DIR [LOG-KEY [CERTIFICATE.pem]]
LOG-KEY (a verifier key) and the signer's certificate are those you trust; without them the bundle's own are used. Needs Python
3.9 and openssl 3.0. Ends with 0 where all holds, 1 with file and line where not, 2 if called wrongly. See README.txt."""
import csv, os, re, sys
sys.dont_write_bytecode = True                                             # nothing may be added to the bundle
from proof import (append, canonical, check_keys, check_proof, checkpoint, consistent, digest, load, open_note, openssl, parse_key,
                   require, root, sha256)
NUMBER, ID, LINE = "0|[1-9][0-9]{0,29}", "_[0-7][0-9a-hjkmnp-tv-z]{25}", 65535
FORMS = {"at": "[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}[.][0-9]{3}Z", "boot": "(?s:.*)", "type": "[a-z][a-z_]{0,15}",
         "usage": "usg" + ID, "customer": "cus" + ID, "currency": "[A-Z]{3}"}
SUMS = ("amount_nano", "requests", "voided", "prompt_uncached", "prompt_cached", "completion")
problems, usages, totals, customers, running = [], {}, {}, {}, {}          # see move() and read_entry()
path = lambda name: os.path.join(directory, name)
def bad(file, message, line=None): problems.append(f"{file} line {line}: {message}" if line else f"{file}: {message}")
def attempt(file, step, *arguments):
    """The result of a step; None, with what went wrong in `file`, where it fails."""
    try: return step(*arguments)
    except Exception as error: bad(file, f"{type(error).__name__}: {error}")
def field(entry, name):
    value = entry.get(name)
    require(isinstance(value, str) and re.fullmatch(FORMS.get(name, NUMBER), value), f"has no '{name}', or a malformed one")
    require(name in FORMS or int(value) < 1 << 63, f"has a '{name}' of 2^63 or more")
    return value if name in FORMS else int(value)
def move(entry, kind):
    """The rules of money: one hold, then extensions, then one settlement of at most what is held, or one void."""
    usage, amount = field(entry, "usage"), field(entry, "amount_nano") if kind != "void" else 0
    account = (field(entry, "customer"), field(entry, "currency")) if kind in ("hold", "settle") else None
    state = usages.get(usage)
    if kind == "hold":
        require(state is None, f"holds {usage} a second time")
        usages[usage] = [account, amount, entry.get("seq"), None, 0]       # amount held or settled, seq of the hold, end, rows
        return
    require(state is not None, f"{kind} of {usage}, which no earlier entry holds")
    require(state[3] is None, f"{kind} of {usage}, of which an earlier entry is the {state[3]}")
    if kind == "extend": return state.__setitem__(1, state[1] + amount)
    require(kind == "void" or account == state[0], f"settles {usage} for another customer or in another currency than the hold")
    require(amount <= state[1], f"settles {amount} nano-units of {usage}, of which {state[1]} are held")
    state[1], state[3] = amount, kind
    tokens = [field(entry, name) if kind == "settle" else 0 for name in SUMS[3:]]
    for sums, key in ((running, state[0][1]), (totals, state[0])):
        sums[key] = [a + b for a, b in zip(sums.get(key, [0] * 6), [amount, int(kind == "settle"), int(kind == "void"), *tokens])]
def stated(sums): return {name: sum if name in SUMS[1:3] else str(sum) for name, sum in zip(SUMS, sums)}
def read_entry(line, seq, before, counts, period):
    entry = canonical(line)
    at, kind, _ = field(entry, "at"), field(entry, "type"), field(entry, "boot")
    counts[kind] = counts.get(kind, 0) + 1
    who, place, wanted = entry.get("customer"), entry.get("customer_seq"), None
    if isinstance(who, str) and re.fullmatch(FORMS["customer"], who) and (place is not None or who in customers):
        wanted = customers.get(who, 0)
        customers[who] = (place if isinstance(place, int) else wanted) + 1
    if kind in ("hold", "extend", "settle", "void"): move(entry, kind)
    require((entry.get("seq"), type(entry.get("seq"))) == (seq, int), f"has seq {entry.get('seq')} where {seq} belongs")
    require(before <= at and period["from"] <= at < period["to"], "has an 'at' out of order or outside the period")
    require((place, type(place)) == (wanted, type(wanted)), f"has customer_seq {place} where {wanted} belongs for {who}")
    sums = {currency: stated(sums) for currency, sums in running.items()}
    require(kind != "heartbeat" or entry.get("totals") == sums, "states other totals than the entries up to it add up to")
    return at
def read_entries(manifest, first, size, frontier, entries, leaves):
    """One pass over the entries beside their leaf hashes; gives the lines whose hash differs."""
    last, count, differing, counts = "", 0, [], {}
    for number, raw in enumerate(iter(lambda: entries.readline(LINE + 1), b""), 1):
        if number > size - first:
            bad("entries.jsonl", f"is one too many: the log has {size - first} entries here", number)
            break
        require(len(raw) <= LINE or raw[-1:] == b"\n", f"entries.jsonl line {number} is longer than {LINE} bytes")
        line, count, leaf = raw[:-1] if raw[-1:] == b"\n" else raw + b"?", number, sha256(b"\0" + raw[:-1])
        append(frontier, first + number - 1, leaf)
        if leaves.readline(80) != leaf.hex().encode() + b"\n": differing.append(number)
        try: last = read_entry(line, first + number - 1, last, counts, manifest["period"])
        except (ValueError, AttributeError, RecursionError) as error: bad("entries.jsonl", error, number)
    if count < size - first: bad("entries.jsonl", f"is missing: the log has {size - first} entries here", count + 1)
    elif leaves.read(1): bad("leaves.txt", "is one too many", count + 1)
    if (manifest["entries"], manifest["counts"]) != (count, counts): bad("manifest.json", "counts other entries than there are")
    return differing
def read_usage(rows):
    """The rows of each usage in usage.csv against its settlement, which they add up to."""
    for row in rows:
        try:
            state = usages.get(field(row, "usage"), [None] * 5)
            require(state[3] == "settle" and state[0] == (field(row, "customer"), field(row, "currency"))
                    and field(row, "amount_nano") <= state[1], f"charges {row['usage']} otherwise than the log settles it")
            state[1], state[4] = state[1] - field(row, "amount_nano"), state[4] + 1
        except (ValueError, AttributeError) as error: bad("usage.csv", error, rows.line_num)
    for usage, state in usages.items():
        if state[3] == "settle" and (state[1] or not state[4]): bad("usage.csv", f"lacks a part of {usage}, which the log settles")
def check_summary(summary, first):
    sums = [{"customer": who[0], "currency": who[1], **stated(row)} for who, row in sorted(totals.items()) if row[1]]
    require([{**row, "voided": sums[n]["voided"]} for n, row in enumerate(summary["totals"])] == sums, "has other totals than the entries add up to")
    left = [{"seq": state[2], "usage": usage, "customer": state[0][0], "currency": state[0][1], "amount_nano": str(state[1])}
            for usage, state in usages.items() if state[3] is None]
    require(sorted(left, key=lambda hold: hold["seq"]) == summary["open_after"], "has other open holds than the log")
    require(first or not any(summary[name + "_before"] for name in ("open", "customers", "running")), "begins before the log")
def verify(log_key=None, certificate=None):
    read = lambda name: canonical(load(path(name)), b"\n")
    if not (manifest := attempt("manifest.json", read, "manifest.json")): return
    attempt("manifest.cms", openssl, *"cms -verify -binary -inform DER -out".split(), os.devnull, "-in", path("manifest.cms"),
            "-content", path("manifest.json"), "-CAfile", certificate or path("keys/signer.pem"))
    listed = {file["path"]: file["sha256"] for file in manifest["files"]}
    seals = ["manifest.cms", "manifest.json"] + (["manifest.tsr"] if "keys/tsa.pem" in listed else [])
    found = {os.path.relpath(os.path.join(base, name), directory) for base, _, names in os.walk(directory) for name in names}
    wanted = {"manifest.sha256", *seals, *listed}
    for name in sorted(found ^ wanted): bad(name, "is missing" if name in wanted else "is not in the manifest")
    for name in sorted(found & listed.keys()):
        attempt(name, lambda: require(digest(path(name)) == listed[name], "is not the file that the manifest lists"))
    attempt("manifest.sha256", lambda: require(load(path("manifest.sha256")).decode() == "".join(
        f"{digest(path(name))}  {name}\n" for name in seals), "is not that of the manifest and its signatures"))
    if "manifest.tsr" in seals:
        attempt("manifest.tsr", openssl, "ts", "-verify", "-data", path("manifest.cms"), "-in", path("manifest.tsr"), "-CAfile",
                path("keys/tsa.pem"))
    first, known, origin = manifest["first_seq"], "previous-checkpoint" in listed, manifest["origin"]
    chain = attempt("keys/log.vkey", lambda: check_keys(directory, listed, origin, load(path("keys/log.vkey")).decode()[:-1])) or []
    if log_key and log_key not in chain: bad("keys/log.vkey", f"is not the key that you trust, {log_key}")
    keys = attempt("keys/log.vkey", lambda: [parse_key(key) for key in chain]) or []
    current = attempt("checkpoint", lambda: checkpoint(load(path("checkpoint")), keys[-1:], origin))
    old_size, old = 0, sha256(b"")
    if known:
        older = attempt("previous-checkpoint", lambda: checkpoint(load(path("previous-checkpoint")), keys, origin))
        old_size, old = older or (0, None)
    witnesses = load(path("keys/witnesses")).decode().split() if "keys/witnesses" in listed else []
    cosigned = attempt("checkpoint", lambda: open_note(load(path("checkpoint")), [parse_key(key, 4) for key in witnesses])[1]) or ()
    for name in sorted(found & listed.keys()):
        if name.startswith("proofs/"): attempt(name, lambda: check_proof(load(path(name)), keys[-1], current))
    size, top = current or (manifest["size"], None)
    consistency = attempt("consistency.json", read, "consistency.json") or {"frontier": [], "proof": []}
    proof, frontier = ([bytes.fromhex(hash) for hash in consistency[name]] for name in ("proof", "frontier"))
    sizes = (consistency.get("first_size"), consistency.get("previous_size"), len(frontier), old_size, size)
    if sizes != (first, manifest["previous_size"], bin(first).count("1"), manifest["previous_size"], manifest["size"]):
        bad("consistency.json", "has other sizes than the manifest or the checkpoints")
    if old and top and not consistent(old_size, old, size, top, proof): bad("consistency.json", "proves no extension")
    if old_size == first and old != root(frontier): bad("consistency.json", "has not the frontier of the previous checkpoint")
    if not (summary := attempt("summary.json", read, "summary.json")): return
    for hold in summary["open_before"]:
        usages[hold["usage"]] = [(hold["customer"], hold["currency"]), int(hold["amount_nano"]), hold["seq"], None, 0]
    customers.update((count["customer"], count["customer_seq"]) for count in summary["customers_before"])
    running.update((code, [int(sums[name]) for name in SUMS]) for code, sums in dict(summary["running_before"]).items())
    with open(path("entries.jsonl"), "rb") as entries, open(path("leaves.txt"), "rb") as leaves:
        differing = read_entries(manifest, first, size, frontier, entries, leaves)
    sound = root(frontier) == top
    for line in differing[:1]:
        bad("leaves.txt" if sound else "entries.jsonl", "entry and leaf hash differ: changed, dropped, added or moved here", line)
    if not sound: bad("entries.jsonl", f"lines 1 to {size - first} do not give the root in checkpoint")
    attempt("summary.json", check_summary, summary, first)
    with open(path("usage.csv"), newline="", encoding="utf-8") as rows: attempt("usage.csv", read_usage, csv.DictReader(rows))
    return f"{size - first} entries, seq {first} to {size - 1}, of {origin}\nlog key {chain[-1]}\ncosigned by {len(cosigned)} witnesses"
if len(sys.argv) not in (2, 3, 4) or not os.path.isdir(sys.argv[1]): sys.exit(print(__doc__, file=sys.stderr) or 2)
directory = sys.argv[1]
result = attempt("the bundle", verify, *sys.argv[2:])
print("\n".join(problems[:100] + ([f"... and {len(problems) - 100} more"] if len(problems) > 100 else [])) or f"OK: {result}")
sys.exit(1 if problems else 0)
