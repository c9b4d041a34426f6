"""The whole program between two real venues: ``bot run`` with one context on both, through the real ccxt.

A strict Binance and a strict Kraken, one trade from the candle to the fill at the one or the other, killed on the way.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.breaking_out import BreakingOut, next_minute
from tests.fakes.command_line import bot
from tests.fakes.exchange import Fault
from tests.fakes.patience import until
from tests.fakes.program import Files
from tests.fakes.real_program import environ_at, go, rows, started, write
from tests.fakes.venues.binance import DOWN, FakeBinance
from tests.fakes.venues.kraken import FakeKraken

ADD_ORDER = "POST /0/private/AddOrder"
NEVER_ANSWERED = Fault(after=60)
PROTECTED = "SELECT * FROM orders WHERE type = 'oco' AND status = 'open'"
CLOSED = "SELECT * FROM positions WHERE status = 'closed'"


@dataclass(frozen=True)
class Between:
    """Two venues with the same market, which costs less at the second; the bot decides on candles of the first."""

    binance: FakeBinance
    kraken: FakeKraken
    markets: tuple[BreakingOut, BreakingOut]
    files: Files
    config: Path

    def fall(self) -> None:
        for market in self.markets:
            market.fallen_at = self.binance.now_ms()

    def balance(self) -> None:
        """See that the books have what each venue has."""
        kept = {
            (row["venue"], row["currency"]): float(row["amount"]) for row in rows(self.files, "SELECT * FROM balances")
        }
        for fake, venue, names in (
            (self.binance, "binance", {"USD": "USD", "BTC": "BTC"}),
            (self.kraken, "kraken", {"USD": "USD", "XBT": "BTC"}),
        ):
            fake.audit()
            for there, here in names.items():
                assert kept.get((venue, here), 0.0) == pytest.approx(float(fake.ledger.total(there)), abs=1e-8)


@asynccontextmanager
async def between(folder: Path) -> AsyncIterator[Between]:
    closes = next_minute(50)
    first = BreakingOut(closes, quote="USD")
    second = BreakingOut(closes, 40.0, base="XBT", quote="USD", tick="0.1", lot="0.00001", min_notional="0.5")
    binance = FakeBinance([first.symbol], balances={"USD": "10000"})
    kraken = FakeKraken([second.symbol], balances={"USD": "10000"})
    kraken.matching.fees.taker = binance.matching.fees.taker
    await binance.start()
    await kraken.start()
    try:
        yield Between(binance, kraken, (first, second), Files(folder=folder), write(folder, binance, kraken))
    finally:
        await binance.stop()
        await kraken.stop()


def compared(files: Files) -> list[Any]:
    (decision,) = [row for row in rows(files, "SELECT * FROM decisions") if row["stance"] == "enter"]
    found: list[Any] = json.loads(decision["record"])["quotes"]
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_it_buys_once_at_the_cheaper_venue_though_it_is_killed_while_that_has_not_answered(
    tmp_path: Path,
) -> None:
    async with between(tmp_path) as two:
        two.kraken.meddle = lambda call: NEVER_ANSWERED if call == ADD_ORDER else None
        with started(two.config, two.binance, two.kraken) as process:
            await go(two.files, accounts=2)
            await until(lambda: bool(two.kraken.matching.accepted), seconds=150)
            process.send_signal(signal.SIGKILL)
            process.wait(20)
        two.kraken.meddle = lambda _: None
        assert rows(two.files, PROTECTED) == []
        with started(two.config, two.binance, two.kraken):
            await until(lambda: rows(two.files, PROTECTED), seconds=60)
            (held,) = rows(two.files, "SELECT * FROM positions")
            assert (held["venue"], held["symbol"]) == ("kraken", "BTC/USD")
            assert [each.side for each in two.kraken.matching.open_orders()] == ["SELL"], "its stop stands there"
            two.fall()
            await until(lambda: rows(two.files, CLOSED), seconds=60)
        (closed,) = rows(two.files, CLOSED)
        assert (closed["venue"], closed["closed_by"]) == ("kraken", "stop")
        assert set(two.kraken.matching.accepted.values()) == {1}
        assert dict(two.binance.matching.accepted) == {}, "nothing went where it costs more"
        assert [each["venue"] for each in compared(two.files)] == ["binance", "kraken"]
        two.balance()


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_past_the_cheaper_venue_while_it_is_down_it_buys_at_the_other_and_finds_that_again(
    tmp_path: Path,
) -> None:
    async with between(tmp_path) as two:
        with started(two.config, two.binance, two.kraken) as process:
            await go(two.files, accounts=2)
            two.kraken.meddle = lambda _: DOWN
            await until(lambda: rows(two.files, PROTECTED), seconds=150)
            process.send_signal(signal.SIGKILL)
            process.wait(20)
        sent = dict(two.binance.matching.accepted)
        two.kraken.meddle = lambda _: None
        with started(two.config, two.binance, two.kraken):
            await until(lambda: (tmp_path / "log").read_text().count('"event": "started"') == 2, seconds=60)
            assert (len(rows(two.files, PROTECTED)), dict(two.binance.matching.accepted)) == (1, sent)
            two.fall()
            await until(lambda: rows(two.files, CLOSED), seconds=60)
        (closed,) = rows(two.files, CLOSED)
        assert (closed["venue"], closed["closed_by"]) == ("binance", "stop")
        assert set(two.binance.matching.accepted.values()) == {1}
        assert dict(two.kraken.matching.accepted) == {}
        two.balance()


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_each_of_two_contexts_decides_on_the_candles_of_its_own_venue_while_the_other_is_down(
    tmp_path: Path,
) -> None:
    async with between(tmp_path) as two:
        two.markets[0].closes = 2**62  # nothing ever happens at the first
        usual = {"strategy": "momentum", "timeframe": "1m", "higher": [], "markets": ["BTC/USD"]}
        contexts = [{**usual, "name": f"at {name}", "exchange": name} for name in ("binance", "kraken")]
        sure = {"auto_above": 0.6, "ask_above": 0.6, "max_price_drift": 0.05}  # as of a breakout, and of nothing else
        config = write(tmp_path, two.binance, two.kraken, contexts=contexts, approval=sure)
        keys = {name: key for name, key in environ_at(two.binance, two.kraken).items() if name.startswith("BOT_")}
        said = await asyncio.to_thread(bot, tmp_path, "doctor", "--config", str(config), **keys)
        assert re.search(f"ok +venue: {two.binance.url} lists .*; {two.kraken.url} lists ", said.stdout), said.stdout
        with started(config, two.binance, two.kraken):
            await go(two.files, accounts=2)
            decided = "SELECT * FROM decisions WHERE context = 'at binance'"
            await until(lambda: rows(two.files, decided) or rows(two.files, PROTECTED), seconds=120)
            two.binance.meddle = lambda _: DOWN
            await until(lambda: rows(two.files, PROTECTED), seconds=150)
            (held,) = rows(two.files, "SELECT * FROM positions")
            assert (held["context"], held["venue"]) == ("at kraken", "kraken")
            two.fall()
            await until(lambda: rows(two.files, CLOSED), seconds=60)
            two.binance.meddle = lambda _: None
        assert dict(two.binance.matching.accepted) == {}
        assert set(two.kraken.matching.accepted.values()) == {1}
        two.balance()
