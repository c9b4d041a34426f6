"""``bot export`` as it is typed."""

from __future__ import annotations

import asyncio
import csv
import os
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner, Result

from bot.cli import app
from engine.store.export import HEADS, What
from engine.store.tables import EquityRow, table_of
from tests.fakes.command_line import BOT
from tests.fakes.database import new_database, new_file, url_of
from tests.fakes.engine import at


def export(folder: Path, *words: str) -> Result:
    return CliRunner(env={"BOT_DATABASE__URL": url_of(folder)}).invoke(app, ["export", *words])


async def fill(folder: Path, points: int) -> None:
    """An equity curve, a point each minute."""
    store = new_database(folder)
    none = Decimal(0)
    rows = [
        {"at": at(n), "equity": Decimal(n) / 100, "cash": none, "drawdown": none, "benchmark": None}
        for n in range(points)
    ]
    await store.transact(lambda uow: uow.connection.execute(insert(table_of(EquityRow)), rows))
    await store.close()


@pytest.mark.parametrize("what", What)
def test_an_empty_account_gives_the_header_alone(tmp_path: Path, what: What):
    new_file(tmp_path)
    answer = export(tmp_path, what)
    assert answer.exit_code == 0, answer.output
    assert answer.stdout_bytes.decode() == ",".join(HEADS[what]) + "\r\n"


async def test_a_file_is_private_whole_and_not_replaced_unasked(tmp_path: Path):
    await fill(tmp_path, 3)
    file = tmp_path / "equity.csv"
    answer = export(tmp_path, "equity", "--csv", str(file), "--since", "2000-01-01")
    assert answer.exit_code == 0, answer.output
    assert answer.stdout == f"{file} has 3 rows of equity.\n"
    assert file.stat().st_mode & 0o777 == 0o600
    with file.open(newline="") as read:
        assert [row["equity"] for row in csv.DictReader(read)] == ["0", "0.01", "0.02"]
    again = export(tmp_path, "equity", "--csv", str(file))
    assert (again.exit_code, "--force" in again.stderr) == (2, True)
    assert export(tmp_path, "equity", "--csv", str(file), "--force", "--since", "2100-01-01").exit_code == 0
    assert file.read_text().splitlines() == [",".join(HEADS[What.EQUITY])]


def test_where_there_is_no_database_nothing_is_made(tmp_path: Path):
    answer = export(tmp_path, "trades", "--csv", str(tmp_path / "trades.csv"))
    assert (answer.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert "There is no database" in answer.stderr


@pytest.mark.slow
def test_who_has_read_enough_hears_no_complaint(tmp_path: Path):
    asyncio.run(fill(tmp_path, 5000))
    mine = {name: value for name, value in os.environ.items() if not name.startswith("BOT_")}
    process = subprocess.Popen(
        [BOT, "export", "equity"],
        env=mine | {"BOT_DATABASE__URL": url_of(tmp_path)},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.read(2) == b"at"
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 0
    process.stderr.close()
