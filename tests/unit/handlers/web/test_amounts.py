"""How the API writes decimals: one rule for what was given, one for what was worked out."""

from decimal import Decimal

import pytest
from pydantic import BaseModel

from handlers.web.amounts import Derived, Exact, Share


class Row(BaseModel):
    exact: Exact
    derived: Derived


@pytest.mark.parametrize(
    ("value", "exact", "derived"),
    [
        ("65940.70", "65940.70", "65940.7"),
        ("1E-8", "0.00000001", "0.00000001"),
        ("1E+3", "1000", "1000"),
        ("0.00000", "0.00000", "0"),
        ("0.123456789012345678", "0.123456789012345678", "0.123456789012"),
        ("123456.123456789012345678", "123456.123456789012345678", "123456.12345679"),
    ],
)
def test_what_was_given_keeps_every_digit_and_what_was_worked_out_those_that_mean_something(value, exact, derived):
    row = Row(exact=Decimal(value), derived=Decimal(value))
    assert row.model_dump() == {"exact": exact, "derived": derived}
    assert Row.model_validate_json(row.model_dump_json()).exact == Decimal(value)


def test_a_share_of_floats_is_a_number_of_few_digits():
    class Shared(BaseModel):
        share: Share

    assert Shared(share=1 / 6).model_dump() == {"share": 0.166666666667}
    assert Shared(share=1.0).model_dump_json() == '{"share":1.0}'
