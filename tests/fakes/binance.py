"""A strict fake Binance spot on loopback that trades: one account, its orders, its money, and faults on demand.

The test tells it what to do: ``set_price`` moves a market, ``fail("POST /api/v3/order", DROPPED)`` makes the next
answer go wrong, ``limits.ban(60)`` bans, ``ahead`` sets its clock wrong, ``stream.copies = 2`` doubles reports.
``matching.accepted`` counts orders by client id and ``audit()`` sees that money was conserved.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aiohttp import web

from tests.fakes.exchange import CUT, HTML, FakeExchange, Fault, Symbol, cut_answer
from tests.fakes.spot_endpoints import ENDPOINTS, OPEN, SIGNED, Endpoint
from tests.fakes.spot_guard import SIGNED as SIGNATURE
from tests.fakes.spot_guard import Keys, check_key, check_names, check_signed, parameters
from tests.fakes.spot_ledger import Ledger
from tests.fakes.spot_limits import Limits, Refusal
from tests.fakes.spot_matching import Matching
from tests.fakes.spot_orders import Refused, Report
from tests.fakes.spot_stream import UserStream
from tests.fakes.spot_trading import PartlyRefused
from tests.fakes.spot_views import account_position, execution_report

Json = Any
LOOK = 0.02
"""Seconds from one look at the market to the next."""

DROPPED = Fault(drop=True)
"""Done, and the answer is lost."""
NEVER_HEARD = Fault(drop=True, effect=False)
"""The request is lost before anything was done."""
TRUNCATED = CUT
"""Done, and half of the answer comes."""
PAGE_OF_HTML = HTML
"""Done, and the answer is a page under status 200."""
GARBAGE = Fault(body='{"orderId":]')
"""Done, and the answer is no JSON."""
UNKNOWN_OUTCOME = Fault(
    status=503, body='{"code":-1006,"msg":"An unexpected response was received. Execution status unknown."}'
)
"""Done, and the venue does not know it."""
DOWN = Fault(status=503, effect=False, body="<html>503 Service Unavailable</html>", content_type="text/html")
"""Not done: the venue is under maintenance."""
DOWN_IN_WORDS = Fault(status=503, effect=False, body='{"code":-1016,"msg":"This service is no longer available."}')
"""Not done, and said with a code that ccxt takes for a bad request."""
NO_ROWS = Fault(change=lambda _: [])
"""A page of a list is missing."""


def late(seconds: float) -> Fault:
    """The connection is lost at once, and the request is carried out later."""
    return Fault(late=seconds)


def slow_answer(seconds: float) -> Fault:
    """Done at once; the answer takes so long."""
    return Fault(after=seconds)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One call: what it was, with which parameters, when by the venue's clock, and the status that it got."""

    call: str
    sent: Mapping[str, str]
    at: int
    status: int


