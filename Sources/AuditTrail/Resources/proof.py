#!/usr/bin/env python3
"""Verifies the proof of one log entry, offline, and prints the entry:  python3 proof.py FILE.tlog-proof LOG-KEY
LOG-KEY is the log's verifier key, from the operator. verify.py takes from here what it needs of trees, notes and keys.
Needs Python 3.9 and openssl 3.0. Ends with 0 where the proof holds, 1 where not, 2 if called wrongly."""
import base64, hashlib, json, os, re, subprocess, sys, tempfile

FILE = 32 << 20                                                            # no file that is read whole may be larger
sha256 = lambda data: hashlib.sha256(data).digest()
node = lambda left, right: sha256(b"\1" + left + right)                    # RFC 6962; a leaf is sha256(b"\0" + line)
integer = lambda text: int(text) if len(text) < 18 and abs(int(text)) < 1 << 53 and text != "-0" else text

def require(condition, message):
    if not condition: raise ValueError(message)
def load(name):
    with open(name, "rb") as file: data = file.read(FILE + 1)
    require(len(data) <= FILE, f"has more than {FILE} bytes")
    return data
def digest(name):
    hasher = hashlib.sha256()
    with open(name, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""): hasher.update(piece)
    return hasher.hexdigest()
def decode(text):
    raw = base64.b64decode(text, validate=True)
    require(base64.b64encode(raw).decode() == text, "has base 64 that is not canonical")
    return raw
