"""How long it takes from a closed candle's decision to its order at the venue, over loopback.

    python -m tests.proof.wire FOLDER --times 100

Each time is a life of the bot of its own (``tests.proof.life``): from where the cycle begins, the candle in memory,
over looking, deciding, the limits, the commit of the intent and its flush, to where the venue has taken the order.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from tests.proof import audit
from tests.proof.kills import staged
from tests.proof.life import ARMED, BUYS

PLACE = "POST /api/v3/order"
MOST_MS = 20.0


async def measure(folder: Path, times: int) -> list[float]:
    """So many times in milliseconds, to one."""
    found = []
    async with staged(folder, "binance", BUYS) as stage:
        for _ in range(times):
            await stage.reset()
            told = await stage.lives()
            assert told["status"] == 0, stage.log()
            began = (stage.run / ARMED).stat().st_mtime_ns / 1e6
            (placed,) = [each.at for each in stage.fake.log if each.call == PLACE]
            found.append(placed - began)
    return found


def main() -> int:
    """Measure, and print; 1 where p99 is above the goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--times", type=int, default=100)
    options = parser.parse_args()
    found = asyncio.run(measure(options.folder, options.times))
    p50, p99 = (audit.percentile(found, share) for share in (0.5, 0.99))
    sys.stdout.write(f"{len(found)} decisions: p50 {p50:.1f} ms, p99 {p99:.1f} ms, most {max(found):.1f} ms\n")
    return 1 if p99 > MOST_MS else 0


if __name__ == "__main__":
    sys.exit(main())
