"""ccxt itself against a venue on loopback: what it makes of good and of bad answers, and what we make of that."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from aiohttp import web

from engine.domain.errors import ConfigError, NoData, VenueError
from engine.domain.market import Market, Timeframe
from engine.exchanges.ccxt.client import VenueClient, check_exchange, known_exchanges
from engine.timing.clocks import WallClock
from tests.fakes import exchange
from tests.fakes.data import real_file
from tests.fakes.exchange import DEPTH, INFO, KLINES, FakeExchange, Fault, listening, now_ms

BTC = Market(symbol="BTC/USDT", lot=Decimal("0.00001"), tick=Decimal("0.01"))
RECORDED = "exchange_rest/cryptofeed_rest_binance_coinbase_kraken.jsonl.gz"


@pytest.fixture
async def fake() -> AsyncIterator[FakeExchange]:
    async with listening() as fake:
        yield fake


@pytest.fixture
async def client(fake: FakeExchange) -> AsyncIterator[VenueClient]:
    made = client_of(fake.url)
    await made.open()
    yield made
    await made.close()


def client_of(url: str, within: float = 20, share: float = 1.0) -> VenueClient:
    return VenueClient(
        exchange="binance", api_url=url, answer_within=timedelta(seconds=within), clock=WallClock(), share=share
    )


async def test_every_request_goes_to_the_server_that_was_named_and_only_to_its_spot_market(
    client: VenueClient, fake: FakeExchange
) -> None:
    listed = await client.listings()
    assert listed["ETH/USDT"].market == Market(
        symbol="ETH/USDT", lot=Decimal("0.0001"), tick=Decimal("0.01"), min_notional=Decimal(5)
    )
    await client.candles("BTC/USDT", Timeframe.H1, 5)
    await client.book(BTC)
    assert [path for path, _ in fake.calls] == [INFO, KLINES, DEPTH]


async def test_candles_are_the_newest_or_those_since_a_time(client: VenueClient, fake: FakeExchange) -> None:
    await client.listings()
    hours = await client.candles("BTC/USDT", Timeframe.H1, 300)
    assert (len(hours), hours.open_ms[-1]) == (300, now_ms() // 3_600_000 * 3_600_000)
    since = datetime.now(UTC) - timedelta(minutes=30)
    minutes = await client.candles("BTC/USDT", Timeframe.M1, 300, since)
    assert 29 <= len(minutes) <= 31


async def test_nobodys_time_for_an_answer_runs_while_they_wait_for_what_the_venue_allows(fake: FakeExchange) -> None:
    client = client_of(fake.url, within=0.4, share=0.5)
    await client.open()
    books = await asyncio.gather(*(client.book(BTC) for _ in range(4)))
    assert len(books) == 4
    await client.close()


async def test_the_book_is_the_venues_own(client: VenueClient, fake: FakeExchange) -> None:
    await client.listings()
    fake.symbols["BTCUSDT"].price = lambda _: 50_000.005
    book = await client.book(BTC)
    assert (book.bid, book.ask, len(book.asks)) == (Decimal("49999.99"), Decimal("50000.01"), 100)
    assert book.asks[1].quantity == Decimal(4)


@pytest.mark.parametrize(
    ("path", "fault", "kind", "words"),
    [
        (DEPTH, exchange.HTML, VenueError, "no JSON"),
        (DEPTH, exchange.CUT, VenueError, "binance"),
        (DEPTH, exchange.MAINTENANCE, VenueError, "Internal error"),
        (DEPTH, Fault(status=502, body="<html>Bad gateway</html>", content_type="text/html"), VenueError, "reached"),
        (DEPTH, exchange.DELISTED, NoData, r"does not trade it: Invalid symbol\.$"),
        (DEPTH, exchange.EMPTY, NoData, "book is empty"),
        (DEPTH, exchange.CROSSED, VenueError, "cannot be"),
        (DEPTH, Fault(body="{}"), NoData, "book is empty"),
        (DEPTH, Fault(body='{"bids": "many", "asks": 7}'), VenueError, "binance"),
        (KLINES, exchange.HTML, VenueError, "no JSON"),
        (KLINES, Fault(body="[]"), NoData, "no 1h candles"),
        (KLINES, Fault(body="{}"), NoData, "no 1h candles"),
        (INFO, exchange.HTML, VenueError, "no JSON"),
        (INFO, Fault(body="{}"), VenueError, "lists no market"),
        (INFO, Fault(body='{"symbols": [7]}'), VenueError, "binance"),
    ],
)
async def test_a_bad_answer_is_an_error_of_ours(
    client: VenueClient, fake: FakeExchange, path: str, fault: Fault, kind: type[VenueError], words: str
) -> None:
    await client.listings()
    fake.fail(path, fault, times=3)  # aiohttp repeats a GET whose connection was cut
    ask = {
        DEPTH: lambda: client.book(BTC),
        KLINES: lambda: client.candles("BTC/USDT", Timeframe.H1, 5),
        INFO: client.listings,
    }
    with pytest.raises(VenueError, match=words) as raised:
        await ask[path]()
    assert type(raised.value) is kind
    assert len(str(raised.value)) < 300
    fake.heal()
    assert (await client.book(BTC)).symbol == "BTC/USDT"


async def test_a_venue_that_does_not_answer_is_given_up_and_asked_again(fake: FakeExchange) -> None:
    client = client_of(fake.url, within=1)
    await client.open()
    fake.fail(DEPTH, exchange.slow(30), times=3)
    with pytest.raises(VenueError, match="does not answer within 1 s"):
        await client.book(BTC)
    fake.heal()
    assert (await client.book(BTC)).symbol == "BTC/USDT"
    await client.close()


async def test_a_venue_that_is_not_there_is_an_error_of_ours(fake: FakeExchange) -> None:
    await fake.stop()
    client = client_of(fake.url)
    await client.open()
    with pytest.raises(VenueError, match=r"cannot be reached: .*Connect call failed"):
        await client.listings()
    await client.close()


async def test_before_it_is_open_and_after_it_is_closed_nothing_is_asked(fake: FakeExchange) -> None:
    client = client_of(fake.url)
    with pytest.raises(VenueError, match="not been opened"):
        await client.book(BTC)
    await client.open()
    await client.close()
    await client.close()
    with pytest.raises(VenueError, match="not been opened"):
        await client.book(BTC)
    assert fake.calls == []


async def test_an_endless_answer_is_given_up(client: VenueClient, fake: FakeExchange) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b" " * 1_000_000)
        except ConnectionError:
            return response

    app = web.Application()
    app.router.add_get("/{path:.*}", endless)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    drowning = client_of(f"http://127.0.0.1:{runner.addresses[0][1]}")
    await drowning.open()
    with pytest.raises(VenueError, match="longer than"):
        await drowning.listings()
    await drowning.close()
    await runner.cleanup()


async def test_after_a_429_and_a_418_there_is_no_call_until_the_time_is_over(
    client: VenueClient, fake: FakeExchange
) -> None:
    await client.listings()
    fake.fail(DEPTH, exchange.too_fast(429, 1))
    for _ in range(3):
        with pytest.raises(VenueError, match=r"asked for quiet; it is asked again at .* UTC") as raised:
            await client.book(BTC)
        assert 0 < raised.value.retry_after <= 1
    assert fake.asked()[DEPTH] == 1
    fake.fail(DEPTH, exchange.too_fast(418, 3600))
    await _ripe(client)
    assert fake.asked()[DEPTH] == 2
    with pytest.raises(VenueError, match=r"asked for quiet; it is asked again at .* UTC") as raised:
        await client.candles("BTC/USDT", Timeframe.H1, 5)
    assert 3500 < raised.value.retry_after <= 3600
    assert fake.asked()[KLINES] == 0


async def test_what_waits_for_its_turn_is_not_sent_once_the_venue_asked_for_quiet(
    client: VenueClient, fake: FakeExchange
) -> None:
    await client.listings()
    fake.fail(DEPTH, exchange.too_fast(429, 60), times=100)
    asked = await asyncio.gather(*(client.book(BTC) for _ in range(6)), return_exceptions=True)
    assert {type(each) for each in asked} == {VenueError}
    assert fake.asked()[DEPTH] == 1


async def _ripe(client: VenueClient) -> None:
    """Ask until the venue is asked again, and bans us."""
    while True:
        try:
            await client.book(BTC)
        except VenueError as error:
            if error.retry_after > 60:
                return
            await asyncio.sleep(0.05)


async def test_how_far_the_venues_clock_is_from_ours_is_seen_on_its_answers(
    client: VenueClient, fake: FakeExchange
) -> None:
    assert client.skew is None
    await client.listings()
    assert client.skew is not None
    assert abs(client.skew) < 3
    fake.ahead = timedelta(seconds=90)
    await client.book(BTC)
    assert abs(client.skew) < 3, "one answer with another time says nothing yet"
    for _ in range(3):
        await client.book(BTC)
    assert client.skew == pytest.approx(90, abs=3)


def test_an_unknown_venue_is_named_with_the_nearest() -> None:
    known = known_exchanges()
    assert {"binance", "kraken", "coinbase"} <= known
    check_exchange("kraken", known)
    with pytest.raises(ConfigError, match=r"exchanges\.binanse: .*'binanse'.*Did you mean binance\?"):
        check_exchange("binanse", known)
    with pytest.raises(ConfigError, match="Take one of ccxt's ids"):
        check_exchange("zzzzz", known)


async def test_the_steps_of_every_market_of_a_recorded_list_are_those_that_it_says(
    client: VenueClient, fake: FakeExchange
) -> None:
    with gzip.open(real_file(RECORDED), "rt") as lines:
        fake.recorded_info = next(
            found["body"] for found in map(json.loads, lines) if found["url"].endswith("/api/v3/exchangeInfo")
        )
    listed = await client.listings()
    said = {}
    for symbol in fake.recorded_info["symbols"]:
        filters = {each["filterType"]: each for each in symbol["filters"]}
        steps = (
            filters["LOT_SIZE"]["stepSize"],
            filters["PRICE_FILTER"]["tickSize"],
            filters["MIN_NOTIONAL"]["minNotional"],
        )
        name = f"{symbol['baseAsset']}/{symbol['quoteAsset']}"
        said[name] = (*map(Decimal, steps), symbol["status"] == "TRADING")
    assert len(said) > 1000
    found = {
        name: (each.market.lot, each.market.tick, each.market.min_notional, each.trading)
        for name, each in listed.items()
    }
    renamed = said.keys() - found.keys()
    assert len(renamed) < 10, "ccxt calls a few coins by other names"
    assert {name: (found[name], said[name]) for name in said.keys() - renamed if found[name] != said[name]} == {}
