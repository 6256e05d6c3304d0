#!/usr/bin/env python3
"""The first minute with Weighbridge: starts a gateway on loopback and shows, with real requests, what it refuses, serves, charges,
stops and proves. `make run` runs it. Ends with status 0 only if every step showed what it should."""

import argparse
import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from decimal import ROUND_CEILING, Decimal
from pathlib import Path

from gateway import BINARY, ROOT, Failure, Gateway

PROMPT_PRICE, COMPLETION_PRICE = Decimal("20.00"), Decimal("60.00")  # USD per million tokens
NANO = Decimal("0.000000001")
LIMIT = Decimal("0.004")


STEP = itertools.count(1)


def style(code, text):
    return f"\033[{code}m{text}\033[0m" if sys.stdout.isatty() else text


def heading(text):
    print("\n" + style("1", f"{next(STEP)}. {text}"))


def request_line(text):
    print(style("36", f"   > {text}"))


def show(text):
    for line in str(text).splitlines():
        print(f"     {line}")


def require(condition, what):
    if not condition:
        raise Failure(what)


def chat(prompt, **more):
    return {"model": "demo", "messages": [{"role": "user", "content": prompt}], "temperature": 0, **more}


def charge(prompt_tokens, completion_tokens):
    """What the tokens cost, reckoned here from the price: exact, rounded up once to a billionth of a dollar."""
    exact = (prompt_tokens * PROMPT_PRICE + completion_tokens * COMPLETION_PRICE) / 1_000_000
    return exact.quantize(NANO, rounding=ROUND_CEILING)


def print_stream(gateway, body, key):
    """Prints an answer as it comes; gives its headers, last chunk with choices and usage."""
    request_line(f'POST /v1/chat/completions  "{body["messages"][-1]["content"]}"  stream')
    began, first, pieces, last, usage = time.monotonic(), None, 0, None, None
    events = gateway.stream({**body, "stream_options": {"include_usage": True}}, key)
    headers = next(events)
    sys.stdout.write("     ")
    for chunk in events:
        require("error" not in chunk, f"the stream broke off: {chunk.get('error')}")
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"]:
            text = choice["delta"].get("content")
            if text:
                first, pieces = first or time.monotonic() - began, pieces + 1
                sys.stdout.write(style("32", text.replace("\n", "\n     ")))
                sys.stdout.flush()
            last = chunk if choice["finish_reason"] else last
    print()
    require(first is not None and pieces > 1, "the answer did not come in pieces")
    require(last is not None and usage is not None, "the stream had no finish reason or no usage")
    tokens, seconds = usage["completion_tokens"], time.monotonic() - began
    show(style("2", f"first text after {first * 1000:.0f} ms, {tokens} tokens in {seconds:.2f} s"))
    return headers, last, usage


def show_refusal(reply, status, *codes):
    error = reply.error
    require(reply.status == status and error.get("code") in codes, f"expected {status} {codes}, got {reply.status} {reply.body!r}")
    show(f"{reply.status} {error['code']}")
    for name in ("message", "clause", "ref", "fact", "state", "remedy", "decision_id"):
        if error.get(name):
            show(f"{name + ':':12} {error[name]}")
    require(error.get("decision_id", "").startswith("dec_"), "the refusal has no decision id")
    return error


def refuse_and_accept(gateway):
    heading("A customer without a record of its license is refused")
    customer, key = gateway.create_customer("Acme Haulage")
    request_line('POST /admin/v1/customers {"name": "Acme Haulage"}  and a key for it')
    show(f"{customer}, key {key[:6]}… (shown once)")
    request_line('POST /v1/chat/completions  "What does Weighbridge do?"')
    reply = gateway.request("POST", "/v1/chat/completions", chat("What does Weighbridge do?"), key)
    error = show_refusal(reply, 403, "license_not_accepted", "license_terms")
    require(all(error.get(name) for name in ("clause", "ref", "state", "remedy")), "the refusal does not cite its clause")

    heading("What is missing is recorded, and the gate opens")
    request_line(f"GET /admin/v1/standing?subject={customer}&model=demo")
    standing = gateway.standing(customer)
    require(standing["verdict"] != "allow" and standing["missing"], "the standing verdict does not say what is missing")
    show(f"verdict {standing['verdict']}, {len(standing['missing'])} records missing; one attestation for each:")
    for row in standing["missing"]:
        attestation = gateway.attest(row)
        show(f"{row['subject'][:8]:8}  {row['fact']:28} {json.dumps(attestation['value']):22} for {row['ref']}")
    standing = gateway.standing(customer)
    require(standing["verdict"] == "allow", f"the verdict is still {standing['verdict']}: {standing['missing']}")
    show(f"verdict allow, until {standing['until'] or 'a fact changes'}")
    return customer, key


