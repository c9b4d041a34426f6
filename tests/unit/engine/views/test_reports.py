"""Profit by day: the days are those of the digests, wherever and whenever they end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from engine.domain.account import Profit
from engine.domain.days import Days
from engine.domain.market import Listing
from engine.domain.orders import Fill, Side
from tests.fakes.engine import CASH, engine_room
from tests.fakes.venue import move_cash

HOUR = timedelta(hours=1)
NONE: Mapping[int, int] = {}
ONE_MORE = Fill(
    venue="paper",
    trade_id="1",
    client_id="1",
    symbol="BTC/USDT",
    side=Side.SELL,
    quantity=Decimal(1),
    price=Decimal(1),
    fee=None,
    at=datetime(2026, 1, 1, tzinfo=UTC),
)


async def earned(
    folder: Path, zone: str, at: time, begin: datetime, count: int, payments: Mapping[int, int] = NONE
) -> tuple[Profit, list[tuple[str, Decimal]]]:
    """What /profit says of an account that earns 1 every hour, and what the digests of its days say.

    Payments come ten minutes before the hour is full.
    """
    days = Days(at=at, zone=ZoneInfo(zone))
    hours = count * 24 - 7
    now = begin + hours * HOUR + HOUR / 3
    async with engine_room(folder) as room:

        def work(uow) -> None:
            uow.settings.set("account.began", begin.isoformat())
            for number in range(1, hours + 1):
                if number in payments:
                    uow.account.pay_in("paper", Decimal(payments[number]), begin + number * HOUR - HOUR / 6)
                move_cash(uow, ONE_MORE)
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


@pytest.mark.parametrize("payments", [{30: 5000}, {30: -9000}, {19: 5000, 20: -8000, 40: 700}, {2 * 24 - 7: -50}])
async def test_money_paid_in_or_out_is_no_profit_of_any_day(tmp_path: Path, payments: dict[int, int]):
    begin = datetime(2026, 1, 1, 5, tzinfo=UTC)
    profit, digests = await earned(tmp_path / "paid", "UTC", time(), begin, 2, payments)
    alone, digests_alone = await earned(tmp_path / "alone", "UTC", time(), begin, 2)
    assert digests == digests_alone
    assert [day.net for day in profit.days] == [day.net for day in alone.days]
    assert (profit.net, profit.max_drawdown) == (alone.net, 0)
    paid_in = sum(amount for amount in payments.values() if amount > 0)
    assert (profit.paid_in, profit.paid_out) == (paid_in, paid_in - sum(payments.values()))
    assert profit.share == profit.net / (CASH + paid_in)
    assert sum(day.paid for day in profit.days) == sum(payments.values())


@pytest.mark.parametrize("amount", [5000, -9000])
async def test_every_report_takes_off_what_was_paid_in_or_out(tmp_path: Path, amount: int):
    """The market doubles, and rises by half; between the two money comes or goes, noticed before a mark is made up."""
    begin, base = datetime(2026, 1, 1, 5, tzinfo=UTC), CASH + max(0, amount)

    def work(uow) -> None:
        uow.settings.set("account.began", begin.isoformat())
        for hour, price in enumerate(("100", "200", "300")):
            if hour:
                move_cash(uow, ONE_MORE)
            if hour == 2:
                uow.account.pay_in("paper", Decimal(amount), begin + 2.5 * HOUR)
            uow.account.mark({Listing("paper", "BTC/USDT"): Decimal(price)}, begin + hour * HOUR)
            uow.account.record_equity(begin + hour * HOUR, [Listing("paper", "BTC/USDT")])

    async with engine_room(tmp_path) as room:
        await room.store.transact(work)
        room.clock.at = begin + 2.6 * HOUR
        status, curve = await room.views.status(), await room.views.curve(30)
        day, (kept,) = await room.views.latest_digest(), (await room.views.profit(1)).days
    assert status.equity == CASH + 2 + amount
    assert {status.net, status.day_net, curve.net, day.net, kept.net} == {2}
    assert {status.share, status.day_share, curve.share, day.share, kept.share} == {Decimal(2) / base}
    assert status.drawdown == day.drawdown == curve.max_drawdown == 0
    held = (CASH * 2 + amount * Decimal("0.5")) / base
    assert abs(status.benchmark - held) < Decimal("1e-12")
    assert {status.benchmark, status.day_benchmark, curve.benchmark, day.benchmark} == {kept.benchmark}
    assert day.equity_curve == (CASH, CASH + 1, CASH + 2)
    assert (status.paid_in, status.paid_out) == (day.paid_in, day.paid_out) == (max(0, amount), max(0, -amount))


async def test_a_digest_just_after_a_payment_has_it_in_its_equity_and_no_drawdown(tmp_path: Path):
    begin = datetime(2026, 1, 1, 5, tzinfo=UTC)

    def work(uow) -> None:
        uow.settings.set("account.began", begin.isoformat())
        uow.account.record_equity(begin)
        uow.account.pay_in("paper", Decimal(90_000), begin + 2 * HOUR)

    async with engine_room(tmp_path) as room:
        await room.store.transact(work)
        room.clock.at = begin + 3 * HOUR
        now = await room.views.latest_digest()
        await replace(room.books, days=Days(at=time(6), zone=ZoneInfo("UTC"))).digest(begin + 3 * HOUR)
        (late,) = await room.views.digests(1)
    assert (now.equity, now.net, now.drawdown, now.payments) == (CASH + 90_000, 0, 0, 1)
    assert (late.ends, late.equity, late.net, late.drawdown, late.payments) == (begin + HOUR, CASH, 0, 0, 0)


async def test_today_began_when_the_last_day_ended(tmp_path: Path):
    """Not at the second midnight of a night that has two."""
    days = Days(at=time(), zone=ZoneInfo("America/Havana"))
    midnight = datetime(2025, 11, 2, 4, tzinfo=UTC)
    async with engine_room(tmp_path) as room:

        def work(uow) -> None:
            for number in range(3):
                move_cash(uow, ONE_MORE)
                uow.account.record_equity(midnight + number * HOUR)

        await room.store.transact(work)
        room.clock.at = midnight + 2 * HOUR
        status = await replace(room.views, days=days).status()
    assert (status.equity, status.day_net) == (CASH + 3, 2)
