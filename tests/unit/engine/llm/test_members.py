"""What single members do beyond their family's contract."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from engine.domain.errors import ModelError
from engine.domain.model_calls import UNBILLED, ModelFault, ModelRequest, Usage
from engine.llm.anthropic import AnthropicProvider
from engine.llm.local import LocalProvider
from engine.llm.openai import OpenAIProvider
from tests.fakes.llm_servers import KEY, SAID, Turn, serving

pytestmark = pytest.mark.xdist_group("llm")

REQUEST = ModelRequest(purpose="analyst", model="gpt-5-mini", system_message="Be brief.", prompt="SOL?", max_tokens=64)
SCHEMA = {"type": "object", "properties": {"é": {"type": "string"}}, "required": ["é"], "additionalProperties": False}
FAILED: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "model": "gpt-5-mini",
    "status": "failed",
    "error": {"code": "server_error", "message": "The model produced nothing."},
    "output": [],
    "service_tier": "default",
    "usage": {"input_tokens": 70, "input_tokens_details": {"cached_tokens": 30}, "output_tokens": 5},
}


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_failure_that_was_charged_for_tells_what_was_used(*, streamed: bool) -> None:
    body = json.dumps(FAILED)
    kind = "application/json"
    if streamed:
        kind = "text/event-stream"
        body = f"event: response.failed\ndata: {json.dumps({'type': 'response.failed', 'response': FAILED})}\n\n"
    async with serving() as server:
        provider = OpenAIProvider(api_key=SecretStr(KEY), api_url=server.openai_url, streamed=streamed)
        server.turns.append(Turn(body=body.encode(), headers={"Content-Type": kind}))
        with pytest.raises(ModelError, match="The model produced nothing") as refused:
            await provider.ask(REQUEST)
        await provider.close()
    assert refused.value.fault is ModelFault.BUSY
    assert refused.value.usage == Usage(input_tokens=70, cached_tokens=30, output_tokens=5, tier="default")


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 5, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 9}},
        {"prompt_tokens": -5, "completion_tokens": 2},
        {"prompt_tokens": "5", "completion_tokens": 2},
        {"prompt_tokens": 5},
        {"tokens": 7},
    ],
)
async def test_a_count_that_cannot_be_is_none(usage: dict[str, Any]) -> None:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "yes"}}
    said = {"id": "1", "object": "chat.completion", "model": "m", "created": 1, "choices": [choice], "usage": usage}
    async with serving() as server:
        provider = LocalProvider(api_url=server.openai_url, api_key=SecretStr(KEY))
        server.turns.append(Turn(body=json.dumps(said).encode()))
        reply = await provider.ask(REQUEST)
        await provider.close()
    assert (reply.text, reply.usage) == ("yes", None)


async def test_a_server_of_ones_own_has_the_schema_in_the_question_too() -> None:
    async with serving() as server:
        provider = LocalProvider(api_url=server.openai_url, api_key=SecretStr(KEY))
        await provider.ask(replace(REQUEST, schema=SCHEMA, schema_name="view"))
        await provider.close()
    system, question = server.asked[0].body["messages"]
    assert system["content"].startswith("Be brief.\n\nAnswer with one JSON object")
    assert json.loads(system["content"].splitlines()[-1]) == SCHEMA
    assert question["content"] == "SOL?"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"<think>\nhm {{}}\n</think>\n\n{SAID}", SAID),
        (f"\n<think></think>{SAID}", SAID),
        (SAID, SAID),
        ("<think> and no end", "<think> and no end"),
    ],
)
async def test_thoughts_that_a_server_leaves_in_the_answer_are_left_out(text: str, left: str) -> None:
    async with serving() as server:
        provider = LocalProvider(api_url=server.openai_url, api_key=SecretStr(f" {KEY}\n"))
        server.turns.append(Turn(text=text))
        assert (await provider.ask(REQUEST)).text == left
        await provider.close()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"api_url": "http://[::zz"}, "cannot be asked at http://\\[::zz"),
        ({"api_url": "ftp://127.0.0.1/v1"}, "cannot be reached"),
    ],
)
@pytest.mark.parametrize("kind", [OpenAIProvider, AnthropicProvider, LocalProvider])
async def test_settings_that_cannot_work_are_an_error_that_says_so(kind: Any, change: dict[str, Any], why: str) -> None:
    provider = kind(**{"api_key": SecretStr(KEY), "api_url": "http://127.0.0.1:9/v1", **change})
    with pytest.raises(ModelError, match=why) as refused:
        await provider.ask(REQUEST)
    await provider.close()
    assert refused.value.usage == UNBILLED


async def test_a_question_that_cannot_be_written_is_the_questions_fault() -> None:
    async with serving() as server:
        for key, prompt in (("ключ", "SOL?"), (KEY, "\ud800")):
            provider = OpenAIProvider(api_key=SecretStr(key), api_url=server.openai_url)
            with pytest.raises(ModelError, match="a letter of it, or of the key, cannot be sent") as refused:
                await provider.ask(replace(REQUEST, prompt=prompt))
            await provider.close()
            assert (refused.value.fault, refused.value.usage) == (ModelFault.REQUEST, UNBILLED)


TOKENS = (('{"', -0.1), ("stance", -0.1), ('": "', -0.1), ("ho", -0.5), ("ld", -0.2), ('", "confidence": 0.4}', -0.9))


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_local_server_is_asked_how_sure_its_model_is_where_somebody_wants_to_know(*, streamed: bool) -> None:
    async with serving() as server:
        server.next = lambda _: Turn(tokens=TOKENS)
        provider = LocalProvider(api_url=server.openai_url, api_key=SecretStr(KEY), streamed=streamed)
        asked = await provider.ask(replace(REQUEST, probability_of="stance"))
        plain = await provider.ask(REQUEST)
        await provider.close()
    assert asked.probability == pytest.approx(math.exp(-0.7))
    assert plain.probability is None
    assert [each.body.get("logprobs") for each in server.asked] == [True, None]


async def test_a_server_that_will_not_tell_how_sure_it_is_answers_all_the_same() -> None:
    async with serving() as server:
        for logprobs in (True, False):
            provider = LocalProvider(api_url=server.openai_url, api_key=SecretStr(KEY), logprobs=logprobs)
            answer = await provider.ask(replace(REQUEST, probability_of="stance"))
            await provider.close()
            assert (answer.text, answer.probability) == (SAID, None)
    assert [each.body.get("logprobs") for each in server.asked] == [True, None]
