"""OpenAI's own client, asynchronous."""

import asyncio

import openai

from checks import check
from shared import MODELS, QUESTION, TOOLS, Ticket


def client(world):
    return openai.AsyncOpenAI(base_url=world.url, api_key=world.key, max_retries=0, timeout=120)


@check(*MODELS)
async def chat(world, model):
    reply = await client(world).chat.completions.create(model=model, messages=QUESTION, max_tokens=8, temperature=0)
    assert reply.choices[0].message.content.strip() and reply.usage.total_tokens > reply.usage.completion_tokens > 0


@check(*MODELS)
async def stream(world, model):
    events = await client(world).chat.completions.create(
        model=model, messages=QUESTION, max_tokens=8, temperature=0, stream=True, stream_options={"include_usage": True})
    chunks = [chunk async for chunk in events]
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens > 0
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1]).strip()


@check(*MODELS)
async def many_at_once(world, model):
    asks = [client(world).chat.completions.create(model=model, messages=QUESTION, max_tokens=6, temperature=0) for _ in range(12)]
    texts = {reply.choices[0].message.content for reply in await asyncio.gather(*asks)}
    assert len(texts) == 1, texts


@check(*MODELS)
async def streams_at_once(world, model):
    async def text():
        events = await client(world).chat.completions.create(model=model, messages=QUESTION, max_tokens=6, temperature=0, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in events])
    assert len(set(await asyncio.gather(*[text() for _ in range(8)]))) == 1


@check(*MODELS)
async def cancelled(world, model):
    task = asyncio.create_task(client(world).chat.completions.create(model=model, messages=QUESTION, max_tokens=200))
    await asyncio.sleep(0.05)
    task.cancel()
    try:
        await task
    except (asyncio.CancelledError, openai.APIConnectionError):
        pass
    reply = await client(world).chat.completions.create(model=model, messages=QUESTION, max_tokens=2)
    assert reply.choices


@check
async def tools(world):
    reply = await client(world).chat.completions.create(
        model="far", messages=[{"role": "user", "content": 'call weigh {"truck": "red"}'}], tools=TOOLS)
    assert reply.choices[0].message.tool_calls[0].function.name == "weigh"


@check
async def structured(world):
    reply = await client(world).chat.completions.parse(
        model="far", messages=[{"role": "user", "content": 'json {"truck": "red", "tons": 7}'}], response_format=Ticket)
    assert reply.choices[0].message.parsed.tons == 7


@check
async def models(world):
    assert [model.id async for model in client(world).models.list()] == ["demo", "far"]


@check("invalid_api_key")
async def wrong_key(world, code):
    try:
        await openai.AsyncOpenAI(base_url=world.url, api_key="wb-x", max_retries=0).models.list()
    except openai.AuthenticationError as error:
        assert error.code == code
        return
    raise AssertionError("a wrong key was let in")


@check(*MODELS)
async def legacy(world, model):
    reply = await client(world).completions.create(model=model, prompt="A ledger is", max_tokens=3)
    assert reply.choices[0].text is not None and reply.usage.completion_tokens <= 3
