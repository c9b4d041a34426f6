"""What people are told of money that comes and goes by other ways than trades."""

from decimal import Decimal

import pytest

from engine.domain.transfers import PaymentNotice
from handlers.cards import inventory
from handlers.cards.lines import flowing
from tests.fakes.reports import NOON


@pytest.mark.parametrize(
    ("after", "title"), [("1500.5", "Paid in at binance: 500.5 EUR"), ("960", "Paid out at binance: 40 EUR")]
)
def test_a_deposit_and_a_withdrawal_are_told_with_what_is_there_now(after: str, title: str) -> None:
    told = PaymentNotice(id="1", at=NOON, venue="binance", currency="EUR", before=Decimal(1000), after=Decimal(after))
    card = inventory.paid(told)
    assert flowing(card.title) == title
    assert [(name, flowing(value)) for name, value in card.fields][:2] == [
        ("Before", "1,000 EUR"),
        ("Now", f"{Decimal(after):,f} EUR"),
    ]
    assert not card.alarm
