"""The card of a wish to close: what a press would do, to the number, and what came of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.domain.closing import Choice, Closing, ClosingView, Sale, Stage, Unsold, Wanted
from engine.domain.market import Market
from engine.domain.messages import CALLBACK_BYTES
from engine.domain.orders import Order, OrderStatus
from engine.domain.positions import Position
from engine.execution.closing import sale_of
from handlers.cards import closings, phrases
from handlers.cards.lines import for_phone
from tests.fakes.reports import NOON, closed_position, filled_order, position

BTC = Market(symbol="BTC/USDT")
HALF = Decimal("0.5")
HELD = position(id="T3")
PHONE = 38
"""Characters that a phone shows in a line."""


def sale(held: Position = HELD, share: Decimal = Decimal(1), **changes: Any) -> Sale:
    found = sale_of(held, held.quantity, BTC, Decimal(20400), share)
    assert isinstance(found, Sale)
    return replace(found, **changes)


def view(*sales: Sale, share: Decimal = Decimal(1), later: float = 0, **changes: Any) -> ClosingView:
    closing = Closing(
        id="C7",
        person="Ann",
        wanted=Wanted(what="T3", share=share),
        sales=sales or (sale(share=share),),
        unsold=(),
        asked_at=NOON,
        expires_at=NOON + timedelta(minutes=2),
    )
    own = {name: changes.pop(name) for name in ("stage", "unsold") if name in changes}
    positions = {each.position_id: replace(HELD, id=each.position_id) for each in closing.sales}
    shown = ClosingView(closing=replace(closing, **own), now=NOON + timedelta(minutes=later), positions=positions)
    return replace(shown, **changes)


def came_to(order: Order, held: Position = HELD, **changes: Any) -> ClosingView:
    shown = {"orders": {"T3": order}, "positions": {"T3": held}}
    return view(stage=Stage.CONFIRMED, **{**shown, **changes})


def sold(**changes: Any) -> Order:
    return filled_order(**{"id": "O9", "position_id": "T3", "asked_by": "Ann", **changes})


def test_it_names_what_would_happen_and_has_a_button_for_it():
    card = for_phone(closings.card(view()))
    assert card.title == f"Close T3: sell {HELD.quantity.normalize()} BTC/USDT? (C7)"
    (item,) = card.items
    assert item.title == "T3 BTC/USDT"
    assert item.text.splitlines() == [
        f"all {HELD.quantity.normalize()} at the bid, 20,400",
        "Profit, after fees: +2.23 (+1.80%)",
        "stop and target cancelled",
    ]
    assert [(button.label, button.data) for button in card.buttons] == [("Close T3", "close:C7"), ("Keep", "keep:C7")]
    assert card.topic == "closing:C7"
    assert card.fields == (("Until", "in 2 min, 2026-01-03 12:02 UTC"),)


def test_a_part_says_what_stays_protected():
    card = for_phone(closings.card(view(share=HALF)))
    rest = HELD.quantity - sale(share=HALF).quantity
    assert card.title.startswith("Close half of T3:\nsell ")
    assert card.items[0].text.splitlines()[1:] == [
        "Profit, after fees: +1.11 (+1.80%)",
        f"stop and target anew for {rest.normalize()}",
    ]
    assert card.buttons[0].label == "Close half of T3"


def test_a_part_of_very_many_coins_is_told_in_lines_that_a_phone_shows_whole():
    many = replace(HELD, quantity=Decimal(316621566908))
    card = for_phone(closings.card(view(sale(many, HALF), share=HALF)))
    assert card.items[0].text.splitlines()[-2:] == ["stop and target", "  anew for 158,310,783,454"]


def test_what_is_more_than_was_asked_and_what_is_not_the_bots_is_said():
    all_of_it = sale(widened=True, external=True, warning="BTC/USDT: 1000 times")
    card = for_phone(closings.card(view(all_of_it, share=HALF)))
    assert card.title.startswith("Close T3: sell ")
    for said in ("All of it, as the rest", "the smallest order, 10 USDT", "Somebody else bought it", "Look first: BTC"):
        assert said in card.items[0].text


def test_several_positions_are_one_press():
    two = (sale(share=HALF), sale(replace(HELD, id="T4"), HALF))
    card = for_phone(
        closings.card(view(*two, share=HALF, unsold=(Unsold(position_id="T5", symbol="ETH/USDT", reason="why"),)))
    )
    assert card.title == "Close half of 2 positions? (C7)"
    assert card.buttons[0].label == "Close 2"
    assert [(item.title, item.text) for item in card.items[2:]] == [("T5 ETH/USDT: nothing sold", "Why")]


def test_where_of_some_all_is_sold_that_is_said():
    mixed = for_phone(closings.card(view(sale(share=HALF), sale(replace(HELD, id="T4"), widened=True), share=HALF)))
    assert mixed.title == "Close half of 1 position, all of 1? (C7)"
    all_of_them = for_phone(
        closings.card(view(sale(widened=True), sale(replace(HELD, id="T4"), widened=True), share=HALF))
    )
    assert all_of_them.title == "Close 2 positions? (C7)"


def test_half_is_not_half_where_the_other_half_is_being_sold_already():
    left = sale_of(HELD, Decimal("0.003"), BTC, Decimal(20400), HALF)
    assert isinstance(left, Sale)
    card = for_phone(closings.card(view(left, share=HALF)))
    assert card.title == "Close T3: sell 0.003 BTC/USDT? (C7)"
    assert card.items[0].text.splitlines()[-1] == "All that is not being sold already."


def test_its_lines_fit_on_a_phone_and_its_buttons_on_every_platform():
    for share in (Decimal(1), HALF, Decimal("0.25")):
        card = for_phone(closings.card(view(share=share)))
        lines = [line for item in card.items for line in (item.title, *item.text.splitlines())]
        assert [line for line in (*lines, *card.text.splitlines()) if len(line) > PHONE] == []
        assert all(len(button.data.encode()) <= CALLBACK_BYTES for button in card.buttons)


def test_what_cannot_be_closed_has_no_button():
    card = for_phone(
        closings.card(
            replace(
                view(),
                closing=replace(
                    view().closing, id="", sales=(), unsold=(Unsold(position_id="T3", symbol="BTC/USDT", reason="all"),)
                ),
            )
        )
    )
    assert (card.title, card.buttons, card.topic) == ("Nothing can be closed now", (), "")


@pytest.mark.parametrize(
    ("shown", "title"),
    [
        (view(later=2), "Time is up: nothing was sold (C7)"),
        (view(stage=Stage.EXPIRED), "Time is up: nothing was sold (C7)"),
        (view(stage=Stage.KEPT), "Kept: nothing was sold (C7)"),
        (view(stage=Stage.CONFIRMED), "Nothing was sold (C7)"),
    ],
)
def test_what_is_over_has_no_button_and_says_so(shown: ClosingView, title: str):
    card = for_phone(closings.card(shown))
    assert (card.title, card.buttons, card.topic) == (title, (), "closing:C7")


def test_what_expired_says_how_it_is_asked_again():
    assert (
        for_phone(closings.card(view(later=2, share=Decimal("0.25")))).text
        == "While it is held, /close T3 25% asks again."
    )


def test_it_says_the_same_once_it_was_closed_for_it_is_not_shown_anew_then():
    gone = replace(closed_position(), id="T3")
    assert closings.card(view(later=2, positions={"T3": gone})) == closings.card(view(later=2))


def test_what_was_closed_is_said_with_what_it_came_to():
    closed = replace(closed_position(closed_by="close", closed_by_person="Ann"), id="T3")
    card = for_phone(closings.card(came_to(sold(), closed)))
    assert card.title.startswith("T3: closed, ")
    assert "(O9)" in card.items[0].text
    assert "Profit, after fees: " in card.items[0].text
    assert phrases.closed_by(closed) == "Ann, /close"


def test_what_a_part_has_made_is_not_what_the_whole_trade_has():
    order = sold(quantity=Decimal("0.003"), filled=Decimal("0.003"), average=Decimal(21000), fee=Decimal("0.06"))
    held = replace(HELD, quantity=Decimal("0.00317"), realised=Decimal(3), fees=Decimal("0.18"))
    card = for_phone(closings.card(came_to(order, held)))
    assert card.items[0].title == "T3 BTC/USDT"
    assert "Profit, after fees: +2.88 (+4.80%)" in card.items[0].text
    last = for_phone(closings.card(came_to(order, replace(closed_position(closed_by="close"), id="T3"))))
    assert last.title == "T3: closed,\nthe whole trade +5.92 USDT (+4.80%)\n(C7)"


@pytest.mark.parametrize(
    ("status", "covered", "says"),
    [
        (OrderStatus.FILLED, "T3", "held: stop and target stand"),
        (OrderStatus.FILLED, "", "held: stop and target being placed again"),
        (OrderStatus.REJECTED, "T3", "Not sold: not today (O9). It is not tried again."),
        (OrderStatus.UNKNOWN, "", "the venue's answer was lost"),
        (OrderStatus.INTENT, "T3", "the venue has not answered yet"),
        (OrderStatus.OPEN, "T3", "being sold: "),
        (OrderStatus.CANCELLED, "T3", "the venue ended it after "),
    ],
)
def test_every_end_of_a_sale_has_its_words(status: OrderStatus, covered: str, says: str):
    held = frozenset(covered.split())
    card = for_phone(closings.card(came_to(sold(status=status, reason="not today"), protected=held)))
    assert says in card.items[0].text
    assert card.buttons == ()


def test_what_ended_otherwise_meanwhile_says_by_what():
    gone = replace(closed_position(closed_by="stop"), id="T3")
    left = (Unsold(position_id="T3", symbol="BTC/USDT", reason="it was closed meanwhile"),)
    card = for_phone(closings.card(view(stage=Stage.CONFIRMED, unsold=left, positions={"T3": gone})))
    assert "closed by its stop" in card.items[0].text


def test_every_choice_has_a_button():
    assert {button.verb for button in for_phone(closings.card(view())).buttons} == set(Choice)


def test_what_is_sold_of_what_is_held_has_lines_that_a_phone_shows_whole():
    small = replace(sale(), quantity=Decimal("0.01164"), held=Decimal("0.02328"), price=Decimal("59596.56"))
    assert for_phone(closings.card(view(small))).items[0].text.splitlines()[:2] == [
        "0.01164 of 0.02328",
        "  at the bid, 59,596.56",
    ]