def openssl(*words):
    """Runs the program; bytes among the words become files."""
    with tempfile.TemporaryDirectory() as scratch:
        names = [os.path.join(scratch, str(n)) if isinstance(word, bytes) else word for n, word in enumerate(words)]
        for name, data in zip(names, words):
            if isinstance(data, bytes):
                with open(name, "wb") as file: file.write(data)
        result = subprocess.run(["openssl", *names], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    require(result.returncode == 0, "openssl says: " + " / ".join((result.stderr or result.stdout).split("\n"))[-300:])
def canonical(raw, end=b""):
    """The value of canonical JSON (RFC 8785), then `end`. What is no small integer is kept as text, and fails the comparison."""
    value = json.loads(raw, parse_int=integer, parse_float=str, parse_constant=str)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    require(text.encode() + end == raw, "is not canonical JSON")
    return value

def append(frontier, size, leaf):
    while size & 1: leaf, size = node(frontier.pop(), leaf), size >> 1
    frontier.append(leaf)
def root(frontier):
    result = frontier[-1] if frontier else sha256(b"")
    for left in reversed(frontier[:-1]): result = node(left, result)
    return result
def climb(first, last, old, new, proof):
    """Two hashes led up by a proof (RFC 9162, sections 2.1.3.2 and 2.1.4.2); None where it is too short or too long."""
    for c in proof:
        if last == 0: return None
        if first & 1 or first == last:
            old, new = node(c, old), node(c, new)
            while first and not first & 1: first, last = first >> 1, last >> 1
        else: new = node(new, c)
        first, last = first >> 1, last >> 1
    return (old, new) if last == 0 else None
def consistent(first, old, second, new, proof):
    if first in (0, second): return not proof and old == (new if first else sha256(b""))
    nodes, fn, sn = ([] if first & (first - 1) else [old]) + proof, first - 1, second - 1
    while fn & 1: fn, sn = fn >> 1, sn >> 1
    return bool(nodes) and first < second and climb(fn, sn, nodes[0], nodes[0], nodes[1:]) == (old, new)

def parse_key(vkey, kind=1):
    """The name, and type and key, of a verifier key (C2SP signed-note)."""
    name, identity, raw = vkey.split("+", 2)
    raw = decode(raw)
    require((raw[0], len(raw), sha256(f"{name}\n".encode() + raw)[:4].hex()) == (kind, 33, identity), "is no key of its kind")
    return name, raw
def open_note(data, keys):
    """The lines of a signed note, and which of the keys signed it; one of kind 4, a witness's, is dated. Wrong ones are errors."""
    text, _, lines = data.decode().rpartition("\n\n")
    marks, signers = [line.split(" ") for line in lines.split("\n")[:-1]], set()
    require(text and lines[-1:] == "\n" and all(len(m) == 3 and m[0] == "\u2014" for m in marks), "is no signed note")
    for (_, signer, blob), (name, raw) in ((mark, key) for mark in marks for key in keys):
        blob = decode(blob)
        if signer != name or blob[:4] != sha256(f"{name}\n".encode() + raw)[:4]: continue
        stamp = f"cosignature/v1\ntime {int.from_bytes(blob[4:12], 'big')}\n" if raw[0] == 4 else ""
        key, signature = bytes.fromhex("302a300506032b6570032100") + raw[1:], blob[12:] if stamp else blob[4:]
        openssl(*"pkeyutl -verify -pubin -keyform DER -rawin -inkey".split(), key, "-in", (stamp + text + "\n").encode(),
                "-sigfile", signature)
        signers.add((name, raw))
    return text.split("\n"), signers
def checkpoint(data, keys, origin):
    """The size and the root in a checkpoint (C2SP tlog-checkpoint) that one of the keys has signed."""
    head, signers = open_note(data, keys)
    require(len(head) > 2 and origin == head[0] and re.fullmatch("0|[1-9][0-9]*", head[1]), "is no checkpoint of this log")
    require(signers, "is not signed with the key of the log")
    return int(head[1]), decode(head[2])
def check_proof(data, key, known=None):
    """The entry of a proof (C2SP tlog-proof; the entry is its 'extra'), once it is shown to be in the tree."""
    head, _, note = data.decode().partition("\n\n")
    size, top = checkpoint(note.encode(), [key], key[0])
    kind, extra, place, *hashes = head.split("\n")
    raw, index = decode(extra[6:]), int(place[6:])
    require((kind, extra[:6], place) == ("c2sp.org/tlog-proof@v1", "extra ", f"index {index}"), "is no proof of an entry")
    require(known in (None, (size, top)), "is in another tree than that of the checkpoint")
    leaf = sha256(b"\0" + raw)
    found = climb(index, size - 1, leaf, leaf, [decode(text) for text in hashes]) if 0 <= index < size else None
    require(found and found[1] == top, "does not lead from the entry to the root: it is not this entry")
    require(canonical(raw).get("seq") == index, "has an entry with another 'seq'")
    return raw.decode()

def check_keys(directory, listed, origin, vkey):
    """The keys that the log has had, by the notes with which each followed the one before; the last is in force."""
    chain, number, certificate = [vkey], 1, listed["keys/signer.pem"]
    while (name := f"keys/succession-{number}") in listed:
        data = load(os.path.join(directory, name))
        head, signers = open_note(data, [parse_key(key) for key in data.decode().split("\n")[3:5]])
        require(head[:3] == ["weighbridge/key-succession/v1", origin, str(number)] and len(signers) == 2, f"{name} lacks a signature")
        require(number == 1 or head[3] == chain[-1], f"{name} does not follow on the key before it")
        chain, number, certificate = (chain if number > 1 else [head[3]]) + [head[4]], number + 1, head[5]
    key = base64.b64encode(bytes.fromhex("302a300506032b6570032100") + parse_key(vkey)[1][1:]).decode()
    pem = f"-----BEGIN PUBLIC KEY-----\n{key}\n-----END PUBLIC KEY-----\n"
    require(load(os.path.join(directory, "keys/log.pem")).decode() == pem, "is not the key of keys/log.pem")
    require((chain[-1], certificate) == (vkey, listed["keys/signer.pem"]), "is not where the succession of keys ends")
    return chain

if __name__ == "__main__":
    if len(sys.argv) != 3: sys.exit(print(__doc__, file=sys.stderr) or 2)
    try: print(check_proof(load(sys.argv[1]), parse_key(sys.argv[2])))
    except Exception as error: sys.exit(print(f"{sys.argv[1]}: {type(error).__name__}: {error}") or 1)
