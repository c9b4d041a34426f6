"""The numeric rules: they never allow more than exact decimals do, and a lot less only where no float can tell."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.domain.judging import RiskView
from engine.domain.market import Level, Market
from engine.domain.plans import TradePlan
from engine.risk import rules, scalars
from engine.risk.limits import RiskLimits
from engine.risk.units import Units, down, ppm_down, up
from tests.fakes import exact
from tests.fakes.examples import examples
from tests.fakes.reports import position
from tests.fakes.risk import buying, entry, portfolio, view

SHARES = st.decimals("0.001", "1", places=9)
MONEY = st.decimals("0.00000001", "100000000", places=8)
AMOUNTS = st.floats(0, 1e18)
PRICES = st.floats(1e-6, 1e9)
PPM = st.one_of(st.integers(0, 1_000_000).map(float), st.floats(0, 1e6))
NUMERIC = ("drawdown", "price_sanity", "spread", "max_position", "max_exposure", "cash", "slippage", "min_notional")
MARKETS = st.builds(
    Market,
    symbol=st.just("BTC/USDT"),
    lot=st.sampled_from([Decimal(1), Decimal("0.001"), Decimal("0.00001"), Decimal("0.25"), Decimal("0.003")]),
    tick=st.sampled_from([Decimal("0.01"), Decimal("0.00001"), Decimal("0.5"), Decimal("0.03")]),
)
LIMITS = st.builds(
    RiskLimits,
    risk_per_trade=SHARES,
    max_position=SHARES,
    max_exposure=SHARES,
    max_drawdown=SHARES,
    recovery_size=SHARES,
    max_total_drawdown=SHARES,
    max_spread=SHARES,
    max_price_gap=SHARES,
    max_slippage=SHARES,
)


@st.composite
def asked(draw: st.DrawFn) -> tuple[TradePlan, RiskView]:
    """A plan and what it is judged by: prices on the tick or off it, one level of the book or several."""
    market, price = draw(MARKETS), draw(st.decimals("10", "70000", places=5))
    book = [price + Decimal(draw(st.integers(0, 400))) * market.tick for _ in range(draw(st.integers(1, 4)))]
    held = draw(st.lists(st.builds(position, quantity=MONEY, entry_price=st.just(price)), max_size=2))
    account = portfolio(
        equity=draw(MONEY),
        free_cash=draw(MONEY),
        peak=draw(MONEY),
        paused_drawdown=draw(st.decimals("0", "1", places=3)),
        total_from=draw(st.one_of(st.none(), MONEY)),
        positions=tuple(held),
        buying=tuple(buying(value) for value in draw(st.lists(MONEY, max_size=2))),
    )
    seen = view(
        portfolio=account,
        bid=price - draw(st.integers(0, 9)) * market.tick,
        ask=price,
        close=price * draw(st.decimals("0.9", "1.1", places=4)),
        market=market,
    )
    asks = tuple(Level(price=each, quantity=draw(MONEY)) for each in sorted([price, *book]))
    wanted = entry(
        quantity=market.quantity(draw(st.integers(0, 10**9))),
        price=price * draw(st.decimals("0.99", "1.01", places=3)),
        stop=draw(st.one_of(st.none(), st.decimals("0.9", "1", places=4).map(lambda share: price * share))),
    )
    return wanted, replace(seen, book=replace(seen.book, asks=asks))


@examples(300)
@given(asked(), LIMITS)
def test_a_rule_allows_no_more_than_exact_decimals_and_at_most_one_lot_less(
    given_: tuple[TradePlan, RiskView], limits: RiskLimits
):
    wanted, seen = given_
    for name in NUMERIC:
        verdict = getattr(rules, name)(wanted, seen, limits)
        lots = seen.market.lots(wanted.quantity) if verdict is None else verdict.lots
        most = exact.quantity(name, wanted, seen, limits)
        assert 0 <= seen.market.quantity(lots) <= max(most, Decimal(0)), name
        assert lots >= seen.market.lots(exact.quantity(name, wanted, *_a_hair_tighter(seen, limits))) - 1, name
        assert verdict is None or (verdict.reason and lots <= seen.market.lots(wanted.quantity)), name


def _a_hair_tighter(seen: RiskView, limits: RiskLimits) -> tuple[RiskView, RiskLimits]:
    """Limits that are reached to 1 part in 10**12 already: where floats and decimals may differ."""
    hair, least = 1 - Decimal("1e-12"), seen.market.min_notional
    shares = ("max_drawdown", "max_total_drawdown", "max_spread", "max_price_gap", "max_slippage")
    tighter = replace(limits, **{share: getattr(limits, share) * hair for share in shares})
    return replace(seen, market=replace(seen.market, min_notional=least / hair)), tighter


@given(AMOUNTS, PPM, AMOUNTS, PRICES)
@example(1e11, 250_000.0, 0.0, 10_000.0)
def test_what_is_bought_fits_into_its_share_and_one_lot_more_would_not(
    equity: float, share: float, taken: float, price: float
):
    lots = scalars.lots_of_share(equity, share, taken, price)
    room = Fraction(equity) * Fraction(share) / 1_000_000 - Fraction(taken)
    assert lots == 0 or lots * Fraction(price) <= room
    slack = Fraction(1, 10**12)  # of what was added up: where hardly anything is left of it, an error weighs more
    assert (lots + 1) * Fraction(price) > room - slack * (abs(room) + Fraction(taken)) or lots == scalars.MOST


@given(AMOUNTS, PPM, PRICES)
def test_a_stop_never_costs_more_than_the_share_and_one_lot_more_would(equity: float, share: float, distance: float):
    lots = scalars.lots_at_risk(equity, share, distance)
    allowed = Fraction(equity) * Fraction(share) / 1_000_000
    assert lots * Fraction(distance) <= allowed
    assert (lots + 1) * Fraction(distance) > allowed * (1 - Fraction(1, 10**12)) or lots == scalars.MOST


@given(st.integers(1, 10**9), st.integers(1, 999_999), st.integers(0, 10**8), st.integers(1, 10**8))
def test_whole_numbers_are_reckoned_exactly(equity: int, share: int, taken: int, price: int):
    room = Fraction(equity * share, 1_000_000) - taken
    lots = scalars.lots_of_share(float(equity), float(share), float(taken), float(price))
    assert lots in {max(0, room // price), max(0, room // price - (room.denominator > 1))}
    if room.denominator == 1:
        assert lots == max(0, room // price)


@example(Decimal("9999999.99999951"), Decimal("1E-8"), Decimal("0.001"))
@given(MONEY, MONEY, SHARES)
def test_a_drawdown_counts_each_step_that_it_has_reached(peak: Decimal, equity: Decimal, step: Decimal):
    drawdown = portfolio(peak=peak, equity=equity).drawdown
    counted = RiskLimits(max_drawdown=step).steps(drawdown)
    assert int(drawdown / step) <= counted <= int(drawdown / step * (1 + Decimal("1e-15")))


@given(st.integers(1, 999_999), st.integers(1, 20))
def test_a_step_that_is_reached_to_the_digit_counts(step: int, many: int):
    assert scalars.steps(float(step * many), float(step)) == many


@given(SHARES, SHARES, st.integers(0, 12))
def test_what_steps_leave_of_a_share_is_never_more_than_exact(share: Decimal, kept: Decimal, steps: int):
    left = scalars.share_left(ppm_down(share), ppm_down(kept), steps)
    exactly = Fraction(share) * Fraction(kept) ** steps * 1_000_000
    assert exactly * (1 - Fraction(1, 10**13)) <= Fraction(left) <= exactly


def test_one_percent_of_ten_thousand_over_a_stop_two_away_is_fifty():
    """A lot is 0.5, a tick 0.01: 10,000 are two million grains, the stop is 200 ticks away."""
    assert scalars.lots_at_risk(2_000_000, 10_000, 200) == 100


@pytest.mark.parametrize("nothing", [0.0, -1.0, float("nan")])
def test_what_is_no_amount_no_price_and_no_distance_buys_nothing(nothing: float):
    assert scalars.lots_at_risk(nothing, 10_000, 200) == 0
    assert scalars.lots_at_risk(2_000_000, 10_000, nothing) == 0
    assert scalars.lots_of_share(nothing, 10_000, 0, 200) == 0
    assert scalars.lots_of_cash(2_000_000, 5_000, nothing) == 0


def test_where_nothing_is_lost_at_the_stop_nothing_is_cut():
    assert scalars.cut_to_risk(7, 1, 1, 0) == 7
    assert scalars.cut_to_risk(7, 600, 1_000_000, 100) == 6


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_stop_and_target_are_the_nearest_ticks(price: float, distance: float):
    stop, target = scalars.stop_ticks(price, distance), scalars.target_ticks(price, distance)
    assert stop == 0 or abs(stop - (price - distance)) <= 0.5
    assert target == 0 or abs(target - (price + distance)) <= 0.5
    assert (stop > 0) is (price - distance > 0.5)
    assert isinstance(stop, int)
    assert isinstance(target, int)


@given(st.decimals("-1e20", "1e20", allow_nan=False, places=12))
def test_a_float_is_the_nearest_on_its_side(value: Decimal):
    low, high = down(value), up(value)
    assert Decimal(low) <= value <= Decimal(high)
    assert low == high or Decimal(low) < value < Decimal(high)


def test_a_market_counts_in_lots_ticks_and_what_a_lot_is_worth_at_one_tick():
    units = Units(market=Market(symbol="BTC/USDT", lot=Decimal("0.001"), tick=Decimal("0.01")))
    assert (units.lots(Decimal("0.05")), units.ticks(Decimal("100.02"))) == (50, 10_002)
    assert units.grains(Decimal(10_000)) == 10**9
