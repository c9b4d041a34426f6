"""The rules about what is held beside a plan: what each passes, cuts and stops, and what it says."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.judging import RiskView
from engine.domain.streaks import Losses
from engine.risk import portfolio_rules as rules
from engine.risk.limits import RiskLimits
from engine.risk.metrics import CVaRCalculator, VaRCalculator
from engine.risk.portfolio_risk import risk_of, with_entry
from engine.risk.verdicts import Verdict
from tests.fakes.examples import examples
from tests.fakes.feed import BTC, START
from tests.fakes.reports import position
from tests.fakes.risk import buying, entry, portfolio, risk_stats, view

TEN = entry(quantity=Decimal(10), price=Decimal(100), stop=Decimal(98))
ETH = position(
    id="T2", symbol="ETH/USDT", context="momentum", quantity=Decimal(20), entry_price=Decimal(100), stop=Decimal(95)
)
SHARES = st.decimals("0.01", "1", places=2)
RNG = np.random.default_rng(15)
BTC_MOVES, ETH_MOVES, SOL_MOVES = (0.01 * RNG.standard_normal(299) for _ in range(3))


def seen(*held: object, **figures: object) -> RiskView:
    usual = {"returns": BTC_MOVES, "others": {"ETH/USDT": ETH_MOVES}, "correlations": {"ETH/USDT": 0.1}}
    return replace(view(portfolio=portfolio(positions=held)), stats=risk_stats(**{**usual, **figures}))


def quantity(verdict: Verdict | None) -> Decimal:
    return TEN.quantity if verdict is None else BTC.quantity(verdict.lots)


def test_open_positions_are_counted_with_what_is_being_bought_but_not_the_plans_own():
    account = portfolio(
        positions=(ETH,), buying=(buying(Decimal(5), symbol="SOL/USDT"), buying(Decimal(5), context=TEN.context))
    )
    looked = view(portfolio=account)
    assert rules.max_positions(TEN, looked, RiskLimits(max_positions=3)) is None
    verdict = rules.max_positions(TEN, looked, RiskLimits(max_positions=2))
    assert verdict == Verdict(lots=0, reason="2 positions are open or being bought; 2 are allowed")
    assert rules.max_positions(TEN, looked, RiskLimits()) is None


def test_everything_open_risks_its_share_to_the_stops_what_is_being_bought_too():
    """ETH loses 100 at its stop and the order 30; 1.4 % are 140, and 10 are five coins' way to their stop."""
    account = portfolio(positions=(ETH,), buying=(replace(buying(Decimal(300)), to_stop=Decimal(30)),))
    verdict = rules.open_risk(TEN, view(portfolio=account), RiskLimits(max_open_risk=Decimal("0.014")))
    assert verdict == Verdict(
        lots=int(BTC.lots(Decimal(5))),
        reason="everything open risks at most 1.4% of equity to its stops, 140.00; 130.00 is at risk already",
    )
    assert rules.open_risk(TEN, view(portfolio=account), RiskLimits(max_open_risk=Decimal("0.015"))) is None


def test_what_has_no_stop_is_at_risk_whole():
    verdict = rules.open_risk(TEN, seen(replace(ETH, stop=None)), RiskLimits(max_open_risk=Decimal("0.2")))
    assert verdict is not None
    assert verdict.lots == 0


def test_the_coins_of_a_sector_share_its_limit():
    limits = RiskLimits(max_sector=Decimal("0.25"), sectors={"memes": ("DOGE",), "large": ("BTC", "ETH")})
    verdict = rules.sector(TEN, seen(ETH), limits)
    assert verdict == Verdict(
        lots=int(BTC.lots(Decimal(5))),
        reason="the sector large is at most 25% of equity: there is room for 500.00, for T2 (momentum) holds 2,000.00",
    )
    assert rules.sector(TEN, seen(replace(ETH, symbol="DOGE/USDT")), limits) is None
    assert rules.sector(TEN, seen(ETH), replace(limits, sectors={"small": ("ETH",)})) is None


@pytest.mark.parametrize(
    ("correlations", "left"),
    [({"ETH/USDT": 0.79}, None), ({"ETH/USDT": 0.8}, 5), ({}, 5), ({"ETH/USDT": -1.0}, None)],
)
def test_coins_that_move_together_share_a_limit_and_unknown_ones_do(correlations: dict[str, float], left: int | None):
    verdict = rules.correlation(TEN, seen(ETH, correlations=correlations), RiskLimits(max_correlated=Decimal("0.25")))
    assert (verdict and BTC.quantity(verdict.lots)) == left
    if verdict:
        assert verdict.reason == (
            "what moves together with BTC (correlation 0.8 or more) is at most 25% of equity: "
            "there is room for 500.00, for T2 (momentum) holds 2,000.00"
        )


