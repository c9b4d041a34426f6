"""The end of a client id says whose order it is."""

import pytest

from engine.domain.orders import client_id
from engine.domain.signatures import signature_of, signed
from engine.exchanges.ccxt.legs import LEGS, leg_id


def test_a_signed_id_tells_its_signature_and_so_does_each_leg_of_it() -> None:
    own = signed(client_id("a"), "0badcafe")
    assert (len(own), signature_of(own)) == (32, "0badcafe")
    assert {signature_of(leg_id(own, leg)) for leg in LEGS} == {"0badcafe"}
    assert signed(client_id("a"), "12345678")[:24] == own[:24] != signed(client_id("b"), "0badcafe")[:24]


def test_without_a_signature_an_id_is_as_it_was() -> None:
    assert signed(client_id("a"), "") == client_id("a")


@pytest.mark.parametrize(
    "strange",
    ["28457", "x-MY-order", "web_9f1c", "0b7e1c52-6f6e-4d0e-9f53-9d4f0d1f7c11", "0b7e1c526f6e4d0e9f539d4f0d1f7c11"],
)
def test_an_id_that_no_bot_of_this_kind_makes_has_none(strange: str) -> None:
    assert signature_of(strange) == ""
