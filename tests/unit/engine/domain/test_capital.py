"""Stages of capital: which is next, what is a breach, when more is proposed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.capital import BREACHING, CapitalPlan, CapitalStage, StageFigures, breach, is_due
from engine.domain.halts import Halt, HaltKind
from tests.fakes.reports import NOON

PLAN = CapitalPlan(stages=(Decimal(100), Decimal(500), Decimal(2500)), step_up_trades=3)
STAGE = CapitalStage(
    number=1,
    amount=Decimal(100),
    at=NOON,
    by="",
    reason="by the settings",
    is_breach=False,
    made=Decimal(0),
    best=Decimal(0),
    last_halt=0,
    asked_at=NOON,
)
FIGURES = StageFigures(result=Decimal(5), best=Decimal(5), closed=3, won=2, used=Decimal(40), lasted=timedelta(days=14))
LATER = NOON + timedelta(days=14)


@pytest.mark.parametrize(
    ("before", "held_to"),
    [(None, "100"), ("100", "100"), ("2500", "2500"), ("600", "500"), ("9999", "2500"), ("50", "0"), ("0", "0")],
)
def test_an_account_is_held_to_the_largest_stage_that_was_allowed(before: str | None, held_to: str):
    assert PLAN.held_to(None if before is None else Decimal(before)) == Decimal(held_to)


def test_without_stages_all_of_the_account_may_be_used():
    assert CapitalPlan().held_to(Decimal(100)) is None


def test_a_stage_knows_its_number_the_next_one_and_the_one_before():
    amounts = [Decimal(each) for each in (0, 100, 500, 2500)]
    assert [PLAN.number(each) for each in amounts] == [0, 1, 2, 3]
    assert [PLAN.above(each) for each in amounts] == [100, 500, 2500, None]
    assert [PLAN.below(each) for each in amounts] == [0, 0, 100, 500]


def test_a_result_that_falls_from_its_best_by_the_limit_is_a_breach():
    fallen = replace(FIGURES, result=Decimal(-5))
    assert breach(STAGE, fallen, (), PLAN) == "the result fell by 10.0% of the stage from its best; 10.0% is a breach"
    assert breach(STAGE, replace(FIGURES, result=Decimal("-4.99")), (), PLAN) == ""


@pytest.mark.parametrize("kind", HaltKind)
def test_a_limit_that_was_broken_is_a_breach_and_a_pause_is_none(kind: HaltKind):
    halt = Halt(kind=kind, reason="of this", since=NOON)
    assert breach(STAGE, FIGURES, (halt,), PLAN) == ("of this" if kind in BREACHING else "")


def test_the_next_stage_is_due_after_its_time_and_its_trades():
    assert is_due(STAGE, FIGURES, PLAN, LATER)
    assert not is_due(STAGE, FIGURES, PLAN, LATER - timedelta.resolution)
    assert not is_due(STAGE, replace(FIGURES, closed=2), PLAN, LATER)


def test_after_a_no_it_is_due_again_after_as_long_and_after_the_last_stage_never():
    declined = replace(STAGE, asked_at=LATER)
    assert not is_due(declined, FIGURES, PLAN, LATER + timedelta(days=13))
    assert is_due(declined, FIGURES, PLAN, LATER + timedelta(days=14))
    assert not is_due(replace(STAGE, amount=Decimal(2500)), FIGURES, PLAN, LATER)


def test_where_nothing_may_be_used_people_are_asked_at_once():
    nothing = replace(STAGE, amount=Decimal(0))
    assert is_due(nothing, replace(FIGURES, closed=0), PLAN, NOON)
    assert not is_due(replace(nothing, asked_at=NOON + timedelta(days=1)), FIGURES, PLAN, LATER)
