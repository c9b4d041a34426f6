"""The prices of a simulated book, against exact decimals."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.market import Market
from engine.domain.orders import Side
from engine.simulation import scalars
from engine.simulation.fills import FillModel, levels
from tests.fakes.examples import examples

MODEL = FillModel()
shares = st.integers(1, 20_000)


@examples(200)
@given(price=st.integers(1, 10**10), share=shares, whole=shares)
def test_an_ask_is_rounded_up_and_a_bid_down_exactly(*, price: int, share: int, whole: int) -> None:
    exact = Fraction(price * share, whole)
    assert 0 <= scalars.ask_ticks(price, share, whole) - exact < 1
    assert 0 <= exact - scalars.bid_ticks(price, share, whole) < 1


def test_levels_are_a_tick_apart_at_least() -> None:
    assert (scalars.further_ask(7, 7), scalars.further_ask(9, 7)) == (8, 9)
    assert (scalars.further_bid(7, 7), scalars.further_bid(5, 7)) == (6, 5)


@examples(100)
@given(ticks=st.integers(2, 10**8), halved=st.booleans(), tick=st.sampled_from(["0.01", "0.00000003", "5"]))
def test_the_levels_of_a_book_are_those_of_exact_decimals(*, ticks: int, halved: bool, tick: str) -> None:
    market = Market(symbol="BTC/USDT", tick=Decimal(tick))
    mid = ticks * market.tick / (2 if halved else 1)
    for side, sign, rounding in ((Side.BUY, 1, ROUND_CEILING), (Side.SELL, -1, ROUND_FLOOR)):
        best = Fraction(mid) * (1 + sign * Fraction(MODEL.spread) / 2) / Fraction(market.tick)
        wanted = Decimal(best.numerator) / Decimal(best.denominator)
        found = levels(side, mid, Decimal(10**9), market, MODEL)
        expected = int(wanted.to_integral_value(rounding)) * market.tick
        assert [level.price for level in found][:1] == [expected] or expected <= 0
