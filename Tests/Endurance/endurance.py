"""What the endurance programs share: a gateway as a child process, clients on raw sockets, and a check of its books from outside.

Python's standard library only. The check reads the database for itself and shares no code with the gateway.
"""

import asyncio
import collections
import json
import os
import pathlib
import random
import signal
import sqlite3
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROMPT_NANO, COMPLETION_NANO = 20_000, 60_000
PROMPTS = ["Please tell me a really long story about a truck on its way to a city.", "I would love to read a long essay on tolls."]
LONGEST = 96
CONFIG = """\
server:   {{listen: "127.0.0.1:0"}}
data:     {{directory: "./data"}}
operator: {{name: "Endurance GmbH", country: "DE"}}
models:
  - {{id: demo, file: "{model}", terms: [llama-2]}}
limits:   {{concurrent_sequences: 24}}
store:    {{url: "sqlite"}}
"""


class Failure(Exception):
    """A promise that was not kept."""


def require(condition, message):
    if not condition:
        raise Failure(message)


class Gateway:
    """One data directory, and the processes that run on it one after the other."""

    def __init__(self, binary, directory, environment=None):
        self.binary = pathlib.Path(binary).resolve()
        self.directory = pathlib.Path(directory)
        self.data = self.directory / "data"
        self.admin_key = "wb-admin-endurance-0123456789abcdef"
        self.environment = environment or {}
        self.process = None
        self.port = None
        (self.directory / "weighbridge.yaml").write_text(CONFIG.format(model=ROOT / "Models/demo/demo.gguf"))

    def start(self, patience=120):
        output = self.directory / "output"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WEIGHBRIDGE_")}
        environment.update(self.environment, WEIGHBRIDGE_ADMIN_KEY=self.admin_key, WEIGHBRIDGE_SHARE=str(ROOT))
        with open(output, "wb") as file:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--config", self.directory / "weighbridge.yaml"], cwd=self.directory,
                stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, env=environment, start_new_session=True)
        deadline = time.monotonic() + patience
        while True:
            lines = [line for line in output.read_text(errors="replace").splitlines() if " listens on http://" in line]
            if lines:
                self.port = int(lines[0].rsplit(":", 1)[1])
                return
            require(self.process.poll() is None, f"the gateway ended with {self.process.returncode}:\n{output.read_text()[-2000:]}")
            require(time.monotonic() < deadline, f"the gateway does not come up:\n{output.read_text()[-2000:]}")
            time.sleep(0.01)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure("the gateway did not stop within 60 s of SIGTERM") from None

    def call(self, method, path, body=None, key=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, method=method)
        request.add_header("Authorization", f"Bearer {key or self.admin_key}")
        if data:
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=120) as response:
            return json.loads(response.read())

    def admin(self, method, path, body=None):
        return self.call(method, "/admin/v1" + path, body)

    def open(self):
        """A priced model and a customer in good standing; its id and a key."""
        components = [{"category": "prompt_uncached", "per_million": "20.00"}, {"category": "completion", "per_million": "60.00"}]
        self.admin("POST", "/prices", {"model": "demo", "currency": "USD", "components": components})
        customer = self.admin("POST", "/customers", {"name": "Endurance", "country": "DE"})["id"]
        values = {"bool": True, "count": {"upper": 1000000}, "money": {"upper": "1000000.00"}, "set": [], "region": "DE", "date": "2026-01-01"}
        for row in self.admin("GET", f"/standing?subject={customer}&model=demo")["missing"]:
            value = row["values"][0] if row["type"] == "enum" else values.get(row["type"], "see contract")
            signer = {"name": "Erika Example", "role": "General Counsel"}
            self.admin("POST", "/attestations", {"subject": row["subject"], "fact": row["fact"], "value": value, "signer": signer})
        return customer, self.key(customer)[1]

    def key(self, customer):
        made = self.admin("POST", f"/customers/{customer}/keys", {"name": "key", "scopes": ["inference", "usage"]})
        return made["id"], made["secret"]


