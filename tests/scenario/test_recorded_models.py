"""What the real providers once answered goes through the manager and the real clients, and comes out as recorded."""

from __future__ import annotations

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest
from pydantic import SecretStr

from engine.domain.model_calls import UNBILLED, StopReason, Usage
from engine.domain.model_ledger import CallState, ModelCall, Verdict
from engine.llm.answers import Link
from engine.llm.anthropic import AnthropicProvider
from engine.llm.breakers import Breakers
from engine.llm.local import LocalProvider
from engine.llm.manager import Answer, LLMManager
from engine.llm.openai import OpenAIProvider
from engine.store.database import Database
from tests.fakes.data import real_file
from tests.fakes.database import new_database
from tests.fakes.llm_servers import CHAT, KEY, MESSAGES, RESPONSES, LlmServer, Turn, serving
from tests.fakes.models import FakePricing, models

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("llm")]

Json = dict[str, Any]
OURS = {"openai": (RESPONSES, CHAT), "anthropic": (MESSAGES,)}
"""Whose records speak which of the three interfaces."""
PRICES = FakePricing({"m": "0.000001"})
PATIENCE = 100.0
"""Wall seconds: the first question imports an SDK."""
STOPS = {
    **dict.fromkeys(("completed", "complete", "end_turn", "stop_sequence", "stop"), StopReason.END),
    **dict.fromkeys(("tool_use", "tool_calls"), StopReason.TOOL),
    "queued": StopReason.OTHER,
}


@cache
def rows(name: str) -> list[Json]:
    with gzip.open(real_file(f"llm/{name}.jsonl.gz"), "rt") as lines:
        return [json.loads(line) for line in lines]


@cache
def texts() -> dict[tuple[str, int], str]:
    """What whoever gathered the records read out of them, by file and number."""
    found: dict[tuple[str, int], list[str]] = defaultdict(list)
    for row in rows("model_text_outputs"):
        if row["kind"] in {"text", "stream_text"}:
            found[row["file"], row["i"]].append(row["text"])
    return {key: squeezed("".join(each)) for key, each in found.items()}


def squeezed(text: str) -> str:
    """Without its blanks: they were not gathered."""
    return "".join(text.split())


def path_of(row: Json) -> str:
    return urlparse(row["uri"]).path


def is_ours(row: Json) -> bool:
    return path_of(row) in OURS.get(row["provider"], ())


def is_streamed(row: Json) -> bool:
    return isinstance(row["response"], str)


def events(row: Json) -> list[Json]:
    lines = (line.removeprefix("data:").strip() for line in row["response"].splitlines() if line.startswith("data:"))
    return [json.loads(line) for line in lines if line != "[DONE]"]


def told(row: Json) -> tuple[str | None, Json, str]:
    """Why it stopped, what was used, and at which tier, read off a record by hand."""
    path, said = path_of(row), row["response"]
    if path == RESPONSES:
        whole = events(row)[-1]["response"] if is_streamed(row) else said
        calls = any(item["type"] == "function_call" for item in whole["output"])
        return "tool_use" if calls else whole["status"], whole["usage"] or {}, whole.get("service_tier") or ""
    if path == MESSAGES and is_streamed(row):
        first, last = events(row)[0]["message"], [each for each in events(row) if each["type"] == "message_delta"][-1]
        return last["delta"]["stop_reason"], first["usage"] | last["usage"], first["usage"].get("service_tier") or ""
    if path == MESSAGES:
        return said["stop_reason"], said["usage"], said["usage"].get("service_tier") or ""
    if is_streamed(row):
        pieces = events(row)
        stops = [choice["finish_reason"] for piece in pieces for choice in piece["choices"] if choice["finish_reason"]]
        return stops[-1], pieces[-1]["usage"], pieces[-1].get("service_tier") or ""
    return said["choices"][0]["finish_reason"], said["usage"], said.get("service_tier") or ""


def written(row: Json) -> str:
    """The text to the letter, read off a record that is no stream by hand."""
    said = row["response"]
    if path_of(row) == RESPONSES:
        parts = [part for item in said["output"] if item["type"] == "message" for part in item["content"]]
        return "".join(part["text"] for part in parts)
    if path_of(row) == MESSAGES:
        return "".join(block["text"] for block in said["content"] if block["type"] == "text")
    return said["choices"][0]["message"]["content"] or ""


def used(row: Json) -> Usage | None:
    _, usage, tier = told(row)
    if not usage:
        return None
    if path_of(row) == MESSAGES:
        cached, written = usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]
        entered, left = usage["input_tokens"] + cached + written, usage["output_tokens"]
    else:
        before, after = ("input", "output") if path_of(row) == RESPONSES else ("prompt", "completion")
        details = usage.get(f"{before}_tokens_details") or {}
        cached, written = details.get("cached_tokens", 0), details.get("cache_write_tokens", 0)
        entered, left = usage[f"{before}_tokens"], usage[f"{after}_tokens"]
    return Usage(input_tokens=entered, output_tokens=left, cached_tokens=cached, cache_write_tokens=written, tier=tier)


