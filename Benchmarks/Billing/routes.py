"""Billing through a running gateway: a month of a million requests of 10,000 customers, as report, tables, invoices and audit bundle over HTTP.

A store is filled by `billing-bench fill`, which writes entries and rows as the gate does; the gateway then starts on it, checks its books
against the log, and answers. What it answers is checked: rows, sums and invoices must come to what was filled in.

    routes.py [--command .build/release/weighbridge] [--bench .build/release/billing-bench] [--records N] [--customers N] [--keep FOLDER]
"""

import argparse
import concurrent.futures
import csv
import decimal
import http.client
import io
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

KEY = "bench-admin-key"
MONTH, NEXT = "2026-10-01", "2026-11-01"
CONFIGURATION = """
server: {listen: "127.0.0.1:0"}
data: {directory: "./data"}
operator: {name: "Example GmbH", country: "DE"}
engines: [{id: nowhere, url: "http://127.0.0.1:9/v1"}]
models: [{id: far, engine: nowhere, terms: [llama-2]}]
log: {level: "error"}
billing:
  seller: {name: "Example GmbH", street: "Weg 1", city: "Berlin", postal_code: "10115", country: "DE", vat_id: "DE123456789"}
  tax: {category: S, percent: "19"}
"""
PROFILE = {"party": {"name": "Acme", "street": "Street 2", "city": "Hamburg", "postal_code": "20095", "country": "DE"}}


