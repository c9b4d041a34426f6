"""How much: from equity at risk and the distance of the stop to whole lots."""

from __future__ import annotations

from decimal import Decimal

import pytest

from engine.domain.orders import Side
from engine.domain.positions import Portfolio
from engine.risk import sizing
from tests.fakes.engine import signals
from tests.fakes.feed import BTC
from tests.fakes.reports import decision

RICH = Portfolio(free_cash=Decimal(10_000), equity=Decimal(10_000), peak=Decimal(10_000))


def plan_of(**distances: float | None):
    return sizing.plan(
        decision(symbol="BTC/USDT"),
        signals(**distances),
        venue="paper",
        market=BTC,
        price=Decimal("100.02"),
        portfolio=RICH,
        risk_per_trade=Decimal("0.01"),
    )


def test_a_plan_has_its_stop_and_target_on_the_tick():
    wanted = plan_of(stop=2.004, target=3.007)
    assert wanted is not None
    assert (wanted.stop, wanted.target) == (Decimal("98.02"), Decimal("103.03"))
    assert (wanted.side, wanted.price, wanted.reduce_only) == (Side.BUY, Decimal("100.02"), False)
    assert wanted.quantity == Decimal("49.900")
    assert (wanted.key, wanted.context) == (decision().key, decision().context)


def test_a_plan_may_do_without_a_target():
    wanted = plan_of(target=None)
    assert wanted is not None
    assert wanted.target is None


@pytest.mark.parametrize("stop", [None, 0.0, -1.0, 100.02, 200.0])
def test_without_room_for_a_stop_there_is_no_plan(stop: float | None):
    assert plan_of(stop=stop) is None
