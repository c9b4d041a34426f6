"""Who is heard by the settings, how often, and what earlier trades make of that."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.models import build_models
from bot.panel import calibration_of, panel_of
from bot.prompts import prompt_faults
from bot.run_rules import demand
from config.ai import AiSettings
from config.loader import load
from config.settings import Settings
from engine.ai.agent_panel import AgentPanel
from engine.ai.calibrator import NO_CALIBRATION, Calibrator
from engine.ai.panel import NO_PANEL
from engine.domain.errors import ConfigError
from engine.ports import Panel
from engine.timing.clocks import WallClock, wall
from tests.fakes.database import new_database
from tests.fakes.engine import engine_room
from tests.fakes.panel import Script, a_proposal, an_opinion

ON = {"BOT_AI__ENABLED": "true"}


def read(folder: Path, **environ: str) -> Settings:
    return load("demo", None, {}, environ, folder).settings


async def panel(folder: Path, settings: Settings) -> Panel:
    store = new_database(folder)
    models = build_models(settings, store, WallClock(), wall)
    found = panel_of(settings, models.manager, store, {})
    await store.close()
    return found


async def test_each_member_has_the_votes_of_the_settings(tmp_path: Path):
    found = await panel(tmp_path, read(tmp_path, BOT_AI__PANEL__VOTES="3", **ON))
    assert isinstance(found, AgentPanel)
    assert found.supervisor is not None
    assert {agent.votes for agent in (*found.agents, found.supervisor)} == {3}


async def test_where_nobody_is_to_be_asked_nobody_is(tmp_path: Path):
    assert await panel(tmp_path, read(tmp_path, BOT_AI__ENABLED="false")) is NO_PANEL


def test_a_confidence_is_calibrated_where_a_panel_is_heard_and_nothing_says_otherwise(tmp_path: Path):
    found = calibration_of(read(tmp_path, BOT_AI__CALIBRATION__MAX_WIDTH="0.3", **ON))
    assert isinstance(found, Calibrator)
    assert found.max_width == 0.3


@pytest.mark.parametrize(
    "off",
    [{"BOT_AI__ENABLED": "false"}, {"BOT_AI__PANEL__ENABLED": "false"}, {"BOT_AI__CALIBRATION__ENABLED": "false"}],
)
def test_else_it_stands_as_it_is(tmp_path: Path, off: dict[str, str]):
    assert calibration_of(read(tmp_path, **(ON | off))) is NO_CALIBRATION


@pytest.mark.parametrize(
    "wrong",
    [{"BOT_AI__PANEL__VOTES": "0"}, {"BOT_AI__PREDICTION__VOTES": "10"}, {"BOT_AI__CALIBRATION__MAX_WIDTH": "0"}],
)
def test_settings_that_mean_nothing_are_refused(tmp_path: Path, wrong: dict[str, str]):
    with pytest.raises(ConfigError):
        read(tmp_path, **(ON | wrong))


OWN = "<!-- version: 7 -->\n# System\nYou are careful.\n# Question\nSymbol: $symbol\n$brief\n"


def with_prompts(folder: Path, prompts: dict[str, str], **environ: str) -> Settings:
    """Two contexts of which the second has prompts of its own."""
    return with_context(folder, {"prompts": prompts}, **environ)


def with_context(folder: Path, own: dict[str, Any], **environ: str) -> Settings:
    """Two contexts of which the second has something of its own."""
    contexts = [
        {"name": "plain", "strategy": "momentum", "markets": ["BTC/USDT"]},
        {"name": "careful", "strategy": "momentum", "markets": ["BTC/USDT"]} | own,
    ]
    return load("demo", None, {"contexts": contexts}, environ | ON, folder).settings


async def test_a_context_may_have_prompts_of_its_own_and_people_see_which_one(tmp_path: Path):
    (tmp_path / "own.md").write_text(OWN)
    settings = with_prompts(tmp_path, {"risk": str(tmp_path / "own.md"), "supervisor": str(tmp_path / "own.md")})
    assert list(prompt_faults(settings)) == []
    async with engine_room(tmp_path / "room") as room:
        found = panel_of(settings, Script().manager(), room.store, {})
        by_rules = panel_of(settings, build_models(settings, room.store, WallClock(), wall).manager, room.store, {})
        assert {each.prompt for each in await by_rules.opinions(a_proposal(), 10)} == {""}, "rules read no prompt"
        said = {
            context: [each.prompt for each in await found.opinions(replace(a_proposal(), context=context), 10)]
            for context in ("plain", "careful")
        }
    usual = [f"{name} version 2" for name in ("analyst", "risk", "devils_advocate", "supervisor")]
    assert said["plain"] == usual
    assert said["careful"] == [usual[0], "own.md version 7", usual[2], "own.md version 7"]


async def test_a_context_may_ask_its_members_more_often_than_others_do(tmp_path: Path):
    settings = with_context(tmp_path, {"votes": {"panel": 3}})
    script = Script(says=dict.fromkeys(("analyst", "risk", "devils_advocate", "supervisor"), an_opinion()))
    async with engine_room(tmp_path / "room") as room:
        found = panel_of(settings, script.manager(), room.store, {})
        await found.opinions(replace(a_proposal(), context="plain"), 10)
        assert Counter(each.purpose for each in script.asked)["supervisor"] == 1
        script.asked.clear()
        await found.opinions(replace(a_proposal(), context="careful"), 10)
        assert set(Counter(each.purpose for each in script.asked).values()) == {3}


@pytest.mark.parametrize(
    ("prompts", "key", "said"),
    [
        ({"risk": "gone.md"}, "contexts.1.prompts.risk", "gone.md cannot be read: No such file"),
        ({"risk": "."}, "contexts.1.prompts.risk", "it is no file"),
        ({"risk": "bad.md"}, "contexts.1.prompts.risk", "bad.md: nobody knows $api_key"),
        (
            {"risc": "own.md"},
            "contexts.1.prompts.risc",
            "is of nobody. Did you mean risk? There are analyst, risk,",
        ),
        ({"prediction": "own.md"}, "contexts.1.prompts.prediction", "own.md: the question has no $timeframe"),
    ],
)
def test_a_prompt_of_a_context_that_is_wrong_is_named_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prompts: dict[str, str], key: str, said: str
):
    monkeypatch.chdir(tmp_path)
    Path("own.md").write_text(OWN)
    Path("bad.md").write_text(OWN + "$api_key")
    settings = with_prompts(tmp_path, prompts)
    (fault,) = prompt_faults(settings)
    assert fault.key == key
    assert said in str(fault)
    with pytest.raises(ConfigError, match=re.escape(key)):
        demand(settings)
    assert list(prompt_faults(with_prompts(tmp_path, prompts).model_copy(update={"ai": off(settings)}))) == []


def off(settings: Settings) -> AiSettings:
    return settings.ai.model_copy(update={"enabled": False})


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ({"panel": {"agents": [{"name": "macro", "prompt": "gone.md"}]}}, "ai.panel.agents.0.prompt"),
        ({"panel": {"supervisor": {"name": "supervisor", "prompt": "gone.md"}}}, "ai.panel.supervisor.prompt"),
        ({"prediction": {"prompt": "gone.md"}}, "ai.prediction.prompt"),
    ],
)
def test_every_prompt_of_ones_own_is_looked_at_before_anything_begins(tmp_path: Path, asked: dict[str, Any], key: str):
    settings = load("demo", None, {"ai": asked}, ON, tmp_path).settings
    assert [fault.key for fault in prompt_faults(settings)] == [key]


def test_no_member_takes_the_name_of_what_is_asked_by_itself(tmp_path: Path):
    named = {"BOT_AI__PANEL__AGENTS": '[{"name": "prediction", "prompt": "own.md"}]'}
    with pytest.raises(ConfigError, match="prediction is asked for by itself"):
        read(tmp_path, **(ON | named))
