"""The last word: it only shrinks or stops, whatever it is asked."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from engine.domain.trading import Allowed, Clamp, Denied, Halt, HaltKind, RiskView, Side, TradePlan
from engine.risk.halts import drawdown_halt
from engine.risk.manager import RiskManager
from engine.risk.rules import RiskLimits, depth_within
from tests.fakes.examples import examples
from tests.fakes.feed import BTC, START
from tests.fakes.reports import plan, position
from tests.fakes.risk import entry, portfolio, view

MANAGER = RiskManager()
PAUSE = Halt(kind=HaltKind.PAUSE, reason="paused by Ann", since=START)


def decimals(low: str, high: str, places: int = 2) -> st.SearchStrategy[Decimal]:
    return st.decimals(low, high, places=places)


FRACTIONS = decimals("0.01", "1")
LIMITS = st.builds(RiskLimits, max_position=FRACTIONS, max_exposure=FRACTIONS, max_slippage=decimals("0", "0.05", 4))
HELD = st.lists(
    st.builds(
        position,
        quantity=decimals("0.001", "20", 3),
        entry_price=decimals("1", "200"),
        market=st.sampled_from(["BTC/USDT", "ETH/USDT"]),
        context=st.just("another"),
    ),
    max_size=3,
).map(tuple)
ACCOUNTS = st.builds(
    portfolio,
    cash=decimals("100", "20000"),
    equity=decimals("9800", "20000"),
    peak=decimals("1", "11000"),
    positions=HELD,
    reserved=decimals("0", "2000"),
)
VIEWS = st.builds(
    view,
    portfolio=ACCOUNTS,
    ask=decimals("99.99", "100.60"),
    depth=decimals("0.01", "200"),
    close=decimals("97.9", "102.4"),
    halts=st.sampled_from([*[()] * 9, (PAUSE,)]),
)
PLANS = st.builds(entry, quantity=st.integers(0, 200_000).map(BTC.quantity), price=decimals("99", "101"))


@examples(200)
@given(PLANS, VIEWS, LIMITS)
def test_a_judgement_only_shrinks_and_never_breaks_a_limit(wanted: TradePlan, seen: RiskView, limits: RiskLimits):
    judgement = RiskManager(limits=limits).judge(wanted, seen)
    event(f"{type(judgement).__name__} after {len(judgement.clamps)}")
    _check_clamps(wanted, judgement.clamps)
    if isinstance(judgement, Denied):
        assert judgement.reasons
        assert all(judgement.reasons)
        return
    allowed, account = judgement.plan, seen.portfolio
    assert allowed == wanted.resized(allowed.quantity)
    assert allowed.quantity == (judgement.clamps[-1].after if judgement.clamps else wanted.quantity)
    assert 0 < allowed.quantity <= wanted.quantity
    assert allowed.quantity % BTC.lot == 0
    assert allowed.notional <= limits.max_position * account.equity
    assert allowed.notional + account.exposure <= limits.max_exposure * account.equity
    assert allowed.notional * (1 + 2 * limits.max_slippage) <= account.cash
    assert allowed.quantity <= depth_within(seen.book.asks, limits.max_slippage)
    assert allowed.notional >= BTC.min_notional
    assert account.drawdown < limits.max_drawdown
    assert not seen.halts


def _check_clamps(wanted: TradePlan, clamps: tuple[Clamp, ...]) -> None:
    assert all(clamp.rule and clamp.reason for clamp in clamps)
    assert all(clamp.after < clamp.before or clamp.after == 0 for clamp in clamps)
    assert all(earlier.after == later.before for earlier, later in pairwise(clamps))
    assert not clamps or clamps[0].before == wanted.quantity


@given(VIEWS, decimals("0.001", "100", 3), decimals("0.001", "100", 3))
def test_what_reduces_risk_is_never_denied_while_something_is_held(seen: RiskView, held: Decimal, wanted: Decimal):
    own = position(id="T9", quantity=held)
    account = portfolio(positions=(*seen.portfolio.positions, own), equity=Decimal(1))
    leave = plan(side=Side.SELL, quantity=wanted, reduce_only=True, position_id="T9")
    judgement = MANAGER.judge(leave, view(portfolio=account, halts=(PAUSE,), close=Decimal(1), depth=Decimal(0)))
    assert judgement == Allowed(plan=leave.resized(min(held, wanted)))


def test_what_is_closed_already_cannot_be_left_again():
    judgement = MANAGER.judge(plan(side=Side.SELL, reduce_only=True, position_id="T9"), view())
    assert judgement == Denied(reasons=("T9 is already closed",))


def test_the_same_question_gets_the_same_answer():
    wanted, seen = entry(quantity=Decimal(500)), view()
    assert MANAGER.judge(wanted, seen) == MANAGER.judge(wanted, seen)


def test_every_rule_that_cuts_leaves_its_mark_in_order():
    held = position(quantity=Decimal(60), entry_price=Decimal(100), market="ETH/USDT")
    account = portfolio(positions=(held,), cash=Decimal(1010))
    judgement = MANAGER.judge(
        entry(quantity=Decimal(50), price=Decimal(100)), view(portfolio=account, depth=Decimal(5))
    )
    assert isinstance(judgement, Allowed)
    assert [(clamp.rule, clamp.before, clamp.after) for clamp in judgement.clamps] == [
        ("max_position", Decimal(50), Decimal(25)),
        ("max_exposure", Decimal(25), Decimal(15)),
        ("cash", Decimal(15), Decimal(10)),
        ("slippage", Decimal(10), Decimal(5)),
    ]
    assert judgement.plan.quantity == Decimal(5)


def test_what_stops_names_its_rule_and_its_reason():
    judgement = MANAGER.judge(entry(), view(halts=(PAUSE,)))
    assert isinstance(judgement, Denied)
    assert judgement.reasons == ("paused by Ann",)
    assert [clamp.rule for clamp in judgement.clamps] == ["halts"]


@pytest.mark.parametrize("equity", [9001, 9000, 4000])
def test_a_fall_to_the_limit_calls_for_a_pause_of_its_own_length(equity: int):
    limits = RiskLimits()
    halt = drawdown_halt(portfolio(equity=Decimal(equity)), (), limits, START)
    if equity > 9000:
        assert halt is None
        return
    assert halt is not None
    assert (halt.kind, halt.until, halt.market) == (HaltKind.DRAWDOWN, START + limits.drawdown_pause, "")
    assert "10.0%" in halt.reason
    assert drawdown_halt(portfolio(equity=Decimal(equity)), (PAUSE, halt), limits, START) is None
