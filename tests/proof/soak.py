"""Lets the bot trade at a fake venue on real time, for hours: random faults, connections cut each minute, audits.

    python -m tests.proof.soak --hours 24

The bot is a process as the command line starts it, with the real ccxt. In a fraction of its calls something goes wrong
(``tests.proof.faults``), now and then the venue asks for quiet, and each minute all sockets are cut. Each hour, and at
the end, the faults rest until everything is settled, and database and venue are audited. Each hour prints a line.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.fakes.exchange import Fault, Symbol
from tests.fakes.lives import BOT
from tests.fakes.program import Files
from tests.fakes.venues.binance import FakeBinance
from tests.proof import audit, live_bot
from tests.proof.faults import ROW_TWO

SETTLED_WITHIN = 180.0
"""Wall seconds after the last fault within which nothing is in doubt any more."""
STARTED_WITHIN = 600.0
CUT_EVERY, QUIET_EVERY = 60.0, 900.0
"""Wall seconds between two cuts of all sockets, and between two times at which the venue wants to be left alone."""
_STARTED = '"event": "started"'


@dataclass(frozen=True, kw_only=True)
class Wave:
    """A price that goes up and down, so that two means of it cross again and again: its middle and minutes a wave."""

    middle: float
    minutes: float

    def __call__(self, at: int) -> float:
        return self.middle * (1 + 0.004 * math.sin(2 * math.pi * at / 60_000 / self.minutes))


def markets() -> list[Symbol]:
    return [
        Symbol(base="BTC", price=Wave(middle=60_000, minutes=5)),
        Symbol(base="ETH", price=Wave(middle=3_000, minutes=6), lot="0.00010000", level_quantity=20.0),
        Symbol(base="SOL", price=Wave(middle=150, minutes=7), lot="0.00100000", level_quantity=200.0),
    ]


CONTEXT = {
    "name": "crosses",
    "strategy": "sma_cross",
    "markets": ["BTC/USDT", "ETH/USDT", "SOL/USDT"],
    "timeframe": "1m",
    "higher": [],
    "params": {"fast": 2, "slow": 4, "stop_atr": 2.0, "target_atr": 4.0},
}


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What the process holds: resident megabytes, and open file descriptors."""

    megabytes: float
    files: int


