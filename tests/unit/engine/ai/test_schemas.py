"""Honest opinions and predictions are believed; such with a false price, symbol or figure are not."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from engine.ai.schemas import OpinionShape, PredictionShape
from engine.domain.market import Book, Level
from engine.llm.validating import Facts, Unfit, Validator
from tests.fakes.model_answers import PLANTS, Case, false, honest
from tests.fakes.model_answers.cases import OPINION, PREDICTION

SHAPES: dict[str, Any] = {OPINION: OpinionShape, PREDICTION: PredictionShape}


def test_a_thousand_honest_answers_are_believed():
    cases = [honest(seed) for seed in range(1000)]
    assert {case.shape for case in cases} == set(SHAPES)
    assert not Counter(found.reason for case in cases if isinstance(found := read(case), Unfit))


def test_two_hundred_false_answers_are_refused():
    cases = [false(seed) for seed in range(200)]
    assert {case.kind for case in cases} == set(PLANTS)
    assert not [(case.kind, case.text) for case in cases if not isinstance(read(case), Unfit)]


def read(case: Case) -> Any:
    """What becomes of an answer about a market with this book."""
    bids, asks = ((Level(price=price, quantity=Decimal(1)),) for price in (case.bid, case.ask))
    book = Book(symbol=case.symbol, at=datetime(2026, 11, 30, tzinfo=UTC), bids=bids, asks=asks)
    facts = Facts(symbol=case.symbol, book=book, figures=case.figures)
    return Validator(shape=SHAPES[case.shape], facts=facts)(case.text)
