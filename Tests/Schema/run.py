"""Requests made from a description of an API, sound ones and spoilt ones, against a running gateway. `make test-schema` runs it.

Our own /openapi.json with the bootstrap admin key and with a customer's key; where a folder is given, OpenAI's document as well, cut down to the operations that
are served here (`gateway-subset.json`, and `gateway-subset-pinned.json` with the model's name and small answers fixed, so that sound
requests reach the engine). Nothing may answer 500, hang, or answer with a status, a type or a body that its description does not have.

    run.py [--data FOLDER] [--examples 100] [--seed 1] [--only admin|public|openai|pinned]
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "Examples"))
from gateway import ROOT, Gateway, free_port  # noqa: E402

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"
MODEL = "llama-2-7b-chat"
PRODUCT = pathlib.Path(sys.executable).parent / "schemathesis"

CONFIG = """\
server:   {{listen: "127.0.0.1:{port}"}}
data:     {{directory: "{directory}/data"}}
operator: {{name: "Demo Operator GmbH", country: "DE"}}
models:
  - {{id: %s, file: "{model}", terms: [llama-2]}}
store:    {{url: "sqlite"}}
""" % MODEL


def check(name, location, url, key, options):
    """One run; its words go to the terminal."""
    print(f"== {name}", flush=True)
    command = [
        PRODUCT, "run", location, "--url", url, "--header", f"Authorization: Bearer {key}", "--checks", CHECKS, "--max-examples",
        str(options.examples), "--seed", str(options.seed), "--phases", "examples,coverage,fuzzing", "--request-timeout", "20",
        "--suppress-health-check", "all", "--warnings", "off", "--continue-on-failure", "--generation-database", "none", "--no-color",
    ]
    return subprocess.run([str(part) for part in command], cwd=options.directory).returncode


def described(source, directory):
    """OpenAI's document with what its API answers and it has no word for: the string of an embedding that is asked for as base64."""
    document = json.loads(source.read_text(encoding="utf-8"))
    properties = document["components"]["schemas"]["Embedding"]["properties"]
    properties["embedding"] = {"anyOf": [properties["embedding"], {"type": "string", "format": "byte"}]}
    target = pathlib.Path(directory) / source.name
    target.write_text(json.dumps(document), encoding="utf-8")
    return target


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, help="the folder with OpenAI's document, cut down")
    parser.add_argument("--examples", type=int, default=100, help="requests for each operation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=["admin", "public", "openai", "pinned"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="weighbridge-schema-") as directory:
        options.directory = directory
        gateway = Gateway(directory, free_port())
        gateway.config = CONFIG.format(port=gateway.port, directory=directory, model=ROOT / "Models/demo/demo.gguf")
        try:
            gateway.start()
            gateway.set_price(model=MODEL)
            customer, key = gateway.create_customer("Good Standing")
            for row in gateway.standing(customer, MODEL)["missing"]:
                gateway.attest(row)
            ours = f"{gateway.url}/openapi.json"
            runs = [("admin", ours, gateway.url, gateway.admin_key), ("public", ours, gateway.url, key)]
            if options.data:
                for name, file in (("openai", "gateway-subset.json"), ("pinned", "gateway-subset-pinned.json")):
                    runs.insert(0, (name, described(options.data / file, directory), gateway.url + "/v1", key))
            failed = [run[0] for run in runs if options.only in (None, run[0]) and check(*run, options) != 0]
            alive = gateway.is_ready()
        finally:
            gateway.stop()
    if not alive:
        failed.append("the gateway is not ready any more")
    print("failed: " + ", ".join(failed) if failed else "nothing was found")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
