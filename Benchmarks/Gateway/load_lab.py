"""The load lab: what governing costs, lane by lane, in one run on one machine. `make bench-gateway` runs it.

Lanes, all in front of the same canned upstream: the upstream itself, nginx as a plain proxy, the gateway's server and client with nothing
between them (plain), the gateway with its ledger on a RAM disk (memory), the gateway with its ledger on a disk (durable).
For each: requests per second and latency at several numbers of connections (wrk), and the CPU time that a request cost the lane's process.

    python3 Benchmarks/Gateway/load_lab.py [--seconds 5] [--connections 1,16,64,256] [--lanes nginx,plain,memory,durable] [--stream]
    python3 Benchmarks/Gateway/load_lab.py --soak 1000000 [--lanes durable] [--connections 64]     memory over that many requests
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Examples"))
from gateway import Gateway, free_port  # noqa: E402

BUILD = ROOT / ".build" / "release"
BODY = {"model": "far", "messages": [{"role": "user", "content": "How much does this truck weigh, and what is the toll?"}],
        "max_tokens": 64}

WRK = """
wrk.method = "POST"
wrk.body = %s
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer %s"
local bad = 0
function response(status) if status ~= 200 then bad = bad + 1 end end
function done(summary, latency)
  io.write(string.format("RESULT %%d %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration, latency:percentile(50),
    latency:percentile(99), summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    summary.errors.status))
