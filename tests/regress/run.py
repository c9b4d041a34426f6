"""Replay two revisions over the same candles, and tell every decision, fill and point of equity that differs.

python -m tests.regress.run --base f3370a2
python -m tests.regress.run --base f3370a2 --days 10 --shown 100

The replays: the demo's 60 days, and BTCUSDT-1h with ETHUSDT-1h from 2022-05-01 to 06-30 where GREENLIGHT_DATA has them.
Nobody answers in them; what is sure enough is traded alone. Both revisions run in this environment.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

from tests.fakes.data import DATA
from tests.regress.records import Records, differences, read

HERE = Path(__file__).parents[2]
DEMO_BEGINS = date(2026, 1, 1)
ALONE = {"BOT_WEB__PORT": "0", "BOT_REPLAY__WAIT_FOR_PEOPLE": "0", "BOT_APPROVAL__AUTO_ABOVE": "0.6"}
"""What makes a replay trade much, and wait for nobody."""
FILES = ("BTCUSDT-1h.parquet", "ETHUSDT-1h.parquet")


def replays(days: int) -> dict[str, list[str]]:
    """The options of each replay, by its name."""
    made = {"demo": ["--end", f"{DEMO_BEGINS + timedelta(days=days)}"]}
    files = [(DATA / "candles" / name).resolve() for name in FILES]
    if all(file.is_file() for file in files):
        begins = date(2022, 5, 1)
        ends = min(begins + timedelta(days=days), date(2022, 6, 30))
        made["2022"] = ["--data", *map(str, files), "--start", f"{begins}", "--end", f"{ends}"]
    return made


def export(revision: str, folder: Path) -> Path:
    """The sources of a revision.

    Raises:
        subprocess.CalledProcessError: There is no such revision.
    """
    packed = subprocess.run(["git", "archive", revision], cwd=HERE, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=BytesIO(packed)) as tar:
        tar.extractall(folder, filter="data")
    return folder


def replay(sources: Path, options: Sequence[str], folder: Path) -> Records:
    """Run a replay to its end; what it left behind.

    Raises:
        SystemExit: It failed; its last words are told.
    """
    folder.mkdir(parents=True)
    program = [sys.executable, "-c", "from bot.main import main; main()", "run", "--profile", "demo"]
    path = os.pathsep.join([str(sources / "src"), str(sources)])
    done = subprocess.run(
        [*program, "--speed", "max", "--until-end", *options],
        cwd=folder,
        env={**os.environ, **ALONE, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"The replay by {sources} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    (database,) = folder.glob("var/**/greenlight*.sqlite")
    return read(database)


def compare(base: Path, name: str, options: Sequence[str], folder: Path, shown: int) -> int:
    """Replay both revisions side by side, and tell how they differ; the number of differences."""
    begun = time.monotonic()
    with ThreadPoolExecutor(2) as both:
        running = [
            both.submit(replay, sources, options, folder / name / of)
            for sources, of in ((base, "before"), (HERE, "after"))
        ]
        before, after = (each.result() for each in running)
    found = list(differences(before, after))
    counted = f"{len(after.decisions)} decisions, {len(after.fills)} fills, {len(after.equity)} points of equity"
    verdict = f"{len(found)} differences" if found else "no difference"
    print(f"{name}: {counted}: {verdict} ({time.monotonic() - begun:.0f} s)")
    print("".join(f"  {line}\n" for line in found[:shown]), end="")
    if len(found) > shown:
        print(f"  and {len(found) - shown} more (--shown N)")
    return len(found)


def main() -> int:
    """Replay, compare and tell; the exit status is 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True, help="the revision to compare with")
    parser.add_argument("--days", type=int, default=60, help="how long each replay is")
    parser.add_argument("--shown", type=int, default=20, help="how many differences are told of each")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        base, runs = export(asked.base, Path(place) / "base"), replays(asked.days)
        found = [compare(base, name, options, Path(place), asked.shown) for name, options in runs.items()]
        if "2022" not in runs:
            print(f"2022: left out, {DATA / 'candles'} has no {' and '.join(FILES)} (GREENLIGHT_DATA names the place)")
    return int(any(found))


if __name__ == "__main__":
    sys.exit(main())
