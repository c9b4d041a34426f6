"""Kills the bot with SIGKILL at lines between a decision and its protected order, under every fault; it comes back.

    python -m tests.proof.kills FOLDER --workers 2

The bot is a process with the real ccxt; the venue is a strict fake one in this process, which outlives it. In each
life one call of the way of an order goes wrong (row 2 of the faults); the life kills itself as it reaches the line. The
next life comes back, and in the end database and venue are audited. Every line that is reached under any fault is cut
once, under one of the faults that lead there; ``--sample`` cuts so many. The report is the last line, as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any
from zlib import crc32

from tests.fakes.exchange import MINUTE, Symbol, now_ms
from tests.fakes.kill_trace import Cut
from tests.fakes.program import Files
from tests.fakes.venues.binance import FakeBinance
from tests.fakes.venues.kraken import FakeKraken
from tests.proof import audit, live_bot
from tests.proof.faults import ROW_TWO
from tests.proof.life import ARMED, BUYS, REFUSED, SELLS
from tests.proof.live_bot import Venue

ROOT = Path(__file__).parents[2]
STARTS = 3
"""How often a supervisor starts a bot that does not start because of what its venue does."""
HOUR = 60 * MINUTE
CALLS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "binance": {
        BUYS: ("POST /api/v3/order", "POST /api/v3/orderList/oco", "GET /api/v3/order", "GET /api/v3/myTrades"),
        SELLS: ("DELETE /api/v3/order", "POST /api/v3/order", "GET /api/v3/myTrades"),
    },
    "kraken": {
        BUYS: ("POST /0/private/AddOrder", "POST /0/private/QueryOrders", "POST /0/private/TradesHistory"),
        SELLS: ("POST /0/private/CancelOrder", "POST /0/private/AddOrder"),
    },
}
"""What goes wrong, by venue and story: the calls of the way of an order."""


class Breakout:
    """A market that lies still and has broken out in the hour that ended last."""

    def __init__(self) -> None:
        self.closes = 0
        self.again()

    def again(self) -> None:
        self.closes = now_ms() // HOUR * HOUR

    def price(self, at: int) -> float:
        level = 20_000.0 if at < self.closes - HOUR else 20_160.0
        return level + (8 if at // HOUR % 2 else -8)

    def volume(self, at: int) -> float:
        return 900.0 if at >= self.closes - HOUR else 400.0


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What goes wrong in a run: which answer to which call, the first time; or how the venue is."""

    call: str
    fault: str

    def befall(self, fake: Venue, armed: Path) -> None:
        """Let it happen, from the time on at which a file is there."""
        if self.fault == PARTS:
            fake.matching.liquidity = fake.matching.liquidity or _A_PART
        elif self.fault == TWICE and isinstance(fake, FakeBinance):
            fake.stream.copies = 3
        elif self.fault == UNTOLD and isinstance(fake, FakeBinance):
            fake.stream.lose = 100
        elif self.fault in ROW_TWO:
            left = [ROW_TWO[self.fault]]
            fake.meddle = lambda call: left.pop() if left and call == self.call and armed.exists() else None

    def __str__(self) -> str:
        return f"{self.fault} at {self.call}" if self.call else self.fault


PARTS, TWICE, UNTOLD = "filled by parts", "told three times", "told nothing"
_A_PART = Decimal("0.003")


def troubles(venue: str, story: str) -> list[Trouble]:
    found = [Trouble(call=call, fault=fault) for fault, call in product(ROW_TWO, CALLS[venue][story])]
    return [*found, *(Trouble(call="", fault=each) for each in (PARTS, TWICE, UNTOLD))]


@dataclass(kw_only=True)
class Report:
    """What was found.

    Attributes:
        lines: How many lines are reached under any fault.
        killed: How many lives ended at their line, by fault.
        outcomes: What became of the decisions.
        missed: The cuts that a life came by without reaching them.
        complaints: What was wrong in the end, by cut and fault.
        bare: For how many seconds each position had nothing at the venue that would sell it, while the bot ran.
    """

    lines: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    complaints: dict[str, list[str]] = field(default_factory=dict)
    bare: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def told(self) -> dict[str, Any]:
        """The same for people and tests: of the times without protection how many, and their p50, p99 and most."""
        times = {"count": len(self.bare), "p50": audit.percentile(self.bare, 0.5),
                 "p99": audit.percentile(self.bare, 0.99), "most": max(self.bare, default=0.0)}  # fmt: skip
        return asdict(self) | {"bare": times, "killed": dict(self.killed),
                               "outcomes": dict(self.outcomes)}  # fmt: skip


