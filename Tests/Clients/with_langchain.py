"""langchain-openai."""

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_openai import ChatOpenAI, OpenAI

from checks import LOOP, check
from shared import MODELS, Ticket


def chat(world, model, **more):
    return ChatOpenAI(model=model, base_url=world.url, api_key=world.key, max_retries=0, **{"max_tokens": 64, **more})


def weigh(truck: str) -> str:
    """Weighs a truck."""
    return f"{truck}: 7 tons"


@check(*MODELS)
def invoke(world, model):
    reply = chat(world, model, max_tokens=8).invoke([SystemMessage("Be brief."), HumanMessage("What is a ledger?")])
    assert reply.content.strip() and reply.usage_metadata["output_tokens"] > 0, reply


@check(*MODELS)
def stream(world, model):
    chunks = list(chat(world, model, max_tokens=8, stream_usage=True).stream("What is a ledger?"))
    assert "".join(chunk.content for chunk in chunks).strip()
    assert any(chunk.usage_metadata for chunk in chunks), "the usage came with the stream"


@check(*MODELS)
def asynchronous(world, model):
    assert LOOP.run_until_complete(chat(world, model, max_tokens=8).ainvoke("What is a ledger?")).content.strip()


@check(*MODELS)
def batch(world, model):
    assert len(chat(world, model, max_tokens=4).batch(["one", "two", "three"])) == 3


@check(*MODELS)
def legacy(world, model):
    text = OpenAI(model=model, base_url=world.url, api_key=world.key, max_retries=0, max_tokens=4, temperature=0).invoke("A ledger is")
    assert isinstance(text, str) and text


@check
def tools(world):
    bound = chat(world, "far").bind_tools([weigh])
    reply = bound.invoke('call weigh {"truck": "red"}')
    assert reply.tool_calls[0]["name"] == "weigh" and reply.tool_calls[0]["args"] == {"truck": "red"}, reply
    followed = bound.invoke([HumanMessage("weigh"), AIMessage("", tool_calls=reply.tool_calls),
                             ToolMessage("7 tons", tool_call_id=reply.tool_calls[0]["id"])])
    assert followed.content == "the tool says 7 tons"


@check
def tools_streamed(world):
    whole = None
    for chunk in chat(world, "far").bind_tools([weigh]).stream('call weigh {"truck": "red"}'):
        whole = chunk if whole is None else whole + chunk
    assert whole.tool_calls[0]["args"] == {"truck": "red"}, whole


@check("json_schema", "function_calling", "json_mode")
def structured(world, method):
    text = '{"truck": "red", "tons": 7}'
    prompt = text if method == "function_calling" else "json " + text
    assert chat(world, "far").with_structured_output(Ticket, method=method).invoke(prompt) == Ticket(truck="red", tons=7)
