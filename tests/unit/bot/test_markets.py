"""Where prices come from, and which contexts trade what is there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.markets import WARMUP_CANDLES, generated_feed, quote_of, source
from bot.strategies.registry import STRATEGIES, strategy_of
from config.contexts import ContextSettings
from config.loader import load
from config.settings import Settings
from engine.data.feeds import FileFeed, GeneratedFeed
from engine.data.files import write_candles
from engine.domain.errors import ConfigError
from engine.domain.market import Market, Timeframe
from engine.domain.plans import Entry, Slicing, Then
from engine.domain.proposals import FastTier
from engine.strategies.context import StrategyContext
from tests.fakes.feed import START, hand_candles, hand_feed
from tests.fakes.sections import sections
from tests.fakes.series import walk

HOUR = timedelta(hours=1)


def settings(folder: Path, **overrides: Any) -> Settings:
    """The demo's settings with some of them changed."""
    return load(None, None, sections(**overrides), {}, folder).settings


@pytest.fixture
def btc(tmp_path: Path) -> Path:
    """Four hundred hours of BTC in a file."""
    file = tmp_path / "BTCUSDT-1h.parquet"
    write_candles(file, walk(1, 400))
    return file


def _given(**changes: Any) -> dict[str, Any]:
    """A context as a profile has it."""
    return {"name": "c", "strategy": "momentum", "markets": ["BTC/USDT"], **changes}


def context(**changes: Any) -> ContextSettings:
    return ContextSettings(**{"name": "c", "strategy": "momentum", "markets": ("BTC/USDT",), **changes})


def test_the_demo_trades_a_generated_market_without_end(tmp_path: Path):
    found = source(settings(tmp_path, market__seed=7))
    assert isinstance(found.feed, GeneratedFeed)
    assert found.label == "generated from seed 7"
    assert (found.start, found.end, found.notes) == (datetime(2026, 1, 1, tzinfo=UTC), None, ())
    assert [each.name for each in found.contexts] == ["trend", "momentum", "reversion"]
    assert found.feed.markets["BTC/USDT"].lot == Decimal("0.00001")


def test_a_context_says_how_it_begins_a_trade_and_how_it_buys(tmp_path: Path):
    fast, entry = {"share": "0.25", "min_confidence": 0.9}, {"type": "limit", "offset": "0.002", "then": "market"}
    plain, own = source(settings(tmp_path, contexts=[_given(), _given(name="d", fast=fast, entry=entry)])).contexts
    assert (plain.fast, plain.entry) == (None, None)
    assert own.fast == FastTier(share=Decimal("0.25"), min_confidence=0.9)
    assert own.entry == Entry(offset=Decimal("0.002"), then=Then.MARKET)


def test_a_context_says_in_which_slices_it_buys(tmp_path: Path):
    slices = {"most": 6, "every": "2m", "book_share": "0.5", "volume_share": "0.05", "twap": True}
    (own,) = source(settings(tmp_path, contexts=[_given(entry={"slices": slices})])).contexts
    half, twentieth = Decimal("0.5"), Decimal("0.05")
    asked = Slicing(most=6, every=timedelta(minutes=2), book_share=half, volume_share=twentieth, twap=True)
    assert (own.slicing, own.entry) == (asked, None)


@pytest.mark.parametrize(
    "given",
    [
        {"entry": {"slices": {"most": 1}}},
        {"entry": {"slices": {"most": 2, "every": 0}}},
        {"entry": {"type": "limit", "slices": {"most": 2}}},
        {"entry": {"slices": {"most": 2}}, "fast": {"share": "0.25", "min_confidence": 0.9}},
    ],
)
def test_slices_are_several_at_market_and_nothing_else_splits_the_trade(given: dict[str, Any]):
    with pytest.raises(ValidationError):
        context(**given)


@pytest.mark.parametrize(
    "fast", [{"share": 0, "min_confidence": 0.9}, {"share": 1, "min_confidence": 0.9}, {"share": 0.5}]
)
def test_a_start_is_a_part_of_a_trade_and_says_from_when_on(fast: dict[str, Any]):
    with pytest.raises(ValidationError):
        context(fast=fast)


def test_a_replay_may_begin_and_end_elsewhere(tmp_path: Path):
    found = source(settings(tmp_path, replay__start="2026-02-01", replay__end="2026-03-01"))
    assert (found.start, found.end) == (datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))


def test_another_seed_is_another_market(tmp_path: Path):
    now = datetime(2026, 1, 2, tzinfo=UTC)
    prices = {seed: generated_feed(settings(tmp_path, market__seed=seed)).price("BTC/USDT", now) for seed in (7, 7, 8)}
    assert prices[7] != prices[8]
    assert generated_feed(settings(tmp_path, market__seed=7)).price("BTC/USDT", now) == prices[7]


