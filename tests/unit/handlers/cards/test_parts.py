"""Orders that are filled in part, and protection that was placed anew, as people see them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from engine.domain.orders import Order, OrderStatus, OrderType, Purpose, Side
from engine.domain.replacements import replacement_of
from engine.domain.trade_views import MovedView, PartView
from handlers.cards import parts
from tests.fakes.reports import order as made
from tests.fakes.reports import position


def oco(number: int, quantity: str, stop: str = "58000", status: OrderStatus = OrderStatus.CANCELLED) -> Order:
    usual = made()
    asked = replace(
        usual.request, side=Side.SELL, type=OrderType.OCO, quantity=Decimal(quantity),
        trigger_price=Decimal(stop), limit_price=Decimal(65000),
    )  # fmt: skip
    return replace(usual, id=f"O{number}", request=asked, purpose=Purpose.PROTECTION, status=status)


def test_a_part_says_what_traded_what_waits_and_how_it_ended() -> None:
    usual = made()
    asked = replace(usual.request, quantity=Decimal("0.1"))
    order = replace(usual, request=asked, status=OrderStatus.PARTLY_FILLED, filled=Decimal("0.04"), cost=Decimal(2400))
    card = parts.partly_filled(PartView(order=order, at="kraken"))
    fields = dict(card.fields)
    assert "partly filled" in card.title
    assert "kraken" in card.title
    assert fields["Filled"].startswith("0.04 of 0.1 @ 60,000, fee")
    assert fields["Still waits"] == "0.06 BTC"
    for status, words in ((OrderStatus.CANCELLED, "cancelled after a part"), (OrderStatus.FILLED, "whole after all")):
        ended = parts.partly_filled(PartView(order=replace(order, status=status)))
        assert words in ended.title
        assert "Still waits" not in dict(ended.fields)
        assert ended.text == ""


def test_a_moved_stop_is_told_beside_the_one_before() -> None:
    before, after = oco(2, "0.04"), oco(3, "0.1", status=OrderStatus.OPEN)
    card = parts.moved(MovedView(position=position(), before=before, after=after))
    assert dict(card.fields) == {
        "Now": "58,000 / 65,000 for 0.1 BTC",
        "Before": "58,000 / 65,000 for 0.04 BTC",
    }


def test_what_took_the_place_of_another_differs_from_it_and_both_stood() -> None:
    first, second = oco(2, "0.04"), oco(4, "0.1", status=OrderStatus.OPEN)
    refused = oco(3, "0.1", status=OrderStatus.REJECTED)
    assert replacement_of([first, refused, second]) == (first, second)
    assert replacement_of([first]) is None
    assert replacement_of([first, oco(4, "0.04", status=OrderStatus.OPEN)]) is None, "somebody had cancelled it"
    assert replacement_of([first, oco(4, "0.04", "59000", OrderStatus.OPEN)]) is not None
    assert replacement_of([made(), first, refused]) is None
