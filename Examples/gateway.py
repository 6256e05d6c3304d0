"""A Weighbridge gateway as a child process, and a small client for it. Python's standard library only.

Used by first-minute.py and by the client tests; a start for scripts of your own.
"""

import http.client
import io
import json
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import tarfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = ROOT / ".build" / "release" / "weighbridge"

CONFIG = """\
server:   {{listen: "127.0.0.1:{port}"}}
data:     {{directory: "{directory}/data"}}
operator: {{name: "Demo Operator GmbH", country: "DE"}}
models:
  - {{id: demo, file: "{model}", terms: [llama-2]}}
store:    {{url: "sqlite"}}
"""


class Failure(Exception):
    """Something did not show what it should."""


class Reply:
    """A whole response: status, headers by lower-case name, and the body, as JSON where it is JSON."""

    def __init__(self, response, body):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = body
        is_json = self.headers.get("content-type", "").startswith("application/json")
        self.json = json.loads(body) if is_json else None

    @property
    def error(self):
        return (self.json or {}).get("error", {})


class Gateway:
    """One gateway with a configuration, a data directory and an admin key of its own."""

    def __init__(self, directory, port):
        self.directory = pathlib.Path(directory)
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.admin_key = "wb-admin-" + secrets.token_hex(16)
        self.log = self.directory / "gateway.log"
        self.process = None
        # The text of the configuration, where it is not the usual one with the demonstration model.
        self.config = None

    def start(self, patience=30):
        """Starts the gateway and returns once /readyz says that it is ready."""
        if not BINARY.exists():
            raise Failure(f"{BINARY} has not been built; run: make build")
        config = self.directory / "weighbridge.yaml"
        config.write_text(
            self.config or CONFIG.format(port=self.port, directory=self.directory, model=ROOT / "Models/demo/demo.gguf"))
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--config", config], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "WEIGHBRIDGE_ADMIN_KEY": self.admin_key}, start_new_session=True)
        deadline = time.monotonic() + patience
        while not self.is_ready():
            if self.process.poll() is not None:
                raise Failure(f"the gateway ended with status {self.process.returncode}:\n{self.last_words()}")
            if time.monotonic() > deadline:
                raise Failure(f"the gateway was not ready after {patience} s:\n{self.last_words()}")
            time.sleep(0.05)

    def is_ready(self):
        try:
            # Another program may listen on the port: ours must be alive as well.
            return self.request("GET", "/readyz").status == 200 and self.process.poll() is None
        except (OSError, http.client.HTTPException):
            return False

    def last_words(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failure(f"the gateway did not stop within 20 s of SIGTERM:\n{self.last_words()}") from None

    def request(self, method, path, body=None, key=None):
        """One request; the body, where there is one, goes out as JSON."""
        connection, response = self.open(method, path, body, key)
        try:
            return Reply(response, response.read())
        finally:
            connection.close()

    def admin(self, method, path, body=None):
        """An admin request that must succeed; gives its JSON, or the bytes of what is none."""
        reply = self.request(method, "/admin/v1" + path, body, self.admin_key)
        if reply.status >= 300:
            raise Failure(f"{method} /admin/v1{path} answered {reply.status}: {reply.body.decode(errors='replace')}")
        return reply.body if reply.json is None else reply.json

    def stream(self, body, key):
        """A streamed completion: the response's headers first, then each chunk's JSON as it comes."""
        connection, response = self.open("POST", "/v1/chat/completions", {**body, "stream": True}, key)
        try:
            if response.status != 200:
                raise Failure(f"the stream was refused with {response.status}: {response.read().decode(errors='replace')}")
            yield {name.lower(): value for name, value in response.getheaders()}
            for line in response:
                text = line.decode().rstrip("\r\n")
                if text == "data: [DONE]":
                    return
                if text.startswith("data: "):
                    yield json.loads(text[6:])
            raise Failure("the stream ended without [DONE]")
        finally:
            connection.close()

    def open(self, method, path, body, key):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        return connection, connection.getresponse()

    # What more than one script does.

    def set_price(self, prompt="20.00", completion="60.00", model="demo"):
        """Prices a model, in USD per million tokens."""
        components = [{"category": "prompt_uncached", "per_million": prompt}, {"category": "completion", "per_million": completion}]
        return self.admin("POST", "/prices", {"model": model, "currency": "USD", "components": components})

    def create_customer(self, name):
        """A customer with one key: the customer's id and the key's secret."""
        customer = self.admin("POST", "/customers", {"name": name, "country": "DE"})["id"]
        return customer, self.create_key(customer, "first")["secret"]

    def create_key(self, customer, name):
        return self.admin("POST", f"/customers/{customer}/keys", {"name": name, "scopes": ["inference", "usage"]})

    def standing(self, customer, model="demo"):
        return self.admin("GET", f"/standing?subject={customer}&model={model}")

    def attest(self, row):
        """One attestation for a row of `missing`, with a value that a demonstration may give."""
        values = {
            "bool": True, "count": {"upper": 1_000_000}, "money": {"upper": "1000000.00"}, "enum": (row.get("values") or [""])[0],
            "set": [], "region": "DE", "date": time.strftime("%Y-%m-%d", time.gmtime()), "text": "see contract"}
        body = {
            "subject": row["subject"], "fact": row["fact"], "value": values[row["type"]],
            "signer": {"name": "Erika Example", "role": "General Counsel"}}
        return self.admin("POST", "/attestations", body)

    def export_bundle(self, directory, patience=30):
        """Orders an audit bundle, waits for it and unpacks it; gives the directory with its manifest."""
        export = self.admin("POST", "/exports", {"kind": "audit", "format": "bundle"})["id"]
        deadline = time.monotonic() + patience
        while (state := self.admin("GET", f"/exports/{export}"))["status"] == "pending":
            if time.monotonic() > deadline:
                raise Failure(f"the export was not ready after {patience} s")
            time.sleep(0.1)
        if state["status"] != "ready":
            raise Failure(f"the export failed: {state}")
        return unpack(self.admin("GET", f"/exports/{export}/content"), pathlib.Path(directory))


def unpack(content, directory):
    """Writes the plain files of a tar, and no file outside the directory."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            path = pathlib.PurePosixPath(member.name)
            if path.is_absolute() or ".." in path.parts:
                raise Failure(f"the tar names {member.name}")
            if member.isfile():
                (directory / path).parent.mkdir(parents=True, exist_ok=True)
                (directory / path).write_bytes(archive.extractfile(member).read())
    manifests = list(directory.rglob("manifest.json"))
    if len(manifests) != 1:
        raise Failure(f"the tar has {len(manifests)} manifests")
    return manifests[0].parent


def free_port():
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
