"""Plans, positions, the account, halts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.halts import Halt, HaltKind
from engine.domain.orders import OrderStatus, client_id
from engine.domain.positions import Portfolio
from tests.fakes.feed import BTC
from tests.fakes.reports import NOON, plan, position
from tests.fakes.risk import buying, portfolio


def test_a_client_id_follows_from_what_the_order_is_for_and_fits_every_venue():
    first = client_id("momentum|BTC/USDT|enter")
    assert first == client_id("momentum|BTC/USDT|enter")
    assert first != client_id("momentum|BTC/USDT|exit")
    assert client_id("a", "b") != client_id("ab")
    assert len(first) == 32
    assert first.isalnum()


def test_a_plan_knows_its_value_and_what_it_risks():
    wanted = plan(quantity=Decimal(2), price=Decimal(100), stop=Decimal(95))
    assert (wanted.notional, wanted.risk) == (Decimal(200), Decimal(10))
    assert plan(quantity=Decimal(2), price=Decimal(100), stop=None).risk == Decimal(200)


@pytest.mark.parametrize(("whole", "half"), [("2", "1"), ("0.003", "0.001"), ("0.001", "0")])
def test_half_is_rounded_down_to_whole_lots(whole: str, half: str):
    assert plan(quantity=Decimal(whole)).halved(BTC).quantity == Decimal(half)


def test_only_three_states_of_an_order_are_final():
    assert [status.value for status in OrderStatus if status.final] == ["filled", "cancelled", "rejected"]


def test_a_position_tells_profit_before_and_after_fees():
    held = position(quantity=Decimal(2), entry_price=Decimal(100), fees=Decimal(1), realised=Decimal(5))
    assert held.unrealised(Decimal(103)) == Decimal(6)
    assert held.net == Decimal(4)
    assert held.is_open


def test_the_account_is_valued_at_the_last_known_prices():
    held = position(quantity=Decimal(2), entry_price=Decimal(100))
    known = Portfolio(
        cash=Decimal(0),
        equity=Decimal(80),
        peak=Decimal(100),
        positions=(held,),
        marks={held.market: Decimal(90)},
        buying=(buying(Decimal(3)), buying(Decimal(4), market="ETH/USDT")),
    )
    assert known.drawdown == Decimal("0.2")
    assert known.mark(held) == Decimal(90)
    assert (known.reserved, known.exposure) == (Decimal(7), Decimal(187))


def test_the_total_limit_counts_from_the_peak_until_an_admin_let_entries_go_on():
    fallen = portfolio(equity=Decimal(6_000))
    assert (fallen.drawdown, fallen.total_fall) == (Decimal("0.4"), Decimal("0.4"))
    let_go_on = replace(fallen, total_from=Decimal(8_000))
    assert (let_go_on.drawdown, let_go_on.total_fall) == (Decimal("0.4"), Decimal("0.25"))


def test_an_equity_above_its_peak_is_no_drawdown():
    assert portfolio(equity=Decimal(10_001)).drawdown == 0


def test_an_account_without_prices_or_money_is_no_error():
    held = position(quantity=Decimal(2), entry_price=Decimal(100))
    empty = Portfolio(cash=Decimal(0), equity=Decimal(0), peak=Decimal(0), positions=(held,))
    assert empty.drawdown == 0
    assert empty.exposure == Decimal(200)


@pytest.mark.parametrize(
    ("market", "minutes", "stops"),
    [("BTC/USDT", 0, True), ("BTC/USDT", 59, True), ("BTC/USDT", 60, False), ("ETH/USDT", 0, False)],
)
def test_a_halt_concerns_its_market_until_its_time_is_over(market: str, minutes: int, stops: bool):  # noqa: FBT001 - a table
    halt = Halt(kind=HaltKind.DATA, reason="gap", since=NOON, until=NOON + timedelta(hours=1), market="BTC/USDT")
    assert halt.stops(market, NOON + timedelta(minutes=minutes)) is stops


def test_a_halt_without_market_or_end_stops_everything_for_ever():
    halt = Halt(kind=HaltKind.PAUSE, reason="paused", since=NOON)
    assert halt.stops("ETH/USDT", NOON + timedelta(days=365))
