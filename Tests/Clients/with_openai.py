"""OpenAI's own client, synchronous."""

import json
import time

import openai
import pydantic

from checks import check, raises
from shared import MODELS, QUESTION, TOOLS, Ticket


def client(world, key=None, **more):
    return openai.OpenAI(base_url=world.url, api_key=key or world.key, max_retries=0, timeout=120, **more)


def ask(world, model="demo", **more):
    return client(world).chat.completions.create(**{"model": model, "messages": QUESTION, "temperature": 0, "max_tokens": 16, **more})


@check(*MODELS)
def chat_shape(world, model):
    reply = ask(world, model)
    choice, usage = reply.choices[0], reply.usage
    assert reply.object == "chat.completion" and reply.id.startswith("chatcmpl-") and reply.model == model, reply
    assert choice.message.role == "assistant" and choice.message.content.strip(), choice
    assert choice.finish_reason in ("stop", "length"), choice
    assert usage.prompt_tokens > 0 and 0 < usage.completion_tokens <= 16, usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens, usage


@check(*MODELS)
def required_members_are_there(world, model):
    raw = json.loads(client(world).chat.completions.with_raw_response.create(model=model, messages=QUESTION, max_tokens=4).text)
    assert set(raw["choices"][0]) == {"index", "message", "logprobs", "finish_reason"}, raw
    assert {"role", "content", "refusal"} <= set(raw["choices"][0]["message"]), raw


@check(*MODELS)
def headers(world, model):
    raw = client(world).chat.completions.with_raw_response.create(model=model, messages=QUESTION, max_tokens=4)
    assert raw.headers["x-request-id"].startswith("req_") and raw.parse()._request_id == raw.headers["x-request-id"]
    assert raw.headers["x-weighbridge-decision"].startswith("dec_") and raw.headers["x-weighbridge-usage"].startswith("usg_")
    assert 'rel="license"' in raw.headers["link"], raw.headers


@check(*MODELS)
def stream_shape(world, model):
    chunks = list(ask(world, model, stream=True))
    assert chunks[0].choices[0].delta.role == "assistant", chunks[0]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks).strip()
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1].choices[0].finish_reason in ("stop", "length")
    assert all(chunk.usage is None for chunk in chunks) and len({chunk.id for chunk in chunks}) == 1


@check(*MODELS)
def stream_equals_whole(world, model):
    whole = ask(world, model)
    chunks = list(ask(world, model, stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == whole.usage.completion_tokens, chunks[-1]
    assert all(chunk.usage is None for chunk in chunks[:-1])
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1])
    assert text == whole.choices[0].message.content
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason


@check("far")
def stream_helper(world, model):
    with client(world).chat.completions.stream(model=model, messages=QUESTION, max_tokens=64) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_completion()
    assert "content.delta" in kinds and kinds[-1] in ("content.done", "chunk"), kinds
    assert final.choices[0].message.content.strip()


@check(*MODELS)
def stream_left_early(world, model):
    stream = ask(world, model, stream=True, max_tokens=64)
    next(iter(stream))
    stream.close()
    assert ask(world, model, max_tokens=2).choices[0].message.content is not None


@check(*MODELS)
def max_tokens_cuts(world, model):
    reply = ask(world, model, max_tokens=2)
    assert reply.choices[0].finish_reason == "length" and reply.usage.completion_tokens == 2, reply


@check(*MODELS)
def several_answers(world, model):
    reply = ask(world, model, n=3, max_tokens=4)
    assert [choice.index for choice in reply.choices] == [0, 1, 2], reply
    assert reply.usage.completion_tokens <= 12 and reply.usage.prompt_tokens < 200, reply.usage
    finishes = {}
    for chunk in ask(world, model, n=2, max_tokens=4, stream=True):
        finishes.update({choice.index: choice.finish_reason for choice in chunk.choices if choice.finish_reason})
    assert sorted(finishes) == [0, 1], finishes


@check(*MODELS)
def max_completion_tokens_cuts(world, model):
    reply = client(world).chat.completions.create(model=model, messages=QUESTION, max_completion_tokens=3)
    assert reply.usage.completion_tokens <= 3


@check(*MODELS)
def content_parts(world, model):
    reply = ask(world, model, messages=[{"role": "user", "content": [{"type": "text", "text": "What is "}, {"type": "text", "text": "it?"}]}])
    assert reply.choices[0].message.content.strip()


@check(*MODELS)
def conversation(world, model):
    messages = [{"role": "system", "content": "Be brief."}, *QUESTION, {"role": "assistant", "content": "A book."},
                {"role": "user", "content": "And a toll?"}]
    assert ask(world, model, messages=messages).choices[0].message.content.strip()


