"""Many are asked at once, and not too many; whoever is late comes after."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from functools import partial

import pytest

from engine.support.batches import AT_ONCE, in_batches


class Asked:
    """Some who answer with their number once they are let."""

    def __init__(self, slow: int | None = None) -> None:
        self.let = asyncio.Event()
        self.slow = slow
        self.asking = self.most = self.cancelled = 0

    async def answer(self, number: int) -> int:
        self.asking += 1
        self.most = max(self.most, self.asking)
        try:
            await (self.let.wait() if number == self.slow else asyncio.sleep(0))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.asking -= 1
        return number

    async def batches(self, count: int, late_after: float | None) -> list[Mapping[int, int]]:
        asked = {number: partial(self.answer, number) for number in range(count)}
        found = []
        async for batch in in_batches(asked, late_after):
            found.append(batch)
            self.let.set()
        return found


@pytest.mark.parametrize("late_after", [None, 5.0])
@pytest.mark.parametrize("count", [0, 1, 20])
async def test_those_who_answer_in_time_are_one_batch_in_the_order_of_asking(late_after: float | None, count: int):
    asked = Asked()
    (batch,) = await asked.batches(count, late_after)
    assert list(batch.items()) == [(number, number) for number in range(count)]
    assert asked.most == min(count, 1 if late_after is None else AT_ONCE)


async def test_who_is_late_comes_by_itself():
    first, late = await Asked(slow=0).batches(3, 0.05)
    assert (first, late) == ({1: 1, 2: 2}, {0: 0})


async def test_nobody_is_asked_any_more_once_nobody_listens():
    asked = Asked(slow=1)
    async with aclosing(in_batches({each: partial(asked.answer, each) for each in (0, 1)}, 0.05)) as batches:
        assert await anext(batches) == {0: 0}
    assert asked.cancelled == 1


async def test_a_fault_ends_it_and_leaves_nobody_asking():
    asked = Asked(slow=1)

    async def fail() -> int:
        raise ValueError("no number")

    with pytest.raises(ValueError, match="no number"):
        async for _ in in_batches({0: fail, 1: partial(asked.answer, 1)}, 0.05):
            pass
    assert asked.cancelled == 1


async def test_more_who_are_late_than_are_asked_at_once_keep_nobody_from_being_asked():
    asked, late = Asked(), Asked(slow=0)
    hung = {("hung", each): partial(late.answer, 0) for each in range(AT_ONCE + 1)}
    quick = {("quick", each): partial(asked.answer, each) for each in range(3)}
    async with aclosing(in_batches({**hung, **quick}, 0.02)) as batches:
        assert await anext(batches) == {("quick", each): each for each in range(3)}
        late.let.set()
        assert set(await anext(batches)) <= set(hung)
