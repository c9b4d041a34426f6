"""What trades come to together, beside what holding would have."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from engine.analysis.performance import tally
from handlers.cards import trades
from handlers.cards.monospace import WIDTH
from tests.fakes import reports

LATER = reports.ANSWERED + timedelta(hours=3)
WON = reports.closed_position(id="T1", opened_at=reports.NOON - timedelta(days=1))
LOST = reports.closed_position(id="T2", realised=Decimal("-3.085"))
OPEN = reports.position_view()


def test_the_last_trades_have_a_total_that_is_the_sum_of_their_lines():
    """Seen: a list of trades, and nothing of what they came to."""
    card = trades.trades((OPEN.position, LOST, WON), (OPEN,), LATER, Decimal("0.0201"))
    net, cost = WON.net + LOST.net + OPEN.net, 3 * Decimal("123.40")
    assert card.fields == (
        ("Total", f"{net:+,.2f} USDT ({net / cost:+.2%})"),
        ("Since", "2026-01-02 12:00 UTC"),
        ("Buy and hold of the markets", "+2.01%"),
        ("Won", "1 of 2 (50.00%)"),
    )
    assert card.text.startswith("Per cent is of what the trades cost.")


def test_closed_trades_come_to_what_performance_counts():
    counted = tally([WON, LOST])
    card = trades.trades((LOST, WON), (), LATER)
    assert dict(card.fields)["Total"] == f"{counted.net:+.2f} USDT ({counted.share:+.2%})"


def test_positions_have_a_total_at_the_prices_of_now():
    other = replace(OPEN, position=reports.position(id="T4", opened_at=reports.NOON), net=Decimal("-2.50"))
    card = trades.positions((OPEN, other), LATER, Decimal("-0.01"))
    assert card.fields == (
        ("Total", "-2.00 USDT (-0.81%)"),
        ("Since", "2026-01-03 12:00 UTC"),
        ("Buy and hold of the markets", "-1.00%"),
    )


def test_what_somebody_else_bought_is_no_result_of_the_bots():
    theirs = replace(OPEN, position=reports.position(id="T4", context="external"))
    card = trades.positions((OPEN, theirs), LATER)
    assert ("Total", "+0.50 USDT (+0.41%)") in card.fields
    assert ("External trades", "1, +0.50 USDT (+0.41%)") in card.fields
    assert "Total" not in dict(trades.positions((theirs,), LATER).fields)


def test_an_open_trade_whose_price_is_not_known_is_not_counted():
    card = trades.trades((OPEN.position, WON), (), LATER)
    assert dict(card.fields)["Total"] == dict(trades.trades((WON,), (), LATER).fields)["Total"]


def test_large_totals_fit_a_phone():
    large = reports.closed_position(realised=Decimal("-1234567.89"), cost=Decimal(9_876_543))
    card = trades.trades((large,), (), LATER, Decimal("-0.4567"))
    assert [line for line in (f"{name}: {value}" for name, value in card.fields) if len(line) > WIDTH] == []