class Gateway:
    """One process and a connection to it for each thread."""

    def __init__(self, command: str, folder: pathlib.Path):
        self.command, self.folder, self.threads = os.path.abspath(command), folder, threading.local()

    def start(self, patience: float = 600) -> float:
        began = time.monotonic()
        self.said = open(self.folder / "gateway.log", "w+")
        self.process = subprocess.Popen(
            [self.command, "serve", "--config", "weighbridge.yaml"], cwd=self.folder, stdout=self.said, stderr=self.said,
            env=os.environ | {"WEIGHBRIDGE_ADMIN_KEY": KEY})
        self.threads = threading.local()
        while time.monotonic() - began < patience:
            text = pathlib.Path(self.said.name).read_text()
            if " listens on http" in text:
                self.port = int(text.split(" listens on http://127.0.0.1:")[1].split()[0])
                return time.monotonic() - began
            if self.process.poll() is not None:
                sys.exit(f"the gateway ended: {text}")
            time.sleep(0.05)
        sys.exit("the gateway did not start")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def ask(self, method: str, path: str, body: object = None, base: str = "/admin/v1") -> bytes:
        connection = getattr(self.threads, "connection", None)
        if connection is None:
            connection = self.threads.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        connection.request(method, base + path, None if body is None else json.dumps(body),
                           {"authorization": "Bearer " + KEY, "content-type": "application/json"})
        answer = connection.getresponse()
        data = answer.read()
        if answer.status not in (200, 201, 202):
            sys.exit(f"{method} {path}: {answer.status} {data[:300]!r}")
        return data

    def rest(self, patience: float = 120) -> float:
        """Waits until the gateway has reckoned the last month for its metrics, as it does after a start beside all else."""
        began = time.monotonic()
        while time.monotonic() - began < patience:
            if b"\nweighbridge_capture_tokens{" in self.ask("GET", "/metrics", base=""):
                return time.monotonic() - began
            time.sleep(0.25)
        sys.exit("the capture rate is not in the metrics")

    def json(self, method: str, path: str, body: object = None) -> dict:
        return json.loads(self.ask(method, path, body))

    def memory(self, name: str) -> int:
        """VmRSS or VmHWM in MiB."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.split(name + ":")[1].split()[0]) // 1024

    def forget_peak(self) -> None:
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def export(self, order: dict, to: pathlib.Path) -> None:
        state = self.json("POST", "/exports", order)
        while state["status"] == "pending":
            time.sleep(0.02)
            state = self.json("GET", f"/exports/{state['id']}")
        if state["status"] != "ready":
            sys.exit(f"the export failed: {state}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        connection.request("GET", f"/admin/v1/exports/{state['id']}/content", None, {"authorization": "Bearer " + KEY})
        with open(to, "wb") as file:
            shutil.copyfileobj(connection.getresponse(), file, 1 << 18)

    def table(self, form: str, to: pathlib.Path) -> None:
        self.export({"kind": "usage", "format": form, "from": MONTH, "to": NEXT}, to)

    def entries(self) -> int:
        """As many as the newest checkpoint of the log is signed for."""
        return int(self.ask("GET", "/audit/v1/checkpoint", base="").split(b"\n")[1])


def nano(amount: str) -> int:
    return int(decimal.Decimal(amount) * 10**9)


def prepare(gateway: Gateway, options: argparse.Namespace) -> None:
    gateway.start()
    price = gateway.json("POST", "/prices", {
        "model": "far", "currency": "USD",
        "components": [{"category": "prompt_uncached", "per_million": "20"}, {"category": "completion", "per_million": "60"}]})

    def customer(number: int) -> str:
        made = gateway.json("POST", "/customers", {"name": f"Customer {number}", "country": "DE"})["id"]
        gateway.ask("PUT", f"/customers/{made}/billing", PROFILE)
        return made

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        customers = list(pool.map(customer, range(options.customers)))
    gateway.stop()
    (gateway.folder / "customers.txt").write_text("\n".join(sorted(customers)))
    subprocess.run(
        [options.bench, "fill", str(gateway.folder / "data"), str(gateway.folder / "customers.txt"), price["id"], "far", MONTH,
         str(options.records)], check=True)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--command", default=".build/release/weighbridge")
    parser.add_argument("--bench", default=".build/release/billing-bench")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--keep", help="a folder that stays, and is used again where it is there")
    options = parser.parse_args()
    folder = pathlib.Path(options.keep or tempfile.mkdtemp(prefix="weighbridge-billing-"))
    gateway = Gateway(options.command, folder)
    if not (folder / "customers.txt").exists():
        folder.mkdir(exist_ok=True)
        (folder / "weighbridge.yaml").write_text(CONFIGURATION)
        prepare(gateway, options)
    started = gateway.start()
    print(f"started on {options.records} requests in {started:.1f} s, books checked; {gateway.memory('VmRSS')} MiB", flush=True)
    print(f"the last month reckoned beside, {gateway.rest():.1f} s", flush=True)
    failures: list[str] = []

    def measured(what: str, most: float | None, work, memory: int | None = None):
        base = gateway.memory("VmRSS")
        gateway.forget_peak()
        began = time.monotonic()
        value = work()
        took = time.monotonic() - began
        bound = "" if most is None else f" (<= {most:g} asked)"
        peak = gateway.memory("VmHWM")
        room = "" if memory is None else f" (<= {memory} asked)"
        print(f"{what}: {took:.2f} s{bound}, memory {base} -> peak {peak} MiB{room}", flush=True)
        if most is not None and took > most or memory is not None and peak > memory:
            failures.append(what)
        return value

    def expect(what: str, found: object, wanted: object) -> None:
        if found != wanted:
            failures.append(what)
            print(f"  {what}: {found} instead of {wanted}")

    amounts = [(10 + n % 97) * 20_000 + (20 + n % 211) * 60_000 for n in range(options.records)]
    try:
        report = measured("month report by model", 2, lambda: gateway.json(
            "GET", f"/usage?from={MONTH}&to={NEXT}&group_by=model,month"))
        expect("the report's sum", nano(report["total"]["amount"]), sum(amounts))
        report = measured("month report by customer", 2, lambda: gateway.json(
            "GET", f"/usage?from={MONTH}&to={NEXT}&group_by=customer,model,month"))
        expect("the report's rows", len(report["data"]), options.customers)
        path = folder / "table"
        measured("CSV", 3, lambda: gateway.table("csv", path))
        with open(path, "rb") as file:
            expect("the rows of the CSV", sum(1 for _ in file), options.records + 1)
        measured("JSON Lines", None, lambda: gateway.table("jsonl", path))
        measured("FOCUS", 6, lambda: gateway.table("focus", path))
        with open(path, newline="") as file:
            expect("the sum of FOCUS", sum(nano(row["BilledCost"]) for row in csv.DictReader(file)), sum(amounts))
        print(f"  {path.stat().st_size >> 20} MiB of FOCUS")

        def invoice() -> list[dict]:
            rows, after = [], None
            while True:
                page = gateway.json("POST", "/invoices/runs", {"period": MONTH[:7], "limit": 1000} | ({"after": after} if after else {}))
                rows += page["data"]
                after = page["next_cursor"]
                if after is None:
                    return rows

        rows = measured("invoice run", 60, invoice)
        faulty = [row for row in rows if "number" not in row]
        if rows or not options.keep:
            expect("invoices", len(rows), options.customers)
        expect("customers without an invoice", faulty[:3], [])
        capture = measured("capture rate", None, lambda: gateway.json("GET", f"/billing/capture-rate?month={MONTH[:7]}"))
        expect("the part that is invoiced", capture["captured_millionths"], 1_000_000)
        measured("FOCUS with invoices", None, lambda: gateway.table("focus", path))
        entries = gateway.entries()
        measured(f"audit bundle of {entries} entries", 30 * entries / 1e6,
                 lambda: gateway.export({"kind": "audit", "format": "bundle"}, path), memory=128 if entries < 1_010_000 else None)
        print(f"  {path.stat().st_size >> 20} MiB of bundle")
        for name, value in [("usage.csv", lambda row: int(row["amount_nano"])), ("focus.csv", lambda row: nano(row["BilledCost"]))]:
            with tarfile.open(path) as bundle:
                member = next(member for member in bundle if member.name.endswith("/" + name))
                rows = csv.DictReader(io.TextIOWrapper(bundle.extractfile(member), newline=""))
                expect(f"the sum of {name} in the bundle", sum(map(value, rows)), sum(amounts))
    finally:
        gateway.stop()
        if not options.keep:
            shutil.rmtree(folder)
    print("all within bounds" if not failures else "beyond bounds: " + ", ".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
