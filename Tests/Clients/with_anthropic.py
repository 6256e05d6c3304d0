"""Anthropic's own client: the same models in its words."""

import anthropic

from checks import LOOP, check, raises

MODELS = ("demo", "far")
QUESTION = [{"role": "user", "content": "What is a ledger?"}]
TOOLS = [{"name": "weigh", "description": "Weighs.", "input_schema": {"type": "object", "properties": {"truck": {"type": "string"}}}}]


def client(world, key=None):
    return anthropic.Anthropic(base_url=world.root, api_key=key or world.key, max_retries=0, timeout=120)


@check(*MODELS)
def message(world, model):
    reply = client(world).messages.create(model=model, max_tokens=16, messages=QUESTION)
    assert reply.type == "message" and reply.role == "assistant" and reply.content[0].type == "text" and reply.content[0].text
    assert reply.stop_reason in ("end_turn", "max_tokens") and reply.usage.input_tokens > 0 and reply.usage.output_tokens > 0


@check(*MODELS)
def stream(world, model):
    with client(world).messages.stream(model=model, max_tokens=8, messages=QUESTION) as events:
        text = "".join(events.text_stream)
        final = events.get_final_message()
    assert text == final.content[0].text and final.usage.output_tokens > 0


@check(*MODELS)
def system(world, model):
    reply = client(world).messages.create(model=model, max_tokens=4, system="Be brief.", messages=QUESTION)
    assert reply.content


@check(*MODELS)
def cut(world, model):
    reply = client(world).messages.create(model=model, max_tokens=2, messages=QUESTION)
    assert reply.stop_reason == "max_tokens" and reply.usage.output_tokens == 2, reply


@check
def tool_use(world):
    reply = client(world).messages.create(
        model="far", max_tokens=64, tools=TOOLS, messages=[{"role": "user", "content": 'call weigh {"truck": "red"}'}])
    block = reply.content[0]
    assert reply.stop_reason == "tool_use" and block.type == "tool_use" and block.input == {"truck": "red"}, reply
    followed = client(world).messages.create(model="far", max_tokens=64, tools=TOOLS, messages=[
        {"role": "user", "content": "weigh it"}, {"role": "assistant", "content": [block.model_dump()]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": block.id, "content": "7 tons"}]}])
    assert followed.content[0].text == "the tool says 7 tons"


@check
def tool_use_streamed(world):
    with client(world).messages.stream(
            model="far", max_tokens=64, tools=TOOLS, messages=[{"role": "user", "content": 'call weigh {"truck": "red"}'}]) as events:
        for _ in events:
            pass
        assert events.get_final_message().content[0].input == {"truck": "red"}


@check
def count_tokens(world):
    counted = client(world).messages.count_tokens(model="demo", messages=QUESTION)
    usage = client(world).messages.create(model="demo", max_tokens=1, messages=QUESTION).usage
    # What was computed before is counted apart.
    assert counted.input_tokens == usage.input_tokens + (usage.cache_read_input_tokens or 0)


@check
def wrong_key(world):
    error = raises(anthropic.AuthenticationError, lambda: client(world, "wb-x").messages.create(model="far", max_tokens=1, messages=QUESTION))
    assert error.body["type"] == "error" and error.body["error"]["type"] == "authentication_error", error.body


@check
def license_missing(world):
    error = raises(anthropic.PermissionDeniedError,
                   lambda: client(world, world.bare).messages.create(model="far", max_tokens=1, messages=QUESTION))
    assert error.body["error"]["type"] == "permission_error" and error.body["error"]["clause"], error.body


@check
def unknown_model(world):
    raises(anthropic.NotFoundError, lambda: client(world).messages.create(model="nope", max_tokens=1, messages=QUESTION))


@check
def refused_by_name(world):
    error = raises(anthropic.BadRequestError, lambda: client(world).messages.create(
        model="far", max_tokens=2000, messages=QUESTION, thinking={"type": "enabled", "budget_tokens": 1024}))
    assert "thinking" in error.body["error"]["message"], error.body


@check(*MODELS)
def asynchronous(world, model):
    async def ask():
        reply = await anthropic.AsyncAnthropic(base_url=world.root, api_key=world.key).messages.create(
            model=model, max_tokens=4, messages=QUESTION)
        assert reply.content[0].text
    LOOP.run_until_complete(ask())
