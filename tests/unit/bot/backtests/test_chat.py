"""Backtests asked for in chat: what they trade, what they answer, and what they do not take."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.backtests.asked import Asked, Known
from bot.backtests.chat import ChatBacktests
from bot.backtests.setups import setup_of
from bot.markets import generated_feed
from config.loader import load
from engine.backtest.kernel_run import backtest
from engine.domain.charts import EquityChart
from engine.domain.errors import BadInput, GreenlightError
from engine.domain.market import Candles, Market, Timeframe
from engine.domain.messages import Card
from engine.ports import MarketFeed
from handlers.cards.wording import percent

NOW = datetime(2026, 2, 1, 5, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)
KOLKATA = ZoneInfo("Asia/Kolkata")
TREND = {"name": "trend", "strategy": "ma_cross", "markets": ["BTC/EUR"], "timeframe": "4h", "higher": []}


@dataclass
class Now:
    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0


@dataclass
class Data:
    """What a venue tells of its markets; what it was asked for is kept."""

    feed: MarketFeed
    asked: int = 0

    def market(self, symbol: str) -> Market:
        return self.feed.markets[symbol]

    async def candles(self, symbol: str, timeframe: Timeframe, limit: int, until: datetime | None = None) -> Candles:
        self.asked = limit
        return self.feed.candles(symbol, timeframe, until or NOW, limit)


def room(folder: Path, *contexts: Mapping[str, Any]) -> tuple[ChatBacktests, Data]:
    market = {"start_price": 60000, "lot": 0.00001, "tick": 0.01, "volatility": 0.6}
    given = {
        "market": {"markets": {"BTC/EUR": market, "ETH/EUR": market}, "timeframe": "1h", "history": "90d"},
        "venue": {"balances": {"EUR": 5000}, "fee": 0.002},
        "backtest": {"trials": str(folder / "trials.jsonl")},
        "contexts": list(contexts or (TREND,)),
    }
    settings = load("demo", None, given, environ={}, directory=folder).settings
    data = Data(generated_feed(settings))
    wall = count()
    return ChatBacktests(
        settings, {"paper": data}, Now(), wall=lambda: NOW + 7 * SECOND * next(wall), zone=KOLKATA
    ), data


@pytest.mark.slow
async def test_a_context_is_tried_as_the_profile_has_it(tmp_path: Path):
    backtests, data = room(tmp_path, {**TREND, "params": {"stop_atr": 1.0, "target_atr": 2.0}})
    begun = backtests.begun("trend", "BTC", 40)
    assert begun
    assert begun.title == "Backtest of trend on BTC/EUR has begun"
    assert "compiles its loop" in begun.text
    asking = asyncio.create_task(backtests.card("trend", "BTC", 40))
    while not backtests.busy:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.001)
    with pytest.raises(GreenlightError, match="Another backtest is running"):
        await backtests.card("trend", "BTC", 40)
    card = await asking
    again = backtests.begun("trend", "BTC", 1)
    assert again
    assert (again.title, again.text) == ("Backtest of trend on BTC/EUR has begun", "1 day. The last one took 7 s.")

    setup = setup_of(
        Asked(symbols=("BTC/EUR",), start=NOW - timedelta(days=40)),
        backtests.settings,
        Known(
            candles={"BTC/EUR": data.feed.candles("BTC/EUR", Timeframe.H4, NOW, data.asked)},
            markets={"BTC/EUR": data.feed.markets["BTC/EUR"]},
        ),
    )
    result = backtest(setup)
    assert result.trades, "there is something to compare"
    said = dict(card.fields)
    assert said["Equity"].replace("\u200b", "") == f"5,000.00 \N{RIGHTWARDS ARROW} {result.final_equity:,.2f} EUR"
    won = sum(trade.net > 0 for trade in result.trades)
    assert said["Won"] == f"{won} of {len(result.trades)} ({percent(won / len(result.trades))})"
    assert said["From"] == f"{result.begins:%Y-%m-%d %H:%M} UTC"
    assert isinstance(card.picture, EquityChart)
    assert card.picture.equity[-1] == pytest.approx(result.final_equity)
    assert (card.picture.zone, len(card.picture.hold)) == ("Asia/Kolkata", len(card.picture.times))
    assert len((tmp_path / "trials.jsonl").read_text().splitlines()) == 1


@pytest.mark.slow
async def test_a_strategy_that_no_context_has_is_tried_as_it_comes_and_what_is_missing_is_said(tmp_path: Path):
    backtests, _ = room(tmp_path)
    card = await backtests.card("sma_cross", "BTC/EUR", 365)
    assert card.title.replace("\u200b", "").startswith("Backtest of sma_cross, BTC/EUR on 4h: ")
    assert "Traded bare: no lots, no book, no limits." in card.text
    assert "not of 365 days." in card.text


@pytest.mark.parametrize(
    ("strategy", "market", "said"),
    [
        ("tredn", "BTC", "There is no strategy tredn. Did you mean trend?"),
        ("./mine.py:Mine", "BTC", "There is no strategy ./mine.py:Mine. There are trend, ma_cross,"),
        ("trend", "BTX", "BTX is not traded here. Did you mean BTC?"),
        ("trend", "ETH", "ETH is not traded here. There are BTC/EUR."),
    ],
)
async def test_what_is_not_there_is_refused_with_what_is(tmp_path: Path, strategy: str, market: str, said: str):
    with pytest.raises(BadInput) as refused:
        await room(tmp_path)[0].card(strategy, market, 30)
    assert str(refused.value).startswith(said)


async def test_an_end_in_the_middle_is_said(tmp_path: Path):
    backtests, _ = room(tmp_path)
    asking: asyncio.Task[Card] = asyncio.create_task(backtests.card("trend", "BTC", 40))
    while not backtests.busy:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.001)
    backtests.close()
    with pytest.raises(GreenlightError, match="The backtest came to no end"):
        await asking