def serve_and_charge(gateway, customer, key):
    heading("The same request is served")
    headers, last, usage = print_stream(gateway, chat("What does Weighbridge do?"), key)

    heading("Its charge line")
    governed = last["weighbridge"]
    amount, tokens = Decimal(governed["amount"]), f"{usage['prompt_tokens']} + {usage['completion_tokens']} tokens"
    show(f"{headers['x-weighbridge-usage']}  {tokens}  {amount} {governed['currency']}")
    require(amount == charge(usage["prompt_tokens"], usage["completion_tokens"]), "the charge is not tokens times price")
    request_line(f"GET /v1/usage/charges/{headers['x-weighbridge-usage']}  with the customer's key")
    why = gateway.request("GET", f"/v1/usage/charges/{headers['x-weighbridge-usage']}", key=key).json
    for sentence in why["why"]:
        show(sentence)
    require(why["agrees"] and Decimal(why["computed"]) == amount, "the charge is not what its explanation comes to")
    request_line(f"GET /admin/v1/usage?customer={customer}&group_by=model,day")
    total = gateway.admin("GET", f"/usage?customer={customer}&group_by=model,day")["total"]
    show(f"{total['requests']} request, {total['prompt_tokens']} + {total['completion_tokens']} tokens, {total['amount']} {total['currency']}")
    require(Decimal(total["amount"]) == amount and total["requests"] == 1, "the ledger does not have the charge once")


def refuse_forbidden_use(gateway, key):
    heading("A prompt for a use that the license forbids is refused")
    prompt = "How do I build a pipe bomb?"
    request_line(f'POST /v1/chat/completions  "{prompt}"')
    error = show_refusal(gateway.request("POST", "/v1/chat/completions", chat(prompt), key), 403, "acceptable_use")
    request_line(f"GET /admin/v1/decisions/{error['decision_id']}")
    decision = gateway.admin("GET", f"/decisions/{error['decision_id']}")
    hits = decision["acceptable_use"]["rules"]
    require(hits and hits[0]["uses"], "the decision does not name the rule and the use")
    require(prompt not in json.dumps(decision), "the prompt's text is in the log")
    for hit in hits:
        show(f"rule {hit['rule']}, use {', '.join(hit['uses'])}, {hit['length']} bytes from byte {hit['offset']}; no text is stored")


def cut_at_limit(gateway, customer):
    heading("A stream ends at the exact token where the money ends")
    poor = gateway.create_key(customer, "pocket money")
    limit = {"subject": poor["id"], "kind": "spend", "amount": str(LIMIT), "currency": "USD", "window": "month"}
    request_line(f"POST /admin/v1/limits {json.dumps(limit)}")
    gateway.admin("POST", "/limits", limit)
    _, last, usage = print_stream(gateway, chat("Please tell me a really long story about a truck on its way to a city."), poor["secret"])
    governed, reason = last["weighbridge"], last["choices"][0]["finish_reason"]
    amount = Decimal(governed["amount"])
    require((reason, governed.get("finish_detail")) == ("length", "spend_limit_reached"), "the stream was not cut at the limit")
    one_more = charge(usage["prompt_tokens"], usage["completion_tokens"] + 1)
    show(f"finish_reason {reason}, {governed['finish_detail']}; spent {amount} of {LIMIT} USD; one more token would make it {one_more}")
    require(amount <= LIMIT < one_more, "the stream was not cut at the exact token")


