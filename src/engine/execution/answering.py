"""Whether a venue answers what it is asked about orders: how many calls in a row have failed."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from decimal import Decimal
from typing import TypeVar

from engine.domain.errors import NoData, UnknownCursor, VenueError
from engine.domain.orders import NotFound, OrderRequest, OrderState, SubmitResult, Unknown
from engine.ports import Cursor, EventBatch, Exchange

T = TypeVar("T")


class Answering:
    """A venue whose failures are counted; else it is as before. An ``Exchange``.

    Attributes:
        failures: How many calls in a row it has not answered, whatever they were about.
        why: What the last of them ended in.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.failures = 0
        self.why = ""

    @property
    def name(self) -> str:
        """As the venue is called."""
        return self._exchange.name

    async def submit(self, request: OrderRequest) -> SubmitResult:
        """Send an order once; a lost answer is a failure, a refusal an answer."""
        answer = await self._exchange.submit(request)
        if isinstance(answer, Unknown):
            self._failed(answer.reason)
        else:
            self.failures = 0
        return answer

    async def why_unsellable(self, symbol: str, quantity: Decimal) -> str:
        """Why so much would not be sold; that needs no call, so it is not counted."""
        return await self._exchange.why_unsellable(symbol, quantity)

    async def find(self, symbol: str, client_id: str) -> OrderState | NotFound:
        """What the venue knows of an order."""
        return await self._counted(self._exchange.find(symbol, client_id))

    async def cancel(self, symbol: str, client_id: str) -> OrderState | NotFound:
        """Cancel what is left of an order."""
        return await self._counted(self._exchange.cancel(symbol, client_id))

    async def balances(self) -> Mapping[str, Decimal]:
        """What the account owns."""
        return await self._counted(self._exchange.balances())

    async def open_orders(self) -> tuple[OrderState, ...]:
        """Every order that is not final."""
        return await self._counted(self._exchange.open_orders())

    async def events(self, after: Cursor | None) -> EventBatch:
        """What happened after a cursor."""
        return await self._counted(self._exchange.events(after))

    async def _counted(self, call: Awaitable[T]) -> T:
        try:
            answer = await call
        except (UnknownCursor, NoData):
            self.failures = 0  # that is an answer
            raise
        except VenueError as error:
            self._failed(error.message)
            raise
        self.failures = 0
        return answer

    def _failed(self, why: str) -> None:
        self.failures += 1
        self.why = why
