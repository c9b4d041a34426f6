"""One truth: the compiled kernel, the live cycle replayed, and plain Python come to the same trades."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from bot.backtests.full import full_backtest
from bot.cli import app
from config.loader import load
from config.settings import Settings
from engine.backtest.kernel_run import backtest
from engine.backtest.people import SimulatedPeople
from engine.backtest.setup import BacktestSetup, BareTerms, FillAt, LiveTerms, RiskTerms
from engine.data.files import write_candles
from engine.domain.errors import BadInput
from engine.domain.hours import Hours
from engine.domain.market import Market, Timeframe, to_millis
from engine.domain.plans import Slicing
from engine.ports import Strategy
from engine.risk.limits import OwnLimits, RiskLimits
from engine.simulation.fills import FillModel
from engine.simulation.intrabar import Intrabar
from engine.simulation.latency import Latency
from engine.simulation.path import price_at
from engine.strategies.context import StrategyContext, StrategyContexts
from engine.strategies.ma_cross import MovingAverageCross
from engine.strategies.mean_reversion import MeanReversion
from engine.strategies.momentum import Momentum
from engine.strategies.rsi_bands import RsiBands
from engine.strategies.sma_cross import SmaCross
from tests.fakes import oracle
from tests.fakes.backtests import demand_the_same, demand_the_same_days, demand_the_same_trades, jumpy, setup
from tests.fakes.series import real

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kernel"), pytest.mark.timeout(900)]
DARING = RiskLimits(max_drawdown=Decimal("0.03"), max_total_drawdown=Decimal("0.9"), drawdown_pause=timedelta(hours=12))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    asked: dict[str, Any] = {"risk": {"max_drawdown": "0.03", "max_total_drawdown": "0.9", "drawdown_pause": "12h"}}
    asked["quality"] = {"max_move": 10}
    return load("demo", None, asked, {}, tmp_path).settings


def both(asked: BacktestSetup, settings: Settings) -> None:
    kernel, cycle = backtest(asked), full_backtest(asked, settings)
    demand_the_same_trades(kernel, cycle)
    demand_the_same_days(kernel, cycle)


@pytest.mark.slow
@pytest.mark.parametrize("count", [5_000])
def test_a_bare_cross_is_the_same_by_kernel_cycle_and_plain_python(count: int, settings: Settings) -> None:
    series = jumpy(1, count)
    asked = setup(SmaCross(fast=3, slow=9), series)
    book = oracle.sma_cross(series, 3, 9, cash=10_000, size=0.95, fee=0.001)
    assert len(book.trades) > count / 40
    result = full_backtest(asked, settings)
    demand_the_same(result, book, series, rtol=1e-7)
    demand_the_same_trades(backtest(asked), result)


def test_one_that_is_stopped_has_traded_up_to_there_as_one_that_goes_on(settings: Settings) -> None:
    """At the 50th moment at which something was done, quiet closes together."""
    asked, heard = setup(SmaCross(fast=3, slow=9), jumpy(1, 700)), list[datetime]()

    def goes_on(now: datetime) -> bool:
        heard.append(now)
        return len(heard) < 50

    stopped = full_backtest(asked, settings, goes_on=goes_on)
    assert heard == sorted(heard)
    assert len(heard) == 50
    assert stopped.ends == heard[-1]
    assert stopped.candles == int((stopped.ends - stopped.begins) / timedelta(hours=1)) < 700
    known = [(each.opened_at, each.closed_at) for each in backtest(asked).trades if each.closed_at <= stopped.ends]
    assert [(each.opened_at, each.closed_at) for each in stopped.trades] == known
    assert len(known) > 10
    held = sum(each.quantity * each.price for each in stopped.held)
    gained = sum(each.net for each in stopped.trades)
    paid = sum(each.quantity * each.entry_price for each in stopped.held)
    fees = stopped.fees - sum(each.fees for each in stopped.trades)
    assert stopped.final_equity == pytest.approx(10_000 + gained + held - paid - fees, rel=1e-9)


@pytest.mark.parametrize("count", [250, pytest.param(5_000, marks=pytest.mark.slow)])
def test_bare_rsi_bands_are_the_same_by_kernel_cycle_and_plain_python(count: int, settings: Settings) -> None:
    series = jumpy(25, count)
    asked = setup(RsiBands(), series, terms=BareTerms(size=0.5), model=FillModel(fee=Decimal("0.002")))
    book = oracle.rsi_bands(series, cash=10_000, size=0.5, fee=0.002)
    assert {each.reason for each in book.trades} >= {"stop", "target"}
    result = full_backtest(asked, settings)
    demand_the_same(result, book, series, rtol=1e-7)
    demand_the_same_trades(backtest(asked), result)
    demand_the_same_days(backtest(asked), result)


def of_contexts(*contexts: tuple[str, Strategy], **other: Any) -> BacktestSetup:
    """Several strategies, each on two markets, on one portfolio that has to share."""
    usual = setup(RsiBands(), *other.pop("series"), **other)
    symbols = tuple(usual.candles)
    found = tuple(
        StrategyContext(name=name, venue="paper", strategy=each, markets=symbols, timeframe=each.timeframes[0])
        for name, each in contexts
    )
    return replace(usual, contexts=StrategyContexts(contexts=found))


@pytest.mark.slow
def test_with_risk_contexts_that_share_a_portfolio_are_the_same_to_the_cent(settings: Settings) -> None:
    one, two = jumpy(11, 330), jumpy(12, 320, symbol="ETH/USDT")
    asked = of_contexts(
        ("bands", RsiBands(rsi_low=42.0, rsi_high=60.0)),
        ("crosses", SmaCross(fast=3, slow=8, stop_atr=1.0, target_atr=2.0, max_candles=6)),
        ("longer", RsiBands(rsi_low=50.0, timeframe=Timeframe.H4, stop_atr=0.5)),
        series=(one, two),
        terms=RiskTerms(limits=DARING),
        model=FillModel(depth=Decimal("0.002")),
        start=datetime(2024, 1, 8, tzinfo=UTC),
    )
    result = backtest(asked)
    assert {each.reason for each in result.trades} == {"stop", "target", "signal", "time"}
    assert set(result.by_context()) == {"bands", "crosses", "longer"}
    assert set(result.by_symbol()) == {"BTC/USDT", "ETH/USDT"}
    both(asked, settings)


@pytest.mark.slow
def test_where_candles_are_missing_live_and_kernel_trade_at_the_last_close(settings: Settings) -> None:
    series = jumpy(13, 400)
    gaps = [row for row in range(len(series)) if row % 23 != 7]
    columns = {name: getattr(series, name)[gaps] for name in ("open_ms", "open", "high", "low", "close", "volume")}
    asked = setup(RsiBands(rsi_low=45.0, rsi_high=55.0), replace(series, **columns), terms=RiskTerms(limits=DARING))
    assert len(backtest(asked).trades) > 15
    both(asked, settings)


@pytest.mark.slow
@pytest.mark.parametrize("rule", Intrabar)
@pytest.mark.parametrize("name", ["BTCUSDT-1h", "ETHUSDT-1h", "SOLUSDT-1h", "DOGEUSDT-1h", "XRPUSDT-1h"])
def test_on_real_candles_every_strategy_is_the_same_to_the_cent(name: str, rule: Intrabar, settings: Settings) -> None:
    series = real(name)
    series = series.cut(len(series) - 9_000, len(series) - 8_000)
    asked = of_contexts(
        ("trend", MovingAverageCross()),
        ("momentum", Momentum()),
        ("reversion", MeanReversion()),
        ("bands", RsiBands()),
        ("cross", SmaCross(stop_atr=2.0, target_atr=6.0)),
        series=(series,),
        terms=RiskTerms(limits=DARING, confidence=0.3),
        intrabar=rule,
        markets={series.symbol: Market.around(series.symbol, float(series.low.min()), float(series.high.max()))},
    )
    assert len(backtest(asked).trades) > 20
    both(asked, settings)


def test_with_latency_orders_trade_where_the_price_is_so_much_later(settings: Settings) -> None:
    series, later = jumpy(3, 120), timedelta(minutes=10)
    asked = replace(setup(SmaCross(fast=3, slow=6), series), live=LiveTerms(latency=Latency(least=later, most=later)))
    result = full_backtest(asked, settings)
    assert [each.reason for each in result.trades] == ["signal"] * len(backtest(asked).trades)
    for trade in result.trades:
        for at, price in ((trade.opened_at, trade.entry_price), (trade.closed_at, trade.exit_price)):
            assert at - Timeframe.H1.floor(at) == later
            assert price == pytest.approx(price_at(series, to_millis(at), Intrabar.WORST))


@pytest.mark.slow
def test_what_was_bought_late_is_protected_before_the_next_close(settings: Settings) -> None:
    """Stop and target are under way once more as long, and sell within the candle of the purchase."""
    later = timedelta(minutes=2)
    live = LiveTerms(latency=Latency(least=later, most=later))
    asked = setup(RsiBands(rsi_low=48.0, stop_atr=0.3), jumpy(13, 300), terms=RiskTerms(limits=DARING), live=live)
    trades = full_backtest(asked, settings).trades
    within = [each for each in trades if Timeframe.H1.floor(each.opened_at) == Timeframe.H1.floor(each.closed_at)]
    assert within
    assert all(each.closed_at >= each.opened_at + later for each in within)


def test_a_fill_at_the_close_of_a_signal_is_no_market(settings: Settings) -> None:
    asked = setup(SmaCross(), jumpy(1, 100), terms=BareTerms(fill_at=FillAt.SIGNAL_CLOSE))
    with pytest.raises(BadInput, match="signal-close"):
        full_backtest(asked, settings)


def test_it_is_asked_for_with_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_candles(tmp_path / "BTCUSDT-1h.parquet", jumpy(3, 120))
    words = [
        "backtest",
        "--strategy",
        "sma_cross",
        "--set",
        "fast=3",
        "--set",
        "slow=6",
        "--data",
        "BTCUSDT-1h.parquet",
    ]
    told = [CliRunner().invoke(app, [*words, *more]) for more in ([], ["--full"])]
    assert all(each.exit_code == 0 for each in told), told
    lines = [{line[:10].strip(): line for line in each.stdout.splitlines()} for each in told]
    assert lines[0]["equity"] == lines[1]["equity"]
    left = {str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*")}
    assert left == {"BTCUSDT-1h.parquet", "var", "var/trials.jsonl"}


def test_entries_in_slices_are_bought_over_their_time(settings: Settings) -> None:
    at_once = setup(MeanReversion(higher=()), jumpy(11, 600), terms=RiskTerms())
    slicing = Slicing(most=3, every=timedelta(minutes=10), twap=True)
    (context,) = at_once.contexts
    sliced = replace(at_once, contexts=StrategyContexts(contexts=(replace(context, slicing=slicing),)))
    usual, over_time = full_backtest(at_once, settings), full_backtest(sliced, settings)
    assert {each.opened_at for each in over_time.trades} & {each.opened_at for each in usual.trades}
    paid = [{each.opened_at: each.entry_price for each in run.trades} for run in (usual, over_time)]
    assert any(paid[1][at] != price for at, price in paid[0].items() if at in paid[1])


AT_ONCE = SimulatedPeople(median=timedelta(seconds=1), spread=0.0, wakes=time(0), sleeps=time(0), mistakes=0.0)


def asked_of(people: SimulatedPeople | None, auto_above: float) -> BacktestSetup:
    """A strategy that is of two minds now and then, and whom it asks."""
    usual = setup(MeanReversion(higher=()), jumpy(11, 600), terms=RiskTerms(confidence=auto_above, people=people))
    return replace(usual, start=datetime(2024, 1, 8, tzinfo=UTC))


@pytest.mark.slow
def test_asking_people_costs_what_waiting_costs(settings: Settings) -> None:
    """Who answers at once trades as a bot that never asks; who comes too late, as one that asks nobody."""
    settings = settings.model_copy(update={"approval": settings.approval.model_copy(update={"ask_above": 0.3})})
    without = full_backtest(asked_of(None, 0.95), settings)
    alone = full_backtest(asked_of(None, 0.3), settings)
    assert len(alone.trades) > len(without.trades)
    assert alone.asked is None

    late = full_backtest(asked_of(replace(AT_ONCE, median=timedelta(days=9)), 0.95), settings)
    assert late.asked is not None
    assert late.asked.count == late.asked.expired > 0
    demand_the_same_trades(without, late)

    soon = full_backtest(asked_of(AT_ONCE, 0.95), settings)
    assert soon.asked is not None
    assert (soon.asked.expired, soon.asked.declined) == (0, 0)
    assert soon.asked.ordered > 0
    assert {(each.opened_at, each.symbol) for each in soon.trades} >= {
        (each.opened_at, each.symbol) for each in without.trades
    }
    assert len(soon.trades) == len(alone.trades)

    wrong = full_backtest(asked_of(replace(AT_ONCE, mistakes=1.0), 0.95), settings)
    assert wrong.asked is not None
    assert wrong.asked.count == wrong.asked.declined > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "limits",
    [
        {"max_daily_volume": Decimal("0.00005")},
        {"max_open_risk": Decimal("0.0002")},
        {"max_positions": 2},
        {"max_sector": Decimal("0.02"), "sectors": {"large": ("BTC", "ETH")}},
        {"max_volatility": Decimal("0.0268")},
        {
            "own": {
                "crosses": OwnLimits(max_position=Decimal("0.01")),
                "longer": OwnLimits(risk_per_trade=Decimal("0.0001")),
            }
        },
        {"own": {"bands": OwnLimits(max_open_risk=Decimal("0.0001"), max_exposure=Decimal("0.02"))}},
        {"max_fall": Decimal("0.01"), "fall_within": timedelta(hours=2)},
        {"closed_hours": (Hours(tuple(range(5)), time(14), time(3, 30)),), "hours_zone": ZoneInfo("Asia/Kolkata")},
    ],
    ids=lambda limits: next(iter(limits)),
)
def test_each_limit_of_the_kernel_changes_trades_and_is_that_of_live_to_the_cent(
    limits: dict[str, Any], settings: Settings
) -> None:
    one, two = jumpy(11, 330), jumpy(12, 320, symbol="ETH/USDT")

    def asked(of: RiskLimits) -> BacktestSetup:
        return of_contexts(
            ("bands", RsiBands(rsi_low=42.0, rsi_high=60.0)),
            ("crosses", SmaCross(fast=3, slow=8, stop_atr=1.0, target_atr=2.0, max_candles=6)),
            ("longer", RsiBands(rsi_low=50.0, timeframe=Timeframe.H4, stop_atr=0.5)),
            series=(one, two),
            terms=RiskTerms(limits=of),
            model=FillModel(depth=Decimal("0.002")),
        )

    held_to = asked(replace(DARING, **limits))
    assert backtest(held_to).trades != backtest(asked(DARING)).trades
    both(held_to, settings)


def test_a_limit_that_candles_alone_cannot_tell_is_not_left_out_in_silence() -> None:
    asked = setup(RsiBands(), jumpy(13, 200), terms=RiskTerms(limits=replace(DARING, max_cvar=Decimal("0.02"))))
    with pytest.raises(BadInput, match=r"risk\.max_cvar: .* do not tell it"):
        backtest(asked)
