"""Which deposits and withdrawals explain a difference."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from engine.domain.transfers import Transfer, explaining

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SOME = [
    Transfer(id=f"{number}", currency="EUR", change=Decimal(change), at=NOON + timedelta(minutes=number))
    for number, change in enumerate(("100", "-20", "-20.5", "300", "100"))
]


@pytest.mark.parametrize(
    ("difference", "ids"),
    [
        ("300", ["3"]),
        ("100", ["4"]),
        ("200", ["4", "0"]),
        ("-40.5", ["2", "1"]),
        ("80.000000001", ["4", "1"]),
        ("-19", []),
        ("81", []),
        ("0.5", []),
    ],
)
def test_the_fewest_and_newest_that_come_to_it(difference: str, ids: list[str]):
    assert [each.id for each in explaining(Decimal(difference), SOME, Decimal("1e-8"))] == ids


def test_without_transfers_nothing_is_explained():
    assert explaining(Decimal(5), [], Decimal("1e-8")) == ()
