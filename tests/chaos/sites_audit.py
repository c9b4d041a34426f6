"""The books of two venues audited, each by its own file, and their sum at the prices of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.domain.market import Listing
from tests.auditor import check_conservation
from tests.chaos.sites import Site
from tests.fakes.database import rows_of_file
from tests.fakes.feed import BTC, START

EXACT = Decimal("1e-12")
H1 = timedelta(hours=1)
FAR = Decimal("1.1")
_COST = re.compile(r"it may cost ([\d,.]+) \w+ with fees, and ([\d,.]+) is free")


def audit(books: Path, sites: Mapping[str, Site], closes: Mapping[Listing, list[float]]) -> list[str]:
    """Everything that is wrong with the books of any venue, or with their sum."""
    found = [f"two venues: {each}" for site in sites.values() for each in _of_one(books, site)]
    return [*found, *_marks(books, closes)]


def _of_one(books: Path, site: Site) -> list[str]:
    venue = site.name
    found = [f"{venue}: {complaint}" for complaint in check_conservation(site.file)]
    found += [f"{venue}: {name} was sent {count} times" for name, count in site.line.sent.items() if count > 1]
    return found + _money(books, site) + _fills(books, site) + _orders(books, site) + _protection(books, site)


def _money(books: Path, site: Site) -> list[str]:
    theirs = {row["currency"]: Decimal(row["current"]) for row in rows_of_file(site.file, "SELECT * FROM balances")}
    owned: dict[str, Decimal] = {
        row["currency"]: Decimal(row["amount"])
        for row in rows_of_file(books, "SELECT * FROM balances WHERE venue = ?", site.name)
    }
    for row in _held(books, site.name):
        base = row["symbol"].partition("/")[0]
        owned[base] = owned.get(base, Decimal(0)) + Decimal(row["quantity"])
    return [
        f"{site.name}: {owned.get(name, 0)} {name} in the books, {theirs.get(name, 0)} at the venue"
        for name in sorted({*owned, *theirs})
        if abs(owned.get(name, Decimal(0)) - theirs.get(name, Decimal(0))) > EXACT
    ]


def _fills(books: Path, site: Site) -> list[str]:
    """Each fill of the venue is counted once, for it, and for a position that is held there."""
    counted = (
        "SELECT f.*, p.venue AS held_at FROM fills f LEFT JOIN positions p ON p.id = f.position_id WHERE f.venue = ?"
    )
    ours = rows_of_file(books, counted, site.name)
    theirs = rows_of_file(site.file, "SELECT venue_id, client_id FROM fills")
    here = sorted((int(row["trade_id"]), row["client_id"]) for row in ours)
    there = sorted((row["venue_id"], row["client_id"]) for row in theirs)
    found = [] if here == there else [f"{site.name}: {len(here)} fills are counted, {len(there)} were made"]
    return found + [
        f"{site.name}: F{row['number']} is of {row['position_id']}, which is held at {row['held_at']}"
        for row in ours
        if row["position_id"] and row["held_at"] != site.name
    ]


def _orders(books: Path, site: Site) -> list[str]:
    ours = {row["client_id"]: row for row in rows_of_file(books, "SELECT * FROM orders")}
    theirs = {row["client_id"]: row for row in rows_of_file(site.file, "SELECT * FROM orders")}
    found = [f"{site.name}: {name} is of no order here" for name in theirs.keys() - ours.keys()]
    for name in theirs.keys() & ours.keys():
        order, there = ours[name], theirs[name]["status"]
        if order["venue"] != site.name:
            found.append(f"{order['id']} was to go to {order['venue']}, and is at {site.name}")
        here = "open" if order["status"] in ("partly_filled", "cancelling") else order["status"]
        if here != there:
            found.append(f"{site.name}: {order['id']} is {here} here, {there} there")
    found += [
        f"{site.name}: {row['id']} was to spend what is not there: {row['reason']}"
        for row in ours.values()
        if row["venue"] == site.name and _is_not_there(row["reason"])
    ]
    sent = [row for row in ours.values() if row["venue"] == site.name and row["status"] not in ("rejected", "intent")]
    return found + [f"{site.name}: {row['id']} is not there" for row in sent if row["client_id"] not in theirs]


def _is_not_there(refusal: str) -> bool:
    """Whether an order was far above what was free; prices move a little while one is on its way."""
    told = _COST.search(refusal)
    cost, free = (Decimal(each.replace(",", "")) for each in told.groups()) if told else (Decimal(0), Decimal(0))
    return cost > free * FAR


def _protection(books: Path, site: Site) -> list[str]:
    """All of each position is to be sold at its stop, at its own venue."""
    standing = {
        row["client_id"]: Decimal(row["quantity"]) - Decimal(row["filled"])
        for row in rows_of_file(site.file, "SELECT * FROM orders WHERE status = 'open' AND side = 'sell'")
    }
    found = []
    for held in _held(books, site.name):
        query = "SELECT client_id FROM orders WHERE position_id = ?"
        covered = sum(
            (standing.get(row["client_id"], Decimal(0)) for row in rows_of_file(books, query, held["id"])), Decimal(0)
        )
        wanted = Decimal(held["quantity"]) - Decimal(held["quantity"]) % BTC.lot
        if covered != wanted:
            found.append(f"{site.name}: {covered} of {held['id']} is protected, and it holds {held['quantity']}")
    return found


def _held(books: Path, venue: str) -> list[dict[str, Any]]:
    return rows_of_file(books, "SELECT * FROM positions WHERE status = 'open' AND venue = ?", venue)


def _marks(books: Path, closes: Mapping[Listing, list[float]]) -> list[str]:
    """Each mark is what its market closed at, at its own venue."""
    found = []
    for row in rows_of_file(books, "SELECT * FROM marks"):
        hour = int((datetime.fromisoformat(row["at"]) - START) / H1)
        close = closes[Listing(row["venue"], row["symbol"])][hour - 1]
        if Decimal(row["price"]) != Decimal(repr(close)):
            found.append(
                f"two venues: {row['symbol']} is marked at {row['price']} at {row['venue']}, and it closed at {close}"
            )
    return found


def worth_of(sites: Mapping[str, Site], marks: Mapping[Listing, Decimal]) -> Decimal:
    """What there is at each venue, at the prices of each."""
    worth = Decimal(0)
    for name, site in sites.items():
        for row in rows_of_file(site.file, "SELECT * FROM balances"):
            price = marks.get(Listing(name, f"{row['currency']}/USDT"), Decimal(row["currency"] == "USDT"))
            worth += Decimal(row["current"]) * price
    return worth
