"""Venues, open orders and one order, as people read them on a phone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.confirmations import CancelWish, Confirmation, Consent
from engine.domain.messages import Card
from engine.domain.orders import OrderStatus, OrderType, Purpose, Side
from engine.domain.venue_views import VenueOrders
from handlers.cards import confirmations, orders, venues
from handlers.cards.lines import flowing, for_phone
from handlers.cards.monospace import WIDTH
from tests.fakes import reports

VIEWS = reports.venue_views()
WISH = CancelWish(
    order_id="O5",
    person="Ben",
    venue="kraken",
    at="kraken",
    symbol="BTC/USDT",
    side=Side.BUY,
    is_entry=True,
    filled=Decimal("0.005"),
    rest=Decimal("0.00117"),
    position_id="T3",
    has_stop=True,
    expires_at=reports.NOON + timedelta(minutes=2),
)
ASKED = Confirmation(id="Q4", subject=WISH, asked_at=reports.NOON)
OF_AN_EXIT = replace(ASKED, subject=replace(WISH, is_entry=False, side=Side.SELL))


OF_AN_OCO = """\
stop and target 19,000 / 22,000
0.001 filled
protects T3 (btc_momentum)
the venue does not list it: it is asked"""


def texts(card: Card) -> list[tuple[str, str]]:
    return [(flowing(item.title), flowing(item.text)) for item in card.items]


def test_open_orders_are_told_by_venue_with_what_each_is_for_and_whose_the_others_are():
    oco = reports.order(id="O6", purpose=Purpose.PROTECTION, status=OrderStatus.OPEN, filled=Decimal("0.001"))
    oco = replace(
        oco,
        request=replace(
            oco.request,
            side=Side.SELL,
            type=OrderType.OCO,
            trigger_price=Decimal(19_000),
            limit_price=Decimal(22_000),
        ),
    )
    found = VenueOrders(venue="paper", own=(oco,), others=(reports.order_state(),), missing=frozenset({"O6"}))
    card = orders.open_orders([found])
    assert flowing(card.title) == "2 open orders"
    assert texts(card) == [
        (
            "O6 sell 0.00617 BTC/USDT",
            OF_AN_OCO,
        ),
        ("sell 0.5 BTC/USDT", "limit 99,000\nsomebody else's"),
    ]
    assert flowing(card.text) == "/order ID tells more, /cancel ID cancels one."


def test_without_orders_it_says_so():
    assert orders.open_orders([VenueOrders(venue="paper", own=())]).title == "No open orders"


def test_a_venue_that_does_not_answer_is_named_before_what_the_books_have():
    title, text = texts(orders.open_orders([view.orders for view in VIEWS]))[3]
    assert title == "kraken does not answer"
    assert text == "It did not answer within 5 s\nWhat follows is of the books."


def test_one_order_has_its_state_its_fills_and_its_ids():
    card = orders.order(reports.order_view())
    assert dict(card.fields)["What for"].startswith("buys for T3")
    assert dict(card.fields)["Stop"] == "19,000"
    assert texts(card)[0] == ("F1 0.00617 @ 20,001.23", "2026-01-03 12:00 UTC\nfee 0.12 USDT")
    assert texts(card)[-1] == ("Id there", "12345678901234567890")


def test_a_venue_tells_whether_it_answers_its_clock_limits_orders_key_and_why_it_does_not_trade():
    (_, paper), (title, real) = texts(venues.card(VIEWS))
    assert paper.splitlines()[:2] == ["reachable", "its clock agrees with ours"]
    assert title == "kraken: test net"
    for said in (
        "Not reached: ",
        "its clock is 3 s behind",
        "120 used this minute",
        "key ends in wXyZ",
        "No entries: ",
    ):
        assert said in real


def test_what_a_cancel_leaves_is_said_before_and_after():
    card = confirmations.card(ASKED)
    assert flowing(card.title) == "Cancel O5? buy 0.00117 BTC/USDT at kraken (Q4)"
    assert [(name, flowing(value)) for name, value in card.fields] == [
        ("Bought so far", "0.005, in T3"),
        ("Not bought", "0.00117"),
        ("Its stop", "stays, for what is held"),
    ]
    assert [(each.label, each.data) for each in card.buttons] == [("Cancel O5", "yes:Q4"), ("Leave it", "no:Q4")]
    done = confirmations.answer(ASKED.answered(Consent.YES, "Ben", reports.NOON))
    assert flowing(done.text) == "It is being cancelled. /order O5 shows how far that is."
    assert done.buttons == ()


def test_a_cancelled_exit_says_that_what_is_left_is_protected_again():
    told = dict(confirmations.card(OF_AN_EXIT).fields)
    assert told["Then"] == "its stop and target are placed anew for it"
    bare = replace(OF_AN_EXIT, subject=replace(WISH, is_entry=False, has_stop=False))
    assert dict(confirmations.card(bare).fields)["Then"] == "it has no stop"


@pytest.mark.parametrize(
    "card",
    [
        venues.card(VIEWS),
        orders.open_orders([view.orders for view in VIEWS]),
        orders.order(reports.order_view()),
        confirmations.card(ASKED),
        confirmations.card(OF_AN_EXIT),
    ],
)
def test_every_item_fits_a_phone(card: Card):
    shown = for_phone(card)
    lines = [line for item in shown.items for line in (*item.title.splitlines(), *item.text.splitlines())]
    assert [line for line in (*shown.title.splitlines(), *lines) if len(line) > WIDTH] == []
