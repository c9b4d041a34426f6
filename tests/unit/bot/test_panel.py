"""Who is heard by the settings, how often, and what earlier trades make of that."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.models import build_models
from bot.panel import calibration_of, panel_of
from config.loader import load
from config.settings import Settings
from engine.ai.agent_panel import AgentPanel
from engine.ai.calibrator import NO_CALIBRATION, Calibrator
from engine.ai.panel import NO_PANEL
from engine.clocks import WallClock, wall
from engine.domain.errors import ConfigError
from engine.ports import Panel
from tests.fakes.database import new_database

ON = {"BOT_AI__ENABLED": "true"}


def read(folder: Path, **environ: str) -> Settings:
    return load("demo", None, {}, environ, folder).settings


async def panel(folder: Path, settings: Settings) -> Panel:
    store = new_database(folder)
    models = build_models(settings, store, WallClock(), wall)
    found = panel_of(settings, models.manager, store)
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


@pytest.mark.parametrize("wrong", [{"BOT_AI__PANEL__VOTES": "0"}, {"BOT_AI__CALIBRATION__MAX_WIDTH": "0"}])
def test_settings_that_mean_nothing_are_refused(tmp_path: Path, wrong: dict[str, str]):
    with pytest.raises(ConfigError):
        read(tmp_path, **(ON | wrong))
