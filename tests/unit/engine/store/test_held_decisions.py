"""Decisions that hold, kept beside one another: each is what it would be by itself, to the letter."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.domain.autonomy import Hold
from engine.domain.decisions import Condition, Decision, Input, Issue, Judged, QualityReport, Stance
from engine.store.database import Database
from engine.store.decisions import made_from
from engine.store.unit_of_work import UnitOfWork
from tests.fakes.database import new_database
from tests.fakes.reports import NOON, decision, judged, signals

ODD = 'a "quoted" \\ line\nof µ, {"decision":{}} and \x1f'


def held(number: int, **changes: Any) -> Judged:
    own = decision(id=f"D{number}", key=f"k{number}", stance=Stance.HOLD, confidence=1 / 3, reasons=(ODD,))
    usual = judged(decision=own, ruling=Hold(), plan=None, clamps=(), signals=(signals(), signals(rsi=None)))
    return replace(usual, **changes)


RECORDS = (
    held(1),
    held(1, signals=()),
    held(1, inputs=(Input(name=ODD, age=None), Input(name="book", age=timedelta(hours=-1, microseconds=5)))),
    held(1, market_context=(Input(name="funding", age=timedelta(0), detail=ODD),)),
    held(1, quality=QualityReport(repaired=(Issue(kind="too few", detail=ODD),))),
    held(1, quality=QualityReport()),
    held(1, decision=replace(held(1).decision, conditions=(Condition(name=ODD, holds=True, weight=1e-9, detail=ODD),))),
)


def database_in(folder: Path) -> Database:
    folder.mkdir()
    return new_database(folder)


async def rows(folder: Path, *, together: bool, record: Judged) -> list[tuple[Any, ...]]:
    """What two decisions on the same leave in the database."""
    store = database_in(folder)
    others: Decision = replace(record.decision, id="D2", key="k2", context="another")

    def work(uow: UnitOfWork) -> None:
        kept = made_from(
            inputs=record.inputs,
            signals=record.signals,
            quality=record.quality,
            market_context=record.market_context,
        )
        for each in (record.decision, others):
            if together:
                uow.decisions.add_held(each, kept)
            else:
                uow.decisions.add(replace(record, decision=each))

    await store.transact(work)
    try:
        return await store.read(
            lambda uow: [
                tuple(row)
                for table in ("decisions", "readings")
                for row in uow.connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1")  # noqa: S608 - named here
            ]
        )
    finally:
        await store.close()


@pytest.mark.parametrize("record", RECORDS)
async def test_a_decision_that_is_kept_with_others_is_kept_as_it_would_be_by_itself(tmp_path: Path, record: Judged):
    alone = await rows(tmp_path / "alone", together=False, record=record)
    assert await rows(tmp_path / "together", together=True, record=record) == alone
    assert len(alone) == (4 if record.signals else 2)


async def test_what_is_read_back_is_what_was_kept(store: Database):
    record = RECORDS[2]
    kept = made_from(
        inputs=record.inputs, signals=record.signals, quality=record.quality, market_context=record.market_context
    )
    await store.transact(lambda uow: uow.decisions.add_held(record.decision, kept))
    assert await store.read(lambda uow: uow.decisions.get("D1")) == record


async def test_where_nothing_was_decided_what_is_decided_is_known_without_asking(store: Database):
    def work(uow: UnitOfWork) -> tuple[bool, ...]:
        first = uow.decisions.begins(NOON)
        before = uow.decisions.seen("k1", NOON)
        uow.decisions.add(held(1))
        return first, before, uow.decisions.seen("k1", NOON), uow.decisions.begins(NOON)

    assert held(1).decision.at == NOON
    assert await store.transact(work) == (True, False, True, False)
    assert not await store.read(lambda uow: uow.decisions.begins(NOON - timedelta(hours=1)))
    assert await store.read(lambda uow: uow.decisions.begins(NOON + timedelta(hours=1)))
