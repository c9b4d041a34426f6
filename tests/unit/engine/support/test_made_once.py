"""A property that is made once."""

from __future__ import annotations

from engine.support.made_once import made_once


class Owner:
    def __init__(self) -> None:
        self.made = 0

    @made_once
    def part(self) -> list[int]:
        """A part."""
        self.made += 1
        return [self.made]


def test_a_part_is_made_when_it_is_asked_for_and_only_then() -> None:
    owner = Owner()
    assert "part" not in owner.__dict__
    assert owner.part is owner.part
    assert owner.part == [1]
    assert (owner.made, Owner().part) == (1, [1]), "each has its own"
