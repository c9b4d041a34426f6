"""Positions and the account."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from engine.domain.market import Listing
from engine.domain.positions import Portfolio
from tests.fakes.reports import position
from tests.fakes.risk import buying, portfolio


def test_a_position_tells_profit_before_and_after_fees():
    held = position(quantity=Decimal(2), entry_price=Decimal(100), fees=Decimal(1), realised=Decimal(5))
    assert held.unrealised(Decimal(103)) == Decimal(6)
    assert held.net == Decimal(4)
    assert held.is_open


def test_the_account_is_valued_at_the_last_known_prices():
    held = position(quantity=Decimal(2), entry_price=Decimal(100))
    known = Portfolio(
        free_cash=Decimal(0),
        equity=Decimal(80),
        peak=Decimal(100),
        positions=(held,),
        marks={held.listing: Decimal(90), Listing("other", held.symbol): Decimal(95)},
        buying=(buying(Decimal(3)), buying(Decimal(4), symbol="ETH/USDT")),
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
    empty = Portfolio(free_cash=Decimal(0), equity=Decimal(0), peak=Decimal(0), positions=(held,))
    assert empty.drawdown == 0
    assert empty.exposure == Decimal(200)
