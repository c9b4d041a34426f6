"""When something calls for a stop, and when it counts anew."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.triggers import ARMED, Cause, LeadsTo, Trigger, TriggerState, caller, is_person, observed
from tests.fakes.reports import NOON

TRIGGER = Trigger(
    leads_to=LeadsTo.HALTED, trips_at=Decimal("0.3"), ends_at=Decimal("0.1"), calm_for=timedelta(minutes=10)
)
TRIPPED = TriggerState(tripped=True)


def after(figures: list[Decimal | None], state: TriggerState = ARMED) -> list[bool]:
    """Whether it has tripped, after each of some looks a minute apart."""
    found = []
    for minute, figure in enumerate(figures):
        state = observed(TRIGGER, state, figure, NOON + timedelta(minutes=minute))
        found.append(state.tripped)
    return found


def test_it_trips_at_its_threshold_and_not_below():
    assert after([Decimal("0.2999"), Decimal("0.3")]) == [False, True]


def test_what_swings_about_the_threshold_trips_once():
    swings = [Decimal("0.3"), Decimal("0.11"), Decimal("0.3")] * 20
    assert all(after(swings))


def test_it_counts_anew_only_once_it_was_calm_for_long_enough_without_a_break():
    calm = [Decimal("0.1")] * 10
    assert after([*calm, Decimal("0.2"), *calm, Decimal(0)], TRIPPED) == [True] * 21 + [False]


@given(st.lists(st.one_of(st.none(), st.decimals(min_value=0, max_value="0.2999", places=4)), max_size=60))
def test_nothing_below_the_threshold_and_nothing_unknown_ever_trips_it(figures):
    assert not any(after(figures))


@given(st.lists(st.none(), max_size=60))
def test_what_is_unknown_is_no_calm(figures):
    assert all(after([Decimal(0), *figures], TRIPPED))


def test_a_trigger_is_no_person():
    assert not is_person(caller(Cause.DRAWDOWN))
    assert is_person("Ada")
