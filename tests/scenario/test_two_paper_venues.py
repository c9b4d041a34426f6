"""Two paper venues by configuration: each context trades at its own, and people are told which."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.app import App
from bot.doctor import Case, Line, Verdict, examine
from bot.venues import files_in_backups, venue_files
from config.settings import Settings
from engine.domain.closing import Wanted
from engine.domain.errors import StoreError
from engine.store.backup import backup, restore
from engine.timing.clocks import wall
from handlers.cards import closings, trades
from tests.auditor import check_conservation
from tests.fakes.database import rows_of_file
from tests.fakes.program import END, FALLEN, Files, running, settings_of

TWO = {"kraken": {}, "okx": {}}
LATER = FALLEN + timedelta(hours=3)


def context(name: str, exchange: str) -> Mapping[str, Any]:
    own = {"name": name, "exchange": exchange, "strategy": "momentum", "markets": ["BTC/USDT"]}
    return own | {"timeframe": "1h", "higher": []}


BOTH = [context("first", "kraken"), context("second", "okx")]


def settings(folder: Path, until: Any = END, **changes: Any) -> Settings:
    replay = {"end": until.isoformat(), "until_end": True}
    trades_alone = {"auto_above": 0, "ask_above": 0}
    sizes = {"risk_per_trade": 0.001, "max_position": 0.9}
    given = {"exchanges": TWO, "contexts": BOTH, "replay": replay, "approval": trades_alone, "risk": sizes, **changes}
    return settings_of(folder, **given)


def doctor_of_positions(asked: Settings) -> Line:
    return next(line for line in examine(Case(settings=asked, wall=wall)) if line.name == "positions")


async def played(asked: Settings) -> App:
    """The program until its data ends."""
    app = App(asked, announce=lambda _: None)
    await app.run()
    return app


@pytest.mark.slow
async def test_each_context_trades_at_its_own_venue_over_a_restart(tmp_path: Path):
    await played(settings(tmp_path))
    files = Files(folder=tmp_path)
    assert {(row["context"], row["venue"]) for row in files.rows("SELECT context, venue FROM positions")} == {
        ("first", "kraken"),
        ("second", "okx"),
    }
    own = venue_files(settings(tmp_path))
    assert [file.name for file in own.values()] == ["venue-kraken.sqlite", "venue-okx.sqlite"]
    for name, file in own.items():
        (cash,) = files.rows("SELECT amount FROM balances WHERE venue = ? AND currency = 'USDT'", name)
        (there,) = rows_of_file(file, "SELECT current FROM balances WHERE currency = 'USDT'")
        assert Decimal(cash["amount"]) == Decimal(there["current"]) < 10_000
    (account,) = files.rows("SELECT opening FROM account")
    assert Decimal(account["opening"]) == 20_000

    await played(settings(tmp_path, LATER))
    assert files.rows("SELECT id FROM positions WHERE closed_at IS NULL") == []
    assert [check_conservation(file) for file in own.values()] == [[], []]
    assert len(files.rows("SELECT id FROM orders WHERE purpose = 'entry'")) == 2, "nothing is bought twice"


async def test_people_are_told_where_a_trade_is_and_a_context_that_is_gone_is_named(tmp_path: Path):
    await played(settings(tmp_path))
    moved = [context("first", "okx"), context("second", "okx")]
    async with running(settings(tmp_path, contexts=moved)) as app:
        assert app.program is not None
        views = app.program.engine.views
        assert (await views.status()).venue == "kraken and okx"
        shown = [item.title for item in trades.positions(await views.positions(), END).items]
        assert [title.partition(" -")[0] for title in shown] == ["T1 BTC/USDT at kraken", "T2 BTC/USDT at okx"]
        assert (await views.status()).unmanaged == ("T1",)
        asked = await app.program.engine.closings.ask("P1", Wanted(what="BTC/USDT"))
        assert [item.title for item in closings.card(asked).items] == ["T1 BTC/USDT at kraken", "T2 BTC/USDT at okx"]
    told = await asyncio.to_thread(doctor_of_positions, settings(tmp_path, contexts=moved))
    assert (told.verdict, "the context first does not trade at kraken" in told.text) == (Verdict.WRONG, True)


async def test_an_account_goes_on_with_the_venues_that_it_began_with(tmp_path: Path):
    await played(settings(tmp_path))
    one = settings(tmp_path, exchanges={"kraken": {}}, contexts=BOTH[:1])
    with pytest.raises(StoreError, match="belongs to venue 'kraken and okx', not to 'paper'"):
        await played(one)


async def test_a_backup_has_the_files_of_both(tmp_path: Path):
    (tmp_path / "other").mkdir()
    here, there = settings(tmp_path), settings(tmp_path / "other")
    await played(here)
    saved = tmp_path / "saved.zip"
    backup(here.database.url, files_in_backups(here), saved)
    with pytest.raises(StoreError, match=r"the venues here are kept as venue\.sqlite"):
        restore(there.database.url, {"venue.sqlite": tmp_path / "other" / "venue.sqlite"}, saved)
    restore(there.database.url, files_in_backups(there), saved)
    for name, file in venue_files(here).items():
        query = "SELECT * FROM fills"
        assert rows_of_file(venue_files(there)[name], query) == rows_of_file(file, query) != []
