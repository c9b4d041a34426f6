"""A process that asks models one question after the other, some at a time, and may be killed at any moment."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from bot.models import build_models
from config.loader import load
from config.settings import Settings
from engine.store.database import Database
from engine.timing.clocks import WallClock, wall
from tests.fakes.llm_servers import KEY

AT_ONCE = 16
_QUESTION = re.compile(r"question (\d+)\.")
_YAML = """\
extends: demo
llm:
  chain: [%(chain)s]
  canary: false
  cache_ttl: 0
  deadline: 5m
  max_tokens: 60
  providers:
    openai: {model: gpt-5-mini, answer_within: %(within)s, api_url: "%(url)s/v1"}
    mine: {kind: anthropic, model: claude-haiku-4-5, answer_within: %(within)s, api_url: "%(url)s"}
    local:
      model: qwen3-8b
      answer_within: %(within)s
      api_url: "%(url)s/v1"
      price: {input: 1, output: 3.5, cached: 0.25}
"""


class Stance(BaseModel):
    """What is asked for."""

    stance: str
    confidence: float


def settings_of(folder: Path, server: str, *, full: bool) -> Settings:
    """Who is asked: of each kind at one server, none for nothing, and with little patience; or fewer, and with more."""
    file = folder / "models.yaml"
    chain, within = ("openai, mine, local", "5s") if full else ("openai, local", "60s")
    file.write_text(_YAML % {"url": server, "within": within, "chain": chain})
    keys = {f"BOT_LLM__PROVIDERS__{name}__API_KEY": KEY for name in ("OPENAI", "MINE", "LOCAL")}
    return load(None, file, {}, keys, folder).settings


def question_in(text: str) -> int:
    """The number of the question in a prompt."""
    found = _QUESTION.search(text)
    assert found, text
    return int(found[1])


def ask(folder: str, url: str, server: str, numbers: Sequence[int], full: bool) -> None:  # noqa: FBT001 - it crosses a fork
    """Ask all of these, as a process of its own."""
    if full:
        import anthropic  # noqa: F401 - while it is imported nobody answers
        import genai_prices  # noqa: F401
        import openai  # noqa: F401
    asyncio.run(asking(Path(folder), url, server, numbers, full=full))


async def asking(folder: Path, url: str, server: str, numbers: Sequence[int], *, full: bool) -> None:
    """Begin as a run does, and ask."""
    store = Database(url)
    models = build_models(settings_of(folder, server, full=full), store, WallClock(), wall)
    some = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with some:
            await models.manager.generate(f"This is question {number}.", "You are asked.", Stance, "analyst")

    try:
        await models.begin()
        await asyncio.gather(*map(one, numbers))
    finally:
        await models.close()
        await store.close()