def sample(pid: int) -> Sample:
    """Look at a process.

    Raises:
        OSError: It is gone.
    """
    status = Path(f"/proc/{pid}/status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return Sample(megabytes=int(resident.split()[1]) / 1024, files=len(list(Path(f"/proc/{pid}/fd").iterdir())))


@dataclass(kw_only=True)
class Soak:
    """One run.

    Args:
        folder: Where the bot's files are.
        seed: Of what goes wrong when.
        share: In which fraction of the calls something does.
    """

    folder: Path
    fake: FakeBinance
    seed: int = 0
    share: float = 0.02
    faults: Counter[str] = field(default_factory=Counter)
    cuts: int = 0
    complaints: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._dice = Random(f"soak {self.seed}")  # noqa: S311 - no secret
        self._files = Files(folder=self.folder)
        self._rough = False
        self._seen = (0, 0)
        self.fake.meddle = self._meddle

    async def run(self, hours: float) -> None:
        """Run for so long; a line is printed each hour, or four times where that is less than one."""
        every = min(3600.0, hours * 900)
        config = live_bot.write(self.folder, self.fake, contexts=[CONTEXT])
        await live_bot.agree_to_begin(config, self.fake)
        log = self.folder / "log"
        bot = self._start(config)
        try:
            await self._until(lambda: _STARTED in log.read_text() or bot.poll() is not None, STARTED_WITHIN)
            began = time.monotonic()
            tending = asyncio.create_task(self._cut_again_and_again())
            while (spent := time.monotonic() - began) < hours * 3600 and bot.poll() is None:
                await self._live(bot, min(every, hours * 3600 - spent))
                await self._look(bot)
                self._tell((time.monotonic() - began) / 3600)
            tending.cancel()
            if bot.poll() is not None:
                self.complaints.append(f"the bot ended with {bot.returncode}: {log.read_text()[-2000:]}")
        finally:
            bot.send_signal(signal.SIGTERM)
            try:
                await asyncio.to_thread(bot.wait, 30)
            except subprocess.TimeoutExpired:
                self.complaints.append("it did not stop within 30 s")
                bot.kill()

    def _start(self, config: Path) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("a") as out:
            return subprocess.Popen([BOT, "run", "--config", config], cwd=self.folder,
                                    env=live_bot.environ(self.fake), stdout=out, stderr=out)  # fmt: skip

    async def _live(self, bot: subprocess.Popen[bytes], seconds: float) -> None:
        """Let it live with faults; its memory is looked at each minute."""
        until = time.monotonic() + seconds
        self._rough = True
        while (left := until - time.monotonic()) > 0 and bot.poll() is None:
            await asyncio.sleep(min(left, 60))
            with suppress(OSError, StopIteration):
                self.samples.append(sample(bot.pid))
        self._rough = False

    async def _look(self, bot: subprocess.Popen[bytes]) -> None:
        """Wait until nothing is under way, and audit; where it is never so, what is found then counts."""
        found: list[str] = ["it was not looked at"]
        deadline = time.monotonic() + SETTLED_WITHIN
        while found and time.monotonic() < deadline and bot.poll() is None:
            await asyncio.sleep(2)
            found = audit.complaints(self._files, self.fake)
        self.complaints += found
        self.fake.calls.clear()
        self.fake.log.clear()
        self.fake.stream.told.clear()

    async def _cut_again_and_again(self) -> None:
        quiet_at = time.monotonic() + QUIET_EVERY
        while True:
            await asyncio.sleep(CUT_EVERY)
            self.cuts += 1
            await self.fake.stream.cut()
            await self.fake.socket.cut()
            if self._rough and time.monotonic() > quiet_at:
                quiet_at = time.monotonic() + QUIET_EVERY
                self.faults["asks for quiet"] += 1
                self.fake.limits.quiet(3)

    def _meddle(self, _: str) -> Fault | None:
        if not self._rough or self._dice.random() >= self.share:
            return None
        name = self._dice.choice(list(ROW_TWO))
        self.faults[name] += 1
        return ROW_TWO[name]

    async def _until(self, holds: Callable[[], bool], seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.2)

    def _tell(self, hours: float) -> None:
        orders, trades = len(self.fake.matching.orders), len(self.fake.matching.trades)
        new = orders - self._seen[0], trades - self._seen[1]
        self._seen = orders, trades
        last = self.samples[-1] if self.samples else Sample(megabytes=0, files=0)
        bare = audit.bare(self.fake)
        _say(
            f"{hours:.2f} h: {orders} orders (+{new[0]}), {trades} trades (+{new[1]}), {self.faults.total()} faults, "
            f"{self.cuts} cuts, {last.megabytes:.0f} MB, {last.files} files, bare p50/p99/max "
            f"{audit.percentile(bare, 0.5):.2f}/{audit.percentile(bare, 0.99):.2f}/{max(bare, default=0):.2f} s of "
            f"{len(bare)}, {len(self.complaints)} complaints"
        )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def soak(folder: Path, hours: float, seed: int = 0) -> Soak:
    """Run it against a venue of its own."""
    fake = FakeBinance(markets(), balances={"USDT": "10000"})
    await fake.start()
    try:
        made = Soak(folder=folder, fake=fake, seed=seed)
        await made.run(hours)
        return made
    finally:
        await fake.stop()


def main() -> int:
    """Run as the command line says; 1 where anything was not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where the bot's files are; a new folder without it")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    _say(f"The bot's files and log are in {folder}.")
    made = asyncio.run(soak(folder, options.hours, options.seed))
    _say(f"Faults: {dict(made.faults)}")
    for complaint in made.complaints:
        _say(f"NOT AS IT MUST BE: {complaint}")
    return 1 if made.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
