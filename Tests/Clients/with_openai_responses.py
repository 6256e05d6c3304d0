"""OpenAI's responses, through its own client."""

import json

import openai

from checks import check, raises
from shared import MODELS, Ticket
from with_openai import client

TOOL = {"type": "function", "name": "weigh", "description": "Weighs.", "parameters": {
    "type": "object", "properties": {"truck": {"type": "string"}}, "required": ["truck"], "additionalProperties": False}, "strict": True}


@check(*MODELS)
def create(world, model):
    response = client(world).responses.create(model=model, input="What is a ledger?", max_output_tokens=16, temperature=0)
    assert response.id.startswith("resp_") and response.object == "response" and response.output_text.strip(), response
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens


@check(*MODELS)
def incomplete(world, model):
    response = client(world).responses.create(model=model, input="What is a ledger?", max_output_tokens=2)
    assert response.status == "incomplete" and response.incomplete_details.reason == "max_output_tokens", response
    assert response.usage.output_tokens == 2


@check(*MODELS)
def stream(world, model):
    events = list(client(world).responses.create(model=model, input="What is a ledger?", max_output_tokens=8, stream=True))
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"] and kinds[-1] in ("response.completed", "response.incomplete")
    assert [event.sequence_number for event in events] == list(range(len(events)))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == events[-1].response.output_text and events[-1].response.usage.output_tokens > 0


@check("far")
def stream_helper(world, model):
    with client(world).responses.stream(model=model, input="What is a ledger?", max_output_tokens=64) as stream:
        for _ in stream:
            pass
        assert stream.get_final_response().output_text.strip()


@check
def instructions_and_items(world):
    response = client(world).responses.create(
        model="far", instructions="Be brief.", input=[{"role": "user", "content": "one two"}, {"role": "assistant", "content": "three"},
                                                      {"role": "user", "content": [{"type": "input_text", "text": "four five"}]}])
    assert response.output_text == "four five" and response.instructions == "Be brief."
    assert [message["role"] for message in world.upstream.asked[-1]["messages"]] == ["system", "user", "assistant", "user"]


@check
def function_call(world):
    response = client(world).responses.create(model="far", input='call weigh {"truck": "red"}', tools=[TOOL])
    call = response.output[0]
    assert call.type == "function_call" and call.name == "weigh" and json.loads(call.arguments) == {"truck": "red"}, call
    followed = client(world).responses.create(model="far", tools=[TOOL], input=[
        {"role": "user", "content": "weigh it"}, call.model_dump(),
        {"type": "function_call_output", "call_id": call.call_id, "output": "7 tons"}])
    assert followed.output_text == "the tool says 7 tons"


@check
def function_call_streamed(world):
    events = list(client(world).responses.create(model="far", input='call weigh {"truck": "red"}', tools=[TOOL], stream=True))
    deltas = "".join(event.delta for event in events if event.type == "response.function_call_arguments.delta")
    done = [event for event in events if event.type == "response.function_call_arguments.done"]
    assert deltas == done[0].arguments == '{"truck": "red"}'


@check
def structured(world):
    response = client(world).responses.parse(model="far", input='json {"truck": "red", "tons": 7}', text_format=Ticket)
    assert response.output_parsed == Ticket(truck="red", tons=7)


@check
def retrieved(world):
    response = client(world).responses.create(model="far", input="one two", metadata={"load": "coal"})
    again = client(world).responses.retrieve(response.id)
    assert again.output_text == "one two" and again.metadata == {"load": "coal"}
    client(world).responses.delete(response.id)
    raises(openai.NotFoundError, lambda: client(world).responses.retrieve(response.id))


@check
def not_stored(world):
    response = client(world).responses.create(model="far", input="one", store=False)
    raises(openai.NotFoundError, lambda: client(world).responses.retrieve(response.id))


@check
def streamed_is_retrieved(world):
    events = list(client(world).responses.create(model="far", input="one two", stream=True))
    assert client(world).responses.retrieve(events[-1].response.id).output_text == "one two"


@check
def cancel_of_a_finished_one(world):
    response = client(world).responses.create(model="far", input="one")
    raises(openai.BadRequestError, lambda: client(world).responses.cancel(response.id))


@check
def counted(world):
    count = client(world).responses.input_tokens.count(model="demo", input="What is a ledger?")
    assert count.input_tokens == client(world).responses.create(model="demo", input="What is a ledger?", max_output_tokens=1).usage.input_tokens


@check(("previous_response_id", "resp_1"), ("background", True), ("truncation", "auto"), ("include", ["reasoning.encrypted_content"]))
def refused_by_name(world, name, value):
    error = raises(openai.BadRequestError, lambda: client(world).responses.create(model="far", input="x", **{name: value}))
    assert name in error.param, error.body
