"""A strict fake OKX spot on loopback: a passphrase, orders in batches, a refusal's code within an answer of status 200.

What waits for a price lives apart here (``orders-algo-pending``), and nothing of ours is ever left there. A parameter
that an endpoint does not read is refused, which the real venue only ignores.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from tests.fakes.exchange import Symbol, wandering
from tests.fakes.venues import okx_views as views
from tests.fakes.venues.spot_guard import Keys
from tests.fakes.venues.spot_ledger import ZERO
from tests.fakes.venues.spot_orders import Refused, SpotOrder
from tests.fakes.venues.trading_venue import TradingVenue

Json = Any
PASSPHRASE = "Loopback-passphrase-1"
LATE_MS = 30_000
"""How far a request's time may be from the venue's."""
PAGE = 100
CODES = {
    "Account has insufficient balance for requested action.": "51008",
    "Duplicate order sent.": "51016",
    "Order would immediately match and take.": "51020",
    "Market is closed.": "51021",
    "Filter failure: NOTIONAL": "51020",
    "Filter failure: LOT_SIZE": "51121",
    "Filter failure: PRICE_FILTER": "51006",
    "Filter failure: PERCENT_PRICE_BY_SIDE": "51006",
}
"""What the matching refuses, by OKX's codes."""
KINDS = {"market": "MARKET", "limit": "LIMIT", "post_only": "LIMIT_MAKER", "ioc": "LIMIT", "fok": "LIMIT"}


def okx_symbols(seed: int = 1) -> list[Symbol]:
    return [
        Symbol(base="BTC", price=wandering(60_000, seed), tick="0.1", lot="0.00001", min_notional="1"),
        Symbol(base="ETH", price=wandering(3_000, seed + 1), tick="0.01", lot="0.0001", min_notional="1"),
    ]


class FakeOkx(TradingVenue):
    """The venue; ``url`` goes into ``exchanges.okx.api_url``.

    Args:
        symbols: Its markets.
        balances: What the account has at first.
    """

    def __init__(
        self, symbols: list[Symbol] | None = None, *, balances: Mapping[str, Decimal | str] | None = None
    ) -> None:
        super().__init__(symbols or okx_symbols(), {"USDT": "10000"} if balances is None else balances)
        self.keys = Keys()
        self.passphrase = PASSPHRASE

    def _carry_out(self, request: web.Request, total: str) -> tuple[int, Json, dict[str, str]]:
        known = ENDPOINTS.get((request.method, request.path))
        if known is None:
            return 404, {"code": "404", "data": [], "msg": f"Not Found: {request.path}"}, {}
        self.matching.advance()
        try:
            if known.is_private:
                self._check(request, total)
            sent = _sent(request, total)
            known.check(sent)
            return 200, known.answer(self, sent), {}
        except Refused as refused:
            status = 401 if refused.status == 401 else 200
            return status, {"code": str(refused.code), "data": [], "msg": refused.message}, {}

    def _check(self, request: web.Request, total: str) -> None:
        """See who calls, that it is them, and that they call now.

        Raises:
            Refused: It is not so.
        """
        told = {
            name: request.headers.get(f"OK-ACCESS-{name}", "") for name in ("KEY", "PASSPHRASE", "TIMESTAMP", "SIGN")
        }
        if told["KEY"] != self.keys.key:
            raise Refused(50111, "Invalid OK-ACCESS-KEY", 401)
        if told["PASSPHRASE"] != self.passphrase:
            raise Refused(50105, 'Request header "OK-ACCESS-PASSPHRASE" incorrect.', 401)
        at = datetime.fromisoformat(told["TIMESTAMP"]).astimezone(UTC)
        if abs(at.timestamp() * 1000 - self.now_ms()) > LATE_MS:
            raise Refused(50102, "Timestamp request expired", 401)
        what = f"?{request.raw_path.partition('?')[2]}" if request.method == "GET" and request.query else ""
        body = total if request.method == "POST" else ""
        text = f"{told['TIMESTAMP']}{request.method}{request.path}{what}{body}"
        wanted = hmac.new(self.keys.secret.encode(), text.encode(), hashlib.sha256).digest()
        if told["SIGN"] != base64.b64encode(wanted).decode():
            raise Refused(50113, "Invalid Sign", 401)

    def market_of(self, inst_id: str) -> Symbol:
        """A market by OKX's name of it.

        Raises:
            Refused: There is none.
        """
        found = next((each for each in self.symbols.values() if views.inst_id(each) == inst_id), None)
        if found is None:
            raise Refused(51001, "Instrument ID does not exist")
        return found


