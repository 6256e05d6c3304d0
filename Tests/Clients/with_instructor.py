"""instructor: answers as typed values."""

import instructor
import openai

from checks import LOOP, check
from shared import Ticket

TEXT = '{"truck": "red", "tons": 7}'
MODES = [instructor.Mode.TOOLS, instructor.Mode.JSON, instructor.Mode.JSON_SCHEMA]


def ask(world, mode, **more):
    patched = instructor.from_openai(openai.OpenAI(base_url=world.url, api_key=world.key, max_retries=0), mode=mode)
    prompt = TEXT if mode == instructor.Mode.TOOLS else "json " + TEXT
    return patched.chat.completions.create(
        model="far", response_model=Ticket, max_retries=1, messages=[{"role": "user", "content": prompt}], **more)


@check(*MODES)
def typed(world, mode):
    answer = ask(world, mode)
    assert isinstance(answer, Ticket) and (answer.truck, answer.tons) == ("red", 7), answer


@check(instructor.Mode.TOOLS)
def typed_asynchronously(world, mode):
    async def work():
        patched = instructor.from_openai(openai.AsyncOpenAI(base_url=world.url, api_key=world.key, max_retries=0), mode=mode)
        return await patched.chat.completions.create(
            model="far", response_model=Ticket, max_retries=1, messages=[{"role": "user", "content": TEXT}])
    answer = LOOP.run_until_complete(work())
    assert (answer.truck, answer.tons) == ("red", 7), answer