@check(*MODELS)
def developer_role(world, model):
    assert ask(world, model, messages=[{"role": "developer", "content": "Be brief."}, *QUESTION]).choices


@check(*MODELS)
def seed_repeats(world, model):
    texts = {ask(world, model, temperature=1, seed=7).choices[0].message.content for _ in range(2)}
    assert len(texts) == 1, texts


@check(*MODELS)
def harmless_values(world, model):
    reply = ask(world, model, n=1, store=False, service_tier="auto", user="someone", response_format={"type": "text"})
    assert reply.choices


@check
def stop_text(world):
    reply = ask(world, "demo", max_tokens=40, stop=[" "])
    assert " " not in reply.choices[0].message.content.strip(" ") and reply.choices[0].finish_reason == "stop", reply


@check("sync", "stream")
def tool_call(world, form):
    messages = [{"role": "user", "content": 'call weigh {"truck": "red"}'}]
    if form == "stream":
        pieces = [piece for chunk in ask(world, "far", messages=messages, tools=TOOLS, stream=True)
                  for piece in chunk.choices[0].delta.tool_calls or []]
        assert pieces[0].id == "call_0" and pieces[0].function.name == "weigh", pieces
        arguments = "".join(piece.function.arguments or "" for piece in pieces)
    else:
        choice = ask(world, "far", messages=messages, tools=TOOLS).choices[0]
        assert choice.finish_reason == "tool_calls" and choice.message.content is None, choice
        arguments = choice.message.tool_calls[0].function.arguments
    assert json.loads(arguments) == {"truck": "red"}, arguments


@check
def tool_calls_in_parallel(world):
    messages = [{"role": "user", "content": 'call weigh {"truck": "red"}\ncall weigh {"truck": "blue"}'}]
    calls = ask(world, "far", messages=messages, tools=TOOLS, parallel_tool_calls=True).choices[0].message.tool_calls
    assert [json.loads(call.function.arguments)["truck"] for call in calls] == ["red", "blue"], calls
    assert len({call.id for call in calls}) == 2


