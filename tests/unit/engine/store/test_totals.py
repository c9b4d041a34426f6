"""Counts over whole tables."""

from __future__ import annotations

from decimal import Decimal

from engine.domain.approvals import Press, Verb
from engine.store.totals import totals
from tests.fakes.engine import engine_room


async def test_a_new_account_has_come_to_nothing(tmp_path):
    async with engine_room(tmp_path) as room:
        found = await room.store.read(lambda uow: totals(uow.connection))
        assert (found.closed, found.won, found.net, found.fees, found.decisions) == (0, 0, 0, 0, 0)
        assert (found.approvals, found.orders, found.unsent) == ({}, {}, {})


async def test_everything_is_counted_by_what_became_of_it(tmp_path):
    async with engine_room(tmp_path) as room:
        await room.enter(0.6)
        (asked,) = await room.store.read(lambda uow: uow.approvals.open())
        waiting = await room.store.read(lambda uow: totals(uow.connection))
        assert (waiting.decisions, waiting.approvals, waiting.orders) == (1, {"pending": 1}, {})
        await room.approvals.answer(asked.id, Press(person="Ann", verb=Verb.APPROVE))
        await room.approvals.finished()
        bought = await room.store.read(lambda uow: totals(uow.connection))
        (held,) = await room.store.read(lambda uow: uow.positions.open())
        assert bought.approvals == {"ordered": 1}
        assert bought.orders["filled"] == 1
        assert (bought.closed, bought.fees) == (0, held.fees)
        assert isinstance(bought.fees, Decimal)
        assert bought.fees > 0