class Stream:
    """One streamed answer as far as its client has it."""

    def __init__(self, prompt, most, key=None):
        self.prompt, self.most, self.key = prompt, most, key
        self.status = self.usage = self.amount = self.error = None
        self.text = ""
        self.pieces = 0
        self.is_done = False
        self.has_left = False

    @property
    def body(self):
        message = {"role": "user", "content": PROMPTS[self.prompt]}
        return json.dumps({"model": "demo", "messages": [message], "temperature": 0, "max_tokens": self.most, "stream": True}).encode()

    async def run(self, port, secret, leave_after=None):
        """Reads until the end, or until the connection breaks, or until so many pieces have come."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return
        try:
            head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\nContent-Type: application/json\r\n"
            if self.key:
                head += f"Idempotency-Key: {self.key}\r\n"
            writer.write(f"{head}Content-Length: {len(self.body)}\r\nConnection: close\r\n\r\n".encode() + self.body)
            await writer.drain()
            await self._read(reader, leave_after)
        except (OSError, asyncio.IncompleteReadError, ValueError):
            pass  # The process was killed; what has come so far counts.
        finally:
            writer.close()

    async def _read(self, reader, leave_after):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        self.status = int(head[0].split()[1])
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
        self.usage = headers.get("x-weighbridge-usage")
        if self.status != 200:
            self.error = await reader.read(65536)
            return
        rest = b""
        while True:
            size = int((await reader.readuntil(b"\r\n")).strip(), 16)
            rest += (await reader.readexactly(size + 2))[:-2]
            *events, rest = rest.split(b"\n\n")
            for event in events:
                self._take(event.removeprefix(b"data: "))
                if leave_after is not None and self.pieces >= leave_after:
                    self.has_left = True
                    return
            if size == 0 or self.is_done:
                return

    def _take(self, data):
        if data == b"[DONE]":
            self.is_done = True
            return
        event = json.loads(data)
        amount = (event.get("weighbridge") or {}).get("amount")
        if amount is not None:
            self.amount = nano(amount)
        text = "".join((choice.get("delta") or {}).get("content") or "" for choice in event.get("choices", []))
        self.text += text
        self.pieces += bool(text)


def nano(decimal):
    whole, _, fraction = decimal.partition(".")
    return int(whole) * 10**9 + int((fraction + "0" * 9)[:9])


class References:
    """The text of the first n tokens of each prompt's greedy answer, asked of the gateway when it is needed: at a time when it is idle."""

    def __init__(self, gateway, secret):
        self.gateway, self.secret = gateway, secret
        self.texts = {}

    def text(self, stream, tokens):
        if tokens == 0:
            return ""
        if (stream.prompt, tokens) not in self.texts:
            message = {"role": "user", "content": PROMPTS[stream.prompt]}
            body = {"model": "demo", "messages": [message], "temperature": 0, "max_tokens": tokens}
            answer = self.gateway.call("POST", "/v1/chat/completions", body, self.secret)
            self.texts[stream.prompt, tokens] = answer["choices"][0]["message"]["content"]
        return self.texts[stream.prompt, tokens]


