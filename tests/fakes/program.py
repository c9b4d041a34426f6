"""The whole program on a market written by hand, in which one question comes at once; and what is in its two files.

The market lies still, breaks out at ``ASKED``, lies still again, and falls back some hours later: the momentum
strategy wants to buy there and to sell here. While the question is open the market goes 1:1, then on to ``END``.
"""

from __future__ import annotations

import asyncio
import csv
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx

from bot.app import App
from bot.externals import EXTERNALS, Externals
from config.loader import load
from config.settings import Settings
from handlers.commands import RecentLogs
from tests.auditor import check_conservation, read_fills
from tests.fakes.database import execute, rows_of, rows_of_file, url_of
from tests.fakes.plain import PLAIN
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_chats import Shown

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
STILL = 120
ASKED = BEGIN + timedelta(hours=STILL + 1)
"""When the candle that breaks out closes."""
END = ASKED + timedelta(hours=2)
FALLEN = ASKED + timedelta(hours=12)
"""Hours after the market has fallen back."""
VENUE = "venue.sqlite"
"""The venue's file in the folder, whatever the database is."""
CHAT = 7
"""The chat where the cards go."""
TOKEN = "the-token-of-the-api"
_OURS = re.compile("[0-9a-f]{12}5[0-9a-f]{19}")
"""The program's own name of an order: a UUID of version 5."""
VERBS = ("Approve", "Approve half", "Reject")

Json = dict[str, Any]


def crew(size: int) -> list[Json]:
    """So many traders, each on Telegram and in the web chat."""
    return [{"name": f"P{n}", "role": "trader", "telegram": 1000 + n, "web": f"p{n}"} for n in range(1, size + 1)]


def write_market(folder: Path) -> Path:
    """The candle file."""
    file = folder / "BTCUSDT-1h.csv"
    if not file.exists():
        with file.open("w", newline="") as out:
            rows = csv.writer(out)
            rows.writerow(("timestamp", "open", "high", "low", "close", "volume"))
            rows.writerows(_candles())
    return file


def _candles() -> list[tuple[str, float, float, float, float, float]]:
    rows, before = [], 20_000.0
    for hour in range(STILL + 24):
        level = 20_000 if hour < STILL else 20_160 if hour < STILL + 8 else 20_050
        close = level + (8 if hour % 2 else -8)
        volume = 900 if hour == STILL else 400
        at = BEGIN + timedelta(hours=hour)
        rows.append((at.isoformat(), before, max(before, close) + 25, min(before, close) - 25, close, volume))
        before = close
    return rows


def write_config(folder: Path, telegram_url: str = "", *, people: Sequence[Json] = (), **changes: Any) -> Path:
    """The configuration as a user would write it; ``changes`` are merged into its sections. Tokens: ``environ``."""
    sections: Json = {
        "extends": "base",
        "database": {"url": url_of(folder)},
        "venue": {"file": str(folder / VENUE)},
        "web": {"port": 0},
        "people": list(people or crew(2)),
        "approval": {"auto_above": 2, "ask_above": 0, "expires_after": "12h", "max_price_drift": 0.05},
        "replay": {
            "data": [str(write_market(folder))],
            "start": (ASKED - timedelta(hours=1)).isoformat(),
            "end": END.isoformat(),
            "speed": "max",
            "wait_for_people": "10m",
        },
        "contexts": [
            {"name": "trend", "strategy": "momentum", "markets": ["BTC/USDT"], "timeframe": "1h", "higher": []}
        ],
    }
    if telegram_url:
        sections["telegram"] = {
            "api_url": telegram_url,
            "chat_id": CHAT,
            "messages_per_second": 30,
            "poll_timeout": 2,
        }
    for name, change in changes.items():
        sections[name] = sections.get(name, {}) | change if isinstance(change, dict) else change
    file = folder / "greenlight.yaml"
    file.write_text(json.dumps(sections))  # JSON is YAML
    return file


