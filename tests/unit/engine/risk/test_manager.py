"""The last word: it only shrinks or stops, whatever it is asked."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from engine.domain.halts import Halt, HaltKind
from engine.domain.judging import Allowed, Clamp, Denied, RiskView
from engine.domain.orders import Side
from engine.domain.plans import TradePlan
from engine.domain.positions import Portfolio
from engine.risk.halts import drawdown_halt, paused_drawdown
from engine.risk.limits import OwnLimits, RiskLimits
from engine.risk.manager import RiskManager
from tests.fakes.exact import depth_within
from tests.fakes.examples import examples
from tests.fakes.feed import BTC, START
from tests.fakes.reports import plan, position
from tests.fakes.risk import buying, entry, portfolio, view

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
        symbol=st.sampled_from(["BTC/USDT", "ETH/USDT"]),
        context=st.just("another"),
    ),
    max_size=3,
).map(tuple)
ACCOUNTS = st.builds(
    portfolio,
    free_cash=decimals("100", "20000"),
    equity=decimals("9800", "20000"),
    peak=decimals("1", "25000"),
    paused_drawdown=decimals("0", "0.6"),
    total_from=st.one_of(st.none(), decimals("9800", "20000")),
    positions=HELD,
    buying=st.lists(
        st.builds(
            buying,
            decimals("0.01", "2000"),
            symbol=st.sampled_from(["BTC/USDT", "BTC/EUR", "ETH/USDT"]),
            context=st.sampled_from(["momentum", "another"]),
        ),
        max_size=2,
    ).map(tuple),
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
    size = limits.size_at(account.drawdown)
    assert allowed.notional + _of_btc(account) <= size * limits.max_position * account.equity
    assert allowed.notional + account.exposure <= size * limits.max_exposure * account.equity
    assert allowed.risk <= size * limits.risk_per_trade * account.equity or size == 1
    assert allowed.notional * (1 + 2 * limits.max_slippage) <= account.free_cash
    assert allowed.quantity <= depth_within(seen.book.asks, limits.max_slippage)
    assert allowed.notional >= BTC.min_notional
    assert not limits.pause_due(account)
    assert account.total_fall < limits.max_total_drawdown
    assert not seen.halts


def _of_btc(account: Portfolio) -> Decimal:
    held = sum((p.quantity * p.entry_price for p in account.positions if p.symbol == "BTC/USDT"), Decimal(0))
    return held + sum((order.value for order in account.buying if order.symbol.startswith("BTC/")), Decimal(0))


@examples(200)
@given(PLANS, VIEWS, decimals("0", "0.6"), decimals("0", "0.6"), decimals("0.1", "1"))
def test_no_entry_is_larger_for_a_deeper_drawdown(
    wanted: TradePlan, seen: RiskView, one: Decimal, other: Decimal, recovery_size: Decimal
):
    manager = RiskManager(limits=RiskLimits(recovery_size=recovery_size))
    judged = [_entered(manager, wanted, seen, drawdown) for drawdown in sorted((Decimal(0), one, other))]
    assert judged == sorted(judged, reverse=True)


def _entered(manager: RiskManager, wanted: TradePlan, seen: RiskView, drawdown: Decimal) -> Decimal:
    """How much is bought at a drawdown for which entries were paused already."""
    equity = seen.portfolio.equity
    account = replace(seen.portfolio, peak=equity / (1 - drawdown), paused_drawdown=Decimal(1), total_from=equity)
    judgement = manager.judge(wanted, replace(seen, portfolio=account))
    return judgement.plan.quantity if isinstance(judgement, Allowed) else Decimal(0)


@examples(100)
@given(PLANS, VIEWS)
def test_what_was_judged_once_is_not_cut_again_at_the_press(wanted: TradePlan, seen: RiskView):
    first = MANAGER.judge(wanted, seen)
    if isinstance(first, Allowed):
        assert MANAGER.judge(first.plan, seen) == Allowed(plan=first.plan)


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
    held = position(quantity=Decimal(60), entry_price=Decimal(100), symbol="ETH/USDT")
    account = portfolio(positions=(held,), free_cash=Decimal(1010))
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


@pytest.mark.parametrize("equity", [9001, 9000, 8001])
def test_a_fall_to_the_limit_calls_for_a_pause_of_its_own_length(equity: int):
    limits = RiskLimits()
    halt = drawdown_halt(portfolio(equity=Decimal(equity)), (), limits, START)
    if equity > 9000:
        assert halt is None
        return
    assert halt is not None
    assert (halt.kind, halt.until, halt.symbol) == (HaltKind.DRAWDOWN, START + limits.drawdown_pause, "")
    assert "10.0%" in halt.reason
    paused = portfolio(equity=Decimal(equity), paused_drawdown=Decimal("0.6"))
    assert drawdown_halt(paused, (PAUSE, halt), limits, START) is None


@pytest.mark.parametrize(
    ("equity", "paused", "reason"),
    [
        ("9000", "0", "drawdown 10.0% has reached the limit of 10.0%"),
        ("8001", "0.104", None),
        ("8000", "0.104", "drawdown 20.0% has reached the limit of 20.0%"),
        ("7600", "0.207", None),
        ("8900", "0.207", None),
        ("7600", "0", "drawdown 24.0% has reached the limit of 20.0%"),
    ],
)
def test_each_further_step_down_calls_for_a_pause_and_none_calls_twice(equity: str, paused: str, reason: str | None):
    account = portfolio(equity=Decimal(equity), paused_drawdown=Decimal(paused))
    halt = drawdown_halt(account, (), RiskLimits(), START)
    assert (halt.reason if halt else None) == reason


@pytest.mark.parametrize(
    ("equity", "paused", "after"),
    [("9000", "0", "0.1"), ("9200", "0.1", "0.1"), ("9500", "0.1", "0.1"), ("9501", "0.1", "0"), ("7500", "0", "0.25")],
)
def test_a_step_counts_again_once_less_than_half_of_it_is_left(equity: str, paused: str, after: str):
    account = portfolio(equity=Decimal(equity), paused_drawdown=Decimal(paused))
    assert paused_drawdown(account, RiskLimits()) == Decimal(after)


@pytest.mark.parametrize("equity", ["7500", "3000"])
def test_at_the_total_limit_entries_end_until_somebody_says_so(equity: str):
    account = portfolio(equity=Decimal(equity))
    halt = drawdown_halt(account, (PAUSE,), RiskLimits(), START)
    assert halt is not None
    assert (halt.is_total, halt.until) == (True, None)
    assert "total limit of 25.0%" in halt.reason
    assert drawdown_halt(account, (halt,), RiskLimits(), START) is None


@pytest.mark.parametrize(("equity", "ends"), [("5626", False), ("5625", True)])
def test_once_an_admin_has_spoken_the_total_limit_counts_from_there(equity: str, ends: bool):  # noqa: FBT001 - a table
    account = portfolio(equity=Decimal(equity), paused_drawdown=Decimal("0.45"), total_from=Decimal(7500))
    halt = drawdown_halt(account, (), RiskLimits(), START)
    assert (halt is not None and halt.is_total) is ends
    assert not ends or "7,500.00, its highest since an admin let entries go on" in halt.reason


@examples(50)
@given(st.lists(st.integers(-300, 250), min_size=1, max_size=200), st.integers(0, 100))
def test_whatever_the_market_does_the_fall_ends_a_step_beyond_the_total_limit(moves: list[int], share: int):
    """Every entry is taken that is allowed, and loses or wins all that it risks; nothing else changes equity."""
    limits = RiskLimits(risk_per_trade=Decimal("0.05"))
    account, halted = portfolio(), False
    for move in moves:
        wanted = entry(quantity=BTC.quantity(share * 10_000), price=Decimal("100.02"))
        judgement = RiskManager(limits=limits).judge(wanted, view(portfolio=account))
        if not halted and isinstance(judgement, Allowed):
            earned = max(Decimal(-1), Decimal(move) / 100) * judgement.plan.risk
            account = replace(account, equity=account.equity + earned, free_cash=account.free_cash + earned)
        account = replace(account, peak=max(account.peak, account.equity))
        halt = drawdown_halt(account, (), limits, START)
        account = replace(account, paused_drawdown=paused_drawdown(account, limits))
        halted = halted or (halt is not None and halt.is_total)
    assert account.drawdown <= limits.max_total_drawdown + limits.risk_per_trade


OWN = st.builds(
    OwnLimits,
    risk_per_trade=st.one_of(st.none(), FRACTIONS),
    max_position=st.one_of(st.none(), FRACTIONS),
    max_exposure=st.one_of(st.none(), FRACTIONS),
    max_open_risk=st.one_of(st.none(), FRACTIONS),
)


@examples(100)
@given(PLANS, VIEWS, LIMITS, OWN)
def test_limits_of_its_own_never_give_a_context_more_nor_another_less(
    wanted: TradePlan, seen: RiskView, limits: RiskLimits, own: OwnLimits
):
    held_to = replace(limits, own={wanted.context: own})
    assert _allowed(held_to, wanted, seen) <= _allowed(limits, wanted, seen)
    other = replace(wanted, context="another one")
    assert _allowed(held_to, other, seen) == _allowed(limits, other, seen)
    strict = held_to.of(wanted.context)
    assert strict.of(wanted.context) == strict


def _allowed(limits: RiskLimits, wanted: TradePlan, seen: RiskView) -> Decimal:
    judgement = RiskManager(limits=limits).judge(wanted, seen)
    return judgement.plan.quantity if isinstance(judgement, Allowed) else Decimal(0)
