"""Which books are believed at once, which after a second look, and which by what was traded."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.live.plausible import BookLimits, Doubts
from engine.domain.market import Book, Level
from tests.fakes.feed import BTC, START, Row, hand_candles

LIMITS = BookLimits(max_spread=Decimal("0.005"), max_price_gap=Decimal("0.02"))
CALM: tuple[Row, ...] = ((100, 101, 99, 100, 5), (100, 100.5, 99.5, 100, 5))


def book(bid: str, ask: str) -> Book:
    sides = ((Level(price=Decimal(price), quantity=Decimal(1)),) for price in (bid, ask))
    return Book(symbol=BTC.symbol, at=START, bids=next(sides), asks=next(sides))


USUAL = book("99.9", "100.1")


@pytest.mark.parametrize(
    ("bid", "ask", "near"),
    [
        ("99.9", "100.1", True),
        ("101.8", "102", True),
        ("98.1", "98.3", True),
        ("102.1", "102.3", False),
        ("89.9", "90.1", False),
        ("89.91", "100.1", False),
        ("99.9", "110.11", False),
        ("97", "100.1", False),
        ("99.6", "100.2", True),
    ],
)
def test_a_book_is_believed_near_the_one_before(bid: str, ask: str, *, near: bool) -> None:
    doubts = Doubts(limits=LIMITS)
    assert not doubts.is_plausible(USUAL), "nothing is known yet"
    doubts.believe(USUAL)
    assert doubts.is_plausible(book(bid, ask)) is near


def test_what_is_seen_twice_is_believed_and_what_is_corrected_is_forgotten() -> None:
    doubts = Doubts(limits=LIMITS)
    doubts.believe(USUAL)
    doubts.doubt(book("89.9", "90.1"))
    assert doubts.is_plausible(book("90.4", "90.6"))
    assert doubts.is_plausible(USUAL)
    assert doubts.is_plausible(book("80", "80.2")), "it falls on"
    assert doubts.is_plausible(book("95", "95.2")), "it comes back, but not to where it was"
    assert not doubts.is_plausible(book("110", "110.2"))
    assert not doubts.is_plausible(book("93", "106")), "nothing but wide"
    doubts.believe(USUAL)
    assert not doubts.is_plausible(book("90.4", "90.6"))


def test_a_market_that_is_always_wide_is_not_doubted_at_every_look() -> None:
    doubts = Doubts(limits=LIMITS)
    doubts.believe(book("99", "101"))
    assert doubts.is_plausible(book("98.9", "101.1"))
    assert not doubts.is_plausible(book("98", "102"))


@pytest.mark.parametrize(
    ("bid", "ask", "rows", "within"),
    [
        ("99.9", "100.1", CALM, True),
        ("89.9", "90.1", CALM, False),
        ("89.9", "90.1", (CALM[0], (100, 100, 89.5, 90, 50)), True),
        ("89.91", "100.1", CALM, False),
        ("96", "104", CALM, False),
        ("99.9", "100.1", ((100, float("nan"), 99, 100, 5),), False),
    ],
    ids=["where it trades", "where nobody traded", "a fall that was traded", "bids low", "wide", "no candle"],
)
def test_a_book_is_believed_where_the_market_has_just_traded(
    bid: str, ask: str, rows: tuple[Row, ...], *, within: bool
) -> None:
    assert LIMITS.is_within(book(bid, ask), hand_candles(rows)) is within


mids = st.lists(st.integers(1, 10_000), min_size=2, max_size=2)


@given(st.integers(1, 10_000), mids)
def test_a_fall_or_a_rise_that_two_looks_show_is_always_believed(known: int, then: list[int]) -> None:
    doubts = Doubts(limits=LIMITS)
    doubts.believe(tight(known))
    believed = []
    for mid in then:
        believed.append(doubts.is_plausible(tight(mid)))
        if not believed[-1]:
            doubts.doubt(tight(mid))
    left = [Decimal(mid - known) / known for mid in then]
    if max(left) < -LIMITS.max_price_gap or min(left) > LIMITS.max_price_gap:
        assert believed == [False, True]


def tight(mid: int) -> Book:
    return book(str(mid * Decimal("0.9999")), str(mid * Decimal("1.0001")))