def environ(fake: FakeTelegram | None = None) -> dict[str, str]:
    """The secrets, where they belong."""
    return {"BOT_WEB__TOKEN": TOKEN} | ({"BOT_TELEGRAM__TOKEN": fake.token} if fake else {})


def settings_of(folder: Path, fake: FakeTelegram | None = None, **options: Any) -> Settings:
    """The settings as the command line would read them."""
    config = write_config(folder, fake.url if fake else "", **options)
    return load(None, config, {}, environ(fake), folder).settings


@asynccontextmanager
async def running(
    settings: Settings,
    externals: Externals = EXTERNALS,
    announce: Callable[[str], None] = lambda _: None,
    logs: RecentLogs = lambda _: (),
) -> AsyncIterator[App]:
    """The program in this process, from its first answer to its orderly stop."""
    app = App(settings, announce=announce, externals=externals, logs=logs)
    life = asyncio.create_task(app.run())
    try:
        while not (app.program and app.program.chat.web and app.program.chat.web.server.port):
            assert not life.done(), life.exception()
            await asyncio.sleep(0.01)
        yield app
    finally:
        app.stop()
        await life


def address(app: App) -> str:
    """Where the web of a running program answers."""
    assert app.program is not None
    assert app.program.chat.web is not None
    return f"http://127.0.0.1:{app.program.chat.web.server.port}"


@asynccontextmanager
async def browser(app: App, user: str) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody's browser, signed in by their own link."""
    assert app.program is not None
    assert app.program.chat.web is not None
    url = address(app)
    limits = httpx.Limits(max_connections=2)
    async with httpx.AsyncClient(
        base_url=url, headers={"origin": url}, limits=limits, timeout=60, verify=PLAIN
    ) as client:
        entered = await client.get(f"/enter/{app.program.chat.web.links.issue(user)}")
        assert entered.status_code == 303
        yield client


def cards(fake: FakeTelegram, approval_id: str = "A1") -> list[Shown]:
    """The messages in the chat that show an approval; replies to people are none."""
    shown = [message for message in fake.messages(CHAT) if message.reply_to is None]
    return [message for message in shown if f"({approval_id})" in message.text.partition("\n")[0]]


def question(fake: FakeTelegram, approval_id: str = "A1") -> Shown | None:
    """The approval's card while it asks."""
    return next((card for card in cards(fake, approval_id) if card.buttons), None)


_AT_VENUE = {"partly_filled": "open", "cancelling": "open"}
"""What the paper venue calls an order that is so for the bot."""
_STANDING = (
    "SELECT * FROM orders WHERE position_id = ? AND side = 'sell' AND status IN ('open', 'partly_filled', 'cancelling')"
)
"""The sales of a position that the venue has."""


