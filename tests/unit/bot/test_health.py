"""A board on which every part has a line."""

from __future__ import annotations

from bot.health import Health
from engine.domain.health import Part


def test_a_board_without_parts_is_empty():
    assert Health().parts() == ()


def test_a_part_that_is_watched_is_asked_each_time():
    health, answers = Health(), ["ok"]
    health.watch("telegram", lambda: answers[-1])
    assert health.parts() == (Part(name="telegram", ok=True, detail="ok"),)
    answers.append("no answer for 40 s")
    assert health.parts() == (Part(name="telegram", ok=False, detail="no answer for 40 s"),)


def test_a_part_that_tells_is_well_until_it_says_otherwise():
    health = Health()
    tell = health.teller("jobs")
    assert health.parts()[0].ok
    tell("candle failed")
    assert health.parts() == (Part(name="jobs", ok=False, detail="candle failed"),)
    tell("")
    assert health.parts()[0].ok


def test_what_was_told_stays_when_somebody_else_asks_for_the_line():
    health = Health()
    health.teller("jobs")("candle failed")
    health.teller("jobs")
    assert not health.parts()[0].ok