class Desk:
    """The manager, over the members at a server that says what was recorded."""

    def __init__(self, store: Database, server: LlmServer, stack: AsyncExitStack) -> None:
        self._store, self._server, self._stack = store, server, stack
        self._made: dict[tuple[str, bool], LLMManager] = {}

    async def ask(self, path: str, row: Json) -> tuple[Answer, tuple[ModelCall, ...]]:
        """The answer, and the calls that it took: two where the first one is no good."""
        body = row["response"] if is_streamed(row) else json.dumps(row["response"])
        turn = Turn(status=row["status"], body=body.encode(), headers={"Content-Type": row["content_type"]})
        self._server.next = lambda _: turn
        answer = await self._manager(path, streamed=is_streamed(row)).generate("?", "", purpose="recorded")
        newest = await self._store.read(lambda uow: uow.model_calls.newest(len(answer.calls)))
        return answer, tuple(reversed(newest))

    def _manager(self, path: str, *, streamed: bool) -> LLMManager:
        """No breaker leaves a provider alone: what is no good here is told to be."""
        if (path, streamed) not in self._made:
            kinds = {RESPONSES: OpenAIProvider, MESSAGES: AnthropicProvider, CHAT: LocalProvider}
            url = self._server.url if path == MESSAGES else f"{self._server.url}/v1"
            member = kinds[path](api_key=SecretStr(KEY), api_url=url, streamed=streamed)
            self._stack.push_async_callback(member.close)
            link = Link(provider=member.name, model="m", within=PATIENCE)
            patient = Breakers(threshold=10_000)
            asked = models(self._store, member, chain=(link,), pricing=PRICES, breakers=patient, deadline=PATIENCE)
            self._made[path, streamed] = asked.manager
        return self._made[path, streamed]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    store = new_database(tmp_path)
    async with AsyncExitStack() as stack:
        yield Desk(store, await stack.enter_async_context(serving()), stack)
    await store.close()


def check_answer(row: Json, answer: Answer, calls: tuple[ModelCall, ...]) -> None:
    """Text, stop reason, usage and cost are those of the record; a call for a tool is refused, and asked once more."""
    stop, usage, where = STOPS[told(row)[0] or ""], used(row), (row["file"], row["i"])
    for call in calls:
        assert (where, squeezed(call.answer)) == (where, texts().get(where, ""))
        assert is_streamed(row) or (where, call.answer) == (where, written(row))
        assert (where, call.stop, call.usage) == (where, stop, usage)
        cost = PRICES.cost("", "m", usage) if usage else None
        assert (call.state, call.cost_usd) == (CallState.SETTLED if usage else CallState.KEPT, cost)
    assert answer.cost == sum((call.booked for call in calls), Decimal(0))
    if stop is StopReason.END and calls[0].answer.strip():
        assert (answer.value, answer.verdict, len(calls)) == (calls[0].answer, Verdict.VALID, 1)
        return
    why = "the answer is empty" if stop is StopReason.END else f"the answer ended with {stop}"
    assert (answer.value, answer.verdict, len(calls)) == (None, Verdict.INVALID, 2)
    assert answer.reason.endswith(why)


async def test_records_of_the_three_interfaces_come_out_of_the_manager_as_recorded(desk: Desk) -> None:
    seen: Counter[str] = Counter()
    for row in filter(is_ours, rows("recorded_provider_http")):
        answer, calls = await desk.ask(path_of(row), row)
        if row["status"] != 200:
            assert (answer.value, answer.verdict, len(calls)) == (None, Verdict.FAILED, 1)
            assert "does not take the question" in answer.reason
            assert row["response"]["error"]["message"] in answer.reason
            seen["refused"] += 1
            continue
        check_answer(row, answer, calls)
        seen["streamed" if is_streamed(row) else "whole"] += 1
    assert seen == {"whole": 439, "streamed": 42, "refused": 8}


async def test_records_of_other_interfaces_are_refused_with_a_reason(desk: Desk) -> None:
    """What others answer by chat.completions is read as OpenAI's; of what is none of the three, nothing is made up."""
    seen: Counter[str] = Counter()
    for row in rows("recorded_provider_http"):
        if is_ours(row):
            continue
        if path_of(row).endswith("/chat/completions"):
            answer, (call, *_) = await desk.ask(CHAT, row)
            if isinstance(row["response"]["choices"][0]["message"].get("content"), list):
                assert answer.abstains
                assert "answers nonsense" in answer.reason
                seen["parts"] += 1
            else:
                assert squeezed(call.answer) == texts().get((row["file"], row["i"]), "")
                seen["compatible"] += 1
            continue
        for path in (RESPONSES, MESSAGES, CHAT):
            answer, (call,) = await desk.ask(path, row)
            never_billed = row["status"] in {401, 403, 404, 429}
            assert (answer.value, answer.verdict) == (None, Verdict.FAILED)
            assert call.state is (CallState.SETTLED if never_billed else CallState.KEPT)
            assert answer.reason.startswith(f"{call.provider} m: {call.provider} ")
            assert (call.usage, call.answer) == (UNBILLED if never_billed else None, "")
        seen["others"] += 1
    assert seen == {"compatible": 31, "parts": 2, "others": 201}
