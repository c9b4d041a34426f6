"""At which market time an engine begins."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from bot.engine_room import Engine, build_engine
from bot.markets import source
from config.loader import load
from engine.domain.events import HaltEnded
from engine.domain.trading import HaltKind
from engine.store.database import nowhere
from tests.fakes.database import new_file, url_of


async def test_a_new_account_begins_at_its_first_candle_and_an_old_one_where_it_had_come_to(tmp_path: Path):
    new_file(tmp_path)
    first = await engine_in(tmp_path)
    start = first.market.start
    assert first.clock.now() == start
    later = start + timedelta(hours=5)
    await first.store.transact(lambda uow: uow.emit(HaltEnded(at=later, halt_id="H1", kind=HaltKind.PAUSE, by="Ada")))
    await close(first)
    again = await engine_in(tmp_path)
    assert again.clock.now() == later
    await close(again)


async def engine_in(folder: Path) -> Engine:
    settings = load(
        "demo", None, {"database.url": url_of(folder), "venue.file": str(folder / "venue.sqlite")}, {}, folder
    )
    return await build_engine(settings, source(settings), nowhere)


async def close(engine: Engine) -> None:
    engine.venue.close()
    await engine.store.close()
