"""Which cards a fact changes."""

from __future__ import annotations

from decimal import Decimal
from typing import get_args

import pytest

from engine.domain.events import Event, Halted, HaltEnded, PositionClosed, PositionProtected, topics
from engine.domain.trading import HaltKind
from tests.fakes.events import EVENTS
from tests.fakes.reports import NOON

TOPICS = {
    "ApprovalAsked": ("approval:A1",),
    "ApprovalChanged": ("approval:A1",),
    "OrderIntended": ("approval:A1",),
    "OrderChanged": (),
    "OrderFilled": ("approval:A1", "trade:T1"),
    "PositionOpened": ("trade:T1",),
    "PositionProtected": ("trade:T1",),
    "ProtectionFailed": ("trade:T1", "unprotected:T1"),
    "PositionClosed": ("approval:A1", "trade:T1", "closed:T1"),
    "Halted": ("halt:H1", "approval:A1", "approval:A2"),
    "HaltEnded": ("halt:H1", "recovery:H1", "approval:A2"),
    "LosingStreakChanged": ("streak:S1",),
    "ExternalTraded": ("external:O3",),
    "ExternalCancelled": ("external:O2",),
    "BalanceAdopted": (),
    "EmergencyProgressed": ("emergency:H2",),
    "PlatformTroubled": ("platform:P1",),
    "PlatformRecovered": ("platform:P1",),
    "DigestDue": ("digest:2026-01-03",),
    "Welcomed": ("welcome:1",),
}


def test_there_is_an_example_of_every_event():
    assert {type(event) for event in EVENTS} == set(get_args(Event))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_changes_the_cards_of_what_it_is_about(event: Event):
    assert topics(event) == TOPICS[type(event).__name__]


def test_an_alarm_about_a_position_says_when_it_is_closed():
    closed = PositionClosed(at=NOON, position_id="T1", closed_by="exit", net=Decimal(-1), alarmed=True)
    assert topics(closed) == ("trade:T1", "closed:T1", "unprotected:T1")


def test_an_alarm_about_a_position_says_when_it_is_protected_again():
    protected = PositionProtected(at=NOON, position_id="T1", alarmed=True)
    assert topics(protected) == ("trade:T1", "unprotected:T1")


def test_an_emergency_has_one_card_from_the_call_to_its_end():
    stopped, over = (kind(at=NOON, halt_id="H2", kind=HaltKind.EMERGENCY) for kind in (Halted, HaltEnded))
    assert topics(stopped) == topics(over) == ("emergency:H2",)