def test_the_least_order_of_a_generated_market_suits_its_quote_where_none_is_set(tmp_path: Path):
    markets = {
        "ETH/BTC": {"start_price": "0.05", "tick": "0.000001"},
        "BTC/USDT": {"start_price": 60_000},
        "SOL/USDT": {"start_price": 150, "min_notional": 0},
    }
    made = generated_feed(settings(tmp_path, market__markets=markets)).markets
    assert {symbol: made[symbol].min_notional for symbol in markets} == {
        "ETH/BTC": Decimal("0.0001"),
        "BTC/USDT": Decimal(10),
        "SOL/USDT": Decimal(0),
    }


def test_without_a_market_there_is_nothing_to_generate(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"no market to trade.*market\.markets"):
        generated_feed(load("base", None, {}, {}, tmp_path).settings)


def test_a_file_is_replayed_from_where_the_indicators_can_work(tmp_path: Path, btc: Path):
    found = source(settings(tmp_path, replay__data=[btc]))
    assert isinstance(found.feed, FileFeed)
    assert found.start == START + WARMUP_CANDLES * HOUR
    assert found.end == START + 400 * HOUR
    assert found.label == "BTCUSDT-1h (2024-01-01 to 2024-01-17)"
    assert {symbol for each in found.contexts for symbol in each.markets} == {"BTC/USDT"}
    assert found.feed.markets["BTC/USDT"].lot == Decimal("0.00001")


def test_the_end_of_the_data_is_the_end_whatever_was_asked_for(tmp_path: Path, btc: Path):
    asked = settings(tmp_path, replay__data=[btc], replay__start="2024-01-03", replay__end="2025-01-01")
    assert (source(asked).start, source(asked).end) == (START + 48 * HOUR, START + 400 * HOUR)


def test_a_span_outside_the_data_names_what_there_is(tmp_path: Path, btc: Path):
    with pytest.raises(ConfigError, match="from 2024-01-01 00:00 to 2024-01-17 16:00 UTC; nothing is left"):
        source(settings(tmp_path, replay__data=[btc], replay__start="2024-02-01"))


def test_a_file_nobody_trades_is_said_so(tmp_path: Path, btc: Path):
    doge = tmp_path / "DOGEUSDT-1h.csv"
    write_candles(doge, hand_candles([(100, 101, 99, 100, 10)] * 400, "DOGE/USDT"))
    assert source(settings(tmp_path, replay__data=[btc, doge])).notes == (
        "No context trades DOGE/USDT: its file is not used.",
    )
    with pytest.raises(ConfigError, match="No context trades DOGE/USDT in 1h candles"):
        source(settings(tmp_path, replay__data=[doge]))


def test_candles_longer_than_a_context_wants_do_not_serve_it(tmp_path: Path):
    daily = tmp_path / "BTCUSDT-1d.csv"
    write_candles(daily, hand_candles([(100, 101, 99, 100, 10)] * 400, timeframe=Timeframe.D1))
    with pytest.raises(ConfigError, match="No context trades BTC/USDT in 1d candles"):
        source(settings(tmp_path, replay__data=[daily]))


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_can_be_made_from_its_defaults(name: str):
    built = strategy_of(context(strategy=name), "contexts.0")
    assert type(built) is STRATEGIES[name]
    bare = name in ("sma_cross", "rsi_bands")
    assert built.timeframes == ((Timeframe.H1,) if bare else (Timeframe.H1, Timeframe.H4, Timeframe.D1))


def test_a_parameter_is_taken_and_checked():
    assert strategy_of(context(params={"stop_atr": 1.5}), "contexts.0").stop_atr == 1.5


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"stop_art": 2.0}, r"contexts\.0\.params\.stop_art: momentum has no such parameter.*Did you mean stop_atr\?"),
        ({"zzz": 1}, "There are .*stop_atr"),
        ({"max_candles": "soon"}, r"contexts\.0\.params\.max_candles: "),
        ({"stop_atr": -1.0}, "stop_atr"),
        ({"timeframe": "4h"}, "no such parameter"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(params: dict[str, Any], words: str):
    with pytest.raises(ConfigError, match=words):
        strategy_of(context(params=params), "contexts.0")


def test_one_quote_currency_at_a_time(tmp_path: Path):
    found = source(settings(tmp_path))
    assert quote_of(found.contexts.contexts, found.feed) == "USDT"
    symbols, rows = ("BTC/USDT", "ETH/BTC"), [(100, 101, 99, 100, 10)] * 3
    feed = hand_feed(dict.fromkeys(symbols, rows), [Market(symbol=symbol) for symbol in symbols])
    trading = StrategyContext(
        name="c", venue="paper", strategy=strategy_of(context(), "c"), markets=symbols, timeframe=Timeframe.H1
    )
    with pytest.raises(ConfigError, match="priced in BTC, USDT"):
        quote_of([trading], feed)