@check
def tool_answer(world):
    messages = [{"role": "user", "content": "weigh it"},
                {"role": "assistant", "content": None, "tool_calls": [
                    {"id": "call_0", "type": "function", "function": {"name": "weigh", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "call_0", "content": "7 tons"}]
    assert ask(world, "far", messages=messages, tools=TOOLS).choices[0].message.content == "the tool says 7 tons"


@check("none", "auto", "required")
def tool_choice_reaches_the_server(world, choice):
    ask(world, "far", tools=TOOLS, tool_choice=choice)
    assert world.upstream.asked[-1]["tool_choice"] == choice
    assert world.upstream.asked[-1]["tools"][0]["function"]["parameters"]["required"] == ["truck"]


@check
def tool_helper_parses(world):
    class weigh(pydantic.BaseModel):
        truck: str
    reply = client(world).chat.completions.parse(
        model="far", messages=[{"role": "user", "content": 'call weigh {"truck": "red"}'}], tools=[openai.pydantic_function_tool(weigh)])
    assert reply.choices[0].message.tool_calls[0].function.parsed_arguments == weigh(truck="red")


@check
def structured_output(world):
    reply = client(world).chat.completions.parse(
        model="far", messages=[{"role": "user", "content": 'json {"truck": "red", "tons": 7}'}], response_format=Ticket)
    assert reply.choices[0].message.parsed == Ticket(truck="red", tons=7), reply
    sent = world.upstream.asked[-1]["response_format"]
    assert sent["type"] == "json_schema" and sent["json_schema"]["strict"] is True and "tons" in sent["json_schema"]["schema"]["properties"]


@check
def structured_output_streamed(world):
    with client(world).chat.completions.stream(
            model="far", messages=[{"role": "user", "content": 'json {"truck": "red", "tons": 7}'}], response_format=Ticket) as stream:
        for _ in stream:
            pass
        assert stream.get_final_completion().choices[0].message.parsed == Ticket(truck="red", tons=7)


@check
def json_object(world):
    reply = ask(world, "far", messages=[{"role": "user", "content": 'json {"a": 1}'}], response_format={"type": "json_object"})
    assert json.loads(reply.choices[0].message.content) == {"a": 1}
    assert world.upstream.asked[-1]["response_format"] == {"type": "json_object"}


@check("sync", "stream")
def logprobs(world, form):
    if form == "stream":
        entries = [entry for chunk in ask(world, "far", logprobs=True, top_logprobs=2, stream=True)
                   for entry in (chunk.choices[0].logprobs.content if chunk.choices[0].logprobs else [])]
    else:
        entries = ask(world, "far", logprobs=True, top_logprobs=2).choices[0].logprobs.content
    assert "".join(entry.token for entry in entries) == "What is a ledger?", entries
    assert all(len(entry.top_logprobs) == 2 and entry.logprob == -0.25 for entry in entries)


@check(("frequency_penalty", 0.5), ("presence_penalty", -0.5), ("logit_bias", {"7": -100}), ("seed", 11), ("top_p", 0.5))
def parameter_reaches_the_server(world, name, value):
    ask(world, "far", **{name: value})
    assert world.upstream.asked[-1][name] == value, world.upstream.asked[-1]


@check(*MODELS)
def legacy_completion(world, model):
    reply = client(world).completions.create(model=model, prompt="A ledger is", max_tokens=3, temperature=0)
    assert reply.object == "text_completion" and reply.id.startswith("cmpl-") and reply.choices[0].text
    assert reply.usage.completion_tokens <= 3
    chunks = list(client(world).completions.create(model=model, prompt=["A ledger is"], max_tokens=3, temperature=0, stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks) == reply.choices[0].text


@check
def legacy_echo(world):
    reply = client(world).completions.create(model="demo", prompt="A ledger is", max_tokens=2, echo=True)
    assert reply.choices[0].text.startswith("A ledger is")


@check
def models(world):
    assert [model.id for model in client(world).models.list().data] == ["demo", "far"]
    model = client(world).models.retrieve("far")
    assert model.object == "model" and model.created > 0 and model.owned_by


@check
def moderation(world):
    result = client(world).moderations.create(input="The ledger is balanced.").results[0]
    assert result.flagged is False and result.categories.violence is False and result.category_scores.hate == 0


@check(("n", 0), ("temperature", 3), ("top_p", 2), ("max_tokens", 0), ("store", True), ("reasoning_effort", "low"), ("stop", ["a"] * 5),
       ("top_logprobs", 3), ("modalities", ["audio"]), ("logit_bias", {"x": 1}), ("tool_choice", "required"))
def refused_by_name(world, name, value):
    error = raises(openai.BadRequestError, lambda: ask(world, **{name: value}))
    assert error.status_code == 400 and name in (error.param or ""), error.body
    assert error.response.headers["x-should-retry"] == "false" and error.code == "invalid_request", error.body


@check("[]", '[{"role":"wizard","content":"x"}]', '[{"role":"user"}]', '[{"role":"user","content":5}]',
       '[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]', '[{"role":"tool","content":"x"}]')
def messages_refused(world, text):
    error = raises(openai.BadRequestError, lambda: ask(world, messages=json.loads(text)))
    assert (error.param or "").startswith("messages"), error.body


@check
def wrong_key(world):
    error = raises(openai.AuthenticationError, lambda: client(world, "wb-wrong").models.list())
    assert error.code == "invalid_api_key" and error.request_id.startswith("req_"), error.body


@check
def license_missing(world):
    error = raises(openai.PermissionDeniedError, lambda: client(world, world.bare).chat.completions.create(model="demo", messages=QUESTION))
    assert error.code in ("license_not_accepted", "license_terms") and error.body["decision_id"].startswith("dec_"), error.body
    assert error.response.headers["x-should-retry"] == "false"


@check
def unknown_model(world):
    error = raises(openai.NotFoundError, lambda: ask(world, "no-such-model"))
    assert error.code == "model_not_found" and error.param == "model", error.body


@check
def unknown_path(world):
    error = raises(openai.NotFoundError, lambda: client(world).files.list())
    assert set(error.body) >= {"message", "type", "param", "code"}, error.body


@check
def server_failure_is_retryable(world):
    error = raises(openai.InternalServerError, lambda: ask(world, "far", messages=[{"role": "user", "content": "fail"}]))
    assert error.status_code == 503 and error.response.headers["x-should-retry"] == "true", error.body
    assert "told to fail" not in str(error), "an error's text of the server reached the client"
    # A server that has failed a few times in a row rests: what comes next would be refused.
    for _ in range(120):
        try:
            ask(world, "far")
            return
        except openai.InternalServerError:
            time.sleep(0.5)
    raise AssertionError("the server is not asked again")


@check
def idempotent(world):
    headers = {"Idempotency-Key": "check-1"}
    raws = [client(world).chat.completions.with_raw_response.create(
        model="demo", messages=QUESTION, max_tokens=8, extra_headers=headers) for _ in range(2)]
    assert raws[0].parse().choices == raws[1].parse().choices
    assert raws[0].headers["x-weighbridge-usage"] == raws[1].headers["x-weighbridge-usage"]
    error = raises(openai.ConflictError, lambda: ask(world, extra_headers=headers))
    assert error.code == "idempotency_conflict", error.body
