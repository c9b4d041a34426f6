"""Two venues in one account, on one seed: the same symbol or another at each, each behind a bad line of its own.

The program's venues have one market behind them (``bot.venues``); what is played here is the engine with a market for
each: cycles, orders and books on simulated time, one venue away for hours, power cuts, and fees in whatever each takes.
At the end each venue's file is audited by itself, and the equity is counted again at the prices of each.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import Context
from datetime import datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, cast
from zoneinfo import ZoneInfo

from bot.externals import EXTERNALS, Externals
from engine.analysis.quality import DataQualityMonitor, QualityLimits
from engine.analysis.technical import TechnicalAnalyzer
from engine.books.bookkeeping import Bookkeeping
from engine.data.derivatives.nobody import NoDerivatives
from engine.domain.autonomy import Autonomy
from engine.domain.days import Days
from engine.domain.errors import GreenlightError
from engine.domain.market import Listing, Market, Timeframe
from engine.domain.orders import Purpose
from engine.domain.plans import Entry, Slicing
from engine.domain.positions import Portfolio
from engine.exchanges.paper import PaperExchange
from engine.execution.orchestrator import ExecutionOrchestrator
from engine.execution.reconcile import reconcile
from engine.flow.cycle import run_cycles
from engine.flow.services import CycleServices
from engine.flow.slicing import Slices
from engine.inputs.candles import CheckedCandles
from engine.inputs.derivatives import KeptDerivatives
from engine.inputs.stats import KeptStats
from engine.risk.limits import RiskLimits
from engine.risk.manager import RiskManager
from engine.simulation.fills import FillModel
from engine.store.database import Database, nowhere
from engine.store.unit_of_work import UnitOfWork
from engine.strategies.context import StrategyContext
from tests.auditor import read_fills
from tests.chaos.externals import store_in
from tests.chaos.loop import LIFE, Life, SimulatedLoop
from tests.chaos.sites import Away, Site
from tests.chaos.sites_audit import audit, worth_of
from tests.chaos.venue import Line, venue_on
from tests.fakes.database import new_file, url_of
from tests.fakes.engine import Script, signals
from tests.fakes.feed import BTC, START, Row, hand_feed

SHARE = 0.3
"""The share of the seeds that play two venues as well."""
H1 = timedelta(hours=1)
HISTORY, CANDLES, CALM = 24, 10, 4
"""Hours before it begins, with faults, and after them."""
SPEED, TICK = 30.0, timedelta(minutes=4)
"""Market seconds in a simulated one; after how long the program looks what is due where no candle closes before."""
ETH = Market(symbol="ETH/USDT", lot=Decimal("0.001"), tick=Decimal("0.01"), min_notional=Decimal(10))
NAMES = ("paper", "other")
DUST = Decimal(4)
"""What all that was left of positions below a lot may be worth: each of some thirty is less than 0.15."""
TRADES_ALONE = Autonomy(
    auto_above=0.0, ask_above=0.0, expires_after=timedelta(minutes=15), max_price_drift=Decimal("0.05")
)
DARING = RiskLimits(
    risk_per_trade=Decimal("0.02"),
    max_position=Decimal("0.45"),
    max_exposure=Decimal("0.9"),
    max_drawdown=Decimal("0.5"),
    max_total_drawdown=Decimal("0.9"),
    max_slippage=Decimal("0.01"),
)


def has_two_venues(seed: int) -> bool:
    """Whether a seed plays two venues as well."""
    return Random(f"{seed}/venues").random() < SHARE


class _Clock:
    """Market time, as fast as the simulated one has it."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        return START + HISTORY * H1 + timedelta(seconds=self._loop.time() * SPEED)

    def monotonic(self) -> float:
        return self._loop.time()

    async def until(self, at: datetime) -> None:
        await asyncio.sleep(max(0.0, (at - self.now()).total_seconds() / SPEED))


