"""Orders, and the ids they are sent under."""

from __future__ import annotations

from engine.domain.orders import OrderStatus, client_id


def test_a_client_id_follows_from_what_the_order_is_for_and_fits_every_venue():
    first = client_id("momentum|BTC/USDT|enter")
    assert first == client_id("momentum|BTC/USDT|enter")
    assert first != client_id("momentum|BTC/USDT|exit")
    assert len({client_id("a"), client_id("a", 1), client_id("a", 2), client_id("b", 1)}) == 4
    assert len(first) == 32
    assert first.isalnum()


def test_the_orders_that_are_known_keep_their_ids():
    """A program of before has written them down, and asks its venue for them."""
    assert client_id("momentum|BTC/USDT|enter") == "4242153cc325573da6d9e98aff8b38f6"
    assert client_id("1d613efee29157ebaecc403cabf03b98", 1) == "15874db9cb5551c3843fa733d2891842"


def test_which_states_of_an_order_are_final():
    assert [status.value for status in OrderStatus if status.final] == ["filled", "cancelled", "rejected", "expired"]