class FakeBinance(FakeExchange):
    """The venue; ``url`` goes into ``exchanges.binance.api_url``.

    Args:
        symbols: Its markets.
        balances: What the account has at first.
        keys: The account's keys.
    """

    def __init__(
        self, symbols: list[Symbol] | None = None, *, balances: Mapping[str, Decimal | str] | None = None,
        keys: Keys | None = None,
    ) -> None:  # fmt: skip
        super().__init__(symbols)
        self.keys = keys or Keys()
        self.ledger = Ledger({"USDT": "10000"} if balances is None else balances)
        self.limits = Limits(now_ms=self.now_ms)
        self.stream = UserStream(self.keys, self.now_ms)
        self.matching = Matching(self.symbols, self.ledger, now_ms=self.now_ms, tell=self._report)
        self.log: list[Asked] = []
        """Every call of the REST interface, in the order of the answers."""
        self._tasks: set[asyncio.Task[Any]] = set()

    def set_price(self, symbol: str, price: float | str | Decimal) -> None:
        """Move a market to a price, where it stays; what that fills or triggers is filled and triggered now."""
        value = float(price)
        self.symbols[symbol].price = lambda _: value
        self.matching.advance()

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
        self.stream.tell(execution_report(report, self.now_ms()))
        self.stream.tell(account_position(self.ledger, self.now_ms()))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/ws-api"):
            return await self.stream.api(request)
        if request.path.rpartition("/")[2] in self.stream.listen_keys:
            return await self.stream.listen(request)
        if request.path.startswith("/ws"):
            return await self.socket.answer(request)
        total = await _total(request)
        call, sent = f"{request.method} {request.path}", _lenient(total)
        self.calls.append((request.path, sent))
        fault = self._fault(call, sent.get("symbol", ""))
        await asyncio.sleep(fault.wait)
        if fault.late:
            self._keep(asyncio.create_task(self._later(request, total, fault.late)))
            return _hang_up(request)
        status, body, headers = self._carry_out(request, total) if fault.effect else (200, {}, {})
        self.log.append(Asked(call=call, sent=sent, at=self.now_ms(), status=status))
        await asyncio.sleep(fault.after)
        return await self._respond(request, fault, status, body, headers)

    async def _respond(
        self, request: web.Request, fault: Fault, status: int, body: Json, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        if fault.drop:
            return _hang_up(request)
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
        self.log.append(Asked(call=call, sent=_lenient(total), at=self.now_ms(), status=status))

    def _fault(self, call: str, symbol: str) -> Fault:
        for name in (call, call.partition(" ")[2]):
            for key in ((name, symbol), (name, "")):
                if self._faults.get(key):
                    return self._faults[key].pop(0)
        return Fault()

    def _carry_out(self, request: web.Request, total: str) -> tuple[int, Json, dict[str, str]]:
        """The status, the body (``None`` for a page that is not there) and headers."""
        endpoint = ENDPOINTS.get((request.method, request.path))
        sent = _lenient(total)
        refusal = self.limits.count(endpoint.weight(sent) if endpoint else 1,
                                    is_order=endpoint is not None and endpoint.is_order)  # fmt: skip
        headers = {"X-MBX-USED-WEIGHT-1M": str(self.limits.used), "X-MBX-ORDER-COUNT-10S": str(self.limits.ordered)}
        if refusal is not None:
            return refusal.status, _words(refusal), {**headers, "Retry-After": str(refusal.retry_after)}
        if endpoint is None:
            return 404, None, headers
        self.matching.advance()
        try:
            return 200, endpoint.answer(self, self._checked(request, total, endpoint)), headers
        except Refused as refused:
            return refused.status, _words(refused), headers
        except PartlyRefused as refused:
            return refused.status, refused.body, headers

    def _checked(self, request: web.Request, total: str, endpoint: Endpoint) -> Mapping[str, str]:
        sent = parameters(total)
        if endpoint.security != OPEN:
            check_key(request.headers.get("X-MBX-APIKEY"), self.keys)
        if endpoint.security == SIGNED:
            check_signed(total, sent, self.keys, self.now_ms())
        if endpoint.is_order and not self.keys.can_trade:
            raise Refused(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        signature = SIGNATURE if endpoint.security == SIGNED else frozenset()
        check_names(sent, endpoint.needs | signature, endpoint.takes)
        return {name: value for name, value in sent.items() if value}


async def _total(request: web.Request) -> str:
    """The query and the body as they were sent, one after the other: what is signed."""
    body = (await request.read()).decode()
    return request.raw_path.partition("?")[2] + body


def _lenient(total: str) -> dict[str, str]:
    try:
        return parameters(total)
    except Refused:
        return {}


def _words(refused: Refused | Refusal) -> Json:
    return {"code": refused.code, "msg": refused.message}


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


@asynccontextmanager
async def trading(
    symbols: list[Symbol] | None = None, *, balances: Mapping[str, Decimal | str] | None = None
) -> AsyncIterator[FakeBinance]:
    """A fake Binance that listens."""
    fake = FakeBinance(symbols, balances=balances)
    await fake.start()
    try:
        yield fake
    finally:
        await fake.stop()
