"""Two runs that did the same have the same fingerprint, and no others have."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.events import Welcomed
from engine.store.history import History, history
from engine.store.unit_of_work import UnitOfWork
from tests.fakes import postgres
from tests.fakes.database import new_database, use_postgres
from tests.fakes.reports import ANSWERED, NOON, asked, decision, judged, position
from tests.fakes.venue import fill, order


def a_day(uow: UnitOfWork) -> None:
    entry = order(1)
    uow.decisions.add(judged(decision=decision(id="D1")))
    uow.approvals.add(asked(id="A1", decision_id="D1"))
    uow.orders.add(entry)
    uow.orders.add_fill(entry, fill(entry, 1, entry.request.quantity), Decimal(0), "T3")
    uow.positions.put(position(), "D1")
    uow.emit(Welcomed(at=NOON))


async def told(folder: Path, *works) -> History:
    database = new_database(folder)
    for work in works:
        await database.transact(work)
    found = await database.read(lambda uow: history(uow.connection))
    await database.close()
    return found


async def test_it_counts_what_happened(tmp_path: Path):
    found = await told(tmp_path, a_day)
    assert (found.decisions, found.approvals) == ({"asked": 1}, {"pending": 1})
    assert (found.orders, found.trades) == ({"intent": 1}, {"open": 1})
    assert (found.fills, found.events) == (1, 1)


async def test_the_same_history_has_the_same_fingerprint(tmp_path: Path):
    assert await told(tmp_path / "one", a_day) == await told(tmp_path / "other", a_day)


async def test_both_databases_tell_the_same_history(tmp_path: Path):
    url = use_postgres(tmp_path / "server")
    assert await told(tmp_path / "file", a_day) == await told(tmp_path / "server", a_day)
    postgres.drop(url)


async def test_what_depends_on_the_wall_clock_is_no_part_of_it(tmp_path: Path):
    def chat(uow: UnitOfWork) -> None:
        uow.chat.audit(
            at=NOON, wall_at=ANSWERED, platform="web", user="ann", person="Ann", action="/status", outcome="ok"
        )
        uow.chat.delivered("web:1", ANSWERED)

    quiet, chatty = await told(tmp_path / "one", a_day), await told(tmp_path / "other", a_day, chat)
    assert quiet.fingerprint == chatty.fingerprint


@pytest.mark.parametrize(
    "further",
    [
        lambda uow: uow.emit(Welcomed(at=NOON + timedelta(microseconds=1))),
        lambda uow: uow.orders.attach("O1", "T9"),
        lambda uow: uow.decisions.add(judged(decision=decision(id="D2", key="another"))),
    ],
)
async def test_any_other_history_has_another(tmp_path: Path, further):
    assert (await told(tmp_path / "one", a_day)).fingerprint != (
        await told(tmp_path / "other", a_day, further)
    ).fingerprint