class Stage:
    """One bot and its venue, on files of their own; each run begins anew.

    Args:
        folder: Where the files are.
        venue: ``binance`` or ``kraken``.
    """

    def __init__(self, folder: Path, venue: str, story: str) -> None:
        self.venue, self.story = venue, story
        self._begin, self.run = folder / "begin", folder / "run"
        self._market = Breakout()
        self.fake = self._new_fake()
        self._forker: Process | None = None

    def _new_fake(self) -> Venue:
        self._market.again()
        price, volume = self._market.price, self._market.volume
        if self.venue == "kraken":
            coin = Symbol(
                base="XBT", quote="USD", tick="0.1", lot="0.00005", min_notional="0.5", price=price, volume=volume
            )
            fake: Venue = FakeKraken([coin], balances={"USD": "10000"})
            fake.counter.most = 10**6
            return fake
        return FakeBinance([Symbol(base="BTC", price=price, volume=volume)], balances={"USDT": "10000"})

    async def open(self) -> None:
        """Make the files, and the process that lives are forked from."""
        self.run.mkdir(parents=True)
        await self.fake.start()
        quote = "USD" if self.venue == "kraken" else "USDT"
        context = {"name": "trend", "strategy": "momentum", "markets": [f"BTC/{quote}"], "timeframe": "1h",
                   "higher": []}  # fmt: skip
        config = live_bot.write(self.run, self.fake, contexts=[context], venue={"balances": {quote: 10000}})
        await live_bot.agree_to_begin(config, self.fake)
        shutil.copytree(self.run, self._begin)
        command = [sys.executable, "-m", "tests.proof.life", str(config)]
        self._forker = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=live_bot.environ(self.fake), stdin=PIPE, stdout=PIPE, limit=2**24
        )
        await self._answer()

    async def close(self) -> None:
        if self._forker is not None and self._forker.returncode is None:
            self._forker.kill()
            await self._forker.wait()
        await self.fake.stop()

    async def lives(self, **wish: Any) -> dict[str, Any]:
        """One life, to its end."""
        assert self._forker is not None
        assert self._forker.stdin is not None
        self._forker.stdin.write((json.dumps({"story": self.story} | wish) + "\n").encode())
        return await self._answer()

    async def _answer(self) -> dict[str, Any]:
        assert self._forker is not None
        assert self._forker.stdout is not None
        line = await self._forker.stdout.readline()
        assert line, self.log()
        return json.loads(line)

    async def reset(self, trouble: Trouble | None = None) -> None:
        """Everything as before the decision, and what goes wrong from now on."""
        port = self.fake._port
        await self.fake.stop()
        self.fake = self._new_fake()
        self.fake._port = port
        await self.fake.start()
        shutil.rmtree(self.run)
        shutil.copytree(self._begin, self.run)
        if trouble is not None:
            trouble.befall(self.fake, self.run / ARMED)

    def complaints(self) -> list[str]:
        """What is not as it must be: an entry is wanted once at most, and bought or refused with a reason."""
        files = Files(folder=self.run)
        found = audit.complaints(files, self.fake)
        wanted = files.rows("SELECT id, status FROM decisions WHERE stance = 'enter'")
        entries = files.rows("SELECT status, reason FROM orders WHERE purpose = 'entry'")
        ended = [each["status"] == "filled" or bool(each["reason"]) for each in entries]
        if len(wanted) > 1 or ended not in ([], [True]):
            found.append(f"the decisions to enter are {wanted}, their orders {entries}")
        return found

    def outcome(self) -> str:
        """What became of the decision, in a word or two."""
        files = Files(folder=self.run)
        orders = files.rows("SELECT status FROM orders WHERE purpose = 'entry'")
        wanted = files.rows("SELECT status FROM decisions WHERE stance = 'enter'")
        return f"order {orders[0]['status']}" if orders else wanted[0]["status"] if wanted else "nothing wanted"

    def log(self) -> str:
        return (self.run / "log").read_text()[-2000:]

    async def lines(self, trouble: Trouble, report: Report) -> list[Cut]:
        """Every line that is reached under a fault, at the first time or another that some hash says."""
        await self.reset(trouble)
        told = await self.lives(record=True)
        found = [f"it ended with {told['status']}: {self.log()}"] if told["status"] else self.complaints()
        report.bare += audit.bare(self.fake)
        if found:
            report.complaints[f"nobody killed, {trouble}"] = found
        return [Cut(file=file, line=line, time=1 + crc32(f"{Path(file).name}:{line}".encode()) % min(times, 3))
                for file, line, times in told["lines"]]  # fmt: skip

    async def kill(self, cut: Cut, trouble: Trouble, report: Report) -> None:
        """Cut a life off, let the next one come back, and look."""
        name = f"{Path(cut.file).name}:{cut.line} ({cut.time}), {trouble}"
        await self.reset(trouble)
        first = await self.lives(cut=asdict(cut))
        died = self.fake.now_ms()
        if first["status"] == signal.SIGKILL:
            report.killed[trouble.fault] += 1
        elif first["status"] == 0:
            report.missed.append(name)
        else:
            report.complaints[name] = [f"the first life ended with {first['status']}: {self.log()}"]
            return
        began = self.fake.now_ms()
        for _ in range(STARTS):
            second = await self.lives()
            if os.waitstatus_to_exitcode(second["status"]) != REFUSED:
                break
        found = [f"the second life ended with {second['status']}: {self.log()}"] if second["status"] else []
        found += self.complaints()
        report.outcomes[self.outcome()] += 1
        report.bare += audit.bare(self.fake, [(died, began)])
        if found:
            report.complaints[name] = found
            sys.stderr.write(f"{name}: {found}\n")


