"""The paper venue behind a bad line: a door of the simulation."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from random import Random
from typing import Any

from engine.domain.errors import VenueError
from engine.domain.market import Book, Candles, Timeframe
from engine.domain.orders import NotFound, OrderRequest, OrderState, OrderType, Refused, Side, SubmitResult, Unknown
from engine.exchanges.paper import PaperExchange
from engine.ports import Cursor, EventBatch, MarketFeed
from engine.simulation.fills import FillModel
from tests.chaos.faults import Faults

ORDERS_LOST = 0.08
"""The share of orders with which something goes wrong even on a good day."""


class Line:
    """What lies between the program and the venue, and what was sent along it.

    Args:
        moment: Told of every moment at which the power may be cut.
        note: Told of every call, for the trace.
        before_sending: Told of every order that reaches the venue, just before it does.
    """

    def __init__(
        self,
        seed: int,
        faults: Faults,
        moment: Callable[[], None],
        note: Callable[..., None],
        before_sending: Callable[[OrderRequest], None],
    ) -> None:
        self._chance = Random(f"{seed}/line")
        self._refuses = self._chance.choice((0.0, 0.0, 0.1))
        self._faults = faults
        self._note = note
        self._before_sending = before_sending
        self.moment = moment
        self.sent: Counter[str] = Counter()
        self.opened: list[PaperExchange] = []

    async def submit(self, request: OrderRequest, send: Callable[[], Any]) -> SubmitResult:
        """Send an order; a lost answer is unknown."""
        lost = Unknown(client_id=request.client_id, reason="the answer was lost")
        fault = await self._begin("submit", request.client_id)
        if fault == "deaf":
            self.sent[request.client_id] += 1
            return lost
        self._before_sending(request)
        if request.side is Side.SELL and self._faults.draw("sales"):
            return Refused(client_id=request.client_id, reason="nothing can be sold now")
        if request.type is OrderType.OCO and not self._faults.over and self._chance.random() < self._refuses:
            self._faults.happened("venue: stop refused")
            return Refused(client_id=request.client_id, reason="not today")
        answer: SubmitResult = await send()
        self.sent[request.client_id] += 1
        await self._end(fault)
        return lost if fault == "lost" else answer

    async def ask(self, what: str, about: str, call: Callable[[], Any]) -> Any:
        """Ask for something, or cancel it.

        Raises:
            VenueError: The venue did not hear it, or its answer was lost.
        """
        fault = await self._begin(what, about)
        if fault == "deaf":
            raise VenueError("The venue does not answer.")
        answer = await call()
        await self._end(fault)
        if fault == "lost":
            raise VenueError("The venue's answer was lost.")
        return answer

    async def _begin(self, what: str, about: str) -> str:
        self.moment()
        fault = self._faults.draw("venue", ORDERS_LOST if what in ("submit", "cancel") else 0.0)
        self._note("venue", what, about, fault)
        await asyncio.sleep(self._latency(fault))
        return fault

    async def _end(self, fault: str) -> None:
        self.moment()
        await asyncio.sleep(self._latency(fault))

    def _latency(self, fault: str) -> float:
        if fault == "slow":
            return self._chance.uniform(0.1, 4.0)
        return 0.0 if self._chance.random() < 0.7 else self._chance.expovariate(50)


def venue_on(  # noqa: C901 - a short method for each call
    line: Line, market: Callable[[MarketFeed, FillModel], MarketFeed]
) -> type[PaperExchange]:
    """The paper venue at the other end of a line.

    Args:
        market: Changes what the venue trades on.
    """

    class DistantVenue(PaperExchange):
        def __init__(self, *, feed: MarketFeed, model: FillModel, **options: Any) -> None:
            super().__init__(feed=market(feed, model), model=model, **options)
            line.opened.append(self)

        async def submit(self, request: OrderRequest) -> SubmitResult:
            await (
                self._client.flush()
            )  # as the venue has it before anything is written, for what is lost on the way too
            return await line.submit(request, lambda: PaperExchange.submit(self, request))

        async def why_unsellable(self, symbol: str, quantity: Decimal) -> str:
            reason: str = await line.ask(
                "unsellable", symbol, lambda: PaperExchange.why_unsellable(self, symbol, quantity)
            )
            return reason

        async def find(self, symbol: str, client_id: str) -> OrderState | NotFound:
            found: OrderState | NotFound = await line.ask(
                "find", client_id, lambda: PaperExchange.find(self, symbol, client_id)
            )
            return found

        async def cancel(self, symbol: str, client_id: str) -> OrderState | NotFound:
            state: OrderState | NotFound = await line.ask(
                "cancel", client_id, lambda: PaperExchange.cancel(self, symbol, client_id)
            )
            return state

        async def book(self, symbol: str) -> Book:
            book: Book = await line.ask("book", symbol, lambda: PaperExchange.book(self, symbol))
            return book

        async def candles(
            self, symbol: str, timeframe: Timeframe, limit: int, until: datetime | None = None
        ) -> Candles:
            candles: Candles = await line.ask(
                "candles", symbol, lambda: PaperExchange.candles(self, symbol, timeframe, limit, until)
            )
            return candles

        async def balances(self) -> Mapping[str, Decimal]:
            owned: Mapping[str, Decimal] = await line.ask("balances", "", lambda: PaperExchange.balances(self))
            return owned

        async def open_orders(self) -> tuple[OrderState, ...]:
            standing: tuple[OrderState, ...] = await line.ask("orders", "", lambda: PaperExchange.open_orders(self))
            return standing

        async def events(self, after: Cursor | None) -> EventBatch:
            batch: EventBatch = await line.ask("events", "", lambda: PaperExchange.events(self, after))
            return batch

    return DistantVenue
