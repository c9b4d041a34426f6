import re
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from config.kinds import parse_duration
from engine.domain.errors import BadInput
from handlers import arguments


@pytest.mark.parametrize("word", ["A17", "a17", "17", "A017"])
def test_an_approval_id_is_understood_however_it_is_written(word):
    assert arguments.approval_id(word) == "A17"


@pytest.mark.parametrize("word", ["", "A", "A0", "D17", "A17x", "A-1", "\u0661\u0667", "A9999999999"])
def test_what_cannot_be_an_approval_id_is_refused(word):
    with pytest.raises(BadInput, match="not the id of an approval"):
        arguments.approval_id(word)


@pytest.mark.parametrize(("word", "wanted"), [("d12", "D12"), ("A17", "A17"), ("o05", "O5"), ("t3", "T3")])
def test_any_id_is_told_by_its_letter(word, wanted):
    assert arguments.any_id(word) == wanted


def test_a_bare_number_does_not_say_what_it_is_the_id_of():
    with pytest.raises(BadInput, match=r"D12.*A12.*O12.*T12"):
        arguments.any_id("12")


def test_a_strange_letter_is_no_id():
    with pytest.raises(BadInput, match="look like D12"):
        arguments.any_id("X12")


@pytest.mark.parametrize(
    "text",
    ["15m", "2H", "1 d", "1h30m", "1h 30m", "90s", "90", "1d2h3m4s", "0h5m", "0", "2w", "30m1h", "", "1h30", "s"],
)
def test_durations_are_understood_as_in_the_configuration(text):
    try:
        wanted = parse_duration(text.replace(" ", ""))
    except PydanticCustomError:
        wanted = timedelta(0)
    if wanted:
        assert arguments.duration(text.split()) == wanted
    else:
        with pytest.raises(BadInput):
            arguments.duration([text])


def test_no_duration_means_until_further_notice():
    assert arguments.duration([]) is None


@pytest.mark.parametrize("text", ["0m", "0", "2w", "-1h", "366d", "99999999d", "h", "1.5h", "30m1h", "soon"])
def test_other_durations_are_refused(text):
    with pytest.raises(BadInput, match="15m, 2h, 1h30m or 1d"):
        arguments.duration([text])


@given(st.integers(min_value=1, max_value=365))
def test_every_number_up_to_the_limit_is_understood(days):
    assert arguments.number([str(days)], default=7, most=365, noun="days") == days


@pytest.mark.parametrize("words", [["0"], ["366"], ["-1"], ["1.5"], ["seven"], ["1", "2"], ["1e2"], ["9" * 5000]])
def test_numbers_outside_the_limits_are_refused(words):
    with pytest.raises(BadInput, match="whole number from 1 to 365"):
        arguments.number(words, default=7, most=365, noun="days")


def test_half_may_follow_an_id():
    assert arguments.half(["Half"])
    assert not arguments.half([])


def test_a_misspelt_half_is_not_taken_for_the_whole():
    with pytest.raises(BadInput, match="Did you mean half"):
        arguments.half(["hlaf"])


@given(st.text(max_size=60))
def test_whatever_is_written_is_understood_or_refused_in_words(word):
    for parse in (arguments.approval_id, arguments.any_id, lambda text: arguments.duration([text])):
        with suppress(BadInput):
            parse(word)


def test_a_very_long_word_is_not_repeated_in_full():
    with pytest.raises(BadInput) as refused:
        arguments.approval_id("x" * 1000)
    assert len(refused.value.message) < 120


@pytest.mark.parametrize(
    ("text", "what", "share"),
    [
        ("T3", "T3", "1"),
        ("t03", "T3", "1"),
        ("3", "T3", "1"),
        ("btc", "BTC", "1"),
        ("BTC/usdt", "BTC/USDT", "1"),
        ("btc-usdt", "BTC/USDT", "1"),
        ("btcusdt half", "BTCUSDT", "0.5"),
        ("1000sats", "1000SATS", "1"),
        ("all", "ALL", "1"),
        ("ALL HALF", "ALL", "0.5"),
        ("T3 all", "T3", "1"),
        ("T3 50%", "T3", "0.5"),
        ("T3 50 %", "T3", "0.5"),
        ("T3 12.5%", "T3", "0.125"),
        ("T3 100%", "T3", "1"),
        ("T3 0.25", "T3", "0.25"),
        ("T3 .25", "T3", "0.25"),
        ("", "", "1"),
    ],
)
def test_what_to_close_and_how_much_of_it_is_understood_however_it_is_written(text, what, share):
    wanted = arguments.closing(text.split())
    assert (wanted.what, wanted.share) == (what, Decimal(share))


@pytest.mark.parametrize(
    "text",
    [
        "T3 " + each
        for each in (
            "50",
            "1",
            "1.0",
            "0",
            "0%",
            "101%",
            "-5%",
            "1e-1",
            "0,5",
            "nan",
            "\u00bd",
            "\u0665\u0660%",
            "half half",
        )
    ]
    + ["T3 " + "9" * 500, "T3 0." + "0" * 500 + "1", "T3 T4", "T3 limit"],
)
def test_what_is_no_share_is_refused(text):
    with pytest.raises(BadInput, match="is no share; those look like half, 25% or 0"):
        arguments.closing(text.split())


@pytest.mark.parametrize(
    "word",
    ["BTC/", "/USDT", "BTC//USDT", "'; DROP TABLE orders", "<b>", "BTC/USDT/X", "⏰", "T3;", "x" * 500, "-1", "\u0663"],
)
def test_what_is_neither_a_trade_nor_a_market_is_refused(word):
    with pytest.raises(BadInput, match="neither a trade nor a market"):
        arguments.closing([word])


def test_what_is_no_share_is_quoted_as_it_was_written():
    with pytest.raises(BadInput, match=r"^'half Extra' is no share"):
        arguments.closing(["all", "half", "Extra"])


def test_a_share_that_is_nearly_a_word_names_it():
    with pytest.raises(BadInput, match="is no share") as refused:
        arguments.closing(["T3", "hal"])
    assert refused.value.remedy == "Did you mean half?"


@pytest.mark.parametrize(
    ("text", "days"), [("", 90), (" 7", 7), (" 30d", 30), (" 12W", 84), (" 1y", 365), (" 10y", 3650), (" 03d", 3)]
)
def test_a_backtest_has_a_time(text: str, days: int):
    assert arguments.backtest(f"momentum btc-usdt{text}".split()) == ("momentum", "BTC/USDT", days)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "A strategy and a market belong here"),
        ("momentum", "A strategy and a market belong here"),
        ("momentum btc 90 days", "A strategy and a market belong here"),
        ("momentum btc 0", "'0' is no time"),
        ("momentum btc 11y", "'11y' is no time"),
        ("momentum btc -3", "'-3' is no time"),
        ("momentum btc 3m", "'3m' is no time"),
        ("momentum all", "'all' is not a market"),
        ("momentum ../x", "'../x' is not a market"),
    ],
)
def test_what_is_no_backtest_is_refused(text: str, said: str):
    with pytest.raises(BadInput, match=f"^{re.escape(said)}"):
        arguments.backtest(text.split())