@asynccontextmanager
async def staged(folder: Path, venue: str, story: str) -> AsyncIterator[Stage]:
    made = Stage(folder, venue, story)
    try:
        await made.open()
        yield made
    finally:
        await made.close()


def by_hash(cuts: Sequence[tuple[Cut, Trouble]]) -> list[tuple[Cut, Trouble]]:
    return sorted(cuts, key=lambda each: crc32(f"{Path(each[0].file).name}:{each[0].line}:{each[1]}".encode()))


def one_each(found: Mapping[Trouble, Sequence[Cut]]) -> list[tuple[Cut, Trouble]]:
    """Every line once, under one of the faults that lead there; faults in turn."""
    under: dict[tuple[str, int], list[tuple[Cut, Trouble]]] = defaultdict(list)
    for trouble, cuts in found.items():
        for cut in cuts:
            under[cut.file, cut.line].append((cut, trouble))
    return by_hash([by_hash(each)[0] for each in under.values()])


async def sweep(
    folder: Path, venue: str, story: str, *, chosen: Sequence[Trouble], sample: int = 0, workers: int = 1,
    until: float = float("inf"), tell: Callable[[str], object] = lambda _: None,
) -> Report:  # fmt: skip
    """Cut at every line once, or at a sample of them in which each fault has its turn.

    Args:
        chosen: The faults.
        sample: How many lines; 0 for all.
        workers: How many bots live side by side.
        until: The monotonic time at which no other life begins.
        tell: Is told how far it is.
    """
    began, report = time.monotonic(), Report()
    async with AsyncExitStack() as closing:
        stages = [await closing.enter_async_context(staged(folder / str(number), venue, story))
                  for number in range(workers)]  # fmt: skip
        found: dict[Trouble, Sequence[Cut]] = {}
        to_record = iter(chosen)

        async def record(stage: Stage) -> None:
            for trouble in to_record:
                found[trouble] = await stage.lines(trouble, report)

        await asyncio.gather(*map(record, stages))
        lines = one_each({trouble: found[trouble] for trouble in chosen})
        report.lines = len(lines)
        tell(f"{len(lines)} lines under {len(chosen)} faults, after {time.monotonic() - began:.0f} s")
        waiting = _in_turn(lines, chosen)
        queue = iter(waiting[:sample] if sample else waiting)

        async def cut(stage: Stage) -> None:
            for at, trouble in queue:
                if time.monotonic() > until:
                    return
                await stage.kill(at, trouble, report)
                if (done := report.killed.total()) % 50 == 0:
                    tell(f"{done} killed, {len(report.missed)} missed, {len(report.complaints)} bad, "
                         f"after {time.monotonic() - began:.0f} s")  # fmt: skip

        await asyncio.gather(*map(cut, stages))
    report.seconds = time.monotonic() - began
    return report


def _in_turn(lines: Sequence[tuple[Cut, Trouble]], chosen: Sequence[Trouble]) -> list[tuple[Cut, Trouble]]:
    """The same lines so that each fault has one before any has its second."""
    turns: Counter[Trouble] = Counter()
    keyed = []
    for cut, trouble in lines:
        turns[trouble] += 1
        keyed.append((turns[trouble], chosen.index(trouble), cut, trouble))
    return [(cut, trouble) for *_, cut, trouble in sorted(keyed, key=lambda each: each[:2])]


def main() -> int:
    """Sweep as the command line says; 1 where anything was wrong in the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--venue", choices=list(CALLS), default="binance")
    parser.add_argument("--story", choices=(BUYS, SELLS), default=BUYS)
    parser.add_argument("--sample", type=int, default=0, help="only so many lines, each fault in turn")
    parser.add_argument("--spread", type=int, default=1, help="only each so manieth fault")
    parser.add_argument("--workers", type=int, default=1, help="bots side by side: most of a life is waiting")
    parser.add_argument("--minutes", type=float, default=1e6, help="no life begins after so many")
    options = parser.parse_args()

    def tell(line: str) -> None:
        sys.stderr.write(f"{line}\n")

    report = asyncio.run(
        sweep(options.folder, options.venue, options.story,
              chosen=troubles(options.venue, options.story)[:: options.spread],
              sample=options.sample, workers=options.workers, until=time.monotonic() + 60 * options.minutes, tell=tell)
    )  # fmt: skip
    sys.stdout.write(json.dumps(report.told()) + "\n")
    return 1 if report.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
