"""What is known of futures is kept with its age, and nobody waits for what does not come."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

import pytest

from engine.data.derivatives.nobody import NoDerivatives
from engine.domain.decisions import Input
from engine.domain.derivatives import FundingRate, LongShort, OpenInterest
from engine.domain.errors import NoData, VenueError
from engine.inputs.derivatives import KeptDerivatives, Reading, in_words
from tests.fakes.feed import HandClock

NOON = datetime.fromisoformat("2026-03-29T12:00:00+00:00")


@dataclass
class Reader:
    """Tells of now, fails, or never answers at all."""

    at_once: ClassVar[bool] = False

    clock: HandClock
    rate: Decimal = Decimal("0.0001")
    error: VenueError | None = None
    hangs: bool = False
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list)
    closed: bool = False

    async def funding(self, symbol: str) -> FundingRate:
        await self._answer(symbol)
        return FundingRate(rate=self.rate, next_at=None, at=self.clock.now())

    async def open_interest(self, symbol: str) -> OpenInterest:
        await self._answer(symbol)
        return OpenInterest(quantity=Decimal("10659.509"), at=self.clock.now())

    async def long_short(self, symbol: str) -> LongShort:
        await self._answer(symbol)
        return LongShort(long=Decimal("0.6"), short=Decimal("0.4"), at=self.clock.now())

    async def close(self) -> None:
        self.closed = True

    async def _answer(self, symbol: str) -> None:
        self.asked.append(symbol)
        if self.hangs:
            await self.answers.wait()
        if self.error:
            raise self.error


def kept_of(reader: Reader) -> KeptDerivatives:
    return KeptDerivatives(source=reader, clock=reader.clock, at_most=0.01)


def told(inputs: tuple[Input, ...]) -> dict[str, tuple[timedelta | None, str]]:
    return {each.name: (each.age, each.detail) for each in inputs}


async def test_it_tells_everything_with_its_age() -> None:
    reader = Reader(HandClock())
    kept, now = kept_of(reader), timedelta(0)
    assert told(await kept.of("ETH/USDT")) == {
        "funding": (now, "longs pay shorts 0.01 %"),
        "open interest": (now, "10,659.509 ETH"),
        "long and short": (now, "of accounts 60 % long, 40 % short"),
    }


async def test_it_asks_again_only_once_what_is_kept_is_old() -> None:
    reader = Reader(HandClock())
    kept = kept_of(reader)
    for minute, asked in ((0, 3), (4, 3), (5, 6), (9, 6)):
        reader.clock.to(minute)
        found = await kept.of("BTC/USDT")
        assert len(reader.asked) == asked
    assert {each.age for each in found} == {timedelta(minutes=4)}


async def test_what_cannot_be_had_is_unknown_once_what_was_known_is_too_old() -> None:
    reader = Reader(HandClock())
    kept = kept_of(reader)
    await kept.of("BTC/USDT")
    reader.error = NoData("binance futures is away.")
    reader.clock.to(60)
    assert told(await kept.of("BTC/USDT"))["funding"] == (timedelta(hours=1), "longs pay shorts 0.01 %")
    reader.clock.to(121)
    assert {each.detail for each in await kept.of("BTC/USDT")} == {"unknown: binance futures is away."}
    assert {each.age for each in await kept.of("BTC/USDT")} == {None}


async def test_one_market_that_is_unknown_leaves_the_others_known() -> None:
    reader = Reader(HandClock(), error=NoData("It has no SHIBUSDT."))
    kept = kept_of(reader)
    await kept.of("SHIB/USDT")
    reader.error = None
    assert told(await kept.of("BTC/USDT"))["open interest"][1] == "10,659.509 BTC"
    assert told(await kept.of("SHIB/USDT"))["open interest"] == (None, "unknown: It has no SHIBUSDT.")


async def begun(kept: KeptDerivatives, *symbols: str) -> list[asyncio.Task[tuple[Input, ...]]]:
    """Closes that wait for an answer."""
    waiting = [asyncio.create_task(kept.of(symbol)) for symbol in symbols]
    for _ in range(10):
        await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    return waiting


async def test_markets_that_are_asked_at_once_wait_together_for_one_answer_each() -> None:
    reader = Reader(HandClock(), hangs=True)
    kept = KeptDerivatives(source=reader, clock=reader.clock, at_most=60)
    waiting = await begun(kept, "BTC/USDT", "ETH/USDT", "BTC/USDT")
    reader.answers.set()
    assert [[each.age for each in await found] for found in waiting] == [[timedelta(0)] * 3] * 3
    assert sorted(reader.asked) == ["BTC/USDT"] * 3 + ["ETH/USDT"] * 3


async def test_nobody_waits_while_an_answer_is_late() -> None:
    reader = Reader(HandClock(), hangs=True)
    kept = KeptDerivatives(source=reader, clock=reader.clock, at_most=60)
    (first,) = await begun(kept, "BTC/USDT")
    reader.clock.to(1)
    for symbol in ("ETH/USDT", "BTC/USDT"):
        found = await asyncio.wait_for(kept.of(symbol), 10)
        assert {each.detail for each in found} == {"unknown: no answer yet"}
    assert not first.done()
    await kept.stop()
    await first
    assert reader.closed


async def test_what_came_too_late_for_one_close_is_there_at_the_next() -> None:
    reader = Reader(HandClock(), hangs=True)
    kept = kept_of(reader)
    assert {each.age for each in await kept.of("BTC/USDT")} == {None}
    await kept.stop()
    reader.hangs = False
    reader.clock.to(60)
    assert {each.age for each in await kept.of("BTC/USDT")} == {timedelta(0)}


async def test_where_nobody_is_asked_nothing_is_said_and_nobody_asked_twice() -> None:
    clock = HandClock()
    kept = KeptDerivatives(source=NoDerivatives(), clock=clock)
    for minute in (0, 600):
        clock.to(minute)
        assert await kept.of("BTC/USDT") == ()


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (FundingRate(rate=Decimal("-0.00012"), next_at=NOON, at=NOON), "shorts pay longs 0.012 % at 12:00 UTC"),
        (FundingRate(rate=Decimal(0), next_at=None, at=NOON), "nobody pays"),
        (OpenInterest(quantity=Decimal("0.00000120"), at=NOON), "0.00000120 BTC"),
        (
            LongShort(long=Decimal("0.7396"), short=Decimal("0.2604"), at=NOON),
            "of accounts 73.96 % long, 26.04 % short",
        ),
    ],
)
def test_readings_are_said_as_traders_say_them(reading: Reading, words: str) -> None:
    assert in_words(reading, "BTC/USDT") == words
