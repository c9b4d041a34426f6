"""Payments, conversions, overrides, empty and missing answers, new accounts: none is a panic (faults 14, 39).

Prices stand still in these runs, so whatever trips a trigger or halts for a drawdown is false.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine.domain.errors import GreenlightError, StoreError, VenueError
from engine.domain.halts import HaltKind
from engine.domain.market import Timeframe
from engine.domain.messages import Person, Role
from engine.domain.orders import OrderRequest, OrderType, Side
from engine.domain.triggers import Cause, LeadsTo, Trigger
from engine.execution.reconcile import agree
from engine.flow.emergency_watch import EmergencyWatch
from engine.risk.limits import RiskLimits
from tests.fakes.database import execute
from tests.fakes.engine import DAY, Room, engine_room
from tests.fakes.feed import BTC

ADA = Person(name="Ada", role=Role.ADMIN)
STEPS = 8
CALM = (100, 100, 100, 100, 10_000)
PANICS = (HaltKind.EMERGENCY, HaltKind.TRIGGER, HaltKind.DRAWDOWN)
LIMITS = RiskLimits(max_drawdown=Decimal("0.05"), max_total_drawdown=Decimal("0.08"))
CONVERTED = Decimal("0.004")
"""What a conversion may cost at most: there and back, at the spread and the fee of the paper venue."""


def trigger(at: str, leads_to: LeadsTo = LeadsTo.HALTED) -> Trigger:
    return Trigger(leads_to=leads_to, trips_at=Decimal(at), ends_at=Decimal(0), calm_for=timedelta(hours=1))


TRIGGERS = {
    Cause.DRAWDOWN: trigger("0.05"),
    Cause.FLASH_CRASH: trigger("0.05"),
    Cause.MISMATCH: trigger("0.01"),
    Cause.FAILING_API: trigger("10"),
    Cause.CONNECTIVITY: trigger("2.5"),
}


@dataclass
class Account:
    """An account that things happen to which are no trading."""

    room: Room
    folder: Path
    chance: Random
    outage: list[str] = field(default_factory=lambda: [""])
    done: list[str] = field(default_factory=list)

    def watch(self) -> EmergencyWatch:
        return EmergencyWatch(
            store=self.room.store,
            emergency=self.room.desk.emergency,
            approvals=self.room.approvals,
            orchestrator=self.room.orchestrator,
            candles=self.room.services.candles,
            triggers=TRIGGERS,
            timeframe=Timeframe.H1,
            outage=lambda: self.outage[0],
            at_once=True,
        )

    async def happen(self) -> None:
        """One thing that happens, and the look at everything after it."""
        habit = self.chance.choice(
            (self.pay, self.pay, self.pay, self.pay_unseen, self.convert, self.trade, self.override, self.storm)
        )
        self.done.append(habit.__name__)
        with suppress(GreenlightError):  # an empty account can neither pay nor buy
            await habit()
        self.outage[0] = self.chance.choice(("", "", "away for an hour"))
        empty = self.chance.random() < 0.2
        if empty:
            self.done.append("empty answer")
            await self.with_empty_answer()
        await self.close()

    async def close(self) -> None:
        """A candle closes: the account's jobs, as ``engine.jobs.table`` has them, with answers that may be missing."""
        room = self.room
        room.clock.at += timedelta(hours=1)
        at = room.clock.now()
        room.venue.blind = VenueError("no candles") if self.chance.random() < 0.2 else None
        with suppress(VenueError):
            await room.orchestrator.sync_venue_events()
        await room.books.mark_to_market(at)
        await room.books.record_equity(at)
        await self.look()

    async def look(self) -> None:
        at = self.room.clock.now()
        watch = self.watch()  # a new one each time: every look is as the first after a restart
        await watch.look_at_account(at)
        await watch.look_around(at)
        for _ in range(2):
            await watch.look_at_books("paper", at)

    async def with_empty_answer(self) -> None:
        """The venue says that there is nothing at all."""
        room = self.room
        theirs = await room.venue.balances()
        self.write({name: Decimal(0) for name in theirs}, drop=True)
        await self.look()
        with pytest.raises(StoreError):
            await agree(room.store, room.venue, room.orchestrator, room.clock.now(), accept=True)
        self.write(theirs)

    async def pay(self) -> None:
        """Money comes or goes, and somebody has the books say so: up to all that is free."""
        room = self.room
        room.venue.storm = 0  # it goes to and from a venue that works; what lacks there else, lacks
        free = (await room.store.read(lambda uow: uow.account.portfolio())).free_cash
        amount = Decimal(self.chance.choice((-1, 1, 5))) * self.chance.choice((free, Decimal(1000), Decimal("0.01")))
        amount = max(amount, -free)
        theirs = await room.venue.balances()
        self.write({"USDT": theirs.get("USDT", Decimal(0)) + amount})
        await agree(room.store, room.venue, room.orchestrator, room.clock.now(), accept=True)

    async def pay_unseen(self) -> None:
        """Money comes in and nobody has the books say so, until the next start."""
        theirs = await self.room.venue.balances()
        self.write({"USDT": theirs.get("USDT", Decimal(0)) + Decimal(250)})

    async def convert(self) -> None:
        """Somebody buys or sells by hand."""
        side = self.chance.choice((Side.BUY, Side.SELL))
        request = OrderRequest(
            venue="paper",
            client_id=f"hand{len(self.done)}",
            symbol=BTC.symbol,
            side=side,
            type=OrderType.MARKET,
            quantity=Decimal(self.chance.choice(("1", "0.05"))),
        )
        await self.room.venue.submit(request)
        await self.room.orchestrator.sync_venue_events()

    async def trade(self) -> None:
        await self.room.enter()

    async def override(self) -> None:
        """An admin steers: a pause, an end of all that halts, a position that is closed by hand."""
        if self.chance.random() < 0.5:
            await self.room.desk.pause(ADA, None)
        await self.room.desk.resume(ADA)
        for held in await self.room.held():
            await self.room.orchestrator.sell(held.id)

    async def storm(self) -> None:
        self.room.venue.storm = self.chance.randrange(1, 7)

    def write(self, amounts: Mapping[str, Decimal], *, drop: bool = False) -> None:
        """Change what the venue holds, behind the bot's back."""
        url = f"sqlite:///{self.folder}/venue.sqlite"
        for name, amount in amounts.items():
            gone = f"DELETE FROM balances WHERE currency = '{name}'"  # noqa: S608 - a name of this file's own
            has = f"INSERT INTO balances VALUES ('{name}', '0', '{amount}')"  # noqa: S608
            execute(url, gone if drop else f"{has} ON CONFLICT DO UPDATE SET current = excluded.current")


