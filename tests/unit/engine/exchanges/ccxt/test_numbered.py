"""Requests that carry a number which grows."""

from __future__ import annotations

from engine.exchanges.ccxt.numbered import Growing


def test_numbers_that_grow_never_stand_still() -> None:
    at = iter([5, 5, 4, 9])
    growing = Growing(lambda: next(at))
    assert [growing() for _ in range(4)] == [5, 6, 7, 9]