@dataclass(frozen=True, kw_only=True)
class Files:
    """What a program has written: its own database and the venue's file, read without the engine."""

    folder: Path

    @property
    def venue_file(self) -> Path:
        return self.folder / VENUE

    def rows(self, query: str, *values: object) -> list[Json]:
        """Rows of the database."""
        return rows_of(url_of(self.folder), query, *values)

    def venue(self, query: str, *values: object) -> list[Json]:
        """Rows of the venue's file."""
        return rows_of_file(self.venue_file, query, *values)

    def write(self, statement: str) -> None:
        """Change the database behind the program's back."""
        execute(url_of(self.folder), statement)

    def approval(self, approval_id: str = "A1") -> Json:
        """An approval with its state unpacked."""
        (row,) = self.rows("SELECT * FROM approvals WHERE id = ?", approval_id)
        return row | {"state": json.loads(row["state"])}

    def events(self, kind: str) -> list[Json]:
        """Everything of one kind that happened, oldest first."""
        return [
            json.loads(row["body"]) for row in self.rows("SELECT body FROM events WHERE kind = ? ORDER BY id", kind)
        ]

    def is_quiet(self) -> bool:
        """Whether everybody has been shown everything."""
        return not self.rows("SELECT topic FROM outbox WHERE wanted_version > sent_version")

    def complaints(self, lots: Mapping[str, Decimal] = MappingProxyType({})) -> list[str]:
        """Every way in which the database and the venue do not agree, or money or protection is missing.

        Args:
            lots: The smallest step of a quantity, by symbol: less than one is never in an order.
        """
        checks = (self._decisions, self._orders, self._fills, partial(self._positions, lots))
        return [*check_conservation(self.venue_file), *(found for check in checks for found in check())]

    def _decisions(self) -> list[str]:
        """A decision that was carried out has its one order; an approved question has the one it names."""
        own = "SELECT decision_id FROM orders AS own WHERE NOT EXISTS (SELECT 1 FROM orders AS first WHERE"
        replaced = " first.client_id = own.parent_id AND first.decision_id = own.decision_id)"
        orders = Counter(row["decision_id"] for row in self.rows(own + replaced))
        asked = {row["decision_id"]: row["status"] == "ordered" for row in self.rows("SELECT * FROM approvals")}
        wanted = {
            row["id"]: int(asked.get(row["id"], row["status"] == "executed"))
            for row in self.rows("SELECT id, status FROM decisions")
        }
        return [f"{name} has {orders[name]} orders" for name, count in wanted.items() if orders[name] != count]

    def _orders(self) -> list[str]:
        ours = {row["client_id"]: row for row in self.rows("SELECT * FROM orders")}
        theirs = {row["client_id"]: row for row in self.venue("SELECT * FROM orders")}
        sent = {name: row for name, row in ours.items() if row["status"] != "rejected" or name in theirs}
        found = [f"only here: {ours[name]}" for name in sent.keys() - theirs.keys()]
        unknown = [name for name in theirs.keys() - ours.keys() if _OURS.fullmatch(name)]
        found += [f"only at the venue: {theirs[name]}" for name in unknown]
        columns = ("status", "status"), ("side", "side"), ("type", "kind"), ("venue_order_id", "venue_id")
        for name, (column, at_venue) in product(sent.keys() & theirs.keys(), columns):
            here = ours[name][column]
            if str(_AT_VENUE.get(here, here)) != str(theirs[name][at_venue]):
                found.append(f"{name}: {column} is {ours[name][column]} here, {theirs[name][at_venue]} at the venue")
        return found

    def _fills(self) -> list[str]:
        ours = self.rows("SELECT client_id FROM fills ORDER BY number")
        theirs = read_fills(self.venue_file)
        seq = int(([row["cursor"] for row in self.rows("SELECT cursor FROM cursors")] or ["0"])[0].split()[0])
        last = self.venue("SELECT coalesce(max(seq), 0) AS seq FROM events")[0]["seq"]
        same = [row["client_id"] for row in ours] == [fill.client_id for fill in theirs]
        return ([] if same else [f"fills {ours} here, {theirs} there"]) + (
            [] if seq == last else [f"events up to {seq} of {last} were taken in"]
        )

    def _positions(self, lots: Mapping[str, Decimal]) -> list[str]:
        """What each position open holds is in orders, here and at the venue: its OCO, or a sale under way, or both.

        What somebody else waits to sell there is not ours to count.
        """
        held = self.rows("SELECT * FROM positions WHERE status = 'open'")
        found, standing = [], 0
        for position in held:
            orders = self.rows(_STANDING, position["id"])
            left = [Decimal(order["quantity"]) - Decimal(order["filled"]) for order in orders]
            standing += len(orders)
            ocos = [order for order in orders if order["type"] == "oco"]
            uncovered, lot = Decimal(position["quantity"]) - sum(left), lots.get(position["symbol"], Decimal(0))
            if len(ocos) > 1 or (uncovered and not 0 < uncovered < lot):
                found.append(f"{position['id']} of {position['quantity']} has the orders {orders}")
        selling = self.venue("SELECT * FROM orders WHERE side = 'sell' AND status = 'open'")
        waiting = [row for row in selling if _OURS.fullmatch(row["client_id"])]
        counted = f"{len(held)} positions, {standing} orders here, there {waiting}"
        return found if len(waiting) == standing else [*found, counted]
