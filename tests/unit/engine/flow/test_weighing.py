"""What a policy leaves of the weight of each timeframe's prediction, before a decision is made with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from engine.ai.alignment import outlook_of
from engine.domain.adjustments import AdjusterMode
from engine.domain.decisions import Judged
from engine.domain.market import Listing, Timeframe
from engine.domain.predictions import Trend, TrendOutlook
from engine.inputs.insights import KeptInsights
from engine.learning.adjuster import PPOAdjuster
from engine.learning.features import FEATURES
from tests.fakes.engine import Room, engine_room
from tests.fakes.policies import steady_policy
from tests.fakes.reports import prediction
from tests.unit.engine.flow.test_adjusting import ROWS, WIGGLE

LISTING = Listing("paper", "BTC/USDT")
H1, H4 = Timeframe.H1, Timeframe.H4
EIGHTH = steady_policy(-0.75)


def expecting(room: Room) -> KeptInsights:
    """A rise on 1h, of weight 2, and a fall on 4h, of weight 3."""

    async def outlook(listing: Listing, context: str) -> TrendOutlook:
        now = room.clock.now()
        newest = {
            each: prediction(each, direction=direction, expected_move=move, at=each.floor(now), made_at=now)
            for each, direction, move in ((H1, Trend.BULLISH, 0.01), (H4, Trend.BEARISH, -0.02))
        }
        assert (listing, context) == (LISTING, "hand")
        return outlook_of(listing, (H1, H4), newest, now)

    async def at(listing: Listing, context: str, close: datetime) -> TrendOutlook:
        del close
        return await outlook(listing, context)

    return KeptInsights(outlook=outlook, outlook_at=at)


async def entered(
    folder: Path,
    *,
    weighs: bool = True,
    adjusted: bool = True,
    timeframes: tuple[Timeframe, ...] = (H1,),
    hours: int = 90,
    **adjuster: object,
) -> Judged:
    """An entry with those predictions."""
    asked = PPOAdjuster(**{"mode": AdjusterMode.ACTIVE, "policy": EIGHTH} | adjuster)  # type: ignore[arg-type]
    rows = (*WIGGLE * (hours // len(WIGGLE)), *ROWS[len(WIGGLE) :])
    async with engine_room(folder, rows=rows, minutes=hours * 60, adjuster=asked) as room:
        room.script.timeframes = timeframes
        room.context = replace(room.context, adjusted=adjusted)
        room.services = replace(room.services, insights=expecting(room), weighs_predictions=weighs)
        (judged,) = (await room.enter(1.0)).decisions
        return judged


def told(judged: Judged) -> str:
    (found,) = [each.detail for each in judged.inputs if each.name == "prediction"]
    return found


async def test_what_it_was_trained_on_counts_by_what_it_leaves_and_the_rest_as_it_is(tmp_path: Path) -> None:
    judged = await entered(tmp_path, policy=replace(EIGHTH, card=replace(EIGHTH.card, timeframe="1h")))
    assert told(judged) == "bearish, -2.0% (1h bullish at 12% of its weight, 4h bearish)"
    assert shown(judged) == pytest.approx((2 / 8 - 3) / (2 / 8 + 3), abs=1e-6)


async def test_a_longer_timeframe_of_its_context_counts_so_too_where_no_other_context_decides_on_it(
    tmp_path: Path,
) -> None:
    judged = await entered(tmp_path, timeframes=(H1, H4), hours=270)
    assert told(judged) == "neutral (1h bullish at 12% of its weight, 4h bearish at 12% of its weight)"


def shown(judged: Judged) -> float:
    """How far predictions agreed, as the policy was shown it beside the entry."""
    assert judged.adjustment is not None
    return judged.adjustment.observation[list(FEATURES).index("outlook")]


@pytest.mark.parametrize(
    "changes",
    [
        {"weighs": False},
        {"adjusted": False},
        {"mode": AdjusterMode.ADVISORY},
        {"policy": None, "fault": "It is gone."},
        {"policy": replace(EIGHTH, card=replace(EIGHTH.card, timeframe="15m"))},
        {"policy": steady_policy(-0.75, high=-8e5)},
    ],
    ids=[
        "not asked for",
        "a context that is left alone",
        "advisory",
        "no policy",
        "trained on another timeframe",
        "out of its range",
    ],
)
async def test_else_each_counts_as_it_is(tmp_path: Path, changes: dict[str, Any]) -> None:
    judged = await entered(tmp_path, **changes)
    assert told(judged) == "neutral (1h bullish, 4h bearish)"
