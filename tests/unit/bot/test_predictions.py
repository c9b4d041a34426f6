"""What is predicted by the settings, and for which contexts by itself."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bot.markets import source
from bot.predictions import predictions_of
from config.loader import load
from config.settings import Settings
from engine.ai.trend_predictions import TrendPredictions
from engine.llm.manager import LLMManager
from tests.fakes.engine import Room, engine_room
from tests.fakes.panel import Script
from tests.fakes.predictions import LATEST, LISTING, RISING, made, said

ON = {"BOT_AI__ENABLED": "true", "BOT_AI__PREDICTION__TIMEFRAMES": '["1h"]', "BOT_MARKET__HISTORY": "1d"}
OWN = "<!-- version: 7 -->\n# System\nBe bold.\n# Question\nBoldly: $symbol $timeframe\n$brief\n"


def read(folder: Path, own: dict[str, Any], **environ: str) -> Settings:
    """Two contexts on one market, of which the second has something of its own."""
    usual = {"strategy": "momentum", "markets": ["BTC/USDT"]}
    contexts = [{"name": "plain", **usual}, {"name": "bold", **usual, **own}]
    return load("demo", None, {"contexts": contexts}, ON | environ, folder).settings


def predicting(room: Room, settings: Settings, manager: LLMManager) -> TrendPredictions:
    services = room.services
    found = predictions_of(
        settings,
        source(settings),
        store=room.store,
        clock=room.clock,
        market_data=services.market_data,
        candles=services.candles,
        frames=services.frames,
        derivatives=services.derivatives,
        sentiment=None,
        manager=manager,
    )
    assert found is not None
    return found


async def test_a_context_with_votes_of_its_own_has_predictions_of_its_own(tmp_path: Path):
    script = Script(says={"prediction": said()})
    async with engine_room(tmp_path, RISING, minutes=LATEST) as room:
        predictions = predicting(room, read(tmp_path, {"votes": {"prediction": 3}}), script.manager())
        await made(room, predictions)
        assert len(script.asked) == 1 + 3
        (shared,) = (await predictions.outlook(LISTING, "plain")).predictions
        (own,) = (await predictions.outlook(LISTING, "bold")).predictions
        assert (shared.confidence, own.confidence) == (None, 1.0), "three of three say the same"
        assert (shared.prompt, own.prompt.endswith("votes: 3")) == ("", True)


@pytest.mark.parametrize(
    ("votes", "asked"), [({}, {"Boldly": 2, "Sy": 2}), ({"votes": {"prediction": 1}}, {"Boldly": 1, "Sy": 2})]
)
async def test_a_prompt_of_its_own_is_asked_as_often_as_all_others_or_as_it_says(
    tmp_path: Path, votes: dict[str, Any], asked: dict[str, int]
):
    (tmp_path / "own.md").write_text(OWN)
    settings = read(
        tmp_path, {"prompts": {"prediction": str(tmp_path / "own.md")}} | votes, BOT_AI__PREDICTION__VOTES="2"
    )
    script = Script(says={"prediction": said()})
    async with engine_room(tmp_path, RISING, minutes=LATEST) as room:
        await made(room, predicting(room, settings, script.manager()))
    own = Counter(each.prompt.startswith("Boldly") for each in script.asked)
    assert (own[True], own[False]) == (asked["Boldly"], asked["Sy"])


async def test_the_same_number_of_votes_as_all_others_is_asked_once_for_both(tmp_path: Path):
    script = Script(says={"prediction": said()})
    async with engine_room(tmp_path, RISING, minutes=LATEST) as room:
        predictions = predicting(room, read(tmp_path, {"votes": {"prediction": 1}}), script.manager())
        await made(room, predictions)
        assert len(script.asked) == 1
        assert await predictions.outlook(LISTING, "bold") == await predictions.outlook(LISTING, "plain")