async def must_be_calm(folder: Path, seed: int) -> None:
    """Let things happen to one account; nothing of it may panic.

    Raises:
        AssertionError: It did.
    """
    chance = Random(seed)  # noqa: S311 - a seed is to be played again
    cash: dict[str, Any] = {"cash": chance.choice((Decimal(0), Decimal(40), Decimal(10_000)))}
    if chance.random() < 0.3:
        cash["balances"] = {"USDT": cash["cash"], "BTC": Decimal(3)}
    async with engine_room(folder, (CALM,) * 60, limits=LIMITS, **cash) as room:
        account = Account(room=room, folder=folder, chance=chance)
        for _ in range(STEPS):
            await account.happen()
            standing = await room.store.read(lambda uow: uow.halts.open())
            panics = [found.halt.reason for found in standing if found.halt.kind in PANICS]
            assert panics == [], f"seed {seed}: {panics} after {account.done}"
        now = await room.store.read(lambda uow: uow.account.portfolio())
        trades = sum(each in ("convert", "trade", "override") for each in account.done)
        assert now.drawdown <= trades * CONVERTED, f"seed {seed}: {account.done}"


async def test_nothing_that_is_no_trading_is_a_panic(tmp_path: Path):
    for seed in range(3):
        await must_be_calm(tmp_path / str(seed), seed)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("block", range(10))
async def test_in_a_thousand_accounts_nothing_that_is_no_trading_is_a_panic(tmp_path: Path, block: int):
    for seed in range(100 * block, 100 * (block + 1)):
        await must_be_calm(tmp_path / str(seed), seed)


async def test_a_fall_of_the_price_is_told_from_it(tmp_path: Path):
    """The same looks do trip where equity falls by trading."""
    steps = [100 - 8 * number for number in range(6)]
    rows = [CALM] * 25 + [(a, a, b, b, 10_000) for a, b in pairwise(steps)] + [(60, 60, 60, 60, 10_000)] * 30
    large = RiskLimits(risk_per_trade=Decimal("0.5"), max_position=Decimal("0.9"), max_exposure=Decimal("0.9"))
    async with engine_room(tmp_path, rows, limits=large, minutes=DAY) as room:
        account = Account(room=room, folder=tmp_path, chance=Random(1))  # noqa: S311
        await room.enter(stop=60.0, target=80.0)
        for _ in range(6):
            await account.close()
        kinds = {found.halt.kind for found in await room.store.read(lambda uow: uow.halts.open())}
        assert HaltKind.EMERGENCY in kinds
