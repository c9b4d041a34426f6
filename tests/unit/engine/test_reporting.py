"""Profit by day: the days are those of the digests, wherever and whenever they end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from engine.domain.days import Days
from engine.domain.reports import Profit
from engine.domain.trading import Fill, Side
from tests.fakes.engine import CASH, engine_room

HOUR = timedelta(hours=1)
ONE_MORE = Fill(
    venue_id="1",
    client_id="1",
    market="BTC/USDT",
    side=Side.SELL,
    quantity=Decimal(1),
    price=Decimal(1),
    fee=Decimal(0),
    at=datetime(2026, 1, 1, tzinfo=UTC),
)


async def earned(
    folder: Path, zone: str, at: time, begin: datetime, count: int
) -> tuple[Profit, list[tuple[str, Decimal]]]:
    """What /profit says of an account that earns 1 every hour, and what the digests of its days say."""
    days = Days(at=at, zone=ZoneInfo(zone))
    hours = count * 24 - 7
    now = begin + hours * HOUR + HOUR / 3
    async with engine_room(folder) as room:

        def work(uow) -> None:
            uow.settings.set("account.began", begin.isoformat())
            for number in range(1, hours + 1):
                uow.account.settle(ONE_MORE)
                uow.account.record_equity(begin + number * HOUR)

        room.clock.to((begin - room.clock.at).total_seconds() / 60)
        await room.store.transact(work)
        room.clock.at = now
        await replace(room.books, days=days).digest(now)
        views = replace(room.views, days=days)
        digests = [(day.id, day.net) for day in reversed(await views.digests(count + 5))]
        running = await views.latest_digest()
        return await views.profit(count), [*digests, (running.id, running.net)]


@pytest.mark.parametrize("at", [time(), time(2, 30), time(18)])
@pytest.mark.parametrize(
    ("zone", "begin"),
    [
        ("UTC", datetime(2026, 1, 1, 5, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 3, 26, 5, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 10, 22, 5, tzinfo=UTC)),
        ("America/Havana", datetime(2025, 10, 30, 5, tzinfo=UTC)),
        ("America/Sao_Paulo", datetime(2018, 11, 1, 5, tzinfo=UTC)),
        ("Pacific/Apia", datetime(2011, 12, 27, 5, tzinfo=UTC)),
    ],
)
async def test_profit_and_digests_say_the_same_of_every_day(tmp_path: Path, zone: str, begin: datetime, at: time):
    profit, digests = await earned(tmp_path, zone, at, begin, 8)
    rows = [(row.day.isoformat(), row.net) for row in profit.days]
    assert rows == digests[-len(rows) :]
    assert len(rows) in (7, 8)
    assert all(before.day < row.day for before, row in pairwise(profit.days))
    assert sum(net for _, net in digests) == 8 * 24 - 7


async def test_today_began_when_the_last_day_ended(tmp_path: Path):
    """Not at the second midnight of a night that has two."""
    days = Days(at=time(), zone=ZoneInfo("America/Havana"))
    midnight = datetime(2025, 11, 2, 4, tzinfo=UTC)
    async with engine_room(tmp_path) as room:

        def work(uow) -> None:
            for number in range(3):
                uow.account.settle(ONE_MORE)
                uow.account.record_equity(midnight + number * HOUR)

        await room.store.transact(work)
        room.clock.at = midnight + 2 * HOUR
        status = await replace(room.views, days=days).status()
    assert (status.equity, status.day_net) == (CASH + 3, 2)
