"""A program that is killed while a panel thinks pays for nothing twice but for what was under way."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.ai.rules import RULES
from engine.domain.model_calls import ModelRequest
from tests.fakes.command_line import PATIENCE, begin
from tests.fakes.database import new_file, rows_of, url_of
from tests.fakes.llm_servers import KEY, Asked, LlmServer, Turn, serving
from tests.fakes.patience import until
from tests.fakes.program import TOKEN, write_config

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("llm")]
MEMBERS = {"analyst of": "analyst", "risk": "risk", "devil": "devils_advocate", "supervis": "supervisor"}
KEYS = {"BOT_LLM__PROVIDERS__LOCAL__API_KEY": KEY, "BOT_WEB__TOKEN": TOKEN}


@dataclass
class Counting:
    """A model that answers as the rules do, but for members that say nothing as long as they are held.

    Attributes:
        held: Who says nothing.
        senseless: Whose first answers are no use.
    """

    held: set[str] = field(default_factory=set)
    senseless: set[str] = field(default_factory=set)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each question came, by member and prompt."""

    def __call__(self, asked: Asked) -> Turn:
        system, prompt = (each["content"] for each in (asked.body["messages"][0], asked.body["messages"][-1]))
        name = next(name for words, name in MEMBERS.items() if words in system.lower())
        self.asked[name, prompt] += 1
        if name in self.held:
            return Turn(wait=PATIENCE)
        if name in self.senseless and "could not be used" not in prompt:
            return Turn(text="Buy, my friend!")
        request = ModelRequest(purpose=name, model="m", system_message=system, prompt=prompt, max_tokens=1)
        return Turn(text=json.dumps(RULES[name](request)))

    def times(self, name: str) -> list[int]:
        """How often each question to a member came."""
        return [count for (asked, _), count in self.asked.items() if asked == name]


@asynccontextmanager
async def alive(folder: Path, config: Path) -> AsyncIterator[Callable[[], None]]:
    """The program as a process of its own; gives what kills it at once."""
    process = begin(folder, folder / "out", folder / "out", "run", "--config", str(config), **KEYS)

    def kill() -> None:
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)

    try:
        yield kill
    finally:
        if process.exitcode is None:
            process.terminate()
        await asyncio.to_thread(process.join, PATIENCE)
        assert process.exitcode is not None


def config_of(folder: Path, server: LlmServer, **llm: Any) -> Path:
    local = {"model": "qwen3-8b", "api_url": f"{server.url}/v1", "price": {"input": 1, "output": 3.5}}
    asked = {"chain": ["local"], "canary": False, "providers": {"local": local}, **llm}
    return write_config(folder, ai={"prediction": {"enabled": False}, "panel": {"within": "60s"}}, llm=asked)


def booked(folder: Path) -> list[str]:
    return [row["purpose"] for row in rows_of(url_of(folder), "SELECT purpose FROM model_calls WHERE stop != ''")]


def asked_people(folder: Path) -> int:
    return len(rows_of(url_of(folder), "SELECT id FROM approvals"))


@pytest.mark.parametrize("held", ["risk", "supervisor"])
async def test_who_has_answered_before_a_kill_is_not_asked_again(tmp_path: Path, held: str):
    new_file(tmp_path)
    async with serving() as server:
        server.next = model = Counting(held={held}, senseless={"analyst"})
        config = config_of(tmp_path, server, cache_ttl="0s")
        before = {"analyst": 2, "risk": 1, "devils_advocate": 1}
        async with alive(tmp_path, config) as kill:
            await until(lambda: Counter(booked(tmp_path)) == Counter(before) - Counter({held: 1}) and model.times(held))
            kill()
        model.held.clear()
        async with alive(tmp_path, config):
            await until(lambda: asked_people(tmp_path))
    assert model.times(held) == [2], "what was under way is asked again: nobody has its answer"
    others = {name for name in ("risk", "devils_advocate", "supervisor") if name != held}
    assert {name: model.times(name) for name in others} == {name: [1] for name in others}
    assert model.times("analyst") == [1, 1], "neither what was of no use, nor what was asked for that"
    assert Counter(booked(tmp_path)) == Counter({**before, "supervisor": 1})
    (judged,) = rows_of(url_of(tmp_path), "SELECT record FROM decisions WHERE stance = 'enter'")
    said = {each["agent"]: each["verdict"] for each in json.loads(judged["record"])["opinions"]}
    assert set(said) == {"analyst", "risk", "devils_advocate", "supervisor"}
    assert "abstain" not in said.values()