def _sent(request: web.Request, total: str) -> Any:
    return json.loads(total) if request.method == "POST" else dict(parse_qsl(total))


def _ok(rows: list[Json]) -> Json:
    return {"code": "0", "data": rows, "msg": ""}


def time(venue: FakeOkx, _: Any) -> Json:
    return _ok([{"ts": str(venue.now_ms())}])


def instruments(venue: FakeOkx, sent: Any) -> Json:
    return _ok([views.instrument(each) for each in venue.symbols.values()] if sent["instType"] == "SPOT" else [])


def balance(venue: FakeOkx, _: Any) -> Json:
    return _ok([views.balance(venue.ledger, venue.now_ms())])


def place(venue: FakeOkx, sent: Any) -> Json:
    """Each order by itself: where none is taken the whole answer is a failure, under status 200."""
    rows = [_placed(venue, each) for each in sent]
    failed = sum(row["sCode"] != "0" for row in rows)
    code = "0" if not failed else "1" if failed == len(rows) else "2"
    return {"code": code, "data": rows, "msg": "" if code == "0" else "All operations failed"}


def _placed(venue: FakeOkx, asked: Mapping[str, Any]) -> Json:
    said = {"clOrdId": asked.get("clOrdId", ""), "tag": "", "ts": str(venue.now_ms())}
    try:
        order = venue.matching.place(_read(venue, asked))
    except Refused as refused:
        code = CODES.get(refused.message, str(abs(refused.code)))
        return {**said, "ordId": "", "sCode": code, "sMsg": refused.message}
    return {**said, "ordId": str(order.order_id), "sCode": "0", "sMsg": "Order placed"}


def _read(venue: FakeOkx, asked: Mapping[str, Any]) -> SpotOrder:
    if not venue.keys.can_trade:
        raise Refused(50120, "This API key doesn't have permission to use this function")
    symbol, kind = venue.market_of(asked["instId"]), asked["ordType"]
    if asked.get("tdMode") != "cash" or kind not in KINDS:
        raise Refused(51000, "Parameter tdMode or ordType error")
    name = asked.get("clOrdId", "")
    if not name.isalnum() or len(name) > 32:
        raise Refused(51000, "Parameter clOrdId error")
    if kind == "market" and asked["side"] == "buy" and asked.get("tgtCcy") != "base_ccy":
        raise Refused(51000, "Here a purchase at market says that its size is in the base currency")
    in_force = kind.upper() if kind in {"ioc", "fok"} else "GTC"
    order = SpotOrder(symbol=symbol.name, side=asked["side"].upper(), type=KINDS[kind], client_id=name,
                      quantity=Decimal(str(asked["sz"])), time_in_force=in_force)  # fmt: skip
    order.price = Decimal(str(asked["px"])) if kind != "market" else ZERO
    return order


def cancel(venue: FakeOkx, asked: Any) -> Json:
    """An order that is final or was never there is a failure, under status 200."""
    order = _find(venue, asked)
    gone = order is not None and bool(venue.matching.cancel(order))
    words = "" if gone else "Cancellation failed as the order has been filled, canceled or does not exist"
    row = {"clOrdId": asked.get("clOrdId", ""), "ordId": asked.get("ordId", ""), "sMsg": words}
    return {"code": "0" if gone else "1", "data": [{**row, "sCode": "0" if gone else "51400"}], "msg": ""}


def status(venue: FakeOkx, sent: Any) -> Json:
    order = _find(venue, sent)
    if order is None:
        raise Refused(51603, "Order does not exist")
    return _ok([_view(venue, order)])


def _find(venue: FakeOkx, asked: Mapping[str, Any]) -> SpotOrder | None:
    symbol = venue.market_of(asked["instId"]).name
    if asked.get("ordId"):
        return venue.matching.find(symbol, order_id=int(asked["ordId"]))
    return venue.matching.find(symbol, client_id=asked.get("clOrdId", ""))


