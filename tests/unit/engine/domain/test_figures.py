"""Numbers in sentences: plain digits, whatever their size."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.figures import cents, plain


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (8.306e-07, 4, "0.0000008306"),
        (8.306e-07, None, "0.0000008306"),
        (Decimal("8.30E-7"), None, "0.000000830"),
        (Decimal("1E-12"), None, "0.000000000001"),
        (Decimal("1E+9"), None, "1000000000"),
        (Decimal("1E+9"), 6, "1000000000"),
        (1e21, None, "1000000000000000000000"),
        (1_000_000.0, 6, "1000000"),
        (35.0, 6, "35"),
        (0.1 + 0.2, 6, "0.3"),
        (-1.5e-9, 3, "-0.0000000015"),
        (0.0, 4, "0"),
        (Decimal("20000.00"), None, "20000.00"),
        (float("nan"), None, "nan"),
        (float("inf"), 4, "infinity"),
    ],
)
def test_a_number_has_plain_digits(value: Decimal | float, digits: int | None, text: str) -> None:
    assert plain(value, digits) == text


@given(st.floats(allow_nan=False, allow_infinity=False) | st.decimals(allow_nan=False, allow_infinity=False, places=20))
def test_no_number_has_an_exponent_and_none_loses_its_value(value: float | Decimal) -> None:
    assert set(plain(value)) <= set("-0123456789.")
    assert Decimal(plain(value)) == Decimal(str(value))
    assert set(plain(value, 4)) <= set("-0123456789.")


@pytest.mark.parametrize(
    ("value", "text"),
    [("1234.567", "1234.57"), ("0.00001234", "0.000012"), ("0.0000000001", "0.00"), ("0", "0.00"), ("1E+3", "1000.00")],
)
def test_an_amount_has_cents_or_two_digits_below(value: str, text: str) -> None:
    assert plain(cents(Decimal(value))) == text
