"""How finely amounts are told, and the least that is traded: dollars, yen and coins alike by one rule."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.currencies import dollar, least_order, rounded

AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=9)
CURRENCIES = st.sampled_from(["USDT", "EUR", "JPY", "KRW", "BTC", "ETH", "XYZ", ""])


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        ("1234.567", "USDT", "1234.57"),
        ("1234.567", "EUR", "1234.57"),
        ("1234.567", "", "1234.57"),
        ("1234.567", "JPY", "1235"),
        ("0.123456789", "BTC", "0.12345679"),
        ("12.5", "ETH", "12.50000000"),
        ("0.00001234", "USDT", "0.000012"),
        ("0.4126", "JPY", "0.41"),
        ("0.0000000001", "USDT", "0.00"),
        ("0.0000000001", "BTC", "0.00000000"),
        ("0.0000000001", "JPY", "0"),
        ("-0.0000000001", "JPY", "0"),
        ("0", "USDT", "0.00"),
        ("0", "BTC", "0.00000000"),
        ("1E+3", "USDT", "1000.00"),
    ],
)
def test_an_amount_is_told_as_its_currency_is(value: str, currency: str, text: str) -> None:
    assert f"{rounded(Decimal(value), currency):f}" == text


@given(AMOUNTS, CURRENCIES)
def test_what_is_told_is_near_and_of_the_same_sign(value: Decimal, currency: str) -> None:
    told = rounded(value, currency)
    assert abs(told - value) <= min(dollar(currency) / 2, abs(value))
    assert told * value >= 0


@pytest.mark.parametrize(
    ("currency", "least"),
    [("USDT", "10"), ("EUR", "10"), ("XYZ", "10"), ("BTC", "0.0001"), ("ETH", "0.001"), ("JPY", "1000")],
)
def test_the_least_order_is_about_ten_dollars_in_any_currency(currency: str, least: str) -> None:
    assert least_order(currency) == Decimal(least)