class TwoVenues:
    """Everything of one run.

    Args:
        externals: changes the externals, to build a known fault in.
    """

    def __init__(
        self, seed: int, folder: Path, loop: SimulatedLoop, externals: Callable[[Externals], Externals]
    ) -> None:
        self.seed = seed
        self.loop = loop
        self.folder = folder
        self.stores: list[Database] = []
        self.complaints: list[str] = []
        self.counts: Counter[str] = Counter()
        self._file = new_file(folder)
        self._hash = hashlib.sha256()
        self._clock = _Clock(loop)
        self._chance = Random(f"{seed}/two venues")
        self._length = CANDLES * 3600 / SPEED
        self._sites = self._laid_out()
        self._scripts = {name: self._script(name) for name in NAMES}
        self._entry = {name: self._entry_of(Random(f"{seed}/{name}/entry")) for name in NAMES}
        self._slicing = {name: self._slicing_of(Random(f"{seed}/{name}/slices")) for name in NAMES}
        self._others = {name: self._others_of(name) for name in NAMES}
        if any(self._others.values()):  # nobody enters at a price that is another than what was decided on
            self._sites["other"].rows = self._sites["paper"].rows
        self._life = Life()
        self._lives: list[Life] = []
        self._gone = asyncio.Event()
        self._fuse, self._cuts = 0, self._chance.choice((0, 1, 2))
        made = EXTERNALS
        self._externals = externals(Externals(store=store_in(cast("Any", self)), venue=made.venue))

    @property
    def trace(self) -> str:
        """The same for the same run."""
        return self._hash.hexdigest()

    def moment(self) -> None:
        """The power may be cut."""
        if self._fuse > 0 and LIFE.get() is self._life:
            self._fuse -= 1
            if self._fuse == 0:
                self._cuts -= 1
                self.counts["power cut at two venues"] += 1
                self.loop.kill(self._life)
                self._gone.set()

    # How it is laid out

    def _laid_out(self) -> dict[str, Site]:
        one, other = self._chance.choice(
            (((BTC.symbol,), (BTC.symbol,)), ((BTC.symbol,), (BTC.symbol,)), ((BTC.symbol,), (ETH.symbol,)))
        )
        if self._chance.random() < 0.3:
            one = other = (BTC.symbol, ETH.symbol)
        return {
            name: self._site(number, name, own)
            for number, (name, own) in enumerate(zip(NAMES, (one, other), strict=True))
        }

    def _site(self, number: int, name: str, symbols: tuple[str, ...]) -> Site:
        chance = Random(f"{self.seed}/{name}")
        taken = chance.choice(("quote", "received", "GAS"))
        balances = {"USDT": Decimal(chance.choice((1_000, 3_000, 10_000)))}
        if taken == "GAS":
            balances["GAS"] = Decimal(chance.choice((1, 1_000)))
        price = 100 * (1 + 0.3 * number)
        site = Site(
            name=name,
            symbols=symbols,
            rows={symbol: _walk(Random(f"{self.seed}/{name}/{symbol}"), price) for symbol in symbols},
            model=FillModel(fee_in=taken, fee_price=Decimal(7) if taken == "GAS" else None),
            balances=balances,
            file=self.folder / f"{name}.sqlite",
            faults=Away(2 * self.seed + number, self.loop.time, length=self._length),
        )
        site.line = Line(2 * self.seed + number, site.faults, self.moment, self._note, lambda _: None)
        return site

    def _script(self, name: str) -> Script:
        """Enter and leave at the closes that the seed has; nothing is entered once the faults are over."""
        chance, script = Random(f"{self.seed}/{name}/script"), Script()
        for hour in range(HISTORY, HISTORY + CANDLES):
            at = START + hour * H1
            if chance.random() < 0.6:
                script.entries[at] = signals(stop=chance.choice((1.0, 3.0)), target=chance.choice((2.0, 5.0)))
            if chance.random() < 0.3:
                script.exits[at] = "the seed says so"
        return script

    @staticmethod
    def _entry_of(chance: Random) -> Entry | None:
        if chance.random() < 0.6:
            return None
        return Entry(offset=Decimal("0.001"), patience=timedelta(minutes=chance.choice((20, 90))))

    @staticmethod
    def _slicing_of(chance: Random) -> Slicing | None:
        if chance.random() < 0.4:
            return None
        every = timedelta(minutes=chance.choice((4, 8, 20)))
        share = chance.choice((Decimal("0.1"), Decimal(1)))
        return Slicing(most=chance.choice((3, 6)), every=every, book_share=share, twap=chance.random() < 0.7)

    def _others_of(self, name: str) -> tuple[str, ...]:
        """The other venue, where it has the same markets and the seed sends entries there as well."""
        (other,) = (each for each in NAMES if each != name)
        same = self._sites[name].symbols == self._sites[other].symbols
        return (other,) if same and Random(f"{self.seed}/{name}/routes").random() < 0.4 else ()

    def _note(self, *what: object) -> None:
        self._hash.update(f"{self.loop.time():.6f} {' '.join(map(str, what))}".encode())

    # The play

    async def play(self) -> None:
        """Faults, then calm, then the audit."""
        keeping = asyncio.create_task(self._keep_running(), name="supervisor")
        await self._until_hour(CANDLES)
        for site in self._sites.values():
            site.faults.over = True
        self._cuts = self._fuse = 0
        await self._until_hour(CANDLES + CALM)
        keeping.cancel()
        await asyncio.wait([keeping])
        self.loop.kill(self._life)
        self._pick_up_the_pieces()
        for life in self._lives:
            await self.loop.bury(life)
        self._pick_up_the_pieces()
        self._count()
        self.complaints += audit(self._file, self._sites, self._closes())
        await self._check_equity()
        await self._check_slices()

    async def _until_hour(self, hour: float) -> None:
        await self._clock.until(START + (HISTORY + hour) * H1 + timedelta(minutes=30))

    async def _keep_running(self) -> None:
        while True:
            life = self._life = Life()
            self._lives.append(life)
            self._gone.clear()
            self._fuse = int(self._chance.expovariate(1 / 300)) + 1 if self._cuts > 0 else 0
            context = Context()
            context.run(LIFE.set, life)
            running = self.loop.create_task(self._live(), context=context)
            running.add_done_callback(lambda _: self._gone.set(), context=Context())
            await self._gone.wait()
            if not life.dead:
                self.complaints.append(f"two venues: the engine died of {running.exception()!r}")
                return
            self._pick_up_the_pieces()
            await asyncio.sleep(self._chance.choice((0.1, 3.0, 20.0)))

    def _pick_up_the_pieces(self) -> None:
        for store in self.stores:
            cast("Any", store)._shut()
        for site in self._sites.values():
            for venue in site.line.opened:
                venue.close()
            site.line.opened.clear()
        self.stores.clear()

    async def _live(self) -> None:
        """One life of the engine."""
        store = self._externals.store(url_of(self.folder), route=nowhere)
        venues = {name: self._open(site, store) for name, site in self._sites.items()}
        await store.transact(self._open_books) if not await store.read(lambda uow: uow.account.opened()) else None
        orchestrator = ExecutionOrchestrator(store=store, venues=venues, market_data=venues, clock=self._clock)
        quality = DataQualityMonitor(limits=QualityLimits(min_candles=5, window=5))
        candles = CheckedCandles(market_data=venues, quality=quality)
        services = CycleServices(
            clock=self._clock,
            store=store,
            market_data=venues,
            candles=candles,
            analyzer=TechnicalAnalyzer(),
            risk=RiskManager(limits=DARING),
            autonomy=TRADES_ALONE,
            orchestrator=orchestrator,
            stats=KeptStats(market_data=venues, quality=quality, clock=self._clock),
            derivatives=KeptDerivatives(source=NoDerivatives(), clock=self._clock),
        )
        listings = {
            Listing(name, symbol): Timeframe.H1 for name, site in self._sites.items() for symbol in site.symbols
        }
        books = Bookkeeping(
            store=store,
            market_data=venues,
            markets=listings,
            candles=candles,
            limits=DARING,
            days=Days(at=time(), zone=ZoneInfo("UTC")),
        )
        await self._attempt(lambda: reconcile(store, orchestrator))
        while True:
            now = self._clock.now()
            await self._clock.until(min(now + TICK, Timeframe.H1.floor(now) + H1))
            await self._look_what_is_due(services, books)

    def _open(self, site: Site, store: Database) -> PaperExchange:
        markets = tuple({BTC.symbol: BTC, ETH.symbol: ETH}[symbol] for symbol in site.symbols)
        return venue_on(site.line, lambda feed, _: feed)(
            name=site.name,
            file=site.file,
            feed=hand_feed(site.rows, markets),
            clock=self._clock,
            model=site.model,
            balances=site.balances,
            client=store,
        )

    def _open_books(self, uow: UnitOfWork) -> None:
        first, second = self._sites.values()
        now = self._clock.now()
        uow.account.open(first.name, "USDT", first.balances["USDT"])
        uow.account.pay_in(second.name, second.balances["USDT"], now)
        for site in (first, second):
            if "GAS" in site.balances:
                uow.ledger.change(site.name, "GAS", site.balances["GAS"])

    async def _look_what_is_due(self, services: CycleServices, books: Bookkeeping) -> None:
        orchestrator, now = services.orchestrator, self._clock.now()
        again, patience = await orchestrator.next_look(), await orchestrator.patience_ends()
        await self._attempt(orchestrator.sync_venue_events)
        if again is not None and again <= now:
            await self._attempt(orchestrator.look_again)
        if patience is not None and patience <= now:
            await self._attempt(orchestrator.end_patience)
        for name in NAMES:
            await self._attempt(partial(self._send_slices, Slices(services=services), name))
        at = Timeframe.H1.floor(now)
        last = await services.store.read(lambda uow: uow.curve.last_at())
        if last is None or at > last:
            await self._candle(services, books, at)

    async def _send_slices(self, slices: Slices, venue: str) -> None:
        due = await slices.next_due(venue)
        if due is not None and due <= self._clock.now():
            await slices.send_due(venue)

    async def _candle(self, services: CycleServices, books: Bookkeeping, at: datetime) -> None:
        contexts = [
            StrategyContext(
                name=name,
                venue=name,
                strategy=self._scripts[name],
                markets=site.symbols,
                timeframe=Timeframe.H1,
                entry=self._entry[name],
                slicing=self._slicing[name],
                others=self._others[name],
            )
            for name, site in self._sites.items()
        ]
        await self._attempt(services.orchestrator.resolve_unknown_orders)
        await self._attempt(lambda: books.mark_to_market(at))
        await self._attempt(services.orchestrator.restore_protection)
        await self._attempt(lambda: run_cycles(services, contexts, at))
        await self._attempt(services.orchestrator.sync_venue_events)
        await books.record_equity(at)
        self._check_marks(await services.store.transact(lambda uow: uow.account.portfolio()), at)

    def _check_marks(self, account: Portfolio, at: datetime) -> None:
        """What is held is worth what its market closed at, at its own venue, now or before; at first what was paid."""
        closes, hours = self._closes(), int((at - START) / H1)
        for held in account.positions:
            mark = account.mark(held)
            known = {Decimal(repr(close)) for close in closes[held.listing][:hours]} | {held.entry_price}
            if mark not in known:
                self.complaints.append(f"two venues: {held.id} at {held.venue} is valued at {mark}, of another market")

    async def _attempt(self, job: Callable[[], Awaitable[object]]) -> None:
        """Do it; where a venue fails it is done again at another time."""
        try:
            await job()
        except GreenlightError:
            self.counts["two venues: a job failed"] += 1

    async def _check_equity(self) -> None:
        """Equity is what there is at each venue at its prices; less what is below a lot, for that is no position."""
        store = self._externals.store(url_of(self.folder), route=nowhere)
        try:
            account = await store.transact(lambda uow: uow.account.portfolio())
        finally:
            await store.close()
        marks = {listing: Decimal(repr(rows[-1])) for listing, rows in self._closes().items()}
        equity, worth = account.valued(marks).equity, worth_of(self._sites, marks)
        if not Decimal(0) <= worth - equity < DUST:
            self.complaints.append(f"two venues: equity is {equity}, and what is at the venues is worth {worth}")

    async def _check_slices(self) -> None:
        """No decision has bought more than was planned, and nothing is to follow once all turns are over."""
        store = self._externals.store(url_of(self.folder), route=nowhere)
        try:
            orders = await store.read(lambda uow: uow.orders.page(None, 0, 10_000))
            elsewhere = [
                each for each in orders if each.purpose is Purpose.ENTRY and each.context != each.request.venue
            ]
            self.counts["two venues: entries sent elsewhere"] += len(elsewhere)
            whole = {each.decision_id: each for each in reversed(orders) if each.to_follow is not None}
            for decision, first in whole.items():
                slices = [each for each in orders if each.decision_id == decision]
                bought = sum((each.filled for each in slices), Decimal(0))
                if bought > first.request.quantity + (first.to_follow or 0):
                    self.complaints.append(f"two venues: {decision} has bought {bought}, more than was planned")
                self.counts["two venues: slices"] += len(slices)
            self.complaints += [f"two venues: {each.id} is followed by none" for each in orders if each.follows_at]
        finally:
            await store.close()

    def _count(self) -> None:
        for site in self._sites.values():
            fills = read_fills(site.file)
            self.counts[f"two venues: fills at {site.name}"] += len(fills)
            self.counts[f"two venues: fees in {site.model.fee_in}"] += len(fills)
            self.counts.update({f"{site.name} {kind}": count for kind, count in site.faults.counts.items()})

    def _closes(self) -> dict[Listing, list[float]]:
        return {
            Listing(name, symbol): [row[3] for row in rows]
            for name, site in self._sites.items()
            for symbol, rows in site.rows.items()
        }


def _walk(chance: Random, price: float) -> list[Row]:
    """Candles that wander."""
    rows: list[Row] = []
    for _ in range(HISTORY + CANDLES + CALM + 4):
        close = round(price * (1 + chance.gauss(0, 0.012)), 2)
        high, low = max(price, close) * (1 + chance.random() * 0.01), min(price, close) * (1 - chance.random() * 0.01)
        rows.append((round(price, 2), round(high, 2), round(low, 2), close, chance.choice((300, 5_000, 5_000))))
        price = close
    return rows
