"""The clients that people use, against a running gateway. `make test-clients` runs all of it in a virtual environment.

One customer in good standing, one without any record; the demonstration model, and `far`, which a server of upstream.py runs.
Prints one line for each check, then "N passed, N failed"; ends with status 1 where one failed. The first argument is the
group, `clients` or `frameworks`; a second runs only the checks whose name has it.
"""

import importlib
import pathlib
import sys
import tempfile
import types

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "Examples")]
from checks import run  # noqa: E402
from gateway import ROOT, Gateway, free_port  # noqa: E402
from upstream import Upstream  # noqa: E402

# The frameworks want an older client of OpenAI's than its newest, so each group has a virtual environment of its own.
GROUPS = {
    "clients": ["with_openai", "with_openai_async", "with_openai_responses", "with_anthropic"],
    "frameworks": ["with_langchain", "with_llama_index", "with_instructor"],
}

CONFIG = """\
server:   {{listen: "127.0.0.1:{port}"}}
data:     {{directory: "{directory}/data"}}
operator: {{name: "Demo Operator GmbH", country: "DE"}}
engines:
  - {{id: upstream, url: "{upstream}"}}
models:
  - {{id: demo, file: "{model}", terms: [llama-2]}}
  - {{id: far, engine: upstream, terms: [llama-2]}}
store:    {{url: "sqlite"}}
"""


def main():
    for module in GROUPS[sys.argv[1]]:
        importlib.import_module(module)
    with tempfile.TemporaryDirectory(prefix="weighbridge-clients-") as directory:
        gateway = Gateway(directory, free_port())
        upstream = Upstream()
        gateway.config = CONFIG.format(
            port=gateway.port, directory=directory, upstream=upstream.url, model=ROOT / "Models/demo/demo.gguf")
        try:
            gateway.start()
            world = types.SimpleNamespace(gateway=gateway, upstream=upstream, root=gateway.url, url=gateway.url + "/v1")
            for model in ("demo", "far"):
                gateway.set_price(model=model)
            world.customer, world.key = gateway.create_customer("Good Standing")
            for model in ("demo", "far"):
                for row in gateway.standing(world.customer, model)["missing"]:
                    gateway.attest(row)
            _, world.bare = gateway.create_customer("No Records")
            passed, failed = run(world, sys.argv[2] if len(sys.argv) > 2 else "")
        finally:
            gateway.stop()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
