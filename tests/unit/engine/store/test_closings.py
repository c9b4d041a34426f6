"""Wishes to close something: kept as they are, and only the newest."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.closing import Closing, Stage, Unsold, Wanted
from engine.domain.errors import UnknownId
from engine.domain.market import Market
from engine.execution.closing import sale_of
from engine.store.closings import KEPT
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork
from tests.fakes.reports import NOON, position


def wish(number: int) -> Closing:
    sale = sale_of(position(), position().quantity, Market(symbol="BTC/USDT"), Decimal(20000), Decimal("0.5"))
    assert not isinstance(sale, Unsold)
    return Closing(
        id=f"C{number}",
        person="Ann",
        wanted=Wanted(what="T3", share=Decimal("0.5")),
        sales=(sale,),
        unsold=(Unsold(position_id="T4", symbol="ETH/USDT", reason="it was closed meanwhile"),),
        asked_at=NOON,
        expires_at=NOON + timedelta(minutes=2),
        stage=Stage.CONFIRMED,
        orders={"T3": "O9"},
    )


async def test_a_position_knows_the_confirmed_wishes_about_it_while_they_are_kept(each_database: str):
    database = Database(each_database)

    def put(uow: UnitOfWork) -> None:
        uow.closings.put(replace(wish(1), stage=Stage.ASKED))
        assert uow.closings.about("T3") == ()
        uow.closings.put(wish(1))
        uow.closings.put(wish(2))

    await database.transact(put)
    assert await database.read(lambda uow: (uow.closings.about("T3"), uow.closings.about("T4"))) == (("C1", "C2"),) * 2
    for number in (1, 2):
        await database.transact(
            lambda uow, number=number: uow.closings.put(replace(wish(KEPT + number), stage=Stage.ASKED))
        )
    assert await database.read(lambda uow: uow.settings.starting_with("closing_about.")) == {}
    await database.close()


@pytest.mark.parametrize("stage", Stage)
async def test_only_what_is_asked_and_known_waits(each_database: str, stage: Stage):
    database = Database(each_database)
    await database.transact(lambda uow: uow.closings.put(replace(wish(1), stage=stage)))
    waits = await database.read(lambda uow: [uow.closings.waits(each) for each in ("C1", "C2", "")])
    assert waits == [stage is Stage.ASKED, False, False]
    await database.close()


async def test_a_wish_comes_back_as_it_was_and_the_oldest_go(each_database: str):
    database = Database(each_database)

    def put(uow: UnitOfWork) -> None:
        for number in range(1, KEPT + 2):
            assert uow.closings.next_id() == f"C{number}"
            uow.closings.put(wish(number))

    await database.transact(put)
    assert await database.read(lambda uow: uow.closings.get("C2")) == wish(2)
    assert await database.read(lambda uow: uow.closings.get(f"C{KEPT + 1}")) == wish(KEPT + 1)
    with pytest.raises(UnknownId, match="no longer good: it sells nothing"):
        await database.read(lambda uow: uow.closings.get("C1"))
    await database.close()
