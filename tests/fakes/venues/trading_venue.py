"""What every fake venue that trades has: an account, a matching of its orders, a log of its calls, faults by call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aiohttp import web

from tests.fakes.exchange import FakeExchange, Fault, Symbol, cut_answer
from tests.fakes.venues.spot_guard import parameters
from tests.fakes.venues.spot_ledger import Ledger
from tests.fakes.venues.spot_matching import Matching
from tests.fakes.venues.spot_orders import Refused, Report
from tests.fakes.venues.transfers import DEPOSIT, WITHDRAWAL, Moved

Json = Any
LOOK = 0.02
"""Seconds from one look at the market to the next."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One call: what it was, with which parameters, when by the venue's clock, and the status that it got."""

    call: str
    sent: Mapping[str, str]
    at: int
    status: int


class TradingVenue(FakeExchange):
    """One account at a venue on loopback; how it is spoken with is its subclass's.

    Args:
        symbols: Its markets.
        balances: What the account has at first, by the engine's own names of the coins.
    """

    def __init__(self, symbols: list[Symbol] | None, balances: Mapping[str, Decimal | str]) -> None:
        super().__init__(symbols)
        self.ledger = Ledger(balances)
        self.matching = Matching(self.symbols, self.ledger, now_ms=self.now_ms, tell=self._report)
        self.transfers: list[Moved] = []
        """What was paid in and out, as the venue tells it."""
        self.log: list[Asked] = []
        """Every call of the REST interface, in the order of the answers."""
        self.meddle: Callable[[str], Fault | None] = lambda _: None
        """What is asked at each call, as "POST /api/v3/order", for a fault of it; it comes before those of ``fail``."""
        self._tasks: set[asyncio.Task[Any]] = set()

    def set_price(self, symbol: str, price: float | str | Decimal) -> None:
        """Move a market to a price, where it stays; what that fills or triggers is filled and triggered now."""
        value = float(price)
        self.symbols[symbol].price = lambda _: value
        self.matching.advance()

    def pay_in(self, asset: str, amount: str, *, told: bool = True) -> None:
        """Let a deposit be credited; of one that is not told, as an airdrop, the venue lists nothing."""
        self.ledger.change(asset, Decimal(amount), "deposit")
        if told:
            self._moved(DEPOSIT, asset, Decimal(amount), Decimal(0))

    def pay_out(self, asset: str, amount: str, fee: str = "0", *, told: bool = True) -> None:
        """Let the account's owner withdraw so much, and pay a fee beside it."""
        self.ledger.change(asset, -Decimal(amount) - Decimal(fee), "withdrawal")
        if told:
            self._moved(WITHDRAWAL, asset, Decimal(amount), Decimal(fee))

    def _moved(self, kind: str, asset: str, amount: Decimal, fee: Decimal) -> None:
        number = len(self.transfers) + 1
        made = Moved(number=number, kind=kind, asset=asset, amount=amount, fee=fee, at=self.now_ms())
        self.transfers.append(made)

    def audit(self) -> None:
        """See that money was conserved, to the last digit.

        Raises:
            AssertionError: It was not.
        """
        self.matching.audit()

    def count(self, call: str) -> int:
        """How often something was asked, as "POST /api/v3/order"."""
        return sum(1 for each in self.log if each.call == call)

    async def start(self) -> None:
        await super().start()
        self._keep(asyncio.create_task(self._look()))

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await super().stop()

    def _route(self, app: web.Application) -> None:
        app.router.add_route("*", "/{path:.*}", self._answer)

    def _keep(self, task: asyncio.Task[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look(self) -> None:
        while True:
            self.matching.advance()
            await asyncio.sleep(LOOK)

    def _report(self, report: Report) -> None:
        """Hear what became of an order."""

    def _carry_out(self, request: web.Request, total: str) -> tuple[int, Json, dict[str, str]]:
        """Do what is asked: the status, the body (``None`` for a page that is not there) and headers."""
        raise NotImplementedError

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        total = await total_of(request)
        call, sent = f"{request.method} {request.path}", lenient(total)
        self.calls.append((request.path, sent))
        fault = self.meddle(call) or self._fault(call, sent.get("symbol", ""))
        await asyncio.sleep(fault.wait)
        if fault.late:
            self._keep(asyncio.create_task(self._later(request, total, fault.late)))
            return hang_up(request)
        status, body, headers = self._carry_out(request, total) if fault.effect else (200, {}, {})
        self.log.append(Asked(call=call, sent=sent, at=self.now_ms(), status=status))
        await asyncio.sleep(fault.after)
        return await self._respond(request, fault, status, body, headers)

    async def _respond(
        self, request: web.Request, fault: Fault, status: int, body: Json, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        if fault.drop:
            return hang_up(request)
        if body is None:
            return web.Response(status=404, text="<html><body>404 Not Found</body></html>", content_type="text/html")
        text = fault.body if fault.body is not None else json.dumps(fault.change(body) if status < 400 else body)
        if fault.cut:
            return await cut_answer(request, text)
        return web.Response(text=text, status=fault.status if fault.status != 200 else status,
                            content_type=fault.content_type,
                            headers={"Date": self._date(), **headers, **fault.headers})  # fmt: skip

    async def _later(self, request: web.Request, total: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        status, _, _ = self._carry_out(request, total)
        call = f"{request.method} {request.path}"
        self.log.append(Asked(call=call, sent=lenient(total), at=self.now_ms(), status=status))

    def _fault(self, call: str, symbol: str) -> Fault:
        for name in (call, call.partition(" ")[2]):
            for key in ((name, symbol), (name, "")):
                if self._faults.get(key):
                    return self._faults[key].pop(0)
        return Fault()


async def total_of(request: web.Request) -> str:
    """The query and the body as they were sent, one after the other: what is signed."""
    body = (await request.read()).decode()
    return request.raw_path.partition("?")[2] + body


def lenient(total: str) -> dict[str, str]:
    try:
        return parameters(total)
    except Refused:
        return {}


def hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
