"""A day at the fake Binance on which it hangs up every minute: purchases, stops, and what the process holds on to.

python -m tests.fakes.reconnects DIRECTORY MINUTES
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from bot.real_venues import follow_news
from tests.fakes.flatness import Sample, take
from tests.fakes.patience import until
from tests.fakes.real_bench import Bench
from tests.fakes.venues.binance import FakeBinance, trading

TRADES_EVERY = 10
"""How many minutes there are from one purchase to the next."""
SAMPLES_EVERY = 20
"""How many minutes there are from one look at the process to the next: two purchases, and two sales."""


class Day:
    """Minutes of an accelerated day, at the end of each of which every connection is cut."""

    def __init__(self, bench: Bench, fake: FakeBinance, note: Callable[[Sample], None]) -> None:
        self._bench = bench
        self._note = note
        self._fake = fake
        self.samples: list[Sample] = []
        self.unprotected: list[int] = []
        """The minutes at whose end something was held without its stop and target."""
        self.told = 0
        """How often the venue's own word had something taken in."""

    async def live(self, minutes: int) -> None:
        """Let so many minutes go by."""
        following = asyncio.create_task(follow_news(self._bench.exchange, self._sync, sleep=_at_once))
        try:
            for minute in range(minutes):
                await self._minute(minute)
                if minute % SAMPLES_EVERY == SAMPLES_EVERY - 1:
                    self._fake.log.clear()
                    self._fake.calls.clear()
                    self._fake.stream.told.clear()
                    self.samples.append(take(self._bench.clock.now()))
                    self._note(self.samples[-1])
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following

    async def _minute(self, minute: int) -> None:
        """Buy, come to the target, or only be cut off; a fill while nobody listens is found by the look after it."""
        step = minute % TRADES_EVERY
        await until(lambda: self._fake.stream.listeners == 1, seconds=60)
        if step == 1:
            await self._bench.buy(f"minute {minute}", "0.001")
        if step in {3, 6} and minute % 2:
            await self._fake.stream.cut()
        if step == 6:
            self._bench.move(66_000)
            self._bench.move(60_000)
        await self._bench.sync()
        if not await self._is_protected():
            self.unprotected.append(minute)
        before = self._fake.stream.subscribed
        await self._fake.stream.cut()
        await until(lambda: self._fake.stream.subscribed > before, seconds=60)

    async def _is_protected(self) -> bool:
        held = [position for position in await self._bench.held() if position.stop is not None]
        return len(self._fake.matching.open_orders()) == 2 * len(held)

    async def _sync(self, venue: str) -> None:
        self.told += 1
        await self._bench.orchestrator.sync_venue_events(venue)

    async def check(self) -> int:
        """See that each trade is in the books once, and that nothing is missing; how many there were.

        Raises:
            AssertionError: That is not so.
        """
        await self._bench.check()
        fills = await self._bench.store.read(lambda uow: uow.orders.newest_fills(100_000))
        ids = [each.fill.trade_id for each in fills]
        theirs = [str(each.trade_id) for each in self._fake.matching.trades]
        assert sorted(ids) == sorted(theirs)
        return len(ids)


async def day(folder: Path, minutes: int, note: Callable[[Sample], None] = lambda _: None) -> tuple[Day, int]:
    """Live through so many minutes; the day, and how many trades there were."""
    async with trading(balances={"USDT": "100000"}) as fake:
        bench = Bench(folder, fake, haste=100.0)
        bench.within = timedelta(seconds=20)  # a busy machine is no fault of the venue's
        await bench.open()
        try:
            bench.move(60_000)
            made = Day(bench, fake, note)
            await made.live(minutes)
            return made, await made.check()
        finally:
            await bench.close()


async def _at_once(_: float) -> None:
    await asyncio.sleep(0)


def tell(told: dict[str, object]) -> None:
    """Write a line, at once."""
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Tell what came of it, a line for each look."""
    made, trades = asyncio.run(day(Path(sys.argv[1]), int(sys.argv[2]), lambda each: tell(asdict(each))))
    tell({"trades": trades, "told": made.told, "unprotected": made.unprotected})


if __name__ == "__main__":
    main()
