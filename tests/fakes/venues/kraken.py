"""A strict fake Kraken spot on loopback that trades: another venue with other habits.

A client's id goes into AddOrder, CancelOrder, OpenOrders and ClosedOrders only, orders are otherwise asked for by the
venue's ids; there is no OCO; fees are in the quote coin; lists come newest first by pages of fifty; each call carries a
nonce that grows; amounts are text; a counter that time lowers takes the place of weights; errors come under status 200.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from tests.fakes.exchange import Symbol, wandering
from tests.fakes.venues.kraken_limits import Counter
from tests.fakes.venues.kraken_methods import ACCOUNT_METHODS, OPEN_METHODS, invalid
from tests.fakes.venues.kraken_words import WORDS, KrakenFilters
from tests.fakes.venues.spot_guard import Keys
from tests.fakes.venues.spot_orders import Refused
from tests.fakes.venues.trading_venue import TradingVenue

Json = Any
SECRET = base64.b64encode(b"loopback-secret-of-the-second-venue").decode()


def kraken_symbols(seed: int = 1) -> list[Symbol]:
    return [
        Symbol(base="XBT", quote="USD", price=wandering(60_000, seed), tick="0.1", lot="0.00005", min_notional="0.5"),
        Symbol(base="ETH", quote="USD", price=wandering(3_000, seed + 1), tick="0.01", lot="0.001", min_notional="0.5"),
        Symbol(base="SOL", quote="EUR", price=wandering(150, seed + 2), tick="0.01", lot="0.02", min_notional="0.45"),
    ]


class FakeKraken(TradingVenue):
    """The venue; ``url`` goes into ``exchanges.kraken.api_url``.

    Args:
        symbols: Its markets.
        balances: What the account has at first; Bitcoin is XBT here.
        keys: The account's keys; the secret is base64.
    """

    def __init__(
        self, symbols: list[Symbol] | None = None, *, balances: Mapping[str, Decimal | str] | None = None,
        keys: Keys | None = None,
    ) -> None:  # fmt: skip
        super().__init__(symbols or kraken_symbols(), {"USD": "10000"} if balances is None else balances)
        self.keys = keys or Keys(secret=SECRET)
        self.counter = Counter(now_ms=self.now_ms)
        self.nonce = 0
        """The highest that was seen."""
        self.matching.filters = KrakenFilters(max_orders=60)
        self.matching.fees.paid_in = "quote"
        self.matching.fees.maker, self.matching.fees.taker = Decimal("0.0025"), Decimal("0.004")

    def _carry_out(self, request: web.Request, total: str) -> tuple[int, Json, dict[str, str]]:
        group, _, method = request.path.removeprefix("/0/").partition("/")
        known = {"public": OPEN_METHODS, "private": ACCOUNT_METHODS}.get(group, {}).get(method)
        if known is None:
            return 200, _refusal("EGeneral:Unknown method"), {}
        self.matching.advance()
        try:
            sent = _read(request, total)
            if group == "private":
                self._check(request, total, sent, method)
            if unknown := set(sent) - known.takes - ({"nonce", "otp"} if group == "private" else set()):
                raise invalid(min(unknown))
            return 200, {"error": [], "result": known.answer(self, sent)}, {}
        except Refused as refused:
            return 200, _refusal(WORDS.get(refused.message, refused.message)), {}

    def _check(self, request: web.Request, total: str, sent: Mapping[str, str], method: str) -> None:
        """See who calls, that it is them, and that they call in turn and not too often."""
        if request.method != "POST":
            raise Refused(0, "EGeneral:Unknown method")
        if request.headers.get("API-Key") != self.keys.key:
            raise Refused(0, "EAPI:Invalid key")
        nonce = sent.get("nonce", "")
        if not nonce.isdecimal():
            raise Refused(0, "EAPI:Invalid nonce")
        digest = hashlib.sha256((nonce + total).encode()).digest()
        wanted = hmac.new(base64.b64decode(self.keys.secret), request.path.encode() + digest, hashlib.sha512).digest()
        if request.headers.get("API-Sign") != base64.b64encode(wanted).decode():
            raise Refused(0, "EAPI:Invalid signature")
        if int(nonce) <= self.nonce:
            raise Refused(0, "EAPI:Invalid nonce")
        self.nonce = int(nonce)
        if self.counter.is_too_much(method):
            raise Refused(0, "EAPI:Rate limit exceeded")
        if method in {"AddOrder", "CancelOrder", "CancelAll"} and not self.keys.can_trade:
            raise Refused(0, "EGeneral:Permission denied")


def _read(request: web.Request, total: str) -> Mapping[str, str]:
    """A form, or JSON, which ccxt sends where a price is a per cent."""
    if request.content_type == "application/json":
        return {name: str(value) for name, value in json.loads(total).items()}
    return dict(parse_qsl(total, keep_blank_values=True))


def _refusal(words: str) -> Json:
    return {"error": [words]}


@asynccontextmanager
async def trading_kraken(
    symbols: list[Symbol] | None = None, *, balances: Mapping[str, Decimal | str] | None = None
) -> AsyncIterator[FakeKraken]:
    """A fake Kraken that listens."""
    fake = FakeKraken(symbols, balances=balances)
    await fake.start()
    try:
        yield fake
    finally:
        await fake.stop()
