"""Predictions of BTC/USDT on the candles of a hand-made engine, asked of whom a test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.ai.account import Holdings
from engine.ai.predictor import PLACES, PURPOSE, AITrendPredictor
from engine.ai.prompt_files import Prompt, shipped_prompt
from engine.ai.trend_predictions import TrendPredictions
from engine.domain.market import Listing, Timeframe
from engine.inputs.insights import AskSentiment
from engine.llm.manager import LLMManager
from tests.fakes.engine import Room
from tests.fakes.feed import Row
from tests.fakes.patience import until

ALL = (Timeframe.H1, Timeframe.H4, Timeframe.D1, Timeframe.W1)
LISTING = Listing("paper", "BTC/USDT")
HOUR = 60
WEEKS = 5 * 7 * 24
LATEST = WEEKS * HOUR - 12 * HOUR
"""Minutes from the start of the candles to a close of 1h and 4h, with some more to come."""
RISING: Sequence[Row] = tuple((100 + n / 10, 101.2 + n / 10, 99 + n / 10, 100.1 + n / 10, 10_000) for n in range(WEEKS))


async def made(room: Room, predictions: TrendPredictions) -> None:
    """Make what is due now, to the end."""
    await predictions.make(room.clock.now())
    await until(lambda: not predictions.busy)


def predicting(
    room: Room,
    manager: LLMManager,
    *,
    timeframes: Sequence[Timeframe] = ALL,
    within: float = 10,
    sentiment: AskSentiment | None = None,
    own: Mapping[str, Prompt] | None = None,
    votes: int = 1,
) -> TrendPredictions:
    """Predictions that a manager is asked for, by the shipped prompt and those of contexts that have their own."""
    services = room.services
    predictor = AITrendPredictor(
        clock=room.clock,
        candles=services.candles,
        analyzer=services.analyzer,
        frames=services.frames,
        derivatives=services.derivatives,
        sentiment=sentiment,
        holdings=Holdings(store=room.store).of,
        manager=manager,
        prompts={"": shipped_prompt(PURPOSE, PLACES)} | {each.key: each for each in (own or {}).values()},
        votes=votes,
    )
    return TrendPredictions(
        predictor=predictor,
        store=room.store,
        clock=room.clock,
        market_data=services.market_data,
        asked={LISTING: ("", *(each.key for each in (own or {}).values()))},
        contexts={context: each.key for context, each in (own or {}).items()},
        timeframes=timeframes,
        within=within,
    )


def said(direction: str = "bullish", move: float = 2, horizon: int = 3, **more: Any) -> dict[str, Any]:
    """What a model might say of BTC/USDT, citing the first field."""
    reasons = [{"text": f"it looks {direction}", "fields": ["f1"]}]
    usual = {"symbol": "BTC/USDT", "direction": direction, "expected_move_percent": move, "horizon_candles": horizon}
    return usual | {"reasons": reasons} | more
