"""``bot doctor`` on language models: who is asked at which price, and whether they answer, where that is wanted."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from bot.doctor import CHECKS, WITH_ANSWERS, Case, Line, Verdict, examine
from config.loader import load
from config.settings import Settings
from engine.llm.tape import HEAD
from engine.store.database import Database
from tests.fakes.database import new_file, url_of
from tests.fakes.llm_servers import KEY, LlmServer, Turn, serving

CANARY = Turn(text='{"word": "canary", "number": 17}')


def settings_of(folder: Path, server: LlmServer, **environ: str) -> Settings:
    own = {
        "BOT_DATABASE__URL": url_of(folder),
        "BOT_LLM__PROVIDERS__OPENAI__API_KEY": KEY,
        "BOT_LLM__PROVIDERS__OPENAI__MODEL": "gpt-5-mini",
        "BOT_LLM__PROVIDERS__OPENAI__API_URL": server.openai_url,
        "BOT_LLM__PROVIDERS__LOCAL__MODEL": "qwen3-8b",
        "BOT_LLM__PROVIDERS__LOCAL__API_KEY": KEY,
        "BOT_LLM__PROVIDERS__LOCAL__API_URL": server.openai_url,
    }
    return load(None, None, {}, own | environ, folder).settings


async def looked(settings: Settings, *, answers: bool = False) -> dict[str, Line]:
    """What the doctor says of models."""
    names = {"models", "answers of models"}
    checks = [check for check in (WITH_ANSWERS if answers else CHECKS) if check.name in names]
    case = Case(settings=settings, wall=lambda: datetime.now(UTC))
    return {line.name: line for line in await asyncio.to_thread(lambda: list(examine(case, checks)))}


async def test_who_is_asked_is_told_with_key_and_price_and_nobody_is_asked(tmp_path: Path):
    async with serving() as server:
        lines = await looked(settings_of(tmp_path, server))
    assert (list(lines), lines["models"].verdict) == (["models"], Verdict.OK)
    assert lines["models"].text == (
        "openai gpt-5-mini (its key is set; $0.25 read, $2 written); local qwen3-8b (its key is set; free); offline;"
        " at most $100 a month"
    )
    assert server.asked == []
    assert KEY not in lines["models"].text


async def test_the_cap_of_a_day_is_told_where_there_is_one(tmp_path: Path):
    async with serving() as server:
        lines = await looked(settings_of(tmp_path, server, BOT_LLM__MAX_DAILY_COST_USD="0.75"))
    assert lines["models"].text.endswith(" at most $0.75 a day and $100 a month")


async def test_each_answers_once_and_is_booked_where_that_is_wanted(tmp_path: Path):
    new_file(tmp_path)
    async with serving() as server:
        server.next = lambda _: CANARY
        settings = settings_of(tmp_path, server)
        for _ in range(2):
            found = (await looked(settings, answers=True))["answers of models"]
            assert found.verdict is Verdict.OK
            assert found.text.startswith("openai gpt-5-mini (")
            assert ", local qwen3-8b (" in found.text
    assert len(server.bills) == 4, "an earlier answer says nothing about now"
    store = Database(settings.database.url)
    calls = await store.read(lambda uow: uow.model_calls.newest(10))
    await store.close()
    assert [call.purpose for call in calls] == ["canary"] * 4


async def test_one_that_does_not_answer_well_is_named_with_its_reason(tmp_path: Path):
    new_file(tmp_path)
    async with serving() as server:
        server.turns += [Turn(status=401), Turn(text="no object"), Turn(text="no object")]
        found = (await looked(settings_of(tmp_path, server), answers=True))["answers of models"]
    assert found.verdict is Verdict.WRONG
    assert "openai gpt-5-mini: openai does not take the key (401)" in found.text
    assert "local qwen3-8b: " in found.text
    assert KEY not in found.text


async def test_of_a_tape_nobody_is_asked(tmp_path: Path):
    tape = tmp_path / "calls.tape"
    tape.write_text(f"{HEAD}\n")
    async with serving() as server:
        lines = await looked(settings_of(tmp_path, server, BOT_LLM__TAPE=str(tape)), answers=True)
    assert lines == {"models": Line(name="models", verdict=Verdict.OK, text=lines["models"].text)}
    assert lines["models"].text == f"{tape} answers in their place, for nothing"
