"""Each rule by itself: what it passes, what it shrinks, what it stops, and what it says."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.halts import Halt, HaltKind
from engine.domain.market import Level, Market, Timeframe
from engine.risk import rules
from engine.risk.limits import RiskLimits
from tests.fakes.exact import depth_within
from tests.fakes.feed import BTC, START
from tests.fakes.reports import plan, position
from tests.fakes.risk import buying, entry, portfolio, risk_stats, view

LIMITS = RiskLimits()
ONE = entry(quantity=Decimal(1))
LEVELS = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 5000)), min_size=1, max_size=6)


def test_a_pause_stops_with_its_own_words_and_an_ended_one_does_not():
    halt = Halt(kind=HaltKind.PAUSE, reason="paused by Ann", since=START, until=START + timedelta(hours=1))
    assert rules.halts(ONE, view(halts=(halt,), now=START), LIMITS) == rules.Verdict(lots=0, reason="paused by Ann")
    assert rules.halts(ONE, view(halts=(halt,), now=START + timedelta(hours=1)), LIMITS) is None


def test_a_halt_of_another_market_does_not_matter():
    halt = Halt(kind=HaltKind.DATA, reason="gap", since=START, symbol="ETH/USDT")
    assert rules.halts(ONE, view(halts=(halt,)), LIMITS) is None


@pytest.mark.parametrize(
    ("equity", "paused", "stops"),
    [(9001, "0", False), (9000, "0", True), (9000, "0.1", False), (8000, "0.1", True), (7500, "0.25", True)],
)
def test_drawdown_stops_what_comes_before_the_pause_that_is_due(equity: int, paused: str, stops: bool):  # noqa: FBT001 - a table
    account = portfolio(equity=Decimal(equity), paused_drawdown=Decimal(paused))
    verdict = rules.drawdown(ONE, view(portfolio=account), LIMITS)
    assert (verdict is not None) is stops
    assert verdict is None or verdict.lots == 0


def test_after_the_pause_a_trade_risks_half_as_much_at_each_step_until_it_is_made_good():
    """It buys at 100.00 with a stop at 98."""
    wanted = entry(quantity=Decimal(60), price=Decimal(100), stop=Decimal(98))
    cuts = {}
    for equity in (9_001, 9_000, 8_000, 7_600):
        account = portfolio(equity=Decimal(equity), paused_drawdown=Decimal("0.24"))
        verdict = rules.drawdown(wanted, view(portfolio=account), LIMITS)
        cuts[equity] = None if verdict is None else (BTC.quantity(verdict.lots), verdict.reason)
    assert cuts == {
        9_001: None,
        9_000: (Decimal("22.5"), "a trade risks at most 0.5% of equity (1% without the drawdown of 10.0%): 45.00"),
        8_000: (Decimal(10), "a trade risks at most 0.25% of equity (1% without the drawdown of 20.0%): 20.00"),
        7_600: (Decimal("9.5"), "a trade risks at most 0.25% of equity (1% without the drawdown of 24.0%): 19.00"),
    }


@pytest.mark.parametrize(
    ("recovery_size", "equity", "told"),
    [("0.75", 3_000, "0.13% of equity (1%"), ("0.25", 3_000, "0.00006% of equity (1%"), ("1", 9_000, "1% of equity: ")],
)
def test_a_share_that_a_drawdown_leaves_is_rounded_but_never_to_nothing(recovery_size: str, equity: int, told: str):
    limits = replace(LIMITS, recovery_size=Decimal(recovery_size), max_total_drawdown=Decimal(1))
    account = portfolio(equity=Decimal(equity), paused_drawdown=Decimal(1))
    wanted = entry(quantity=Decimal(6000), price=Decimal(100), stop=Decimal(98))
    verdict = rules.drawdown(wanted, view(portfolio=account), limits)
    assert verdict is not None
    assert verdict.reason.startswith(f"a trade risks at most {told}")


def test_in_a_drawdown_a_coin_and_everything_held_have_half_their_share():
    account = portfolio(equity=Decimal(9_000), paused_drawdown=Decimal("0.1"))
    wanted = entry(quantity=Decimal(40), price=Decimal(100))
    coin, everything = [
        rule(wanted, view(portfolio=account), LIMITS) for rule in (rules.max_position, rules.max_exposure)
    ]
    assert coin == rules.Verdict(
        lots=11_250,
        reason="BTC is at most 12.5% of equity (25% without the drawdown of 10.0%): there is room for 1,125.00",
    )
    assert everything is not None
    assert BTC.quantity(everything.lots) == Decimal("33.75")


def test_a_context_holds_one_position_of_a_market_and_another_context_may_hold_its_own():
    own = position(context=ONE.context, symbol=ONE.symbol)
    verdict = rules.one_position(ONE, view(portfolio=portfolio(positions=(own,))), LIMITS)
    assert verdict is not None
    assert "T3" in verdict.reason
    other = position(context="another", symbol=ONE.symbol)
    assert rules.one_position(ONE, view(portfolio=portfolio(positions=(other,))), LIMITS) is None


def test_a_context_does_not_buy_a_market_again_that_it_is_still_buying():
    ours, theirs = buying(Decimal(100), context=ONE.context), buying(Decimal(100), context="another")
    assert rules.one_position(ONE, view(portfolio=portfolio(buying=(ours,))), LIMITS) == rules.Verdict(
        lots=0, reason="btc_momentum is already buying: O7"
    )
    assert rules.one_position(ONE, view(portfolio=portfolio(buying=(theirs,))), LIMITS) is None


@pytest.mark.parametrize(("close", "stops"), [("100", False), ("102", False), ("102.1", True), ("97", True)])
def test_a_book_far_from_the_last_close_is_not_traded(close: str, stops: bool):  # noqa: FBT001 - a table
    verdict = rules.price_sanity(ONE, view(close=Decimal(close)), LIMITS)
    assert (verdict is not None) is stops


@given(st.integers(-14, 12), st.integers(0, 12))
def test_what_a_rule_says_never_has_an_exponent(size: int, coins: int):
    price, quantity = Decimal("1.234567").scaleb(size), Decimal(1).scaleb(coins)
    market = Market(symbol="PEPE/BTC", tick=Decimal(1).scaleb(size - 6), lot=Decimal(1), min_notional=Decimal("1E-7"))
    bid, ask = price * Decimal("0.9999"), price * Decimal("1.0001")
    seen = view(bid=bid, ask=ask, depth=quantity / 7, close=price, market=market)
    asked = entry(quantity=quantity, price=ask, stop=ask)
    verdicts = [rule(asked, seen, LIMITS) for rule in rules.ENTRY_RULES]
    said = " ".join(verdict.reason for verdict in verdicts if verdict is not None)
    assert said
    assert not re.search(r"\dE[+-]?\d", said, re.IGNORECASE), said


def test_without_figures_of_late_nothing_is_entered():
    """They are good for two candles of an hour."""
    missing = rules.risk_figures(ONE, replace(view(), stats=None), LIMITS)
    assert missing == rules.Verdict(
        lots=0, reason="the risk figures of BTC/USDT are missing: its candles are not known, or not good"
    )
    seen = view()
    assert rules.risk_figures(ONE, replace(seen, now=START + timedelta(hours=2)), LIMITS) is None
    old = rules.risk_figures(ONE, replace(seen, now=START + timedelta(hours=2, minutes=30)), LIMITS)
    assert old == rules.Verdict(
        lots=0, reason="the risk figures of BTC/USDT are 2.5 hours old; 2 hours are allowed, two 1h candles"
    )
    short = replace(seen, stats=risk_stats(timeframe=Timeframe.M5), now=START + timedelta(minutes=11))
    late = rules.risk_figures(ONE, short, LIMITS)
    assert late is not None
    assert "11 minutes old; 10 minutes are allowed, two 5m candles" in late.reason


def test_a_price_that_fell_to_the_stop_is_not_bought():
    assert rules.price_sanity(entry(stop=Decimal("99.98")), view(), LIMITS) is not None
    assert rules.price_sanity(entry(stop=Decimal("99.97")), view(), LIMITS) is None
    assert rules.price_sanity(entry(stop=None), view(), LIMITS) is None


def test_a_spread_hardly_above_its_limit_is_told_as_exactly_as_it_takes():
    verdict = rules.spread(ONE, view(bid=Decimal("99.7499"), ask=Decimal("100.2501")), LIMITS)
    assert verdict is not None
    assert verdict.reason == "the spread is 0.5002%; 0.5000% is allowed"


def test_a_wide_spread_is_not_traded():
    assert rules.spread(ONE, view(bid=Decimal("99.75"), ask=Decimal("100.25")), LIMITS) is None
    verdict = rules.spread(ONE, view(bid=Decimal("99.74"), ask=Decimal("100.26")), LIMITS)
    assert verdict is not None
    assert verdict.lots == 0


def test_only_as_much_is_bought_as_the_book_takes():
    verdict = rules.slippage(entry(quantity=Decimal(500)), view(depth=Decimal(20)), LIMITS)
    assert verdict is not None
    assert BTC.quantity(verdict.lots) == Decimal(20)
    assert rules.slippage(entry(quantity=Decimal(20)), view(depth=Decimal(20)), LIMITS) is None


def test_one_position_has_its_share_of_equity():
    fits = entry(quantity=Decimal(25), price=Decimal(100))
    assert rules.max_position(fits, view(), LIMITS) is None
    verdict = rules.max_position(entry(quantity=Decimal(26), price=Decimal(100)), view(), LIMITS)
    assert verdict is not None
    assert BTC.quantity(verdict.lots) == Decimal(25)
    assert verdict.reason == "BTC is at most 25% of equity: there is room for 2,500.00"


def test_a_coin_counts_over_all_contexts_and_quotes_and_as_long_as_it_is_being_bought():
    held = (
        position(id="T3", context="trend", quantity=Decimal(8), entry_price=Decimal(100)),
        position(id="T4", context="external", symbol="BTC/EUR", quantity=Decimal(3), entry_price=Decimal(100)),
        position(id="T5", context="trend", symbol="ETH/USDT", quantity=Decimal(50), entry_price=Decimal(100)),
    )
    account = portfolio(positions=held, buying=(buying(Decimal(500)), buying(Decimal(900), symbol="WBTC/USDT")))
    verdict = rules.max_position(entry(quantity=Decimal(25), price=Decimal(100)), view(portfolio=account), LIMITS)
    assert verdict == rules.Verdict(
        lots=9_000,
        reason="BTC is at most 25% of equity: there is room for 900.00, for T3 (trend) holds 800.00, "
        "T4 (external) holds 300.00, O7 (momentum) is buying 500.00",
    )


def test_a_coin_of_which_more_is_held_than_allowed_has_no_room_and_not_less_than_none():
    held = position(context="trend", quantity=Decimal(30), entry_price=Decimal(100))
    verdict = rules.max_position(ONE, view(portfolio=portfolio(positions=(held,))), LIMITS)
    assert verdict is not None
    assert (verdict.lots, "no room left, for" in verdict.reason) == (0, True)


def test_everything_held_has_its_share_and_what_is_on_order_counts():
    held = position(quantity=Decimal(60), entry_price=Decimal(100), symbol="ETH/USDT")
    account = portfolio(positions=(held,), buying=(buying(Decimal(500)),))
    verdict = rules.max_exposure(entry(quantity=Decimal(20), price=Decimal(100)), view(portfolio=account), LIMITS)
    assert verdict is not None
    assert BTC.quantity(verdict.lots) == Decimal(10)


def test_with_nothing_left_nothing_is_allowed_and_never_less_than_nothing():
    held = position(quantity=Decimal(90), entry_price=Decimal(100), symbol="ETH/USDT")
    verdict = rules.max_exposure(ONE, view(portfolio=portfolio(positions=(held,))), LIMITS)
    assert verdict is not None
    assert verdict.lots == 0
    reason = "exposure is at most 75% of equity: there is no room left, for 9,000.00 is held or being bought"
    assert verdict.reason == reason


def test_reasons_tell_amounts_as_the_quote_does():
    """Seen: room for 0.02, for 0.30 is held, of an account in bitcoin."""
    market = Market(symbol="ETH/BTC", lot=Decimal("0.0001"), tick=Decimal("0.000001"))
    held = position(quantity=Decimal(6), entry_price=Decimal("0.05"), symbol="LTC/BTC")
    account = portfolio(
        equity=Decimal("0.4123"), peak=Decimal("0.4123"), positions=(held,), total_from=Decimal("0.6"), quote="BTC"
    )
    asked = entry(symbol="ETH/BTC", quantity=Decimal(1), price=Decimal("0.05"))
    verdict = rules.max_exposure(asked, view(portfolio=account, market=market), LIMITS)
    assert verdict is not None
    assert "room for 0.00922500, for 0.30000000 is held" in verdict.reason
    assert "from 0.60000000, its highest" in LIMITS.total_words(account)
    dust = rules.min_notional(replace(asked, quantity=Decimal("0.001")), view(market=market), LIMITS)
    assert dust is not None
    assert dust.reason == "an order of 0.00005000 BTC is below the venue's minimum of 0.0001"


def test_cash_must_pay_for_it_with_room_for_slippage_and_fees():
    account = portfolio(free_cash=Decimal(101))
    assert rules.cash(entry(quantity=Decimal(1), price=Decimal(100)), view(portfolio=account), LIMITS) is None
    verdict = rules.cash(entry(quantity=Decimal("1.01"), price=Decimal(100)), view(portfolio=account), LIMITS)
    assert verdict is not None
    assert BTC.quantity(verdict.lots) == Decimal(1)


def test_cash_of_another_venue_pays_for_nothing():
    account = portfolio(free_cash=Decimal(10_000), free_at={"paper": Decimal(101), "other": Decimal(9_899)})
    asked = entry(quantity=Decimal(20), price=Decimal(100))
    assert rules.cash(replace(asked, venue="other"), view(portfolio=account), LIMITS) is None
    verdict = rules.cash(asked, view(portfolio=account), LIMITS)
    assert verdict is not None
    assert BTC.quantity(verdict.lots) == Decimal(1)
    assert verdict.reason.startswith("cash is limited to what is free at paper, less room")
    nowhere = rules.cash(replace(asked, venue="third"), view(portfolio=account), LIMITS)
    assert nowhere is not None
    assert nowhere.lots == 0


@pytest.mark.parametrize(("quantity", "stops"), [("0.1", False), ("0.099", True), ("0", True)])
def test_dust_is_not_sent(quantity: str, stops: bool):  # noqa: FBT001 - a table
    dust = plan(quantity=Decimal(quantity), price=Decimal(100))
    assert (rules.min_notional(dust, view(), LIMITS) is not None) is stops


@given(LEVELS, st.integers(0, 100))
def test_the_mean_price_of_what_fits_is_within_the_slippage(steps: list[tuple[int, int]], basis_points: int):
    allowed, price, levels = Decimal(basis_points) / 10_000, Decimal(100), []
    for ticks, quantity in steps:
        price += Decimal(ticks) / 100
        levels.append(Level(price=price, quantity=Decimal(quantity) / 1000))
    fits = depth_within(tuple(levels), allowed)
    best, taken, paid = levels[0].price, Decimal(0), Decimal(0)
    for level in levels:
        part = min(level.quantity, fits - taken)
        taken, paid = taken + part, paid + part * level.price
    assert taken == fits > 0
    assert paid / taken - best <= allowed * best + Decimal("1e-20")


def test_the_page_on_risk_has_every_rule_in_its_order_and_every_limit():
    page = (Path(__file__).parents[4] / "docs" / "risk.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|", page.partition("\n## ")[0], re.MULTILINE)
    assert rows == [rule.__name__ for rule in rules.ENTRY_RULES]
    elsewhere = {"risk_per_trade", "drawdown_pause", "hours_zone", "own"}
    assert [name for name in RiskLimits.__slots__ if f"`{name}`" not in page and name not in elsewhere] == []


def test_what_the_bot_uses_stays_within_the_stage_whoever_else_holds_something():
    """Of 500, 123 are held and 77 being bought: 300 are left, less 1 % for slippage and fees, at 100.02 each."""
    own = position(quantity=Decimal("1.23"), entry_price=Decimal(100))
    theirs = position(id="T9", context="external", quantity=Decimal(50), entry_price=Decimal(100))
    account = portfolio(positions=(own, theirs), buying=(buying(Decimal(77)),), capital=Decimal(500))
    verdict = rules.capital(entry(quantity=Decimal(10)), view(portfolio=account), RiskLimits())
    assert verdict is not None
    assert BTC.quantity(verdict.lots) == BTC.quantity(BTC.lots(Decimal(300) / Decimal("1.01") / Decimal("100.02")))
    assert verdict.reason == (
        "the stage of capital is 500.00 USDT, less room for slippage and fees: there is room for 297.03, "
        "for 200.00 is held or being bought"
    )
    assert rules.capital(entry(quantity=Decimal(2)), view(portfolio=account), RiskLimits()) is None
    assert rules.capital(entry(quantity=Decimal(10)), view(), RiskLimits()) is None
