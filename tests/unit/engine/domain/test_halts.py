"""What a halt concerns, and until when."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.domain.halts import Halt, HaltKind
from engine.domain.market import Listing
from tests.fakes.reports import NOON


@pytest.mark.parametrize(
    ("market", "minutes", "stops"),
    [("BTC/USDT", 0, True), ("BTC/USDT", 59, True), ("BTC/USDT", 60, False), ("ETH/USDT", 0, False), ("", 0, False)],
)
def test_a_halt_concerns_its_market_until_its_time_is_over(market: str, minutes: int, stops: bool):  # noqa: FBT001 - a table
    halt = Halt(kind=HaltKind.DATA, reason="gap", since=NOON, until=NOON + timedelta(hours=1), symbol="BTC/USDT")
    listing = Listing("kraken", market) if market else None
    assert halt.blocks(listing, NOON + timedelta(minutes=minutes)) is stops


def test_a_halt_without_market_or_end_stops_everything_for_ever():
    halt = Halt(kind=HaltKind.PAUSE, reason="paused", since=NOON)
    assert halt.blocks(Listing("kraken", "ETH/USDT"), NOON + timedelta(days=365))
    assert halt.blocks(None, NOON)


@pytest.mark.parametrize(("venue", "stops"), [("kraken", True), ("okx", False), ("", False)])
def test_a_halt_of_a_venues_market_leaves_that_of_another_alone(venue: str, stops: bool):  # noqa: FBT001 - a table
    halt = Halt(kind=HaltKind.DATA, reason="gap", since=NOON, symbol="BTC/USDT", venue="kraken")
    assert halt.blocks(Listing(venue, "BTC/USDT"), NOON) is stops
