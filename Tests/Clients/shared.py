"""What the checks of several clients ask."""

import pydantic

QUESTION = [{"role": "user", "content": "What is a ledger?"}]
MODELS = ("demo", "far")
TOOLS = [{"type": "function", "function": {
    "name": "weigh", "description": "Weighs a truck.",
    "parameters": {"type": "object", "properties": {"truck": {"type": "string"}}, "required": ["truck"]}}}]


class Ticket(pydantic.BaseModel):
    truck: str
    tons: int
