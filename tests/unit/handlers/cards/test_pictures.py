"""What ``/chart`` answers: the figures of the reports, and the same in the picture."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.charts import EquityChart, Meaning, TradeChart
from engine.domain.messages import Card
from engine.domain.payments import Payment
from engine.store import codec
from handlers.cards import pictures
from handlers.cards.lines import for_phone
from tests.fakes import reports
from tests.fakes.examples import examples

UTC = ZoneInfo("UTC")


def chart_of(card: Card) -> EquityChart:
    assert isinstance(card.picture, EquityChart)
    return card.picture


def trade_of(card: Card) -> TradeChart:
    assert isinstance(card.picture, TradeChart)
    return card.picture


def test_a_curve_tells_what_it_comes_to_and_what_holding_would_have():
    card = for_phone(pictures.equity(reports.equity_curve(), 7, UTC))
    assert card.title == "Equity in USDT, 7 days:\n+50.50 USDT (+0.50%)"
    assert dict(card.fields) == {
        "Equity": "10,050.50 USDT",
        "Since": "2026-01-03 09:00 UTC",
        "Buy and hold of the markets": "-2.00%",
        "Drawdown": "0.00%",
        "Largest drawdown in 7 days": "1.00%",
    }
    chart = chart_of(card)
    assert chart.title == "Equity in USDT, 2026-01-03 to 2026-01-03"
    assert (chart.start, chart.equity, chart.drawdown) == (10_000, (10_000, 9_900, 10_050.5), (0, 0.01, 0))
    assert [round(value or 0, 2) for value in chart.hold] == [10_000, 10_102.04, 10_204.08]
    assert "lowest 9,900.00, highest 10,050.50, largest drawdown 1.00%" in chart.alt


def test_money_that_was_paid_in_is_told_and_the_same_money_is_held_from_its_own_time_on():
    first, second, third = reports.equity_curve().points
    points = (
        first,
        replace(second, equity=Decimal(14_900), payments=1),
        replace(third, equity=Decimal(15_050), payments=1),
    )
    payment = Payment(at=second.at, amount=Decimal(5000), benchmark=first.benchmark)
    curve = reports.equity_curve(points=points, payments=(payment,), paid_in=Decimal(5000))
    card = for_phone(pictures.equity(curve, 7, UTC))
    assert ("Paid in", "5,000.00 USDT") in card.fields
    assert not [name for name, _ in card.fields if name == "Paid out"]
    chart = chart_of(card)
    assert chart.put_in == (10_000, 15_000, 15_000)
    assert [round(value or 0, 2) for value in chart.hold] == [10_000, 15_153.06, 15_306.12]
    assert "to 15,050.00, +5,000.00 USDT of it paid in or out, lowest" in chart.alt


def test_what_was_not_recorded_at_first_is_held_from_where_it_was():
    curve = reports.equity_curve()
    late = (replace(curve.points[0], benchmark=None), *curve.points[1:])
    assert chart_of(for_phone(pictures.equity(replace(curve, points=late), 7, UTC))).hold[0:2] == (None, 10_000)
    none = tuple(replace(point, benchmark=None) for point in curve.points)
    assert chart_of(for_phone(pictures.equity(replace(curve, points=none), 7, UTC))).hold == ()


def test_an_open_trade_has_its_levels_and_the_price_of_now():
    card = for_phone(pictures.trade(reports.trade_candles(reports.position(), price=Decimal("20400.5")), UTC))
    assert card.title == "T3: BTC/USDT open, +2.35 USDT (+1.91%)"
    told = dict(card.fields)
    assert (told["Strategy"], told["Trigger"]) == ("momentum (btc_momentum) on 1h", "the MACD rose above its signal")
    assert told["Decided by"] == "the bot alone, 1 of 2 agree"
    marks = trade_of(card).marks
    assert [mark.label for mark in marks] == [
        "Target 21,000.00",
        "Stop 19,500.00",
        "Entry 20,000.00",
        "Now 20,400.50",
    ]
    assert [mark.meaning for mark in marks] == [Meaning.TARGET, Meaning.STOP, Meaning.ENTRY, Meaning.NOW]
    assert (marks[0].begin, marks[0].end) == (reports.ANSWERED, reports.NOON + timedelta(hours=4))
    assert "Entry 20,000.00" in trade_of(card).alt


def test_a_closed_trade_ends_where_it_was_sold():
    held = reports.closed_position()
    card = for_phone(pictures.trade(reports.trade_candles(held), UTC))
    assert card.title.startswith("T3: BTC/USDT closed,\n+5.92 USDT")
    assert dict(card.fields)["Closed by"] == "its target"
    last = trade_of(card).marks[-1]
    assert (last.meaning, last.label, last.begin) == (Meaning.EXIT, "Exit 21,000.00", held.closed_at)
    assert trade_of(card).marks[0].end == held.closed_at


def test_of_a_trade_of_somebody_elses_that_is_said():
    found = reports.trade_candles(reports.position(context="external"))
    card = for_phone(pictures.trade(replace(found, trade=replace(found.trade, decision=None)), UTC))
    assert dict(card.fields)["Decided by"] == "somebody else, outside the bot"


def test_sales_that_can_be_told_apart_are_shown_one_by_one():
    sales = tuple(reports.filled_order(id=f"O{n}", average=Decimal(20_000 + n)) for n in range(6, 9))
    view = reports.trade_view(reports.closed_position(), sales=sales)
    found = replace(reports.trade_candles(reports.closed_position()), trade=view)
    sold = [
        mark.label for mark in trade_of(for_phone(pictures.trade(found, UTC))).marks if mark.meaning is Meaning.EXIT
    ]
    assert sold == ["Sold 20,006.00", "Sold 20,007.00", "Sold 20,008.00"]


def test_coins_of_any_price_are_told_with_their_digits():
    cheap = reports.position(entry_price=Decimal("0.00000083"), stop=Decimal("0.00000081"), target=None)
    marks = trade_of(for_phone(pictures.trade(reports.trade_candles(cheap), UTC))).marks
    assert [mark.label for mark in marks] == ["Stop 0.00000081", "Entry 0.00000083"]


@examples(30)
@given(st.text(max_size=20))
def test_a_card_with_a_picture_comes_back_from_the_store_as_it_was(text: str):
    for made in (
        for_phone(pictures.equity(reports.equity_curve(), 7, UTC)),
        for_phone(pictures.trade(reports.trade_candles(reports.position()), UTC)),
    ):
        assert made.picture is not None
        card = replace(made, picture=replace(made.picture, title=text))
        assert codec.load(Card, codec.dump(card)) == card
        assert len(codec.dump(card)) < 3000


@pytest.mark.parametrize(
    ("zone", "days"),
    [("Asia/Kolkata", "2026-01-03 to 2026-01-04"), ("Europe/Berlin", "2026-01-03 to 2026-01-03")],
)
def test_a_picture_has_the_dates_of_the_zone_that_days_end_in(zone: str, days: str):
    """Seen: UTC in pictures, beside fields in the reader's own zone."""
    late = tuple(replace(point, at=point.at + timedelta(hours=9)) for point in reports.equity_curve().points)
    chart = chart_of(for_phone(pictures.equity(reports.equity_curve(points=late), 7, ZoneInfo(zone))))
    assert (chart.zone, chart.title) == (zone, f"Equity in USDT, {days}")
    assert chart.alt.startswith(chart.title)
    assert trade_of(for_phone(pictures.trade(reports.trade_candles(reports.position()), ZoneInfo(zone)))).zone == zone
