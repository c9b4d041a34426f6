"""What is the same on two sides is found once, and what is alone stays in its order."""

from __future__ import annotations

from engine.backtest.pairing import Paired, paired


def test_the_first_goes_with_the_first_and_what_is_left_keeps_its_order() -> None:
    found = paired(["b1", "a1", "a2", "c1"], ["a3", "d1", "b2", "a4", "a5", "a0"], lambda each: each[0])
    assert found.both == (("b1", "b2"), ("a1", "a3"), ("a2", "a4"))
    assert (found.only_first, found.only_second) == (("c1",), ("d1", "a5", "a0"))


def test_nothing_goes_with_nothing() -> None:
    assert paired([], [], str) == Paired(both=(), only_first=(), only_second=())