end
"""

NGINX = """
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/nginx.err;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {directory}/a; proxy_temp_path {directory}/b; fastcgi_temp_path {directory}/c;
  uwsgi_temp_path {directory}/d; scgi_temp_path {directory}/e;
  upstream canned {{ server 127.0.0.1:{upstream}; keepalive 512; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://canned; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }}
  }}
}}
"""


def cpu_seconds(pid):
    """User and system time of a process and its children that are still there."""
    total = 0.0
    for entry in [pid] + children(pid):
        try:
            fields = pathlib.Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def children(pid):
    try:
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def resident_mebibytes(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) / 1024


def wait_for(port, patience=20):
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


class Lab:
    def __init__(self, directory, options):
        self.directory = pathlib.Path(directory)
        self.options = options
        self.running = []
        self.upstream = free_port()
        self.spawn([BUILD / "gateway-upstream", str(self.upstream), str(options.tokens), str(options.pause)])
        wait_for(self.upstream)

    def spawn(self, arguments):
        process = subprocess.Popen([str(argument) for argument in arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.running.append(process)
        return process

    def stop(self):
        for process in reversed(self.running):
            process.terminate()
            process.wait()

    # Lanes: each gives (port, pid, key).

    def direct(self):
        return self.upstream, self.running[0].pid, "none"

    def nginx(self):
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        port = free_port()
        path = self.directory / "nginx.conf"
        path.write_text(NGINX.format(directory=self.directory, port=port, upstream=self.upstream))
        process = self.spawn([program, "-c", path, "-g", "daemon off;"])
        wait_for(port)
        return port, process.pid, "none"

    def plain(self):
        port = free_port()
        process = self.spawn([BUILD / "gateway-plain", str(port), f"http://127.0.0.1:{self.upstream}/v1"])
        wait_for(port)
        return port, process.pid, "none"

    def memory(self):
        return self.governed("/dev/shm")

    def durable(self):
        return self.governed(str(self.directory))

    def governed(self, base):
        directory = tempfile.mkdtemp(prefix="weighbridge-lab-", dir=base)
        gateway = Gateway(directory, free_port())
        gateway.config = (
            f'server: {{listen: "127.0.0.1:{gateway.port}"}}\ndata: {{directory: "{directory}/data"}}\n'
            'operator: {name: "Lab GmbH", country: "DE"}\n'
            f'engines: [{{id: canned, url: "http://127.0.0.1:{self.upstream}/v1", concurrent_requests: 2048}}]\n'
            'models: [{id: far, engine: canned, terms: [llama-2]}]\nlog: {level: "error"}\n')
        gateway.start()
        self.running.append(gateway.process)
        self.scrap = getattr(self, "scrap", []) + [directory]
        gateway.set_price(model="far")
        customer, key = gateway.create_customer("Lab")
        for row in gateway.standing(customer, "far")["missing"]:
            gateway.attest(row)
        return gateway.port, gateway.process.pid, key

    # Measuring

    def measure(self, lane, connections):
        port, pid, key = lane
        body = dict(BODY, stream=True) if self.options.stream else BODY
        script = self.directory / "load.lua"
        script.write_text(WRK % (json.dumps(json.dumps(body)), key))
        threads = 1 if connections < 16 else 2
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        before = cpu_seconds(pid)
        out = subprocess.run(
            ["wrk", "-t", str(threads), "-c", str(connections), "-d", f"{self.options.seconds}s", "-s", str(script), url],
            capture_output=True, text=True, check=True).stdout
        used = cpu_seconds(pid) - before
        numbers = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", out)
        if not numbers:
            raise SystemExit(f"wrk said:\n{out}")
        requests, duration, p50, p99, broken, refused = map(int, numbers.groups())
        return {"connections": connections, "requests": requests, "requests_per_second": round(requests / (duration / 1e6)), "p50_ms": p50 / 1000,
                "p99_ms": p99 / 1000, "cpu_us_per_request": round(used / max(1, requests) * 1e6, 1), "errors": broken,
                "refused": refused, "rss_mebibytes": round(resident_mebibytes(pid), 1)}


    def soak(self, lane, connections):
        """Memory over many requests: before the first, and after each run of some seconds."""
        rows = [{"requests": 0, "rss_mebibytes": round(resident_mebibytes(lane[1]), 1)}]
        while rows[-1]["requests"] < self.options.soak:
            row = self.measure(lane, connections)
            if row["errors"] or row["refused"]:
                raise SystemExit(f"{row['errors']} errors, {row['refused']} refused after {rows[-1]['requests']} requests")
            rows.append({"requests": rows[-1]["requests"] + row["requests"], "rss_mebibytes": row["rss_mebibytes"]})
            print("%9d requests   %6.1f MiB" % (rows[-1]["requests"], rows[-1]["rss_mebibytes"]), file=sys.stderr, flush=True)
        warm = [row["rss_mebibytes"] for row in rows if row["requests"] >= self.options.soak / 10]
        print("idle %.1f MiB; after the first tenth of the requests %.1f to %.1f MiB: %+.1f %% from its beginning to its end"
              % (rows[0]["rss_mebibytes"], min(warm), max(warm), (warm[-1] / warm[0] - 1) * 100), file=sys.stderr)
        return rows


def print_ratios(results):
    """What governing leaves of the plain lane's rate, and what it adds to the median time of one request alone."""
    plain = {row["connections"]: row for row in results.get("plain", [])}
    for name in ("memory", "durable"):
        for row in results.get(name, []):
            base = plain.get(row["connections"])
            if not base:
                continue
            added = f"   p50 + {row['p50_ms'] - base['p50_ms']:.3f} ms" if row["connections"] == 1 else ""
            print("%-8s %4d connections   %.2f of plain's requests a second   %.1f times its CPU%s" % (
                name, row["connections"], row["requests_per_second"] / max(1, base["requests_per_second"]),
                row["cpu_us_per_request"] / max(0.1, base["cpu_us_per_request"]), added), file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", default="1,16,64,256")
    parser.add_argument("--lanes", default="direct,nginx,plain,memory,durable")
    parser.add_argument("--tokens", type=int, default=8, help="tokens of the canned answer")
    parser.add_argument("--pause", type=int, default=0, help="milliseconds between streamed chunks")
    parser.add_argument("--stream", action="store_true", help="ask for streams")
    parser.add_argument("--soak", type=int, default=0, help="requests in one lane, after each other, to see what memory they add")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.soak and "," in options.lanes:
        parser.error("--soak takes one lane")
    results = {}
    with tempfile.TemporaryDirectory(prefix="weighbridge-lab-", dir=ROOT / ".build") as directory:
        lab = Lab(directory, options)
        try:
            for name in options.lanes.split(","):
                lane = getattr(lab, name)()
                if options.soak:
                    lab.soak(lane, int(options.connections.split(",")[-1]))
                    continue
                results[name] = [lab.measure(lane, int(count)) for count in options.connections.split(",")]
                for row in results[name]:
                    if options.stream:
                        row["cpu_us_per_chunk"] = round(row["cpu_us_per_request"] / options.tokens, 1)
                    print("%-8s %4d connections %8d req/s   p50 %8.3f ms   p99 %8.3f ms   %7.1f us CPU   %6.1f MiB   %d errors, %d refused"
                          % (name, row["connections"], row["requests_per_second"], row["p50_ms"], row["p99_ms"],
                             row["cpu_us_per_request"], row["rss_mebibytes"], row["errors"], row["refused"]), file=sys.stderr)
        finally:
            lab.stop()
            for scrap in getattr(lab, "scrap", []):
                shutil.rmtree(scrap, ignore_errors=True)
    print_ratios(results)
    if options.json:
        print(json.dumps(results, indent=2))
    bad = [name for name, rows in results.items() for row in rows if row["errors"] or row["refused"]]
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