def _view(venue: FakeOkx, order: SpotOrder) -> Json:
    return views.order(order, venue.symbols[order.symbol], venue.matching.trades_of(order))


def pending(venue: FakeOkx, sent: Any) -> Json:
    """The newest first, a hundred at a time."""
    symbol = venue.market_of(sent["instId"]).name if sent.get("instId") else None
    return _ok([_view(venue, each) for each in reversed(venue.matching.open_orders(symbol))][:PAGE])


def algos(_: FakeOkx, sent: Any) -> Json:
    if not sent.get("ordType"):
        raise Refused(50014, "Parameter ordType cannot be empty")
    return _ok([])


def no_algo(_: FakeOkx, sent: Any) -> Json:
    if not sent.get("algoId") and not sent.get("algoClOrdId"):
        raise Refused(50014, "Parameter algoId cannot be empty")
    raise Refused(51603, "Order does not exist")


def fills(venue: FakeOkx, sent: Any) -> Json:
    """The newest first, a hundred at a time; of three months, so that the newest may be a moment late there."""
    symbol = venue.market_of(sent["instId"]).name if sent.get("instId") else None
    begins, ends = int(sent.get("begin", 0)), int(sent.get("end", 2**53))
    of_order = sent.get("ordId")
    found = [
        each
        for each in reversed(venue.matching.trades)
        if symbol in (None, each.symbol) and begins <= each.at <= ends and of_order in (None, str(each.order_id))
    ]
    most = min(int(sent.get("limit", PAGE)), PAGE)
    return _ok([views.fill(each, venue.symbols[each.symbol]) for each in found[:most]])


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """What is answered, and the parameters that are read."""

    answer: Callable[[FakeOkx, Any], Json]
    takes: frozenset[str] = frozenset()
    is_private: bool = True

    def check(self, sent: Any) -> None:
        """See that nothing is sent that is not read.

        Raises:
            Refused: Something is.
        """
        for each in sent if isinstance(sent, list) else [sent]:
            if unknown := set(each) - self.takes:
                raise Refused(51000, f"Parameter {min(unknown)} error")


def names(text: str) -> frozenset[str]:
    return frozenset(text.split())


WHICH = names("instId ordId clOrdId")
ENDPOINTS: Mapping[tuple[str, str], Endpoint] = {
    ("GET", "/api/v5/public/time"): Endpoint(answer=time, is_private=False),
    ("GET", "/api/v5/public/instruments"): Endpoint(answer=instruments, takes=names("instType"), is_private=False),
    ("GET", "/api/v5/account/balance"): Endpoint(answer=balance, takes=names("ccy")),
    ("POST", "/api/v5/trade/batch-orders"): Endpoint(
        answer=place, takes=names("instId tdMode clOrdId tag side ordType sz px tgtCcy reduceOnly")),
    ("POST", "/api/v5/trade/cancel-order"): Endpoint(answer=cancel, takes=WHICH),
    ("GET", "/api/v5/trade/order"): Endpoint(answer=status, takes=WHICH),
    ("GET", "/api/v5/trade/orders-pending"): Endpoint(
        answer=pending, takes=names("instType instId ordType state after before limit")),
    ("GET", "/api/v5/trade/orders-algo-pending"): Endpoint(
        answer=algos, takes=names("ordType algoId instType instId after before limit")),
    ("GET", "/api/v5/trade/order-algo"): Endpoint(answer=no_algo, takes=names("algoId algoClOrdId instId clOrdId")),
    ("GET", "/api/v5/trade/fills-history"): Endpoint(
        answer=fills, takes=names("instType instId ordId begin end after before limit")),
}  # fmt: skip


@asynccontextmanager
async def trading_okx(
    symbols: list[Symbol] | None = None, *, balances: Mapping[str, Decimal | str] | None = None
) -> AsyncIterator[FakeOkx]:
    """A fake OKX that listens."""
    fake = FakeOkx(symbols, balances=balances)
    await fake.start()
    try:
        yield fake
    finally:
        await fake.stop()
