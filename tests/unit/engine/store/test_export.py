"""Whole tables, page by page: every row once, in order, as the store has it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import insert

from engine.domain.approvals import Ordered
from engine.domain.errors import StoreError
from engine.domain.figures import bounded
from engine.store.database import Database
from engine.store.export import HEADS, PAGE, What, exporting
from engine.store.tables import EquityRow, table_of
from engine.store.unit_of_work import UnitOfWork
from tests.fakes import reports
from tests.fakes.database import execute, url_of
from tests.fakes.engine import at
from tests.fakes.venue import fill, oco, order


async def read(folder: Path, what: What, since: int | None = None) -> list[dict[str, object]]:
    with exporting(url_of(folder), what, None if since is None else at(since)) as rows:
        return [dict(zip(HEADS[what], row, strict=True)) for row in rows]


@pytest.mark.parametrize("what", What)
async def test_an_empty_account_has_no_rows(store: Database, tmp_path: Path, what: What):
    assert await read(tmp_path, what) == []


async def test_every_point_of_the_curve_comes_once_whatever_is_written_meanwhile(store: Database, tmp_path: Path):
    count, table = 2 * PAGE + 1, table_of(EquityRow)

    def points(first: int, last: int) -> list[dict[str, object]]:
        one, small = Decimal(1), Decimal("0.000000000000000001")
        return [
            {"at": at(n), "equity": n + small, "cash": one, "drawdown": one / 3, "benchmark": None}
            for n in range(first, last)
        ]

    await store.transact(lambda uow: uow.connection.execute(insert(table), points(0, count)))
    with exporting(url_of(tmp_path), What.EQUITY) as rows:
        first = next(rows)
        await store.transact(lambda uow: uow.connection.execute(insert(table), points(count, count + 1)))
        found = [first, *rows]
    assert [row[0] for row in found] == [at(n) for n in range(count + 1)]
    assert found[7][1:] == (Decimal("7.000000000000000001"), Decimal(1), bounded(Decimal(1) / 3), None, 0)
    assert len(await read(tmp_path, What.EQUITY, since=count)) == 1


async def test_trades_tell_what_the_store_knows_and_who_decided(store: Database, tmp_path: Path):
    held = reports.position(id="T1", opened_at=at(1))
    closed = reports.closed_position(id="T2", opened_at=at(2), closed_at=at(3))
    foreign = reports.position(id="T3", opened_at=at(4), context="external", cost=Decimal(0), bought=Decimal(0))
    votes = (reports.vote("Ann"), reports.vote("=Ben", half=True))
    asked = reports.asked(Ordered(order_id="O1", price=Decimal(1), votes=votes, at=at(1)))

    def work(uow: UnitOfWork) -> None:
        uow.decisions.add(reports.judged(decision=reports.decision(id=asked.decision_id)))
        uow.decisions.write()
        uow.approvals.add(asked)
        for each, decision_id in ((held, "D1"), (closed, asked.decision_id), (foreign, "")):
            uow.positions.put(each, decision_id)

    await store.transact(work)
    first, second, third = await read(tmp_path, What.TRADES)
    assert [row["decided_by"] for row in (first, second, third)] == ["bot", "Ann, =Ben", "external"]
    assert second["net"] == closed.net
    assert (second["share"], second["exit_price"]) == (bounded(closed.share(closed.net)), bounded(closed.exit_price))
    assert (first["held"], first["closed_at"], first["exit_price"]) == (held.quantity, None, None)
    assert (third["share"], third["exit_price"]) == (None, None)
    assert [row["id"] for row in await read(tmp_path, What.TRADES, since=2)] == ["T2", "T3"]


async def test_orders_tell_what_the_store_knows(store: Database, tmp_path: Path):
    entry, later = order(1), order(2, created_at=at(9))

    def work(uow: UnitOfWork) -> None:
        for each in (entry, later, oco(3)):
            uow.orders.add(each)
        uow.orders.add_fill(entry, fill(entry, 1, Decimal(1), Decimal(100), Decimal("0.1")), Decimal("0.1"), "T1")

    await store.transact(work)
    view = await store.read(lambda uow: uow.orders.get("O1"))
    first, *_ = rows = await read(tmp_path, What.ORDERS)
    assert [row["id"] for row in rows] == ["O1", "O2", "O3"]
    assert (first["average_price"], first["filled"], first["fee"]) == (view.average, view.filled, view.fee)
    assert (first["side"], first["trade_id"], first["created_at"]) == ("buy", view.position_id, view.created_at)
    assert "O2" in [row["id"] for row in await read(tmp_path, What.ORDERS, since=9)]


def test_a_database_of_another_version_or_none_is_refused(tmp_path: Path, each_database: str):
    execute(each_database, "UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(StoreError, match="bot db upgrade"), exporting(each_database, What.TRADES):
        pass
    with pytest.raises(StoreError, match="Start the bot first"), exporting(f"sqlite:///{tmp_path}/no.db", What.TRADES):
        pass
    assert not (tmp_path / "no.db").exists()
