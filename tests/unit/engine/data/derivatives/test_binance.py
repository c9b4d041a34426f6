"""Binance's futures on a loopback server: what is read, and what becomes of answers that are none."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from engine.data.derivatives.binance import BinanceDerivatives
from engine.domain.errors import NoData, VenueError
from engine.timing.clocks import WallClock
from tests.fakes.data import real_file
from tests.fakes.exchange import (
    ACCOUNTS,
    CUT,
    HTML,
    INTEREST,
    PREMIUM,
    FakeExchange,
    Fault,
    listening,
    slow,
    too_fast,
    usual_symbols,
)

RECORDED = "exchange_rest/nautilus/binance_py/http_responses"


@pytest.fixture
async def venue() -> AsyncIterator[FakeExchange]:
    async with listening() as found:
        yield found


@pytest.fixture
async def reader(venue: FakeExchange) -> AsyncIterator[BinanceDerivatives]:
    found = BinanceDerivatives(api_url=venue.url, answer_within=0.5, clock=WallClock())
    yield found
    await found.close()


def changed(**values: object) -> Fault:
    return Fault(change=lambda answer: [{**answer[0], **values}] if isinstance(answer, list) else {**answer, **values})


async def test_it_reads_what_the_venue_tells(reader: BinanceDerivatives, venue: FakeExchange) -> None:
    funding, now = await reader.funding("BTC/USDT"), datetime.now(UTC)
    assert funding.rate == Decimal("0.00038246")
    assert funding.next_at is not None
    assert funding.next_at.hour in {0, 8, 16}
    assert timedelta(0) < funding.next_at - now <= timedelta(hours=8)
    assert (await reader.open_interest("ETH/USDT")).quantity == Decimal("10659.509")
    shares = await reader.long_short("SOL/USDT")
    assert (shares.long, shares.short) == (Decimal("0.6442"), Decimal("0.3558"))
    assert now - shares.at < timedelta(minutes=5)
    assert [path for path, _ in venue.calls] == [PREMIUM, INTEREST, ACCOUNTS]


async def test_who_holds_shorts_may_pay(venue: FakeExchange, reader: BinanceDerivatives) -> None:
    usual = {symbol.name: symbol for symbol in usual_symbols()}
    usual["ETHUSDT"].funding, venue.symbols = "-0.00012", usual
    assert (await reader.funding("ETH/USDT")).rate == Decimal("-0.00012")


async def test_it_reads_answers_as_they_were_recorded(reader: BinanceDerivatives, venue: FakeExchange) -> None:
    premium = real_file(f"{RECORDED}/http_futures_market_premium_index.json").read_text()
    ratios = json.loads(real_file(f"{RECORDED}/http_futures_market_top_long_short_account_ratio.json").read_text())
    venue.fail(PREMIUM, Fault(body=premium))
    venue.fail(ACCOUNTS, Fault(body=json.dumps(ratios)))
    assert (await reader.funding("BTC/USDT")).at == datetime(2020, 8, 14, 2, 1, 35, 2000, tzinfo=UTC)
    shares = await reader.long_short("BTC/USDT")
    assert (shares.long, shares.at) == (Decimal("0.3580"), datetime(2020, 3, 2, 9, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    "fault",
    [
        HTML,
        CUT,
        Fault(status=503, body="gone"),
        Fault(body="[" * 5000),
        Fault(body='"' + "a" * 100_000 + '"'),
        changed(symbol="ETHUSDT"),
        changed(openInterest="NaN"),
        changed(openInterest="-1"),
        changed(openInterest=""),
        changed(time=None),
        changed(openInterest="Infinity"),
        slow(5),
        too_fast(418, 30),
    ],
    ids=lambda fault: (fault.body or str(fault.wait or fault.status))[:12],
)
async def test_what_is_no_answer_is_an_error(reader: BinanceDerivatives, venue: FakeExchange, fault: Fault) -> None:
    venue.fail(INTEREST, fault)
    with pytest.raises(VenueError, match="binance futures"):
        await reader.open_interest("BTC/USDT")


async def test_shares_that_are_none_are_an_error(reader: BinanceDerivatives, venue: FakeExchange) -> None:
    venue.fail(ACCOUNTS, Fault(change=lambda _: []), changed(longAccount="1.5"), Fault(body="{}"))
    for _ in range(3):
        with pytest.raises(VenueError, match="nonsense"):
            await reader.long_short("BTC/USDT")


async def test_a_market_without_futures_is_named(reader: BinanceDerivatives) -> None:
    with pytest.raises(NoData, match="has no SHIBUSDT"):
        await reader.funding("SHIB/USDT")


async def test_a_venue_that_asks_for_quiet_is_left_alone(reader: BinanceDerivatives, venue: FakeExchange) -> None:
    venue.fail(PREMIUM, too_fast(429, 60))
    for _ in range(2):
        with pytest.raises(VenueError, match="asked for quiet"):
            await reader.funding("BTC/USDT")
    assert venue.asked()[PREMIUM] == 1


async def test_a_venue_that_is_away_is_an_error_until_it_is_back(
    reader: BinanceDerivatives, venue: FakeExchange
) -> None:
    await venue.stop()
    with pytest.raises(VenueError, match="cannot be reached"):
        await reader.funding("BTC/USDT")
    await venue.start()
    assert (await reader.funding("BTC/USDT")).rate > 0
