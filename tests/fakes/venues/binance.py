"""A strict fake Binance spot on loopback that trades: one account, its orders, its money, and faults on demand.

The test tells it what to do: ``set_price`` moves a market, ``fail("POST /api/v3/order", DROPPED)`` makes the next
answer go wrong, ``limits.ban(60)`` bans, ``ahead`` sets its clock wrong, ``stream.copies = 2`` doubles reports.
``matching.accepted`` counts orders by client id and ``audit()`` sees that money was conserved.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from aiohttp import web

from tests.fakes.exchange import CUT, HTML, Fault, Symbol
from tests.fakes.venues.spot_endpoints import ENDPOINTS, OPEN, SIGNED, Endpoint
from tests.fakes.venues.spot_guard import SIGNED as SIGNATURE
from tests.fakes.venues.spot_guard import Keys, check_key, check_names, check_signed, parameters
from tests.fakes.venues.spot_limits import Limits, Refusal
from tests.fakes.venues.spot_orders import Refused, Report
from tests.fakes.venues.spot_stream import UserStream
from tests.fakes.venues.spot_trading import PartlyRefused
from tests.fakes.venues.spot_views import account_position, execution_report
from tests.fakes.venues.trading_venue import TradingVenue, lenient

Json = Any

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


class FakeBinance(TradingVenue):
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
        super().__init__(symbols, {"USDT": "10000"} if balances is None else balances)
        self.keys = keys or Keys()
        self.limits = Limits(now_ms=self.now_ms)
        self.stream = UserStream(self.keys, self.now_ms)

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
        return await super()._answer(request)

    def _carry_out(self, request: web.Request, total: str) -> tuple[int, Json, dict[str, str]]:
        endpoint = ENDPOINTS.get((request.method, request.path))
        sent = lenient(total)
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


def _words(refused: Refused | Refusal) -> Json:
    return {"code": refused.code, "msg": refused.message}


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
