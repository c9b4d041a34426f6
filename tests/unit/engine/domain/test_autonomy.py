"""Who decides."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.autonomy import AskHuman, Autonomy, Execute, Refuse, drift, route, votes_needed
from engine.domain.judging import Allowed, Denied
from engine.domain.orders import Side
from tests.fakes.reports import NOON, plan

BANDS = Autonomy(
    auto_above=0.8,
    ask_above=0.5,
    expires_after=timedelta(minutes=15),
    max_price_drift=Decimal("0.01"),
    two_people_above=Decimal(200),
)
ALLOWED = Allowed(plan=plan(quantity=Decimal(1), price=Decimal(100)))
EXIT = Allowed(plan=plan(side=Side.SELL, reduce_only=True, position_id="T3"))


@pytest.mark.parametrize(("confidence", "kind"), [(1.0, Execute), (0.8, Execute), (0.79, AskHuman), (0.5, AskHuman)])
def test_confidence_decides_who_decides(confidence: float, kind: type):
    assert isinstance(route(confidence, ALLOWED, BANDS, NOON), kind)


def test_little_confidence_is_refused_with_the_figures():
    ruling = route(0.49, ALLOWED, BANDS, NOON)
    assert ruling == Refuse(reasons=("confidence 0.49 is below 0.5, from where people are asked",))


def test_a_question_says_how_many_must_agree_and_until_when():
    ruling = route(0.6, ALLOWED, BANDS, NOON)
    assert ruling == AskHuman(plan=ALLOWED.plan, votes_needed=1, expires_at=NOON + timedelta(minutes=15))


@given(st.floats(0, 1))
def test_what_the_rules_denied_is_refused_whatever_the_confidence(confidence: float):
    assert route(confidence, Denied(reasons=("paused",)), BANDS, NOON) == Refuse(reasons=("paused",))


@given(st.floats(0, 1))
def test_what_only_reduces_risk_never_asks(confidence: float):
    assert route(confidence, EXIT, BANDS, NOON) == Execute(plan=EXIT.plan)


@given(st.floats(0, 1))
def test_above_one_it_never_trades_alone(confidence: float):
    careful = Autonomy(auto_above=2, ask_above=0, expires_after=timedelta(minutes=1), max_price_drift=Decimal("0.01"))
    assert isinstance(route(confidence, ALLOWED, careful, NOON), AskHuman)


@pytest.mark.parametrize(("notional", "people"), [("199.99", 1), ("200", 1), ("200.01", 2)])
def test_large_orders_take_two_people(notional: str, people: int):
    assert votes_needed(Decimal(notional), BANDS) == people


def test_drift_is_signed_and_relative_to_the_asked_price():
    assert drift(Decimal(200), Decimal(202)) == Decimal("0.01")
    assert drift(Decimal(200), Decimal(190)) == Decimal("-0.05")
