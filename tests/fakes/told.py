"""A story told by a process of its own (``tests.fakes.story``), and what it left behind, read without the engine."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pyarrow import parquet

ROOT = Path(__file__).parents[2]
BOT = Path(sys.executable).with_name("bot")
DATABASE, VENUE, LOG, TOLD = "greenlight.sqlite", "venue.sqlite", "log.jsonl", "told.json"

Json = dict[str, Any]


def quiet() -> dict[str, str]:
    """The environment without anybody's settings of the bot."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BOT_")}


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a story left behind.

    Attributes:
        lines: What it printed.
        played: What the people did and were answered (``people.Played``).
        shown: What stands in each chat at the end, oldest first.
        calls: The requests to the server with the codes they were answered with.
    """

    folder: Path
    lines: list[str]
    played: list[Json]
    shown: dict[str, list[Json]]
    calls: list[Json]

    @property
    def venue_file(self) -> Path:
        return self.folder / VENUE

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Ask the bot's database."""
        with closing(sqlite3.connect(f"file:{self.folder / DATABASE}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(query, values).fetchall()

    def count(self, query: str, *values: object) -> int:
        """The number that a ``SELECT count(*)`` gives."""
        return int(self.rows(query, *values)[0][0])

    def line(self, name: str) -> str:
        """The printed line that begins with this."""
        return next(line for line in self.lines if line.startswith(name))

    def equity(self) -> dict[datetime, Decimal]:
        """The equity as the bot wrote it down, candle by candle."""
        rows = self.rows("SELECT at, equity FROM equity ORDER BY at")
        return {datetime.fromisoformat(row["at"]): Decimal(row["equity"]) for row in rows}

    def closed_trades(self) -> list[Json]:
        """The closed trades; what each made is counted from its fills alone."""
        trades = [dict(row) for row in self.rows("SELECT id, closed_at FROM positions WHERE closed_at IS NOT NULL")]
        return [trade | {"net": self._net(trade["id"])} for trade in trades]

    def _net(self, position_id: str) -> Decimal:
        net = Decimal(0)
        for fill in self.rows("SELECT side, quantity, price, fee_value FROM fills WHERE position_id = ?", position_id):
            value = Decimal(fill["quantity"]) * Decimal(fill["price"])
            net += (value if fill["side"] == "sell" else -value) - Decimal(fill["fee_value"])
        return net

    def log(self) -> list[Json]:
        """What the program wrote about itself."""
        return [json.loads(line) for line in (self.folder / LOG).read_text().splitlines()]


def tell_twice(folder: Path, files: Sequence[Path], start: str, end: str, more: Mapping[str, Any]) -> list[Told]:
    """Let two processes with different hash seeds tell the same story at the same time, each on its own database."""
    replay = {"data": [str(file) for file in files], "start": start, "end": end, "speed": "max", "until_end": True}
    settings = json.dumps({"replay": replay, **more})
    tellings = [(folder / name, _begin(folder / name, settings, seed)) for name, seed in (("one", "1"), ("two", "22"))]
    errors = [process.communicate()[1] for _, process in tellings]
    assert [process.returncode for _, process in tellings] == [0, 0], errors
    return [Told(folder=place, **json.loads((place / TOLD).read_text())) for place, _ in tellings]


def _begin(folder: Path, settings: str, hash_seed: str) -> subprocess.Popen[str]:
    folder.mkdir()
    command = [sys.executable, "-m", "tests.fakes.story", str(folder), settings]
    environ = quiet() | {"PYTHONHASHSEED": hash_seed}
    return subprocess.Popen(command, cwd=ROOT, env=environ, text=True, stderr=subprocess.PIPE)


def closes(file: Path) -> list[tuple[datetime, Decimal]]:
    """When each candle of a parquet file closed, and at what price, by nothing but the file."""
    columns = parquet.read_table(file, columns=["timestamp", "close"]).to_pydict()
    opens = columns["timestamp"]
    length = opens[1] - opens[0]
    return [(at + length, Decimal(repr(close))) for at, close in zip(opens, columns["close"], strict=True)]
