"""A panel that costs something is not asked again while a market stands still, in the whole program."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.externals import EXTERNALS
from engine.ai.gate import Gate
from engine.llm.prices import Price
from tests.fakes.database import new_file, rows_of, url_of
from tests.fakes.own_strategies import KIND, with_trigger, written
from tests.fakes.panel import Script, a_panel, an_opinion
from tests.fakes.patience import until
from tests.fakes.program import BEGIN, running, settings_of

pytestmark = pytest.mark.slow

BEFORE, STILL, MOVED = 60, 6, 4
"""Hours before the replay, hours in which nothing moves, and hours after the price has."""
WANTED = STILL + MOVED - 1
"""Entries that are ruled on by the end; the last one is still thought about."""
FIRST = BEGIN + timedelta(hours=BEFORE)
COSTS = Price(input=Decimal(1), output=Decimal(1))


def written_market(folder: Path) -> None:
    """Candles that are all the same, until the price goes up by 1.5 % at once and stands still again."""
    with (folder / "BTCUSDT-1h.csv").open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(("timestamp", "open", "high", "low", "close", "volume"))
        for hour in range(BEFORE + STILL + MOVED + 1):
            price = 20_000 if hour < BEFORE + STILL else 20_300
            at = BEGIN + timedelta(hours=hour)
            rows.writerow((at.isoformat(), price, price + 25, price - 25, price, 400))


def new(folder: Path) -> Path:
    """A new folder."""
    folder.mkdir()
    new_file(folder)
    return folder


async def asked_at(folder: Path, min_change: str) -> tuple[int, int]:
    """How often the risk member was asked, and of how many entries its veto was the ruling."""
    written_market(folder)
    always = written(folder / "strategies", with_trigger("candles['close'].gt(0).to_numpy()"))
    script = Script(says={name: an_opinion() for name in ("analyst", "devils_advocate")} | {"risk": an_opinion("veto")})
    panel = a_panel(script, gate=Gate(min_change=Decimal(min_change)), price=COSTS)
    settings = settings_of(
        folder,
        approval={"auto_above": 0, "ask_above": 0},
        contexts=[
            {
                "name": "always",
                "strategy": f"{always}:{KIND}",
                "markets": ["BTC/USDT"],
                "timeframe": "1h",
                "higher": [],
                "params": {"length": 9},
            }
        ],
        replay={"start": FIRST.isoformat(), "end": (FIRST + timedelta(hours=STILL + MOVED)).isoformat()},
    )
    query = "SELECT record FROM decisions WHERE stance = 'enter' ORDER BY id"
    async with running(settings, replace(EXTERNALS, panel=panel)):
        await until(lambda: len(rows_of(url_of(folder), query)) == WANTED, seconds=60)
    kept = [row["record"] for row in rows_of(url_of(folder), query)]
    vetoes = [record for record in kept if "risk: I would veto" in record]
    return sum(each.purpose == "risk" for each in script.asked), len(vetoes)


async def test_while_nothing_moves_its_last_word_stands_and_once_the_price_has_it_is_asked_anew(tmp_path: Path):
    asked, vetoes = await asked_at(new(tmp_path / "gate"), "0.02")
    every, also = await asked_at(new(tmp_path / "always"), "0")
    assert every >= WANTED, "where min_change is 0 it is always asked"
    assert (vetoes, also) == (WANTED, WANTED), "a veto that was not asked for anew stands all the same"
    assert 1 + WANTED - STILL <= asked <= 1 + MOVED, "once for all hours that were the same, and as the price moved"
