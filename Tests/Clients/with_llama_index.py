"""llama-index."""

from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike

from checks import LOOP, check
from shared import MODELS


def model_of(world, model, **more):
    return OpenAILike(model=model, api_base=world.url, api_key=world.key, is_chat_model=True, max_retries=0, context_window=2048,
                      **{"max_tokens": 16, **more})


@check(*MODELS)
def complete(world, model):
    assert str(model_of(world, model).complete("What is a ledger?")).strip()


@check(*MODELS)
def chat(world, model):
    reply = model_of(world, model).chat([ChatMessage(role="system", content="Be brief."), ChatMessage(role="user", content="A ledger?")])
    assert reply.message.content.strip()


@check(*MODELS)
def stream(world, model):
    assert "".join(chunk.delta or "" for chunk in model_of(world, model).stream_chat([ChatMessage(role="user", content="A ledger?")])).strip()


@check(*MODELS)
def asynchronous(world, model):
    assert str(LOOP.run_until_complete(model_of(world, model).acomplete("What is a ledger?"))).strip()


@check(*MODELS)
def legacy(world, model):
    assert str(OpenAILike(model=model, api_base=world.url, api_key=world.key, is_chat_model=False, max_tokens=4).complete("A ledger is"))
