"""Columns in ticks and lots, against the decimals of live."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.backtest.whole_units import in_ticks, offered_lots
from engine.domain.errors import DataError
from engine.domain.market import Market
from engine.domain.orders import Side
from engine.simulation import fills
from engine.simulation.fills import FillModel
from tests.fakes.examples import examples

MARKET = Market(symbol="BTC/USDT", tick=Decimal("0.01"), lot=Decimal("0.00001"))


@examples(60)
@given(thousandths=st.lists(st.integers(5, 10**9), min_size=1, max_size=40))
def test_prices_are_rounded_to_ticks_as_live_rounds_them(thousandths: list[int]) -> None:
    """Halfway between two ticks as well, where floats cannot tell."""
    prices = np.array([each / 1000 for each in thousandths])
    ticks = [market / MARKET.tick for market in map(MARKET.price, prices.tolist())] if prices.min() > 0.005 else []
    if ticks:
        assert in_ticks(prices, MARKET).tolist() == [float(each) for each in ticks]


@examples(60)
@given(volumes=st.lists(st.decimals(0, 10**6, places=3), min_size=1, max_size=20))
def test_what_a_level_offers_is_what_live_offers_there(volumes: list[Decimal]) -> None:
    model = FillModel()
    offered = offered_lots(np.array([float(each) for each in volumes]), MARKET, model).tolist()
    for volume, lots in zip(volumes, offered, strict=True):
        levels = fills.levels(Side.BUY, Decimal(100), Decimal(repr(float(volume))), MARKET, model)
        assert lots == (MARKET.lots(levels[0].quantity) if levels else 0)


def test_a_price_below_half_a_tick_is_refused() -> None:
    with pytest.raises(DataError, match="finer tick"):
        in_ticks(np.array([1.0, 0.004]), MARKET)
