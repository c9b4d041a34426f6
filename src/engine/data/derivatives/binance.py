"""Binance's public futures data (USD-M perpetuals), read with httpx and without a key.

ccxt could tell the same, once it has read the list of all futures: three small questions need no such list (ADR 36).
"""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Annotated, ClassVar, TypeVar

import httpx
from pydantic import AwareDatetime, BaseModel, Field, RootModel, ValidationError

from engine.domain.derivatives import FundingRate, LongShort, OpenInterest
from engine.domain.errors import DataError, NoData, VenueError
from engine.domain.figures import plain
from engine.exchanges.headers import Quiet
from engine.ports import Clock
from engine.support.capped_body import ACCEPTED, read_capped

API_URL = "https://fapi.binance.com"
_NAME = "binance futures"
_MOST_BYTES = 64 * 1024
"""The longest answer that is read; those that are asked for have a few hundred bytes."""
_INVALID_SYMBOL = -1121

M = TypeVar("M", bound=BaseModel)
Share = Annotated[Decimal, Field(ge=0, le=1)]


class _Answer(BaseModel):
    """What answers have in common: which market they are about."""

    symbol: str


A = TypeVar("A", bound=_Answer)


class _Premium(_Answer):
    rate: Annotated[Decimal, Field(alias="lastFundingRate", ge=-1, le=1)]
    next_at: Annotated[AwareDatetime, Field(alias="nextFundingTime")]
    at: Annotated[AwareDatetime, Field(alias="time")]


class _Interest(_Answer):
    quantity: Annotated[Decimal, Field(alias="openInterest", ge=0)]
    at: Annotated[AwareDatetime, Field(alias="time")]


class _Accounts(_Answer):
    long: Annotated[Share, Field(alias="longAccount")]
    short: Annotated[Share, Field(alias="shortAccount")]
    at: Annotated[AwareDatetime, Field(alias="timestamp")]


class _Wrong(BaseModel):
    code: int
    msg: str = Field(max_length=160)


class _Counted(RootModel[Annotated[list[_Accounts], Field(min_length=1)]]):
    """Counts of accounts, the newest last."""


class BinanceDerivatives:
    """A reader of the futures' REST interface; connections are made with the first question.

    Args:
        api_url: Another server in its place; ``None`` for the venue's own.
        answer_within: Wall seconds for one answer, to its last byte.
    """

    at_once: ClassVar[bool] = False

    def __init__(self, *, api_url: str | None, answer_within: float, clock: Clock) -> None:
        self._url = (api_url or API_URL).rstrip("/")
        self._within = answer_within
        self._clock = clock
        self._quiet = Quiet(_NAME, monotonic=clock.monotonic, now=clock.now)
        self._client: httpx.AsyncClient | None = None

    async def funding(self, symbol: str) -> FundingRate:
        """What the perpetual's longs paid last, and when they pay next."""
        found = _about(symbol, await self._ask("/fapi/v1/premiumIndex", symbol, _Premium))
        return FundingRate(rate=found.rate, next_at=found.next_at, at=found.at)

    async def open_interest(self, symbol: str) -> OpenInterest:
        """How much of the perpetual is held."""
        found = _about(symbol, await self._ask("/fapi/v1/openInterest", symbol, _Interest))
        return OpenInterest(quantity=found.quantity, at=found.at)

    async def long_short(self, symbol: str) -> LongShort:
        """The accounts that are long and short, counted every five minutes."""
        path, span = "/futures/data/globalLongShortAccountRatio", {"period": "5m", "limit": "1"}
        found = _about(symbol, (await self._ask(path, symbol, _Counted, **span)).root[-1])
        return LongShort(long=found.long, short=found.short, at=found.at)

    async def close(self) -> None:
        """Let go of every connection."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _ask(self, path: str, symbol: str, shape: type[M], **more: str) -> M:
        self._quiet.check()
        if self._client is None:
            self._client = httpx.AsyncClient(
                base_url=self._url, timeout=self._within, trust_env=False, headers={"accept-encoding": ACCEPTED}
            )
        asked = {"symbol": _listed_as(symbol), **more}
        try:
            async with asyncio.timeout(self._within), self._client.stream("GET", path, params=asked) as response:
                self._quiet.note(response.status_code, response.headers.get("Retry-After", ""))
                body = await _read(response)
        except (TimeoutError, httpx.TimeoutException):
            raise VenueError(f"{_NAME} does not answer within {plain(self._within, 6)} s.") from None
        except httpx.HTTPError as error:
            raise VenueError(f"{_NAME} cannot be reached ({type(error).__name__}).") from None
        if not response.is_success:
            self._quiet.check()
            raise _refused(symbol, response.status_code, body)
        try:
            return shape.model_validate_json(body)
        except ValidationError:
            raise VenueError(f"{_NAME} answers nonsense to {path}.") from None


async def _read(response: httpx.Response) -> bytes:
    try:
        return await read_capped(response, _MOST_BYTES)
    except DataError as error:
        raise VenueError(f"{_NAME}: {error.message}.") from None


def _refused(symbol: str, status: int, body: bytes) -> VenueError:
    """The error that an answer tells of."""
    try:
        said = _Wrong.model_validate_json(body)
    except ValidationError:
        return VenueError(f"{_NAME} answers with status {status}.")
    if said.code == _INVALID_SYMBOL:
        return NoData(f"{_NAME} has no {_listed_as(symbol)}.")
    return VenueError(f"{_NAME} answers with an error: {said.msg}")


def _listed_as(symbol: str) -> str:
    """What the venue calls a market: ``BTCUSDT`` for ``BTC/USDT``."""
    return symbol.replace("/", "")


def _about(symbol: str, found: A) -> A:
    """An answer, where it is about the market that was asked for."""
    if found.symbol != _listed_as(symbol):
        raise VenueError(f"{_NAME} was asked about {_listed_as(symbol)} and answers about another market.")
    return found
