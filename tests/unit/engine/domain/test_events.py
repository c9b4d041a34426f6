"""The list of what can happen is complete."""

from __future__ import annotations

from typing import get_args

from engine.domain.events import Event
from tests.fakes.events import EVENTS


def test_there_is_an_example_of_every_event():
    assert {type(event) for event in EVENTS} == set(get_args(Event))
