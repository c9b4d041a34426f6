"""An answer is believed where it is whole, about this market, at prices of now, and by figures that it was given."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ai.schemas import OpinionShape
from engine.domain.market import Book, Level
from engine.llm.schemas import schema_of
from engine.llm.validating import (
    MOST_LETTERS,
    Facts,
    Unfit,
    Validator,
    only_object,
)


def book(bid: str | Decimal, ask: str | Decimal, symbol: str = "SOL/USDT") -> Book:
    one = Decimal(1)
    bids, asks = (Level(price=Decimal(bid), quantity=one),), (Level(price=Decimal(ask), quantity=one),)
    return Book(symbol=symbol, at=datetime(2026, 11, 30, tzinfo=UTC), bids=bids, asks=asks)


FACTS = Facts(
    symbol="SOL/USDT",
    book=book("187.40", "187.44"),
    figures={"rsi_14_1h": Decimal("54.37"), "news_0": None, "funding_rate": Decimal(0)},
)
VALID: dict[str, Any] = {
    "symbol": "SOL/USDT",
    "verdict": "approve",
    "share": 0.7,
    "stop": 180,
    "reasons": [{"text": "strong", "fields": ["rsi_14_1h", "news_0"], "figures": [{"id": "rsi_14_1h", "value": 54.4}]}],
    "flip": "a close below 180",
}


def read(text: str, facts: Facts = FACTS) -> OpinionShape | Unfit:
    return Validator(shape=OpinionShape, facts=facts)(text)


def why(text: str, facts: Facts = FACTS) -> str:
    found = read(text, facts)
    assert isinstance(found, Unfit), found
    return found.reason


def test_what_is_believed_is_the_object() -> None:
    found = read(json.dumps(VALID))
    assert isinstance(found, OpinionShape)
    assert (found.stop, found.share) == (Decimal(180), Decimal("0.7"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"symbol": "SOL/USDC"}, "symbol: the answer is about 'SOL/USDC' and not about SOL/USDT"),
        ({"symbol": "sol/usdt"}, "symbol: the answer is about 'sol/usdt' and not about SOL/USDT"),
        ({"stop": 0}, "stop: Input should be greater than 0"),
        ({"stop": 1e308}, r"stop: 1.000e\+308 is not below the best bid, 187.40"),
        ({"stop": 187.4}, "stop: 187.4 is not below the best bid, 187.40"),
        ({"stop": 18.0}, "stop: 18 is more than 60 % below the best bid, 187.40"),
        ({"share": 1.2}, "share: Input should be less than or equal to 1"),
        ({"verdict": "strong buy"}, "verdict: Input should be 'approve', 'veto' or 'abstain'"),
        ({"reasons": []}, "reasons: List should have at least 1 item"),
        ({"reasons": [{"text": "weak", "fields": ["rsi"]}]}, "reasons.0.fields.0: the brief has no field 'rsi'"),
    ],
)
def test_what_is_not_so_is_refused_with_its_place(change: dict[str, Any], reason: str) -> None:
    assert re.match(reason, why(json.dumps(VALID | change)))


@pytest.mark.parametrize(
    ("figure", "reason"),
    [
        ({"id": "rsi_14_1h", "value": 55.0}, "rsi_14_1h is 54.37 and not 55"),
        ({"id": "rsi_14_1h", "value": -54.37}, "rsi_14_1h is 54.37 and not -54.37"),
        ({"id": "funding_rate", "value": 0.0001}, "funding_rate is 0 and not 0.0001"),
        ({"id": "news_0", "value": 3}, "the field 'news_0' has no figure"),
        ({"id": "macd", "value": 3}, "id: the brief has no field 'macd'"),
    ],
)
def test_a_figure_is_the_briefs_own(figure: dict[str, Any], reason: str) -> None:
    reasons = [{"text": "weak", "fields": ["news_0"], "figures": [figure]}]
    assert why(json.dumps(VALID | {"reasons": reasons})).endswith(reason)


def test_a_reason_is_short_however_long_the_answer_is() -> None:
    assert len(why(json.dumps(VALID | {"symbol": "S" * 9000}))) < 120
    assert len(why('{"' + "n" * 9000 + '": 1, "' + "n" * 9000 + '": 2}')) < 120


def test_without_a_book_no_price_is_believed() -> None:
    nobook = Facts(symbol="SOL/USDT", book=None, figures=FACTS.figures)
    assert why(json.dumps(VALID), nobook) == "stop: there is no order book to hold a price against"
    assert isinstance(read(json.dumps(VALID | {"stop": None}), nobook), OpinionShape)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the answer is empty"),
        (" \n", "the answer is empty"),
        ("I cannot help with that.", "the answer has no object"),
        ("null", "the answer has no object"),
        ('{"a": 1}{"a": 1}', "the answer has 2 objects, and one was asked for"),
        ('{"a": 1}\nor\n{"a": 2}', "the answer has 2 objects, and one was asked for"),
        ('[{"a": 1}]', "the answer is a list, and one object was asked for"),
        ('{"a": 1, "a": 2}', "the answer is no JSON: 'a' stands there twice"),
        ('{"a": {"b": 1, "b": 2}}', "the answer is no JSON: 'b' stands there twice"),
        ('{"a": NaN}', "the answer is no JSON: NaN is no number"),
        ('{"a": -Infinity}', "the answer is no JSON: -Infinity is no number"),
        ('{"a": {"b": 1}', "the answer is no JSON: Expecting ',' delimiter at letter 14"),
        ('Here: {"a": {"b": 1}', "the answer is no JSON: Expecting ',' delimiter at letter 20"),
        ('```json\n{a: {"b": 1}}\n```', "the answer is no JSON: Expecting property name"),
        ("{'a': 1}", "the answer is no JSON: Expecting property name"),
        ('{"a":' * 5000, "the answer is no JSON: too deep"),
        ('{"a": "' + "x" * MOST_LETTERS + '"}', f"the answer has {MOST_LETTERS + 9} letters; {MOST_LETTERS} are read"),
        ('{"a": ' + "9" * 5000 + "}", "the answer is no JSON: Exceeds the limit"),
    ],
)
def test_what_is_not_one_whole_object_is_refused(text: str, reason: str) -> None:
    found = only_object(text)
    assert isinstance(found, Unfit)
    assert found.reason.startswith(reason)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        '```json\n{"a": 1}\n```',
        '```\n{"a": 1}\n```',
        'Of {markets} I think:\n\n{"a": 1}\n\nTake care {always}!',
        '\ufeff {"a": 1}',
    ],
)
def test_words_around_the_one_object_are_no_harm(text: str) -> None:
    assert only_object(text) == {"a": 1}


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.just(10**400),
    lambda inside: st.lists(inside) | st.dictionaries(st.text() | st.sampled_from(list(VALID)), inside),
    max_leaves=12,
)


@given(
    st.text() | st.dictionaries(st.sampled_from(list(VALID)), json_values).map(lambda some: json.dumps(VALID | some))
)
def test_nothing_is_raised_whatever_the_text(text: str) -> None:
    assert isinstance(read(text), OpinionShape | Unfit)


@given(st.integers(0, len(json.dumps(VALID)) - 1))
def test_an_answer_that_is_cut_anywhere_is_refused(at: int) -> None:
    assert why(json.dumps(VALID)[:at])


def test_the_shape_has_a_schema_that_providers_take() -> None:
    assert schema_of(OpinionShape)["properties"]["stop"] == {
        "anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "null"}]
    }
