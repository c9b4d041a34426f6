"""Fault 15 with two databases: bots on one account know each other's orders, and enter nothing beside them."""

from __future__ import annotations

import asyncio
import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fakes.breaking_out import BreakingOut, next_minute
from tests.fakes.command_line import bot
from tests.fakes.patience import until
from tests.fakes.program import Files
from tests.fakes.real_program import environ_at, go, rows, started, write
from tests.fakes.venues.binance import FakeBinance

PROTECTED = "SELECT * FROM orders WHERE type = 'oco' AND status = 'open'"
HALTED = "SELECT * FROM halts WHERE status = 'open'"


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_of_two_bots_that_want_to_buy_at_one_close_the_second_enters_nothing_beside_the_first(
    tmp_path: Path,
) -> None:
    """Which is the second is not said; where both have bought before either could know, both stop there."""
    market = BreakingOut(next_minute(45))
    fake = FakeBinance([market.symbol], balances={"USDT": "10000"})
    await fake.start()
    bots = one, two, three = [Files(folder=tmp_path / name) for name in ("one", "two", "three")]
    try:
        with ExitStack() as running:
            for files in bots:
                files.folder.mkdir()
            for files in (one, two):
                running.enter_context(started(write(files.folder, fake), fake))
            for files in (one, two):
                await go(files)
            await until(lambda: any(rows(files, PROTECTED) for files in bots), seconds=150)
            await until(
                lambda: all(rows(other, HALTED) for files, other in ((one, two), (two, one)) if has_bought(files)),
                seconds=70,
            )
        assert set(fake.matching.accepted.values()) == {1}
        ends = {name[-8:] for name in fake.matching.accepted}
        assert len(ends) == sum(map(has_bought, bots)), "each by its own signature"
        for halt in (halt for files in bots for halt in rows(files, HALTED)):
            assert (halt["kind"], halt["venue"]) == ("other_bot", "binance")
            assert any(f"there is signed {end}" in halt["reason"] for end in ends)
        await a_third_one_is_told_at_its_start(three.folder, fake)
    finally:
        await fake.stop()


def has_bought(files: Files) -> bool:
    """Whether it has sent an entry: one that was written down is not sent once the other's is seen."""
    return bool(rows(files, "SELECT * FROM orders WHERE purpose = 'entry' AND status != 'rejected'"))


async def a_third_one_is_told_at_its_start(folder: Path, fake: FakeBinance) -> None:
    files, config = Files(folder=folder), write(folder, fake)
    keys = {name: value for name, value in environ_at(fake).items() if name.startswith("BOT_")}
    said = await asyncio.to_thread(bot, folder, "doctor", "--config", str(config), **keys)
    assert re.search(r"other bots.*Order \S+ \(sell BTC/USDT\) at binance is another bot's", said.stdout), said.stdout
    before = dict(fake.matching.accepted)
    with started(config, fake):
        await until(lambda: '"event": "started"' in (folder / "log").read_text(), seconds=60)
        assert [halt["kind"] for halt in rows(files, HALTED)] == ["other_bot"]
    assert fake.matching.accepted == before