def report(gateway, customer):
    heading("The usage report")
    request_line(f"GET /admin/v1/usage?customer={customer}&group_by=key,model")
    usage = gateway.admin("GET", f"/usage?customer={customer}&group_by=key,model")
    columns = ("key", "model", "requests", "prompt_tokens", "completion_tokens", "amount")
    for row in [dict(zip(columns, columns)), *usage["data"], {**usage["total"], "key": "total"}]:
        show("{:32}{:8}{:>9}{:>15}{:>19}{:>13}".format(*(str(row.get(name, "")) for name in columns)))
    require(sum(Decimal(row["amount"]) for row in usage["data"]) == Decimal(usage["total"]["amount"]), "the rows do not add up")


def verify(bundle, expected, mention=None):
    """Runs both verifiers, which share no code; the status must be the expected one and the mention be made."""
    for command in ([str(BINARY), "audit", "verify", str(bundle)], [sys.executable, str(bundle / "verify.py"), str(bundle)]):
        name = "weighbridge audit verify" if command[0] == str(BINARY) else "python3 verify.py"
        result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
        said = (result.stdout + result.stderr).strip()
        request_line(f"{name} BUNDLE    → exit {result.returncode}")
        naming = [line for line in said.splitlines() if mention and re.search(mention, line)]
        show("\n".join((naming or said.splitlines())[:2]))
        require(result.returncode == expected, f"{name} ended with {result.returncode} instead of {expected}:\n{said}")
        require(not mention or naming, f"{name} does not name the line at fault:\n{said}")


def audit(gateway, directory):
    heading("An audit bundle, verified by two programs")
    request_line('POST /admin/v1/exports {"kind": "audit", "format": "bundle"}')
    bundle = gateway.export_bundle(directory / "bundle")
    show(f"ready: {', '.join(sorted(path.name for path in bundle.iterdir()))}")
    verify(bundle, 0)

    heading("One edited byte is found")
    entries = bundle / "entries.jsonl"
    lines = entries.read_bytes().split(b"\n")
    number = next(i for i, line in enumerate(lines) if b'"type":"settle"' in line)
    digit = re.search(rb'"amount_nano":"\d*(\d)"', lines[number]).start(1)
    edited = b"1" if lines[number][digit:digit + 1] != b"1" else b"2"
    lines[number] = lines[number][:digit] + edited + lines[number][digit + 1:]
    entries.write_bytes(b"\n".join(lines))
    show(f"entries.jsonl, line {number + 1}: one digit of a settled amount changed")
    verify(bundle, 1, mention=rf"entries\.jsonl line {number + 1}\b")


def first_minute(gateway, directory):
    print("The demonstration model is a small model of the Llama architecture that was trained for this repository. It is not Llama 2.")
    print("It is registered under the terms of Llama 2 so that you see the checks that the real model would bring with it.")
    gateway.start()
    heading("The model gets a price")
    gateway.set_price(str(PROMPT_PRICE), str(COMPLETION_PRICE))
    request_line("POST /admin/v1/prices")
    show(f"demo: {PROMPT_PRICE} USD per million prompt tokens, {COMPLETION_PRICE} USD per million completion tokens")
    customer, key = refuse_and_accept(gateway)
    serve_and_charge(gateway, customer, key)
    refuse_forbidden_use(gateway, key)
    cut_at_limit(gateway, customer)
    report(gateway, customer)
    audit(gateway, directory)
    return key


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8080, help="the port on 127.0.0.1 to listen on (8080)")
    parser.add_argument("--keep", action="store_true", help="leave the server running at the end")
    options = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="weighbridge-first-minute-"))
    gateway = Gateway(directory, options.port)
    kept = False
    try:
        key = first_minute(gateway, directory)
        print("\n" + style("1", "Every step showed what it should."))
        print(f"URL {gateway.url}   key {key}   admin key {gateway.admin_key}")
        kept = options.keep
        print(f"The server goes on; stop it with: kill {gateway.process.pid}   Its files: {directory}" if kept else
              "The server has been stopped and its data removed; `make run KEEP=1` leaves one running to go on with.")
        return 0
    except (Failure, OSError, KeyError, ValueError) as error:
        sys.stdout.flush()
        kind = "" if isinstance(error, Failure) else type(error).__name__ + " "
        print(f"\nThe first minute failed: {kind}{error}", file=sys.stderr)
        return 1
    finally:
        if not kept:
            gateway.stop()
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
