"""The engine's execution at a fake venue through the real ccxt: real database, and faults of the venue's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.real_venues import StoredOrders
from engine.domain.errors import GreenlightError
from engine.domain.inventory import Rule
from engine.domain.orders import Order, Purpose
from engine.domain.positions import Position
from engine.exchanges.ccxt import legs
from engine.exchanges.ccxt.account import VenueAccount
from engine.exchanges.ccxt.exchange import CcxtExchange
from engine.exchanges.ccxt.keys import VenueKeys
from engine.execution import opening
from engine.execution.doubts import LATE_WITHIN
from engine.execution.orchestrator import ExecutionOrchestrator
from engine.execution.orders import intend
from engine.execution.reconcile import agree, reconcile
from engine.ports import Clock
from engine.timing.clocks import WallClock
from tests.fakes.database import new_database
from tests.fakes.real_account import BookOf, names_of
from tests.fakes.reports import plan
from tests.fakes.venues.binance import FakeBinance, trading
from tests.fakes.venues.kraken import FakeKraken, trading_kraken


class LeapingClock(WallClock):
    """The time of this machine, and what was leapt over: waiting costs nothing."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def leap(self, by: timedelta) -> None:
        self._ahead += by

    def now(self) -> datetime:
        return super().now() + self._ahead

    def monotonic(self) -> float:
        return super().monotonic() + self._ahead.total_seconds()


class Bench:
    """Orders of an engine at a venue; ``crash`` loses all that is not in the database.

    Args:
        haste: How many times faster than allowed the venue is asked.
        clock: The time of everything here, where it is none of this machine's.
    """

    def __init__(
        self, folder: Path, fake: FakeBinance | FakeKraken, haste: float = 1.0, clock: LeapingClock | None = None
    ) -> None:
        self.fake = fake
        self.name = "kraken" if isinstance(fake, FakeKraken) else "binance"
        self.symbol, self.market = next(iter(names_of(fake).items()))
        """The market that is traded, by our name and by the venue's."""
        self._haste = haste
        self.within = timedelta(seconds=2)
        """How long an answer may take; read when the account is opened."""
        self.clock = clock or LeapingClock()
        self._venue_clock: Clock = clock or WallClock()
        self._folder = folder

    async def open(self) -> None:
        clock = self._venue_clock
        self.store = new_database(self._folder)
        name, quote = self.name, self.symbol.partition("/")[2]
        keys = VenueKeys(api_key=SecretStr(self.fake.keys.key), secret=SecretStr(self.fake.keys.secret))
        account = VenueAccount(exchange=name, api_url=self.fake.url, answer_within=self.within, clock=clock,
                               keys=keys, share=self._haste)  # fmt: skip
        prices = BookOf(self.fake, clock)
        self.exchange = CcxtExchange(name=name, account=account, market_data=prices, clock=clock,
                                     record=StoredOrders(self.store, name), symbols=(self.symbol,))  # fmt: skip
        self._account = account
        self.orchestrator = ExecutionOrchestrator(
            store=self.store, venues={name: self.exchange}, market_data={name: prices}, clock=self.clock
        )
        if not await self.store.read(lambda uow: uow.account.opened()):
            found = await opening.observe(self.exchange, prices, quote)
            await self.store.transact(lambda uow: opening.open_account(uow, [found], Rule.ADOPT, self.clock.now()))

    async def close(self) -> None:
        await self.exchange.close()
        await self.store.close()

    async def crash(self) -> None:
        await self.close()
        await self.open()

    @property
    def _legs(self) -> tuple[str, ...]:
        """What of a stop and target stands at the venue; the rest is watched."""
        return (legs.STOP, legs.TARGET) if self._account.habits.holds_both else (legs.STOP,)

    def move(self, price: float) -> None:
        """Move the market to a price."""
        self.fake.set_price(self.market, price)

    async def buy(self, name: str, quantity: str = "0.01") -> None:
        """Write an entry down and send it, as a decision does; a failure is looked after later."""
        wanted = plan(venue=self.name, symbol=self.symbol, key=name, quantity=Decimal(quantity), price=Decimal(60_000),
                      stop=Decimal(58_000), target=Decimal(65_000))  # fmt: skip
        order = await self.store.transact(lambda uow: intend(uow, wanted, self.clock.now(), decision_id=name))
        with suppress(GreenlightError):
            await self.orchestrator.send(order)

    async def sell(self, position: Position) -> None:
        with suppress(GreenlightError):
            await self.orchestrator.sell(position.id, self.clock.now())

    async def sync(self) -> None:
        with suppress(GreenlightError):
            await self.orchestrator.sync_venue_events()

    async def held(self) -> tuple[Position, ...]:
        return await self.store.read(lambda uow: uow.positions.open())

    async def unfinished(self) -> list[Order]:
        return list(await self.store.read(lambda uow: uow.orders.unfinished()))

    async def settle(self) -> None:
        """Come back without faults, until nothing is in doubt or left to be done: late requests are waited for."""
        self.fake.heal()
        self.fake.meddle = lambda _: None
        for _ in range(6):
            await reconcile(self.store, self.orchestrator)
            await self.orchestrator.look_again()
            in_doubt = any(order.status.in_doubt for order in await self.unfinished())
            if not in_doubt and await self.orchestrator.is_at_rest(self.name):
                return
            self.clock.leap(LATE_WITHIN)

    async def check(self) -> None:
        """See that what must hold after every fault holds.

        Raises:
            AssertionError: It does not.
        """
        self.fake.audit()
        twice = {name: times for name, times in self.fake.matching.accepted.items() if times > 1}
        assert not twice, f"sent more than once: {twice}"
        assert await agree(self.store, self.exchange, self.orchestrator, self.clock.now()) == {}
        assert not [order for order in await self.unfinished() if order.status.in_doubt]
        standing = {each.client_id for each in self.fake.matching.open_orders()}
        planned = [position for position in await self.held() if position.stop is not None]
        for position in planned:  # what was there before the books were opened has no stop
            own = [each for each in await self.unfinished() if each.position_id == position.id]
            (protection,) = [each.request for each in own if each.purpose is Purpose.PROTECTION]
            held = {legs.leg_id(protection.client_id, leg) for leg in self._legs}
            assert held <= standing, f"position {position.id} is not protected"
            lot = Decimal(self.fake.symbols[self.market].lot)
            assert protection.quantity == position.quantity - position.quantity % lot
        assert len(standing) == len(self._legs) * len(planned), "an order stands there that belongs to nothing"


@asynccontextmanager
async def bench_at(
    folder: Path, fake: FakeBinance | FakeKraken, haste: float = 1.0, clock: LeapingClock | None = None
) -> AsyncIterator[Bench]:
    made = Bench(folder, fake, haste, clock)
    await made.open()
    try:
        yield made
    finally:
        await made.close()


VENUES = pytest.mark.parametrize("name", ["binance", "kraken"])
"""Each venue that a bench stands at, by its name."""


@asynccontextmanager
async def usual_bench(folder: Path, name: str) -> AsyncIterator[Bench]:
    """A bench at a venue of a name with 100,000 to spend; its market is at 60,000, and nobody waits for its limits."""
    opened = trading_kraken(balances={"USD": "100000"}) if name == "kraken" else trading(balances={"USDT": "100000"})
    async with opened as fake:
        if isinstance(fake, FakeKraken):
            fake.counter.most = 1000
        else:
            fake.limits.weight = 10**9
        async with bench_at(folder, fake, haste=100) as bench:
            bench.move(60_000)
            yield bench
