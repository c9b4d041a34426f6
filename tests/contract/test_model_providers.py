"""What every member that asks language models must keep: one request a question, an answer, or why there is none."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr

from engine.domain.errors import ModelError
from engine.domain.model_calls import UNBILLED, ModelFault, ModelRequest, StopReason
from engine.llm.anthropic import AnthropicProvider
from engine.llm.local import LocalProvider
from engine.llm.offline import OfflineAnalyst
from engine.llm.openai import OpenAIProvider
from engine.llm.schemas import schema_of
from engine.ports import ModelProvider
from tests.fakes.llm_servers import CHAT, KEY, MESSAGES, RESPONSES, SAID, LlmServer, Turn, serving

pytestmark = pytest.mark.xdist_group("llm")  # the SDKs are imported once

STREAM = "text/event-stream"


class Cause(BaseModel):
    """Why."""

    text: Annotated[str, Field(max_length=200)]
    cites: Annotated[list[str], Field(min_length=1)]


class View(BaseModel):
    """What is thought of a market."""

    stance: Literal["buy", "hold", "sell"]
    confidence: Annotated[float, Field(ge=0, le=1)]
    causes: list[Cause]
    until: int | None = None


def request(*, model: str, max_tokens: int = 200, shape: type[BaseModel] | None = None) -> ModelRequest:
    return ModelRequest(
        purpose="analyst",
        model=model,
        system_message="You read markets.",
        prompt="What of SOL/USDT — rising?",
        schema_name="view" if shape else "",
        schema=schema_of(shape) if shape else None,
        max_tokens=max_tokens,
    )


class Member:
    """A way to one provider."""

    def __init__(self, kind: type, path: str, model: str, *, streamed: bool) -> None:
        self.kind, self.path, self.model, self.streamed = kind, path, model, streamed
        self.ask = partial(request, model=model)

    def at(self, url: str, *, key: str = KEY, silent_for: float = 20) -> ModelProvider:
        base = url if self.kind is AnthropicProvider else f"{url}/v1"
        provider: ModelProvider = self.kind(
            api_key=SecretStr(key), api_url=base, streamed=self.streamed, silent_for=silent_for
        )
        return provider

    @asynccontextmanager
    async def opened(self, *, key: str = KEY, silent_for: float = 20) -> AsyncIterator[tuple[LlmServer, ModelProvider]]:
        async with serving() as server:
            provider = self.at(server.url, key=key, silent_for=silent_for)
            try:
                yield server, provider
            finally:
                await provider.close()


MEMBERS = {
    "openai": Member(OpenAIProvider, RESPONSES, "gpt-5-mini", streamed=False),
    "openai-streamed": Member(OpenAIProvider, RESPONSES, "gpt-5-mini", streamed=True),
    "anthropic": Member(AnthropicProvider, MESSAGES, "claude-haiku-4-5", streamed=False),
    "anthropic-streamed": Member(AnthropicProvider, MESSAGES, "claude-haiku-4-5", streamed=True),
    "local": Member(LocalProvider, CHAT, "qwen3-8b", streamed=False),
    "local-streamed": Member(LocalProvider, CHAT, "qwen3-8b", streamed=True),
}


class Rules:
    """The way to the offline analyst, which has no server."""

    ask = staticmethod(partial(request, model=""))

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[tuple[None, ModelProvider]]:
        yield None, OfflineAnalyst(rules={"analyst": lambda _: {"stance": "hold", "confidence": 0.4}})


EVERYBODY: dict[str, Member | Rules] = {**MEMBERS, "offline": Rules()}
everybody = pytest.mark.parametrize("member", EVERYBODY.values(), ids=EVERYBODY)
every_member = pytest.mark.parametrize("member", MEMBERS.values(), ids=MEMBERS)


@every_member
async def test_an_answer_has_its_text_its_end_and_what_it_cost(member: Member) -> None:
    async with member.opened() as (server, provider):
        reply = await provider.ask(member.ask())
        (bill,) = server.bills
        assert (reply.text, reply.stop, reply.request_id) == (SAID, StopReason.END, "req_7")
        assert reply.usage is not None
        assert (reply.usage.input_tokens, reply.usage.output_tokens) == (bill.input_tokens, bill.output_tokens)
        assert reply.usage.cached_tokens == bill.cached_tokens > 0
        assert reply.model == bill.model == f"{member.model}-2026-01-01"
        assert reply.usage.tier == {RESPONSES: "default", MESSAGES: "standard", CHAT: ""}[member.path]


@every_member
async def test_a_wanted_object_is_asked_for_by_a_schema_that_the_provider_takes(member: Member) -> None:
    async with member.opened() as (server, provider):
        reply = await provider.ask(member.ask(shape=View))
        assert (reply.text, [asked.path for asked in server.asked]) == (SAID, [member.path])
        assert "You read markets." in str(server.asked[0].body)
        assert "json_schema" in str(server.asked[0].body)


@every_member
async def test_why_it_stopped_is_told_and_it_is_charged_all_the_same(member: Member) -> None:
    async with member.opened() as (server, provider):
        for stop in ("length", "refused", "tool"):
            server.turns.append(Turn(text='{"stance": "bu', stop=stop))
            reply = await provider.ask(member.ask(max_tokens=33))
            assert reply.stop is StopReason(stop)
            assert reply.text == ("" if stop == "tool" else '{"stance": "bu')
            assert reply.usage is not None
            assert reply.usage.output_tokens == server.bills[-1].output_tokens
            assert (reply.usage.output_tokens == 33) is (stop == "length")


@every_member
async def test_what_is_not_counted_is_not_made_up(member: Member) -> None:
    async with member.opened() as (server, provider):
        server.turns.append(Turn(counted=False))
        reply = await provider.ask(member.ask())
        assert (reply.text, reply.usage) == (SAID, None)


FAULTS = {
    "wrong key": (Turn(status=401), ModelFault.KEY),
    "not allowed": (Turn(status=403, error="permission_error"), ModelFault.KEY),
    "too many": (Turn(status=429, headers={"Retry-After": "7"}), ModelFault.RATE),
    "no credit": (Turn(status=429, error="insufficient_quota"), ModelFault.RATE),
    "out of order": (Turn(status=500), ModelFault.BUSY),
    "bad gateway": (Turn(status=502, body=b"<html>502</html>", headers={"Content-Type": "text/html"}), ModelFault.BUSY),
    "overloaded": (Turn(status=529), ModelFault.BUSY),
    "an error inside": (Turn(error="overloaded_error"), ModelFault.BUSY),
    "a limit inside": (Turn(error="rate_limit_error"), ModelFault.RATE),
    "no such model": (Turn(status=404), ModelFault.REQUEST),
    "gateway time-out": (Turn(status=504), ModelFault.TIME),
    "bad question": (Turn(status=400), ModelFault.REQUEST),
    "elsewhere": (Turn(status=307, headers={"Location": "?there"}), ModelFault.REQUEST),
    "cut": (Turn(cut=True), ModelFault.UNREACHABLE),
}


NEVER_BILLED = {"wrong key", "not allowed", "too many", "no credit", "no such model"}
"""What no model has seen; of the others a provider may have charged."""


@every_member
async def test_no_answer_says_why_after_one_request(member: Member) -> None:
    async with member.opened() as (server, provider):
        for case, (turn, fault) in FAULTS.items():
            server.asked.clear()
            server.turns.append(turn)
            with pytest.raises(ModelError) as refused:
                await provider.ask(member.ask())
            assert (case, refused.value.fault) == (case, fault)
            assert (case, refused.value.usage) == (case, UNBILLED if case in NEVER_BILLED else None)
            assert refused.value.retry_after == (7.0 if "Retry-After" in turn.headers else None)
            assert len(server.asked) == 1
            assert provider.name in str(refused.value)
        assert (await provider.ask(member.ask())).text == SAID


@every_member
async def test_what_is_no_answer_is_nonsense(member: Member) -> None:
    """In pieces, what has no end looks as if it was cut."""
    async with member.opened() as (server, provider):
        for body in (b"<html>hello</html>", b"", b"[]", b'{"answer": 42}', b'"yes"', b"\xff\xfe"):
            server.turns.append(Turn(body=body))
            with pytest.raises(ModelError) as refused:
                await provider.ask(member.ask())
            wanted = {ModelFault.NONSENSE, ModelFault.UNREACHABLE} if member.streamed else {ModelFault.NONSENSE}
            assert refused.value.fault in wanted


@every_member
async def test_an_answer_without_end_is_not_taken(member: Member) -> None:
    megabyte = b" " * 2**20
    async with member.opened() as (server, provider):
        endless = megabyte * 17 if not member.streamed else (b'event: x\ndata: {"type": "x"' + megabyte + b"}\n\n") * 17
        server.turns.append(Turn(body=endless, headers={"Content-Type": STREAM} if member.streamed else {}))
        with pytest.raises(ModelError, match="more than 16777216 bytes") as refused:
            await provider.ask(member.ask())
        assert refused.value.fault is ModelFault.NONSENSE
        assert (await provider.ask(member.ask())).text == SAID


@every_member
async def test_what_the_provider_says_of_it_is_read(member: Member) -> None:
    """Its key, where it repeats that, is left out; a time of day is read against its own clock."""
    dates = {"Date": "Mon, 30 Nov 2026 03:00:00 GMT", "Retry-After": "Mon, 30 Nov 2026 03:01:30 GMT"}
    async with member.opened() as (server, provider):
        server.turns.append(Turn(status=429, headers=dates))
        with pytest.raises(ModelError, match="told to say 429 about …") as refused:
            await provider.ask(member.ask())
        assert refused.value.retry_after == 90.0
        with pytest.raises(ModelError, match="gtp-5") as refused:
            await provider.ask(request(model="gtp-5"))
        assert refused.value.fault is ModelFault.REQUEST


@every_member
async def test_silence_is_given_up(member: Member) -> None:
    async with member.opened(silent_for=0.2) as (server, provider):
        server.turns.append(Turn(wait=30))
        with pytest.raises(ModelError) as refused:
            await provider.ask(member.ask())
        assert refused.value.fault is ModelFault.TIME


@every_member
async def test_a_call_that_is_cancelled_is_cut(member: Member) -> None:
    async with member.opened() as (server, provider):
        server.turns.append(Turn(wait=30))
        call = asyncio.ensure_future(provider.ask(member.ask()))
        await server.came.wait()
        call.cancel()
        assert isinstance((await asyncio.gather(call, return_exceptions=True))[0], asyncio.CancelledError)
        await server.left.wait()
        assert (await provider.ask(member.ask())).text == SAID


@every_member
async def test_several_may_be_asked_at_once(member: Member) -> None:
    async with member.opened() as (server, provider):
        server.next = lambda _: Turn(wait=0.05)
        replies = await asyncio.gather(*(provider.ask(member.ask(max_tokens=20 + at)) for at in range(8)))
        assert [reply.text for reply in replies] == [SAID] * 8
        assert len(server.bills) == 8


@every_member
async def test_nobody_there_is_unreachable(member: Member) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        provider = member.at(f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(ModelError) as refused:
            await provider.ask(member.ask())
        await provider.close()
    assert (refused.value.fault, refused.value.usage) == (ModelFault.UNREACHABLE, UNBILLED)


@every_member
async def test_a_name_that_nobody_has_is_unreachable(member: Member) -> None:
    provider = member.at("http://nobody.invalid:9")
    with pytest.raises(ModelError) as refused:
        await provider.ask(member.ask())
    await provider.close()
    assert (refused.value.fault, refused.value.usage) == (ModelFault.UNREACHABLE, UNBILLED)


@every_member
async def test_a_key_that_is_wrong_stands_nowhere(member: Member, caplog: pytest.LogCaptureFixture) -> None:
    key = "sk-wrong-42424242424242"
    caplog.set_level(logging.DEBUG)
    async with member.opened(key=key) as (_, provider):
        with pytest.raises(ModelError) as refused:
            await provider.ask(member.ask())
        assert refused.value.fault is ModelFault.KEY
        assert refused.value.__cause__ is None
        assert refused.value.__suppress_context__
        assert all(key not in text for text in (repr(provider), str(vars(provider)), str(refused.value), caplog.text))


@everybody
async def test_one_that_was_closed_may_be_asked_again(member: Member | Rules) -> None:
    async with member.opened() as (_, provider):
        await provider.close()
        assert (await provider.ask(member.ask(shape=View))).text == SAID
        await provider.close()
        reply = await provider.ask(member.ask(shape=View))
        assert (reply.text, reply.stop) == (SAID, StopReason.END)
        assert reply.usage is not None
        assert reply.model
        assert provider.name


async def test_what_there_is_no_rule_for_the_offline_analyst_does_not_answer() -> None:
    analyst = OfflineAnalyst(rules={"prediction": lambda _: None})
    for purpose, why in (("analyst", "no rule for analyst"), ("prediction", "no opinion")):
        with pytest.raises(ModelError, match=f"The offline analyst has {why}") as refused:
            await analyst.ask(replace(request(model=""), purpose=purpose))
        assert refused.value.fault is ModelFault.REQUEST
