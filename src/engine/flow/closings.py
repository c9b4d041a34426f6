"""Positions that people close by hand: asked for, confirmed by the one who asked, sold.

    ask ─▶ what it would come to now ─▶ press ─▶ read again ─▶ sales written down, in one transaction ─▶ sent

Selling only reduces risk, so no pause stops it. What a press confirms is what was named: where more than that has
become of a position meanwhile, it is left alone, and that is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from engine.domain.closing import ALL, TOPIC, Choice, Closing, ClosingView, Sale, Stage, Unsold, Wanted
from engine.domain.errors import BadInput, NoData, NotAllowed, UnknownId, VenueError
from engine.domain.market import Listing, names_of
from engine.domain.orders import Order, OrderType
from engine.domain.positions import Position
from engine.execution import closing as rules
from engine.execution.background import STOP_WITHIN, Background
from engine.execution.coverage import sellable
from engine.execution.emergency import being_ended
from engine.execution.orchestrator import ExecutionOrchestrator
from engine.execution.orders import intend_closing
from engine.inputs.data_halts import standing_change
from engine.ports import Clock, MarketDataAt, TimeLeft, by_the_market, market_data_of
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork

GOOD_FOR = timedelta(minutes=2)
"""How long a press confirms what was named: the world it was named in is gone after that."""
PATIENCE = 5.0
"""Wall seconds that the venue has to say what somebody pays."""

_NOTHING = "Nothing is held."

Prices = Mapping[Listing, Decimal | str]
"""What somebody pays in each market now, or why that is not known."""


class Closings:
    """Lets people close what is held, and tells them what becomes of it.

    Args:
        time_left: Tells how long people have for a press by their own clock.
        good_for: How long a press confirms what was named.
        patience: Wall seconds for which people wait for the venue.
    """

    def __init__(
        self,
        *,
        store: Database,
        market_data: MarketDataAt,
        orchestrator: ExecutionOrchestrator,
        clock: Clock,
        time_left: TimeLeft = by_the_market,
        good_for: timedelta = GOOD_FOR,
        patience: float = PATIENCE,
    ) -> None:
        self._time_left = time_left
        self._good_for = good_for
        self._patience = patience
        self._store = store
        self._market_data = market_data
        self._orchestrator = orchestrator
        self._clock = clock
        self._waiting: dict[str, datetime] | None = None
        self._background = Background()
        self._under_way = 0

    @property
    def busy(self) -> bool:
        """Whether something is being asked for or carried out: from the press until all of it is sent."""
        return self._background.busy or self._under_way > 0

    @property
    def open_ids(self) -> tuple[str, ...]:
        """The ids of the wishes that wait for their press, as far as they are known: those of before once looked at."""
        now = self._clock.now()
        return tuple(found for found, until in (self._waiting or {}).items() if now < until)

    async def next_deadline(self) -> datetime | None:
        """When the time of the next wish is up."""
        return min((await self._known()).values(), default=None)

    async def expire(self) -> None:
        """Let time pass: whoever is shown a wish whose time is up is shown that."""
        now, waiting = self._clock.now(), await self._known()
        if over := [found for found, until in waiting.items() if until <= now]:
            await self._store.transact(lambda uow: _expire(uow, over, now))
        for found in over:
            waiting.pop(found, None)

    async def _known(self) -> dict[str, datetime]:
        """When the time of each wish that waits is up; what an earlier run has left is read once."""
        if self._waiting is None:
            left = await self._store.read(lambda uow: uow.closings.waiting())
            self._waiting = {closing.id: closing.expires_at for closing in left}
        return self._waiting

    async def ask(self, person: str, wanted: Wanted) -> ClosingView:
        """What closing something would come to. Nothing is done before its person confirms it.

        Raises:
            BadInput: Nothing that is held is meant; names what is held.
            UnknownId: There is no such trade.
        """
        self._under_way += 1
        try:
            named = await self._store.read(lambda uow: _named(uow, wanted))
            prices = await self._prices(position.listing for position in named)
            closing = await self._store.transact(lambda uow: self._ask(uow, person, wanted, prices))
            if closing.id:
                (await self._known())[closing.id] = closing.expires_at
            return await self._view(closing)
        finally:
            self._under_way -= 1

    async def view_for(self, closing_id: str, person: str) -> ClosingView:
        """What became of a wish.

        Raises:
            UnknownId: It is no longer known.
            NotAllowed: Somebody else asked for it.
        """
        seen = await self.view(closing_id)
        if (own := seen.closing.person) != person:
            raise NotAllowed(
                f"{own} asked for that, and only {own} can answer it: nothing was done.",
                "To close something yourself: /close.",
            )
        return seen

    async def view(self, closing_id: str) -> ClosingView:
        """The same for the card of a wish, whoever asked for it.

        Raises:
            UnknownId: It is no longer known.
        """
        return await self._view(await self._store.read(lambda uow: uow.closings.get(closing_id)))

    async def press(self, closing_id: str, person: str, choice: Choice) -> ClosingView:
        """Confirm what was asked for, or let it be. Only its person can, once, and within its time.

        Returns once the sales are written down; they are sent beside everything else.

        Raises:
            UnknownId: It is no longer known.
            NotAllowed: Somebody else asked for it.
            NoData: Nobody says what is paid now; it can be pressed again.
        """
        self._under_way += 1
        try:
            return await self._press(await self.view_for(closing_id, person), choice)
        finally:
            self._under_way -= 1

    async def finished(self) -> None:
        """Return once every sale is sent."""
        await self._background.finished()

    async def stop(self, within: float = STOP_WITHIN) -> None:
        """Let sales that are being sent get there, within so many wall seconds.

        The rest is left to the next start, which asks the venue for it and sends nothing again.
        """
        await self._background.stop(within)

    async def _press(self, seen: ClosingView, choice: Choice) -> ClosingView:
        closing = seen.closing
        if not closing.is_open(seen.now):
            return seen
        if choice is Choice.KEEP:
            return await self._view(await self._store.transact(lambda uow: self._keep(uow, closing.id)))
        named = await self._store.read(lambda uow: [uow.positions.get(sale.position_id) for sale in closing.sales])
        prices = await self._prices(position.listing for position in named)
        if all(isinstance(price, str) for price in prices.values()):
            raise NoData(
                f"Nothing was sold: {'; '.join(map(str, prices.values()))}.",
                "Stops stay where they are. The button can be pressed again while its time lasts.",
            )
        closing, orders = await self._store.transact(lambda uow: self._confirm(uow, closing.id, prices))
        self._background.send(self._orchestrator, orders)
        return await self._view(closing)

    def _ask(self, uow: UnitOfWork, person: str, wanted: Wanted, prices: Prices) -> Closing:
        now, ending = self._clock.now(), being_ended(uow)
        found = [self._sale(uow, position, wanted, prices, ending) for position in _named(uow, wanted)]
        sales = tuple(each for each in found if isinstance(each, Sale))
        closing = Closing(
            id=uow.closings.next_id() if sales else "",
            person=person,
            wanted=wanted,
            sales=sales,
            unsold=tuple(each for each in found if isinstance(each, Unsold)),
            asked_at=now,
            expires_at=now + self._good_for,
        )
        if sales:
            uow.closings.put(closing)
        return closing

    def _sale(
        self, uow: UnitOfWork, position: Position, wanted: Wanted, prices: Prices, ending: frozenset[str]
    ) -> Sale | Unsold:
        price = prices.get(position.listing, f"{position.symbol} was not asked for its price")
        reason = "the emergency stop is selling it" if position.id in ending else ""
        if reason or isinstance(price, str):
            return Unsold(position_id=position.id, symbol=position.symbol, reason=reason or str(price))
        market = market_data_of(self._market_data, position.venue).market(position.symbol)
        free = sellable(position, uow.orders.of_position(position.id), market.lot)
        found = rules.sale_of(position, free, market, price, wanted.share)
        if isinstance(found, Unsold):
            return found
        changed = standing_change(uow, position.listing)
        warning = changed.reason if changed is not None else ""
        return replace(found, warning=warning, at=uow.ledger.told_apart(position.venue))

    def _keep(self, uow: UnitOfWork, closing_id: str) -> Closing:
        closing = uow.closings.get(closing_id)
        if not closing.is_open(self._clock.now()):
            return closing
        return self._settle(uow, replace(closing, stage=Stage.KEPT))

    def _confirm(self, uow: UnitOfWork, closing_id: str, prices: Prices) -> tuple[Closing, list[Order]]:
        """Write the sales down on what is held now; nothing where another press was first, or time is up."""
        closing, now, ending = uow.closings.get(closing_id), self._clock.now(), being_ended(uow)
        if not closing.is_open(now):
            return closing, []
        orders, unsold = list[Order](), list(closing.unsold)
        for sale in closing.sales:
            position = uow.positions.get(sale.position_id)
            ruled = self._ruled(uow, sale, position, prices[position.listing], ending)
            if isinstance(ruled, Unsold):
                unsold.append(ruled)
            else:
                orders.append(intend_closing(uow, position, closing, ruled, now))
        written = {order.position_id: order.id for order in orders}
        confirmed = replace(closing, stage=Stage.CONFIRMED, orders=written, unsold=tuple(unsold))
        return self._settle(uow, confirmed), orders

    def _ruled(
        self, uow: UnitOfWork, sale: Sale, position: Position, price: Decimal | str, ending: frozenset[str]
    ) -> Decimal | Unsold:
        reason = "the emergency stop is selling it" if position.id in ending else ""
        if reason or isinstance(price, str):
            return Unsold(position_id=position.id, symbol=position.symbol, reason=reason or str(price))
        free = sellable(position, uow.orders.of_position(position.id), sale.market.lot)
        return rules.confirmed(sale, position, free, price)

    def _settle(self, uow: UnitOfWork, closing: Closing) -> Closing:
        uow.closings.put(closing)
        uow.show_anew(f"{TOPIC}:{closing.id}")
        (self._waiting or {}).pop(closing.id, None)
        return closing

    async def _prices(self, listings: Iterable[Listing]) -> dict[Listing, Decimal | str]:
        """What somebody pays in each market, or why that is not known."""
        known = tuple(dict.fromkeys(listings))
        found = await asyncio.gather(*map(self._price, known))
        return dict(zip(known, found, strict=True))

    async def _price(self, listing: Listing) -> Decimal | str:
        symbol = listing.symbol
        try:
            async with asyncio.timeout(self._patience):
                return (await market_data_of(self._market_data, listing.venue).book(symbol)).bid
        except TimeoutError:
            return f"the venue did not say within {self._patience:g} s what {symbol} is worth"
        except VenueError as error:
            return f"{symbol} has no price now: {error.message.rstrip('.')}"

    async def _view(self, closing: Closing) -> ClosingView:
        now = self._clock.now()
        left = self._time_left(closing.asked_at, closing.expires_at, now)
        return replace(await self._store.read(lambda uow: _viewed(uow, closing, now)), wall_left=left)


def _expire(uow: UnitOfWork, closing_ids: Iterable[str], now: datetime) -> None:
    for closing_id in closing_ids:
        with suppress(UnknownId):  # another has taken its place since
            closing = uow.closings.get(closing_id)
            if closing.stage is Stage.ASKED and closing.expires_at <= now:
                uow.closings.put(replace(closing, stage=Stage.EXPIRED))
                uow.show_anew(f"{TOPIC}:{closing_id}")


def _viewed(uow: UnitOfWork, closing: Closing, now: datetime) -> ClosingView:
    named = [sale.position_id for sale in closing.sales] + [each.position_id for each in closing.unsold]
    return ClosingView(
        closing=closing,
        now=now,
        orders={position_id: uow.orders.get(order_id) for position_id, order_id in closing.orders.items()},
        positions={position_id: uow.positions.get(position_id) for position_id in named},
        protected=frozenset(position_id for position_id in named if _has_stop(uow, position_id)),
    )


def _has_stop(uow: UnitOfWork, position_id: str) -> bool:
    orders = uow.orders.of_position(position_id)
    return any(order.request.type is OrderType.OCO and not order.status.final for order in orders)


def _named(uow: UnitOfWork, wanted: Wanted) -> list[Position]:
    """The positions that are meant, oldest first.

    Raises:
        BadInput: None is; names what is held.
        UnknownId: There is no such trade.
    """
    held, what = uow.positions.open(), wanted.what
    own = [position for position in held if not position.is_external]
    found = own if what == ALL else [position for position in held if what in _names(position)]
    if found:
        return found
    if _is_id(what):
        raise _not_held(uow, what, held)
    if not held:
        raise BadInput(_NOTHING)
    missing = {"": "Nothing was named.", ALL: "The bot itself holds nothing."}.get(what, f"Nothing is held of {what}.")
    raise BadInput(missing, _listed(held))


def _names(position: Position) -> tuple[str, ...]:
    """What a position may be called: its id, its market with or without a slash, its coin."""
    return position.id, *names_of(position.symbol)


def _is_id(what: str) -> bool:
    return what[:1] == "T" and what[1:].isascii() and what[1:].isdigit()


def _not_held(uow: UnitOfWork, position_id: str, held: Sequence[Position]) -> BadInput:
    try:
        closed = uow.positions.get(position_id)
    except UnknownId:
        return UnknownId(f"There is no trade {position_id}.", _listed(held))
    return BadInput(f"{closed.id} {closed.symbol} is closed already.", _listed(held))


def _listed(held: Sequence[Position]) -> str:
    return f"Held: {', '.join(f'{p.id} {p.symbol}' for p in held)}." if held else _NOTHING
