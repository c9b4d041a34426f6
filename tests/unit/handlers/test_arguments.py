from contextlib import suppress
from datetime import timedelta

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
    with pytest.raises(BadInput, match="not the id of a question"):
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
