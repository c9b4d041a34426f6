"""What is asked of no venue in particular is told by the first that has the market."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from engine.data.live.feed import LiveFeed
from engine.data.live.several import FirstOfFeeds
from engine.domain.errors import NoData
from tests.fakes.reports import NOON


def feed(**prices: int) -> LiveFeed:
    made = LiveFeed([f"{base}/USD" for base in prices], fresh_for=timedelta(seconds=5))
    for base, price in prices.items():
        made.list_as(made.markets[f"{base}/USD"])
        made.see(f"{base}/USD", NOON, Decimal(price))
    return made


def test_a_market_of_two_venues_is_told_by_the_first_and_another_by_the_one_that_has_it() -> None:
    both = FirstOfFeeds([feed(BTC=100, ETH=10), feed(BTC=101, SOL=1)])
    assert set(both.markets) == {"BTC/USD", "ETH/USD", "SOL/USD"}
    assert [both.price(f"{base}/USD", NOON) for base in ("BTC", "ETH", "SOL")] == [100, 10, 1]
    assert both.reach("SOL/USD", NOON) == NOON


def test_a_market_of_none_is_refused_by_name() -> None:
    with pytest.raises(NoData, match="ADA/USD is not watched"):
        FirstOfFeeds([feed(BTC=100)]).price("ADA/USD", NOON)