@given(SHARES, SHARES, st.decimals("0", "60", places=2))
def test_a_wider_limit_or_less_that_is_held_never_allows_less(one: Decimal, other: Decimal, held: Decimal):
    narrow, wide = sorted((one, other))
    less = replace(ETH, quantity=min(held, ETH.quantity))
    more = replace(ETH, quantity=max(held, ETH.quantity))
    sectors = {"large": ("BTC", "ETH")}
    for rule, name in (
        (rules.open_risk, "max_open_risk"),
        (rules.sector, "max_sector"),
        (rules.correlation, "max_correlated"),
    ):
        found = [
            quantity(rule(TEN, seen(position, correlations={}), RiskLimits(**{name: limit}, sectors=sectors)))
            for position, limit in ((more, narrow), (more, wide), (less, wide))
        ]
        assert found == sorted(found)


def test_value_at_risk_is_that_of_the_profits_the_account_would_have_made():
    base = risk_of(seen(ETH).portfolio, risk_stats(returns=BTC_MOVES, others={"ETH/USDT": ETH_MOVES}))
    results = 0.2 * ETH_MOVES
    assert base.var_historical == pytest.approx(VaRCalculator().historical(results) * math.sqrt(24))
    assert base.cvar_cornish_fisher == pytest.approx(CVaRCalculator().cornish_fisher(results) * math.sqrt(24))
    both = with_entry(base, "BTC/USDT", Decimal(1000))
    assert both.var_historical == pytest.approx(VaRCalculator().historical(results + 0.1 * BTC_MOVES) * math.sqrt(24))


@pytest.mark.parametrize("name", ["max_var", "max_cvar"])
def test_an_entry_is_cut_to_the_most_of_its_parts_that_keeps_within(name: str):
    base = risk_of(seen(ETH).portfolio, seen(ETH).stats)
    whole = with_entry(base, "BTC/USDT", Decimal(1000))
    now, then = (base.var, whole.var) if name == "max_var" else (base.cvar, whole.cvar)
    between = Decimal(repr(round((now + then) / 2, 5)))
    verdict = rules.value_at_risk(TEN, seen(ETH), RiskLimits(**{name: between}))
    assert verdict is not None
    assert 0 < quantity(verdict) < 10
    cut = with_entry(base, "BTC/USDT", quantity(verdict) * 100)
    assert (cut.var if name == "max_var" else cut.cvar) <= between
    assert "95% of a day is at most" in verdict.reason
    assert f"it is {now:.2%} and would be {then:.2%}" in verdict.reason
    assert rules.value_at_risk(TEN, seen(ETH), RiskLimits(**{name: Decimal(repr(then + 1e-9))})) is None


def test_what_is_over_already_gets_nothing_and_what_is_not_known_neither():
    limits = RiskLimits(max_var=Decimal("0.0001"))
    over = rules.value_at_risk(TEN, seen(ETH), limits)
    assert over is not None
    assert over.lots == 0
    unknown = rules.value_at_risk(TEN, seen(replace(ETH, symbol="SOL/USDT")), replace(limits, max_var=Decimal(1)))
    assert unknown == Verdict(lots=0, reason="the value at risk is not known: there are no 1h returns of SOL/USDT")
    few = rules.value_at_risk(TEN, seen(returns=np.zeros(5), others={}), replace(limits, max_var=Decimal(1)))
    assert few == Verdict(lots=0, reason="the value at risk is not known: there are too few candles")


@examples(60)
@given(st.integers(0, 2**32), SHARES, SHARES, st.sampled_from(["max_var", "max_cvar"]), st.integers(0, 40))
def test_value_at_risk_is_never_exceeded_and_a_wider_limit_never_allows_less(
    seed: int, one: Decimal, other: Decimal, name: str, held: int
):
    rng = np.random.default_rng(seed)
    moves = 0.03 * rng.standard_t(3, size=(2, 120))
    looked = seen(replace(ETH, quantity=Decimal(held)), returns=moves[0], others={"ETH/USDT": moves[1]})
    narrow, wide = (limit / 10 for limit in sorted((one, other)))
    allowed = [quantity(rules.value_at_risk(TEN, looked, RiskLimits(**{name: limit}))) for limit in (narrow, wide)]
    assert allowed == sorted(allowed)
    if allowed[0]:
        risk = with_entry(risk_of(looked.portfolio, looked.stats), "BTC/USDT", allowed[0] * TEN.price)
        assert (risk.var if name == "max_var" else risk.cvar) <= narrow


@pytest.mark.parametrize(("count", "hours", "stops"), [(3, 23, True), (2, 1, False), (3, 24, False), (0, 1, False)])
def test_after_losses_in_a_row_a_context_rests(count: int, hours: int, stops: bool):  # noqa: FBT001 - a table
    losses = Losses(count=count, newest_at=START - timedelta(hours=hours) if count else None)
    verdict = rules.losing_streak(TEN, replace(view(), losses=losses), RiskLimits(max_losses=3))
    assert (verdict is not None) is stops
    if verdict:
        assert verdict.reason.startswith("btc_momentum has lost 3 trades in a row: it enters nothing until 2")


def test_limits_that_only_live_can_tell_are_named():
    assert RiskLimits().live_only == ()
    limits = RiskLimits(max_var=Decimal("0.1"), max_losses=3, max_sector=Decimal("0.1"))
    assert limits.live_only == ("max_var", "max_losses")
