"""The official OpenAI client for Python against a running gateway. `make test-clients` runs it in a virtual environment.

Prints one line for each check, then "N passed, N failed"; ends with status 1 where one failed.
"""

import pathlib
import sys
import tempfile
import traceback

import openai

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Examples"))
from gateway import Gateway, free_port  # noqa: E402

QUESTION = [{"role": "user", "content": "What is a ledger?"}]


class Checks:
    """What is checked, by name. Each gets clients for a customer in good standing and for one without any record."""

    def __init__(self, gateway, good, bare):
        self.url = gateway.url + "/v1"
        self.good = self.client(good)
        self.bare = self.client(bare)

    def client(self, key):
        return openai.OpenAI(base_url=self.url, api_key=key, max_retries=0, timeout=120)

    def check_chat(self):
        reply = self.good.chat.completions.create(model="demo", messages=QUESTION, temperature=0, max_tokens=24)
        choice, usage = reply.choices[0], reply.usage
        assert reply.object == "chat.completion" and reply.id.startswith("chatcmpl-"), reply
        assert choice.message.role == "assistant" and choice.message.content.strip(), choice
        assert choice.finish_reason in ("stop", "length"), choice.finish_reason
        assert usage.prompt_tokens > 0 and 0 < usage.completion_tokens <= 24, usage
        assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens, usage

    def check_headers(self):
        raw = self.good.chat.completions.with_raw_response.create(model="demo", messages=QUESTION, temperature=0, max_tokens=4)
        assert raw.headers["x-request-id"].startswith("req_"), raw.headers
        assert raw.headers["x-weighbridge-decision"].startswith("dec_"), raw.headers
        assert raw.headers["x-weighbridge-usage"].startswith("usg_"), raw.headers
        assert raw.parse().usage.completion_tokens <= 4

    def check_stream(self):
        stream = self.good.chat.completions.create(model="demo", messages=QUESTION, temperature=0, max_tokens=24, stream=True)
        chunks = list(stream)
        assert chunks[0].choices[0].delta.role == "assistant", chunks[0]
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks).strip()
        assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
        assert chunks[-1].choices[0].finish_reason in ("stop", "length"), chunks[-1]
        assert all(chunk.usage is None for chunk in chunks), "usage was not asked for"

    def check_stream_with_usage(self):
        parameters = {"model": "demo", "messages": QUESTION, "temperature": 0, "max_tokens": 24}
        whole = self.good.chat.completions.create(**parameters)
        stream = self.good.chat.completions.create(**parameters, stream=True, stream_options={"include_usage": True})
        chunks = list(stream)
        assert chunks[-1].choices == [] and chunks[-1].usage is not None, chunks[-1]
        assert all(chunk.usage is None for chunk in chunks[:-1]), "only the last chunk has the usage"
        assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason, chunks[-2]
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1])
        assert text == whole.choices[0].message.content, "a stream and a whole answer differ at temperature 0"
        assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens, chunks[-1].usage

    def check_models(self):
        models = self.good.models.list().data
        assert [model.id for model in models] == ["demo"], models
        assert self.good.models.retrieve("demo").object == "model"

    def check_wrong_key(self):
        error = refusal(openai.AuthenticationError, self.client("wb-wrong"))
        assert error.status_code == 401 and error.code == "invalid_api_key", error.body

    def check_license_missing(self):
        error = refusal(openai.PermissionDeniedError, self.bare)
        assert error.status_code == 403 and error.code in ("license_not_accepted", "license_terms"), error.body
        assert error.body["clause"] and error.body["remedy"] and error.body["decision_id"].startswith("dec_"), error.body
        assert error.response.headers["x-should-retry"] == "false", error.response.headers

    def check_unknown_model(self):
        error = refusal(openai.NotFoundError, self.good, model="no-such-model")
        assert error.status_code == 404 and error.code == "model_not_found", error.body

    def check_bad_parameter(self):
        error = refusal(openai.BadRequestError, self.good, temperature=3)
        assert error.status_code == 400 and error.param == "temperature", error.body


def refusal(kind, client, model="demo", **more):
    """The error of the given kind that a chat request raises."""
    try:
        client.chat.completions.create(model=model, messages=QUESTION, max_tokens=4, **more)
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}, and the request was served")


def run(checks):
    passed = failed = 0
    for name in [name for name in dir(checks) if name.startswith("check_")]:
        try:
            getattr(checks, name)()
            passed += 1
            print(f"ok      {name[6:]}")
        except Exception:  # A check may fail in any way; each is reported with its trace.
            failed += 1
            print(f"FAILED  {name[6:]}\n{traceback.format_exc()}")
    return passed, failed


def main():
    with tempfile.TemporaryDirectory(prefix="weighbridge-clients-") as directory:
        gateway = Gateway(directory, free_port())
        try:
            gateway.start()
            gateway.set_price()
            customer, good = gateway.create_customer("Good Standing")
            for row in gateway.standing(customer)["missing"]:
                gateway.attest(row)
            _, bare = gateway.create_customer("No Records")
            passed, failed = run(Checks(gateway, good, bare))
        finally:
            gateway.stop()
    print(f"{passed} passed, {failed} failed (openai {openai.__version__})")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
