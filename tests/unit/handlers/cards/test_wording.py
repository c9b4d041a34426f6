from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.cards import wording

AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=9)


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        ("1234.5", "USDT", "1,234.50"),
        ("1234.5", "JPY", "1,234"),
        ("1234.5", "BTC", "1,234.50000000"),
        ("0", "EUR", "0.00"),
        ("0.00412", "USDT", "0.0041"),
        ("-0.004", "USDT", "-0.0040"),
        ("1E-20", "USDT", "0.00"),
        ("2E+4", "USDT", "20,000.00"),
    ],
)
def test_money_has_the_decimals_of_its_currency_and_small_amounts_do_not_vanish(value, currency, text):
    assert wording.amount(Decimal(value), currency) == text
    assert wording.money(Decimal(value), currency) == f"{text} {currency}"


@pytest.mark.parametrize(
    ("value", "text"), [("12.3", "+12.30"), ("-12.3", "-12.30"), ("0", "0.00"), ("-1E-12", "0.00")]
)
def test_profit_and_loss_carry_their_sign(value, text):
    assert wording.signed_amount(Decimal(value), "USDT") == text
    assert wording.signed(Decimal(value), "USDT") == f"{text} USDT"


def test_a_profit_in_bitcoin_has_its_eight_decimals():
    assert wording.signed(Decimal("0.0001234567"), "BTC") == "+0.00012346 BTC"


@given(AMOUNTS)
def test_what_is_shown_of_an_amount_is_within_half_a_cent(value):
    shown = Decimal(wording.amount(value, "USDT").replace(",", ""))
    assert abs(shown - value) <= Decimal("0.005")


@given(AMOUNTS)
def test_a_loss_never_reads_as_a_gain(value):
    text = wording.signed_amount(value, "USDT")
    assert text.startswith("+") <= (value > 0)
    assert text.startswith("-") <= (value < 0)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("20000.00"), "20,000.00"),
        (Decimal("0.00001230"), "0.00001230"),
        (Decimal("123456.78"), "123,456.78"),
        (Decimal("20011.2345678901"), "20,011.23"),
        (Decimal("0.1234567890123"), "0.1234568"),
        (Decimal("54948.9"), "54,948.90"),
        (19500.5, "19,500.50"),
        (20000.0, "20,000"),
        (1e-05, "0.00001"),
        (float("nan"), "unknown"),
        (None, "unknown"),
    ],
)
def test_prices_keep_the_precision_they_have(value, text):
    assert wording.price(value) == text


@pytest.mark.parametrize(("value", "text"), [("0.01234000", "0.01234"), ("1500", "1,500"), ("0E-8", "0")])
def test_quantities_lose_their_trailing_zeros(value, text):
    assert wording.quantity(Decimal(value)) == text


def test_figures_are_cut_to_what_can_be_read():
    assert wording.figure(Decimal("0.0123456789012345")) == "0.012345679"


@pytest.mark.parametrize(
    ("fraction", "plain", "signed"),
    [
        (Decimal("0.015"), "1.50%", "+1.50%"),
        (-0.002, "-0.20%", "-0.20%"),
        (Decimal(0), "0.00%", "0.00%"),
        (Decimal("-0.00000046"), "-0.00005%", "-0.00005%"),
        (0.00004, "0.004%", "+0.004%"),
        (0.00006, "0.01%", "+0.01%"),
        (-9.6e-6, "-0.001%", "-0.001%"),
        (1e-8, "0.000001%", "+0.000001%"),
        (-1e-9, "0.00%", "0.00%"),
    ],
)
def test_fractions_read_as_percent(fraction, plain, signed):
    assert wording.percent(fraction) == plain
    assert wording.signed_percent(fraction) == signed


def test_a_loss_that_has_an_amount_has_a_per_cent():
    """Seen on the board: ``-0.0046 (0.00%)``."""
    net = Decimal("-0.0046")
    assert wording.gain_amount(net, net / 10_000, "USDT") == "-0.0046 (-0.00005%)"
    assert wording.gain(Decimal(0), Decimal(0), "USDT") == "0.00 USDT (0.00%)"


def test_times_are_shown_in_utc():
    assert wording.moment(datetime(2026, 1, 3, 14, 0, 59, tzinfo=UTC)) == "2026-01-03 14:00 UTC"
    assert wording.moment(datetime(2026, 1, 3, 14, 0, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-03 12:00 UTC"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (40, "40 s"), (720, "12 min"), (7500, "2 h 5 min"), (7200, "2 h"), (273600, "3 d 4 h"), (-5, "0 s")],
)
def test_lengths_of_time_use_their_largest_units(seconds, text):
    assert wording.span(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), (["Ann"], "Ann"), (["Ann", "Bob"], "Ann and Bob"), (["A", "B", "C"], "A, B and C")]
)
def test_names_are_listed_as_in_a_sentence(names, text):
    assert wording.listing(names) == text
