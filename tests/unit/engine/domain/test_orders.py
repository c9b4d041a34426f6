"""Orders, and the ids they are sent under."""

from __future__ import annotations

from engine.domain.orders import OrderStatus, client_id


def test_a_client_id_follows_from_what_the_order_is_for_and_fits_every_venue():
    first = client_id("momentum|BTC/USDT|enter")
    assert first == client_id("momentum|BTC/USDT|enter")
    assert first != client_id("momentum|BTC/USDT|exit")
    assert client_id("a", "b") != client_id("ab")
    assert len(first) == 32
    assert first.isalnum()


def test_which_states_of_an_order_are_final():
    assert [status.value for status in OrderStatus if status.final] == ["filled", "cancelled", "rejected", "expired"]
