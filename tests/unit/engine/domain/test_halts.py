"""What a halt concerns, and until when."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.domain.halts import Halt, HaltKind
from tests.fakes.reports import NOON


@pytest.mark.parametrize(
    ("market", "minutes", "stops"),
    [("BTC/USDT", 0, True), ("BTC/USDT", 59, True), ("BTC/USDT", 60, False), ("ETH/USDT", 0, False)],
)
def test_a_halt_concerns_its_market_until_its_time_is_over(market: str, minutes: int, stops: bool):  # noqa: FBT001 - a table
    halt = Halt(kind=HaltKind.DATA, reason="gap", since=NOON, until=NOON + timedelta(hours=1), symbol="BTC/USDT")
    assert halt.blocks(market, NOON + timedelta(minutes=minutes)) is stops


def test_a_halt_without_market_or_end_stops_everything_for_ever():
    halt = Halt(kind=HaltKind.PAUSE, reason="paused", since=NOON)
    assert halt.blocks("ETH/USDT", NOON + timedelta(days=365))
