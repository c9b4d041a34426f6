"""Which books are believed at once, which after a second look, and which by what was traded."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.domain.market import Book, Level
from engine.exchanges.ccxt.plausible import BookLimits, Doubts
from tests.fakes.feed import BTC, START, Row, hand_candles

LIMITS = BookLimits(max_spread=Decimal("0.005"), max_price_gap=Decimal("0.02"))
CALM: tuple[Row, ...] = ((100, 101, 99, 100, 5), (100, 100.5, 99.5, 100, 5))


def book(bid: str, ask: str) -> Book:
    sides = ((Level(price=Decimal(price), quantity=Decimal(1)),) for price in (bid, ask))
    return Book(market=BTC.symbol, at=START, bids=next(sides), asks=next(sides))


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
    assert not doubts.is_plausible(book("80", "80.2")), "it has fallen on: that is a third price"
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