class Books:
    """The log and its rows, read from the database and folded here."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.next = 0
        self.holds, self.ends = {}, {}
        self.tally = collections.Counter()

    def read(self):
        """Takes the entries that are new; then compares the fold with the rows and with the admin API."""
        path = self.gateway.data / "weighbridge.sqlite"
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
        try:
            for seq, line in database.execute("SELECT seq, line FROM entry WHERE seq >= ? ORDER BY seq", (self.next,)):
                require(seq == self.next, f"entry {self.next} of the log is missing")
                self.next += 1
                self._take(json.loads(line))
            rows = database.execute("SELECT id, outcome, amount, completion, undelivered, policy FROM usage").fetchall()
            open_holds = [row[0] for row in database.execute("SELECT usage FROM hold")]
        finally:
            database.close()
        require(len(rows) == len(self.ends), f"{len(rows)} usage rows, and {len(self.ends)} ends in the log")
        for usage, outcome, amount, completion, undelivered, policy in rows:
            end = self.ends.get(usage)
            require(end is not None, f"{usage} has a row and no end in the log")
            require((outcome == "settled") == (end["type"] == "settle"), f"{usage} is {outcome} and the log says {end['type']}")
            require(amount == int(end.get("amount_nano", 0)), f"{usage} costs {amount} and the log says {end.get('amount_nano')}")
        return open_holds

    def _take(self, entry):
        usage, kind = entry.get("usage"), entry["type"]
        if kind == "hold":
            require(usage not in self.holds, f"{usage} is held twice")
            self.holds[usage] = int(entry["amount_nano"])
        elif kind == "extend":
            self.holds[usage] += int(entry["amount_nano"])
        elif kind in ("settle", "void"):
            require(usage in self.holds, f"{usage} is closed and was never held")
            require(usage not in self.ends, f"{usage} is closed twice")
            self.ends[usage] = entry
            self.tally[entry["settlement_policy"]] += 1
            if kind == "settle":
                amount, completion = int(entry["amount_nano"]), int(entry["completion"])
                price = (int(entry["prompt_uncached"]) + int(entry["prompt_cached"])) * PROMPT_NANO + completion * COMPLETION_NANO
                require(amount == price, f"{usage} is charged {amount} for tokens that cost {price}")
                require(amount <= self.holds[usage], f"{usage} is charged {amount} of a hold of {self.holds[usage]}")

    def compare_with_reports(self, customer):
        settled = [entry for entry in self.ends.values() if entry["type"] == "settle"]
        total = self.gateway.admin("GET", f"/usage?customer={customer}")["total"]
        require(total["requests"] == len(settled), f"the report has {total['requests']} requests, the log {len(settled)}")
        amount = sum(int(entry["amount_nano"]) for entry in settled)
        require(nano(total["amount"]) == amount, f"the report says {total['amount']}, and the log's entries sum up to {amount} nano")

    def check(self, stream, references):
        """What a client saw, against what it is charged."""
        if stream.usage is None:
            return
        end = self.ends.get(stream.usage)
        require(end is not None, f"{stream.usage} reached its client and is not in the log")
        completion, undelivered = int(end.get("completion", 0)), int(end["undelivered"])
        if stream.amount is not None:
            require(end["type"] == "settle", f"{stream.usage} was told its price and is void")
            require(int(end["amount_nano"]) == stream.amount, f"{stream.usage} was told another price than is on disk")
            require(end["settlement_policy"] == "delivered", f"{stream.usage} had ended and was recovered all the same")
            return
        if end["settlement_policy"] == "delivered" and end["finish"] in ("length", "stop"):
            return  # Settled, and killed before the last bytes went out.
        if stream.has_left:
            # What was handed over when it left and it never read is paid for as well.
            charged = references.text(stream, completion)
            require(charged.startswith(stream.text) or stream.text.startswith(charged), f"{stream.usage} pays for another text than it was sent")
            return
        require(stream.text.startswith(references.text(stream, completion)), f"{stream.usage} pays for {completion} tokens that did not arrive")
        most = references.text(stream, min(stream.most, completion + undelivered))
        require(most.startswith(stream.text), f"{stream.usage} received more than its record allows for")
        require(undelivered <= 64 + 64, f"{stream.usage} leaves {undelivered} tokens to the operator")


class Rounds:
    """Rounds of work that are cut off: what crash rounds and power cuts share."""

    def __init__(self, gateway, streams):
        self.gateway, self.count = gateway, streams
        self.books = Books(gateway)
        self.acknowledged = self.received = self.replays = 0
        self.keys = collections.defaultdict(list)

    def prepare(self):
        self.gateway.start()
        self.customer, self.secret = self.gateway.open()
        self.references = References(self.gateway, self.secret)

    async def work(self):
        """Streams in all states; returns them after the process was killed, when some number of pieces had come or a while had passed."""
        streams, tasks = [], []
        for number in range(self.count):
            # Every fourth carries a key, and some of these the key and body of an earlier round.
            prompt, most, key = random.randrange(len(PROMPTS)), random.choice([4, 12, 40, LONGEST]), None
            if number % 4 == 0:
                known = random.choice(list(self.keys)) if self.keys and random.random() < 0.5 else None
                key = known or f"key-{random.getrandbits(64):016x}"
                if known:
                    prompt, most = self.keys[known][0].prompt, self.keys[known][0].most
            stream = Stream(prompt, most, key)
            if key:
                self.keys[key].append(stream)
            leave = random.randrange(1, 20) if random.random() < 0.15 else None
            streams.append(stream)
            tasks.append(asyncio.create_task(stream.run(self.gateway.port, self.secret, leave)))
        enough = random.choice([0, 1, self.count, self.count * 4, self.count * random.randrange(1, 40)])
        patience = time.monotonic() + random.uniform(0.2, 6)
        while sum(stream.pieces for stream in streams) < enough and time.monotonic() < patience and not all(task.done() for task in tasks):
            await asyncio.sleep(0.005)
        await asyncio.sleep(random.uniform(0, 0.1))
        self.gateway.kill()
        await asyncio.gather(*tasks)
        return streams

    def check(self, streams):
        """After the restart: nothing acknowledged is lost, nothing is charged twice, all books agree."""
        require(not self.books.read(), "a hold of the killed process is still open")
        self.books.compare_with_reports(self.customer)
        for stream in streams:
            self.books.check(stream, self.references)
            self.acknowledged += stream.amount is not None
            self.received += bool(stream.text)
        for key, attempts in self.keys.items():
            charged = {stream.usage for stream in attempts if stream.usage and self.books.ends[stream.usage]["type"] == "settle"}
            require(len(charged) <= 1, f"the idempotency key {key} is charged {len(charged)} times")
            self.replays += len(attempts) > 1

    def summary(self):
        policies = ", ".join(f"{name} {count}" for name, count in sorted(self.books.tally.items()))
        return (f"{self.acknowledged} acknowledged ends, {self.received} answers begun, {len(self.books.holds)} holds, "
                f"{self.books.next} entries; {policies}")
