"""Bugs that the program does not have, built in through its externals: a simulation must find them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from bot.externals import Externals
from engine.domain.approvals import Approval
from engine.domain.market import Listing
from engine.domain.messages import Destination
from engine.domain.money import Money
from engine.domain.orders import Fill, Order, OrderRequest, OrderType, Side, SubmitResult, Unknown
from engine.domain.positions import Portfolio
from engine.domain.trade_views import FillView
from engine.store.account import Account
from engine.store.approvals import Approvals
from engine.store.chat import ChatMemory
from engine.store.orders import Orders
from engine.store.outbox import Outbox
from engine.store.unit_of_work import UnitOfWork

T = TypeVar("T")


def sends_again(externals: Externals) -> Externals:
    """An order whose answer was lost is sent once more, to be sure."""

    class Impatient(externals.venue):
        async def submit(self, request: OrderRequest) -> SubmitResult:
            answer = await super().submit(request)
            return await super().submit(request) if isinstance(answer, Unknown) else answer

    return replace(externals, venue=Impatient)


def swaps_blindly(externals: Externals) -> Externals:
    """An answer to a question is stored whatever was stored meanwhile."""

    class Careless(Approvals):
        def swap(self, before: Approval, after: Approval) -> bool:
            return super().swap(self.get(before.id), after)

    return _with_part(externals, "approvals", Careless)


def forgets_cards(externals: Externals) -> Externals:
    """One topic in three is never shown anywhere."""

    class Forgetful(Outbox):
        def changed(self, topic: str, destinations: Iterable[Destination]) -> bool:
            return bool(sum(topic.encode()) % 3) and super().changed(topic, destinations)

    return _with_part(externals, "outbox", Forgetful)


def shows_once(externals: Externals) -> Externals:
    """A card that was shown is not brought up to date any more."""

    class Lazy(Outbox):
        def want(self, topic: str, destination: Destination) -> None:
            if not self.shows(topic, destination.platform):
                super().want(topic, destination)

    return _with_part(externals, "outbox", Lazy)


def acts_twice(externals: Externals) -> Externals:
    """A delivery that comes again is acted on again."""

    class Oblivious(ChatMemory):
        def delivered(self, delivery_id: str, at: datetime) -> bool:
            super().delivered(delivery_id, at)
            return True

    return _with_part(externals, "chat", Oblivious)


def forgets_fees(externals: Externals) -> Externals:
    """Fees are paid at the venue, and not in the books."""

    def forget(venue: str, fee: Money) -> None:
        del venue, fee

    def spoil(uow: UnitOfWork) -> None:
        uow.ledger.pay_fee = forget

    return _with_spoilt(externals, spoil)


def sells_again(externals: Externals) -> Externals:
    """A sale that the venue has taken, and not filled yet, is forgotten: what it sells is sold once more."""

    class Forgetful(Orders):
        def of_position(self, position_id: str) -> tuple[Order, ...]:
            return tuple(order for order in super().of_position(position_id) if not _is_under_way(order))

    return _with_part(externals, "orders", Forgetful)


def confuses_venues(externals: Externals) -> Externals:
    """A fill with a trade id that is known from the other venue, of the same symbol, is taken for counted."""

    class Careless(Orders):
        def fill_like(self, fill: Fill) -> FillView | None:
            known = (super(Careless, self).fill_like(replace(fill, venue=venue)) for venue in ("paper", "other"))
            return next((each for each in known if each is not None), None)

    return _with_part(externals, "orders", Careless)


def marks_by_symbol(externals: Externals) -> Externals:
    """What is held of a symbol is worth the same wherever it is."""

    class Coarse(Account):
        def marks(self) -> dict[Listing, Decimal]:
            marks = super().marks()
            by_symbol = {listing.symbol: price for listing, price in marks.items()}
            return {listing: by_symbol[listing.symbol] for listing in marks}

    return _with_part(externals, "account", Coarse)


def shares_cash(externals: Externals) -> Externals:
    """An order may spend what is free at both venues together."""

    class Generous(Account):
        def portfolio(self) -> Portfolio:
            return replace(super().portfolio(), free_at=None)

    return _with_part(externals, "account", Generous)


BUGS = (sends_again, swaps_blindly, forgets_cards, shows_once, acts_twice, forgets_fees, sells_again)
OF_TWO_VENUES = (confuses_venues, marks_by_symbol, shares_cash)
"""Those that only two venues show."""


def _is_under_way(order: Order) -> bool:
    sale = order.request.side is Side.SELL and order.request.type is OrderType.MARKET
    return sale and order.status.at_venue


def _with_part(externals: Externals, name: str, kind: type) -> Externals:
    """Externals to a store one part of whose transactions is of another kind."""

    def spoil(uow: UnitOfWork) -> None:
        getattr(uow, name).__class__ = kind

    return _with_spoilt(externals, spoil)


def _with_spoilt(externals: Externals, spoil: Callable[[UnitOfWork], None]) -> Externals:
    """Externals to a store whose transactions are given something spoilt."""

    class Spoilt(externals.store):
        async def transact(self, work: Callable[[UnitOfWork], T]) -> T:
            def spoilt(uow: UnitOfWork) -> T:
                spoil(uow)
                return work(uow)

            return await super().transact(spoilt)

    return replace(externals, store=Spoilt)
