"""People see in chat how language models are and what they cost, while the program runs; and after a kill as well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from config.loader import load
from config.settings import Settings
from tests.fakes.database import execute, new_file, rows_of, url_of
from tests.fakes.llm_servers import KEY, LlmServer, Turn, serving
from tests.fakes.patience import until
from tests.fakes.program import environ, running, write_config
from tests.scenario.test_old_places import type_in_browser

CANARY = Turn(text='{"word": "canary", "number": 17}')


def settings_of(folder: Path, server: LlmServer, **llm: object) -> Settings:
    openai = {"model": "gpt-5-mini", "api_url": server.openai_url}
    alone = {"panel": {"enabled": False}, "prediction": {"enabled": False}}
    file = write_config(folder, ai=alone, llm={"providers": {"openai": openai}} | llm)
    keys = {"BOT_LLM__PROVIDERS__OPENAI__API_KEY": KEY}
    return load(None, file, {}, environ() | keys, folder).settings


async def shown(folder: Path, words: str) -> str:
    """A card of the web chat that says this, once it is there."""

    def found() -> list[str]:
        rows = rows_of(url_of(folder), "SELECT card FROM chat_messages ORDER BY id DESC")
        return [row["card"] for row in rows if words in row["card"]]

    await until(found)
    return found()[0]


async def test_the_canary_is_booked_and_told_of_and_so_is_what_a_strategy_asks(tmp_path: Path):
    new_file(tmp_path)
    async with serving() as server:
        server.turns.append(CANARY)
        async with running(settings_of(tmp_path, server, max_daily_cost_usd=0.006)) as app:
            assert app.program is not None
            await until(lambda: rows_of(url_of(tmp_path), "SELECT id FROM model_calls WHERE state = 'settled'"))
            await type_in_browser(app, "p1", "/llm")
            card = json.loads(await shown(tmp_path, "Language models: all is well"))
            assert "1 call this month" in card["items"][0]["text"]
            assert ["For", "canary $0.000027"] in card["fields"]
            manager = app.program.engine.models.manager
            answer = await manager.generate("What now? " * 1000, "You tell.", purpose="analyst")
            assert "the day's budget has $0.006 left" in answer.reason
            told = json.loads(await shown(tmp_path, "does not allow every call any more"))
            assert (told["alarm"], told["topic"][-8:]) == (True, "-day-100")
        assert len(server.asked) == 1


@pytest.mark.slow
async def test_a_model_that_takes_no_schema_is_named_and_what_a_kill_left_is_kept(tmp_path: Path):
    new_file(tmp_path)
    async with serving() as server:
        server.turns += [CANARY, Turn(text="Canary!"), Turn(text="I said canary.")]
        async with running(settings_of(tmp_path, server)):
            await until(lambda: rows_of(url_of(tmp_path), "SELECT id FROM model_calls WHERE state = 'settled'"))
        execute(url_of(tmp_path), "UPDATE model_calls SET state = 'reserved', cost_usd = NULL, verdict = ''")
        async with running(settings_of(tmp_path, server)) as app:
            await until(lambda: len(server.asked) == 3)
            await type_in_browser(app, "p1", "/health")
            card = await shown(tmp_path, "models at openai: NOT OK")
            assert "gpt-5-mini does not keep to a schema" in card
    (lost,) = rows_of(url_of(tmp_path), "SELECT state, reason FROM model_calls WHERE id = 'L1'")
    assert (lost["state"], lost["reason"]) == ("kept", "the program ended while it was under way")
