"""An auditor of the paper venue: reads its file and nothing of the engine, and recomputes everything from the fills.

What it relies on is the table contract: ``balances (currency, opening, current)``, ``orders (client_id, quantity,
status, filled ...)``, ``fills (venue_id, client_id, market, side, quantity, price, fee, at, fee_currency)`` and
``events (seq, client_id, status, fill)``. Money is decimal text, times are ISO 8601 in UTC.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class AuditedFill:
    market: str
    client_id: str
    side: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    at: datetime

    def flows(self) -> dict[str, Decimal]:
        """What the fill adds to and takes from the account, by currency."""
        base, quote = self.market.split("/")
        sign = {"buy": 1, "sell": -1}[self.side]
        flows = {base: sign * self.quantity, quote: -sign * self.quantity * self.price}
        return {**flows, self.fee_currency: flows.get(self.fee_currency, Decimal(0)) - self.fee}


def read_fills(venue_file: Path) -> list[AuditedFill]:
    """Every fill in the order in which the venue numbered them."""
    query = "SELECT market, client_id, side, quantity, price, fee, at, fee_currency FROM fills ORDER BY venue_id"
    return [
        AuditedFill(
            market=market,
            client_id=client_id,
            side=side,
            quantity=Decimal(quantity),
            price=Decimal(price),
            fee=Decimal(fee),
            fee_currency=fee_currency or market.partition("/")[2],
            at=datetime.fromisoformat(at),
        )
        for market, client_id, side, quantity, price, fee, at, fee_currency in _rows(venue_file, query)
    ]


def equity_series(
    venue_file: Path,
    closes: Mapping[str, Sequence[tuple[datetime, Decimal]]],
    times: Sequence[datetime],
    *,
    inclusive: bool = True,
) -> dict[datetime, Decimal]:
    """Recompute equity at each time from the opening balances, the fills up to then, and the last known closes.

    Args:
        closes: For each market when candles closed, oldest first, and at what price.
        times: Oldest first.
        inclusive: Whether fills at exactly that time count already.
    """
    held = defaultdict(Decimal, _opening(venue_file))
    fills = read_fills(venue_file)
    for market in {fill.market for fill in fills}:
        own = [fill.at for fill in fills if fill.market == market]
        assert own == sorted(own), f"fills of {market} are not in order of time"
    fills.sort(key=lambda fill: fill.at)  # a market that was behind the others has later numbers for earlier times
    marks = {market.split("/")[0]: market for market in closes}
    series: dict[datetime, Decimal] = {}
    done = 0
    with localcontext(prec=50):
        for time in times:
            while done < len(fills) and (fills[done].at < time or (inclusive and fills[done].at == time)):
                _add(held, fills[done].flows())
                done += 1
            series[time] = sum((_value(name, amount, marks, closes, time) for name, amount in held.items()), Decimal(0))
    return series


def check_conservation(venue_file: Path) -> list[str]:
    """Everything that is not as it must be: money that came or went otherwise than by fills, wrong sums, gaps."""
    complaints: list[str] = []
    held = defaultdict(Decimal, _opening(venue_file))
    traded: dict[str, Decimal] = defaultdict(Decimal)
    with localcontext(prec=50):
        for fill in read_fills(venue_file):
            _add(held, fill.flows())
            traded[fill.client_id] += fill.quantity
            complaints += [f"{name} below zero at {fill.at}: {amount}" for name, amount in held.items() if amount < 0]
    for currency, current in _rows(venue_file, "SELECT currency, current FROM balances"):
        if abs(held[currency] - Decimal(current)) > Decimal("1e-12"):
            complaints.append(f"{currency}: the file says {current}, opening and fills make {held[currency]}")
    return complaints + _check_orders(venue_file, traded) + _check_events(venue_file)


def _check_orders(venue_file: Path, traded: Mapping[str, Decimal]) -> list[str]:
    complaints = []
    for client_id, quantity, filled, status in _rows(
        venue_file, "SELECT client_id, quantity, filled, status FROM orders"
    ):
        total = traded.get(client_id, Decimal(0))
        if (
            total != Decimal(filled)
            or total > Decimal(quantity)
            or (status == "filled") != (total == Decimal(quantity))
        ):
            complaints.append(f"order {client_id} ({status}): {total} traded, {filled} written, {quantity} ordered")
    return complaints


def _check_events(venue_file: Path) -> list[str]:
    events = _rows(venue_file, "SELECT seq, client_id, status, fill FROM events ORDER BY seq")
    fills = [fill for *_, fill in events if fill is not None]
    final = sorted((client_id, status) for _, client_id, status, fill in events if fill is None)
    ended = sorted(_rows(venue_file, "SELECT client_id, status FROM orders WHERE status <> 'open'"))
    complaints = [] if [seq for seq, *_ in events] == list(range(1, len(events) + 1)) else ["events have gaps"]
    complaints += [] if fills == list(range(1, len(read_fills(venue_file)) + 1)) else ["fills without their event"]
    return complaints + ([] if final == ended else ["final states and their events differ"])


def _value(
    name: str,
    amount: Decimal,
    marks: Mapping[str, str],
    closes: Mapping[str, Sequence[tuple[datetime, Decimal]]],
    time: datetime,
) -> Decimal:
    """What is held of one currency; one without a market is the currency everything is counted in."""
    if name not in marks or not amount:
        return amount
    known = closes[marks[name]]
    index = bisect_right(known, time, key=lambda close: close[0]) - 1
    assert index >= 0, f"{name} is held at {time}, before its first close"
    return amount * known[index][1]


def _opening(venue_file: Path) -> dict[str, Decimal]:
    return {name: Decimal(amount) for name, amount in _rows(venue_file, "SELECT currency, opening FROM balances")}


def _add(held: dict[str, Decimal], flows: Mapping[str, Decimal]) -> None:
    for currency, amount in flows.items():
        held[currency] += amount


def _rows(venue_file: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"{venue_file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()
