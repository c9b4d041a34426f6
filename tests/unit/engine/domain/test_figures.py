"""Numbers in sentences: plain digits, whatever their size."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.figures import bounded, grouped, plain


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


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (Decimal("20000.00"), None, "20,000.00"),
        (-1_234_567.5, 6, "-1,234,568"),
        (Decimal("1E+9"), None, "1,000,000,000"),
        (999.0, 6, "999"),
        (8.306e-07, 4, "0.0000008306"),
        (float("nan"), None, "nan"),
        (float("-inf"), 4, "-infinity"),
    ],
)
def test_for_people_there_is_a_comma_between_thousands(value: Decimal | float, digits: int | None, text: str) -> None:
    assert grouped(value, digits) == text


@given(st.floats(allow_nan=False, allow_infinity=False) | st.decimals(allow_nan=False, allow_infinity=False, places=20))
def test_no_number_has_an_exponent_and_none_loses_its_value(value: float | Decimal) -> None:
    assert set(plain(value)) <= set("-0123456789.")
    assert Decimal(plain(value)) == Decimal(str(value))
    assert set(plain(value, 4)) <= set("-0123456789.")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.01539278239536817576616664334", "0.0153927823954"),
        ("-0.3333333333333333333333333333", "-0.333333333333"),
        ("10012.345600000000000000000001", "10012.3456"),
        ("54959.89123456789123", "54959.89123457"),
        ("0.00000012345678901234567", "0.000000123456789012"),
        ("3709.5466140", "3709.546614"),
        ("123456789012345.5", "123456789012345.5"),
        ("1000", "1000"),
        ("0E-8", "0"),
        ("-0.00", "0"),
    ],
)
def test_what_was_worked_out_has_no_more_digits_than_mean_something(value: str, text: str) -> None:
    assert plain(bounded(Decimal(value))) == text


def test_what_is_no_number_stays_what_it_is() -> None:
    assert plain(bounded(Decimal("NaN"))) == "nan"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=20))
def test_bounding_a_number_once_is_enough_and_moves_it_by_less_than_anybody_sees(value: Decimal) -> None:
    once = bounded(value)
    assert bounded(once) == once
    assert abs(once - value) <= max(Decimal("5E-9"), 0)
