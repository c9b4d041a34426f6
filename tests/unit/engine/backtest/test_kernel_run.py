"""The compiled kernel, against plain Python that knows nothing of it, and by what must hold of any run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from engine.backtest.kernel_run import backtest
from engine.backtest.setup import BareTerms, FillAt, RiskTerms
from engine.backtest.slots import slots_of
from engine.backtest.tape import tape_of
from engine.domain.errors import DataError
from engine.domain.market import Timeframe, from_millis
from engine.risk.limits import RiskLimits
from engine.simulation import kernel
from engine.simulation.compiled import compiled
from engine.simulation.fills import FillModel
from engine.simulation.tapes import Tape
from engine.strategies.conditions import ConditionColumn
from engine.strategies.context import StrategyContext, StrategyContexts
from engine.strategies.rsi_bands import RsiBands
from engine.strategies.sight import Sight
from engine.strategies.sma_cross import SmaCross
from tests.fakes import oracle
from tests.fakes.backtests import demand_the_same, jumpy, setup

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kernel"), pytest.mark.timeout(300)]
COLUMNS = ("open_ms", "open", "high", "low", "close", "volume")
AT_CLOSE = BareTerms(size=0.5, fill_at=FillAt.SIGNAL_CLOSE)
DARING = RiskTerms(limits=RiskLimits(max_drawdown=Decimal("0.005"), drawdown_pause=timedelta(hours=12)))


@pytest.mark.parametrize("count", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("fast", "slow"), [(20, 50), (3, 10)])
def test_sma_cross_comes_to_what_plain_python_does(count: int, fast: int, slow: int) -> None:
    series = jumpy(1, count)
    book = oracle.sma_cross(series, fast, slow, cash=10_000, size=0.95, fee=0.001)
    assert len(book.trades) > count / 150
    demand_the_same(backtest(setup(SmaCross(fast=fast, slow=slow), series)), book, series)


@pytest.mark.parametrize("count", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("fee", [0.001, 0.0])
def test_rsi_bands_come_to_what_plain_python_does(count: int, fee: float) -> None:
    series = jumpy(2, count)
    book = oracle.rsi_bands(series, cash=10_000, size=0.5, fee=fee)
    assert {each.reason for each in book.trades} == {"stop", "target", "signal"}
    assert {each.exit for each in book.trades} & set(series.open.tolist())  # some jump over their stop or target
    asked = setup(RsiBands(), series, terms=BareTerms(size=0.5), model=FillModel(fee=Decimal(str(fee))))
    demand_the_same(backtest(asked), book, series)


def test_fills_at_the_close_of_the_signal() -> None:
    series = jumpy(3, 3_000)
    book = oracle.sma_cross(series, 5, 12, cash=10_000, size=0.95, fee=0.001, at_close=True)
    asked = setup(SmaCross(fast=5, slow=12), series, terms=BareTerms(fill_at=FillAt.SIGNAL_CLOSE))
    demand_the_same(backtest(asked), book, series, at_close=True)


def test_what_is_held_at_the_end_is_told_at_the_last_close_and_is_no_trade() -> None:
    series = jumpy(1, 5_000)
    book = oracle.sma_cross(series, 20, 50, cash=10_000, size=0.95, fee=0.001)
    end = next(each.closed for each in book.trades[40:])
    cut = series.cut(0, end)
    result = backtest(setup(SmaCross(), cut))
    [held] = result.held
    assert len(result.trades) == 40
    assert held.price == cut.close[-1]
    assert result.final_equity == pytest.approx(
        oracle.sma_cross(cut, 20, 50, cash=10_000, size=0.95, fee=0.001).final_equity
    )


def test_money_goes_nowhere_but_into_trades_and_fees() -> None:
    for terms in (BareTerms(), RiskTerms()):
        result = backtest(setup(RsiBands(), jumpy(4, 4_000), terms=terms))
        made = sum(each.net for each in result.trades)
        open_ = sum(each.quantity * (each.price - each.entry_price) for each in result.held)
        paid = result.fees - sum(each.fees for each in result.trades)
        assert result.final_equity - 10_000 == pytest.approx(made + open_ - paid, abs=1e-6)
        assert sum(each.net for each in result.by_reason().values()) == pytest.approx(made)
        assert set(result.by_symbol()) == {"BTC/USDT"}


def test_each_day_has_its_equity_and_the_last_is_that_of_the_end() -> None:
    series = jumpy(5, 24 * 20 + 7)
    daily = backtest(setup(SmaCross(fast=3, slow=8), series)).daily
    assert np.diff(daily.at_ms[:-1]).tolist() == [86_400_000] * 19
    assert from_millis(int(daily.at_ms[-1])) == series.closed_at
    first = backtest(setup(SmaCross(fast=3, slow=8), series.cut(0, 24 * 3)))
    assert daily.equity[2] == pytest.approx(first.final_equity)


def test_two_markets_share_the_cash_and_one_alone_has_all_of_it() -> None:
    one, two = jumpy(6, 2_000), jumpy(7, 1_500, symbol="ETH/USDT")
    alone, both = backtest(setup(RsiBands(), one)), backtest(setup(RsiBands(), one, two))
    assert set(both.by_symbol()) == {"BTC/USDT", "ETH/USDT"}
    own = [each for each in both.trades if each.symbol == "BTC/USDT"]
    assert [(each.opened_at, each.reason) for each in own] == [(each.opened_at, each.reason) for each in alone.trades]
    assert any(each.quantity < whole.quantity / 2 for each, whole in zip(own, alone.trades, strict=True))
    assert min(both.daily.equity - both.daily.exposure) >= 0


def test_a_strategy_of_longer_candles_trades_along_the_shorter_ones() -> None:
    series = jumpy(8, 4 * 2_000)
    result = backtest(setup(RsiBands(timeframe=Timeframe.H4), series))
    assert result.trades
    assert all(each.opened_at.hour % 4 == 0 for each in result.trades)
    assert any(each.closed_at.hour % 4 for each in result.trades if each.reason == "stop")


def test_nothing_is_traded_before_the_start_and_indicators_know_what_was_before() -> None:
    series = jumpy(1, 5_000)
    whole = backtest(setup(RsiBands(), series))
    start = whole.trades[30].closed_at + timedelta(hours=1)
    later = backtest(setup(RsiBands(), series, start=start))
    assert later.begins == start
    expected = [each for each in whole.trades if each.opened_at >= start]
    assert [each.opened_at for each in later.trades] == [each.opened_at for each in expected]


def test_a_position_is_left_when_its_time_is_up() -> None:
    result = backtest(setup(SmaCross(fast=20, slow=50, max_candles=5), jumpy(1, 2_000)))
    lengths = {each.closed_at - each.opened_at for each in result.trades if each.reason == "time"}
    assert lengths == {timedelta(hours=5)}


def test_the_total_limit_of_drawdown_ends_entries_and_that_is_told() -> None:
    series = jumpy(1, 3_000)
    daring = RiskTerms(limits=RiskLimits(max_drawdown=Decimal("0.01"), max_total_drawdown=Decimal("0.02")))
    result = backtest(setup(SmaCross(fast=2, slow=4, stop_atr=1.0, target_atr=1.0), series, terms=daring))
    assert result.entries_ended is not None
    assert max(each.opened_at for each in result.trades) <= result.entries_ended < series.closed_at
    assert 0.96 < result.final_equity / 10_000 <= 0.985


@pytest.mark.parametrize("terms", [BareTerms(), RiskTerms()])
def test_machine_code_does_what_the_python_that_it_is_made_of_does(terms: BareTerms | RiskTerms) -> None:
    one, two = jumpy(9, 700), jumpy(10, 650, symbol="ETH/USDT")
    asked = setup(RsiBands(rsi_low=40.0), one, two, terms=terms)
    slots = slots_of(asked)
    by_numba, by_python = tape_of(asked, slots), tape_of(asked, slots)
    compiled()(by_numba)
    kernel.run(by_python)
    assert by_numba.account["trades"][0] > 5
    for table in ("account", "trades", "slots", "days"):
        assert getattr(by_numba, table).tolist() == getattr(by_python, table).tolist()


@pytest.mark.parametrize(("seed", "terms"), [(1, RiskTerms()), (11, DARING), (3, BareTerms()), (4, AT_CLOSE)])
def test_to_go_on_to_where_something_happens_changes_nothing(seed: int, terms: BareTerms | RiskTerms) -> None:
    one, two = jumpy(20 + seed, 800), jumpy(30 + seed, 700, symbol="ETH/USDT")
    kept = np.random.default_rng(seed).random(len(two)) > 0.02  # candles are missing
    two = replace(two, **{name: getattr(two, name)[kept] for name in COLUMNS})
    slow = RsiBands(rsi_low=45.0, stop_atr=0.8, target_atr=1.0, timeframe=Timeframe.H4, max_candles=9)
    fast = SmaCross(fast=2, slow=5, stop_atr=1.0, target_atr=2.0)
    contexts = tuple(
        StrategyContext(
            name=each.name, venue="paper", strategy=each, markets=(one.symbol, two.symbol), timeframe=length
        )
        for each, length in ((slow, Timeframe.H4), (fast, Timeframe.H1))
    )
    asked = setup(fast, one, two, terms=terms, contexts=StrategyContexts(contexts=contexts))
    slots = slots_of(asked)
    gone_on, step_by_step = tape_of(asked, slots), tape_of(asked, slots)
    compiled()(gone_on)
    candle_by_candle(step_by_step)
    account = gone_on.account[0]
    assert account["trades"] > 20
    assert account.tolist() == pytest.approx(step_by_step.account[0].tolist())
    for table, count in (("trades", account["trades"]), ("days", account["days"])):
        np.testing.assert_allclose(*(rows(getattr(tape, table)[:count]) for tape in (gone_on, step_by_step)))


def candle_by_candle(tape: Tape) -> None:
    """What ``kernel.run`` does, every candle of all of them."""
    now, last = kernel.next_open(tape, -1), kernel.last_open(tape)
    tape.account[0]["midnight"] = now - now % 86_400_000 + 86_400_000
    while now <= last:
        kernel.end_days(tape, now)
        kernel.meet_opens(tape, now)
        if not tape.terms.at_close and kernel.is_asked(tape, now):
            kernel.act(tape)
        if not tape.terms.bare:
            kernel.watch_drawdown(tape, now)
        kernel.walk_candles(tape, now)
        following = kernel.next_open(tape, now)
        if tape.terms.at_close and kernel.is_asked(tape, now):
            kernel.act(tape)
        now = following


def rows(table: np.ndarray) -> np.ndarray:
    return np.array(table.tolist())


def test_without_candles_in_reach_it_says_so() -> None:
    series = jumpy(1, 100)
    with pytest.raises(DataError, match="--start"):
        backtest(setup(SmaCross(), series, start=series.closed_at + timedelta(days=1)))
    with pytest.raises(DataError, match="BTC/USDT"):
        backtest(setup(SmaCross(), series, end=from_millis(int(series.open_ms[0]))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted(RsiBands):
    """Counts how often its conditions are asked for."""

    asked: list[int] = field(default_factory=list)

    def conditions(self, sight: Sight) -> tuple[ConditionColumn, ...]:
        self.asked.append(len(sight))
        return RsiBands.conditions(self, sight)


def test_conditions_are_compared_only_where_somebody_asks_how_sure_a_strategy_is() -> None:
    series, bare, with_risk = jumpy(2, 300), Counted(), Counted()
    backtest(setup(bare, series))
    backtest(setup(with_risk, series, terms=RiskTerms()))
    assert (bare.asked, with_risk.asked) == ([], [300])
