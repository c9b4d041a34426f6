"""The fake Kraken that trades, with the real ccxt: its own habits, and each of its refusals in ccxt's terms."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from tests.fakes.ccxt_clients import ccxt_before
from tests.fakes.venues.binance import DROPPED, NEVER_HEARD, PAGE_OF_HTML, TRUNCATED
from tests.fakes.venues.kraken import FakeKraken, trading_kraken

BTC, RAW = "BTC/USD", "XBTUSD"
ADD, CANCEL = "POST /0/private/AddOrder", "POST /0/private/CancelOrder"


@pytest.fixture
async def venue() -> AsyncIterator[FakeKraken]:
    async with trading_kraken(balances={"USD": "10000", "XBT": "1"}) as fake:
        fake.set_price(RAW, 50_000)
        yield fake
        fake.audit()


@pytest.fixture
async def client(venue: FakeKraken) -> AsyncIterator[Any]:
    async with ccxt_before(venue.url, exchange="kraken", key=venue.keys.key, secret=venue.keys.secret) as made:
        yield made


async def order(client: Any, kind: str, side: str, amount: float, price: float | None = None, **params: Any) -> Any:
    return await client.create_order(BTC, kind, side, amount, price, params)


async def test_an_order_answers_with_its_id_alone_and_pays_its_fee_in_the_quote_coin(client: Any) -> None:
    made = await order(client, "market", "buy", 0.01, clientOrderId="first")
    assert (made["status"], made["filled"], made["clientOrderId"]) == (None, None, None)
    asked = await client.fetch_order(made["id"], BTC)
    assert (asked["status"], asked["filled"], asked["clientOrderId"]) == ("closed", 0.01, "first")
    (trade,) = await client.fetch_my_trades(BTC)
    # 0.4 % of 0.01 at 50,000.1
    assert (trade["order"], trade["fee"]) == (made["id"], {"currency": "USD", "cost": 2.000004})
    balance = await client.fetch_balance()
    assert (balance["BTC"]["total"], balance["USD"]["total"]) == (1.01, 9497.998996)


async def test_a_clients_id_is_taken_by_some_calls_only(venue: FakeKraken, client: Any) -> None:
    await order(client, "limit", "buy", 0.01, 40_000, clientOrderId="mine")
    mine = {"clientOrderId": "mine"}
    assert [each["clientOrderId"] for each in await client.fetch_open_orders(BTC, params=mine)] == ["mine"]
    with pytest.raises(ccxt.ExchangeError, match="userref"):
        await client.fetch_order(None, BTC, mine)
    await client.cancel_order(None, BTC, mine)
    assert [each["status"] for each in await client.fetch_closed_orders(BTC, params=mine)] == ["canceled"]
    with pytest.raises(ccxt.OrderNotFound):
        await client.cancel_order(None, BTC, mine)
    assert venue.ledger.locked["USD"] == 0


async def test_stops_and_trailing_stops_sell_when_they_are_reached(venue: FakeKraken, client: Any) -> None:
    stop = await order(client, "market", "sell", 0.01, stopLossPrice=45_000)
    trailing = await order(client, "market", "sell", 0.01, trailingPercent="2")
    (first, _) = await client.fetch_open_orders(BTC)
    assert (first["type"], first["triggerPrice"]) == ("market", 45_000)
    venue.set_price(RAW, 48_900)
    assert [(await client.fetch_order(each["id"], BTC))["status"] for each in (stop, trailing)] == ["open", "closed"]
    venue.set_price(RAW, 44_900)
    assert (await client.fetch_order(stop["id"], BTC))["status"] == "closed"


async def test_lists_come_newest_first_by_fifty(venue: FakeKraken, client: Any) -> None:
    await order(client, "limit", "buy", 0.012, 40_000)
    for _ in range(120):
        venue.matching.fill(venue.matching.orders[0], "0.0001")
    pages = [await client.fetch_my_trades(BTC, params={"ofs": ofs}) for ofs in (0, 50, 100, 150)]
    assert [len(page) for page in pages] == [50, 50, 20, 0]
    assert len({each["id"] for page in pages for each in page}) == 120
    newest = (await client.private_post_tradeshistory({"ofs": 0}))["result"]
    assert int(newest["count"]) == 120
    assert next(iter(newest["trades"].values()))["trade_id"] in (1120, "1120")


@pytest.mark.parametrize(
    ("kind", "side", "amount", "price", "params", "error", "words"),
    [
        ("limit", "buy", 1, 40_000, {}, ccxt.InsufficientFunds, "EOrder:Insufficient funds"),
        ("market", "sell", 1.5, None, {}, ccxt.InsufficientFunds, "EOrder:Insufficient funds"),
        ("limit", "buy", 0.00001, 40_000, {}, ccxt.ExchangeError, "volume minimum not met"),
        ("limit", "buy", 0.0001, 1_000, {}, ccxt.ExchangeError, "EOrder:Cost minimum not met"),
        ("limit", "buy", 0.01, 51_000, {"postOnly": True}, ccxt.ExchangeError, "EOrder:Post only order"),
        ("limit", "buy", 0.01, 40_000, {"clientOrderId": "x" * 19}, ccxt.ExchangeError, "cl_ord_id"),
        ("limit", "buy", 0.01, 40_000, {"timeInForce": "DAY"}, ccxt.ExchangeError, "timeinforce"),
        ("limit", "buy", 0.01, 40_000, {"colour": "red"}, ccxt.ExchangeError, "Invalid arguments:colour"),
    ],
)
async def test_an_order_that_breaks_a_rule_is_refused_with_the_venues_words(
    venue: FakeKraken, client: Any, kind: str, side: str, amount: float, price: float | None, params: Any,
    error: type[Exception], words: str,
) -> None:  # fmt: skip
    with pytest.raises(error, match=words):
        await order(client, kind, side, amount, price, **params)
    assert not venue.matching.orders


async def test_a_price_with_too_many_decimals_is_refused(client: Any) -> None:
    sent = {"pair": "XXBTZUSD", "type": "buy", "ordertype": "limit", "volume": "0.01", "price": "40000.01"}
    with pytest.raises(ccxt.BaseError, match="up to 1 decimals"):
        await client.private_post_addorder(sent)


async def test_an_id_is_refused_while_its_order_is_open(client: Any) -> None:
    await order(client, "limit", "buy", 0.01, 40_000, clientOrderId="twice")
    with pytest.raises(ccxt.ExchangeError, match="cl_ord_id"):
        await order(client, "limit", "buy", 0.01, 40_000, clientOrderId="twice")


async def test_an_order_that_there_is_not_is_left_out(client: Any) -> None:
    for asked in (client.fetch_order("OAAAAA-AAAAA-AAAAAA", BTC), client.cancel_order("OAAAAA-AAAAA-AAAAAA", BTC)):
        with pytest.raises(ccxt.OrderNotFound):
            await asked


async def test_keys_signatures_and_nonces_are_checked(venue: FakeKraken, client: Any) -> None:
    await client.fetch_balance()
    venue.nonce += 10_000_000
    with pytest.raises(ccxt.InvalidNonce):
        await client.fetch_balance()
    venue.nonce = 0
    client.secret = "c29tZXRoaW5nIGVsc2U="
    with pytest.raises(ccxt.ExchangeError, match="EAPI:Invalid signature"):
        await client.fetch_balance()
    client.apiKey = "unknown"
    with pytest.raises(ccxt.AuthenticationError):
        await client.fetch_balance()


async def test_the_counter_of_calls_refuses_until_time_has_lowered_it(venue: FakeKraken, client: Any) -> None:
    venue.counter.most, venue.counter.value = 3, 0
    await client.fetch_my_trades(BTC)
    with pytest.raises(ccxt.DDoSProtection, match="EAPI:Rate limit exceeded"):
        await client.fetch_my_trades(BTC)
    await order(client, "market", "buy", 0.01)  # orders are counted elsewhere
    venue.ahead = timedelta(seconds=13)
    assert await client.fetch_my_trades(BTC)


@pytest.mark.parametrize("fault", [DROPPED, TRUNCATED, PAGE_OF_HTML])
async def test_an_order_whose_answer_is_lost_is_found_among_the_closed_ones(
    venue: FakeKraken, client: Any, fault: Any
) -> None:
    venue.fail(ADD, fault)
    try:
        said = await order(client, "market", "buy", 0.01, clientOrderId="lost")
    except ccxt.BaseError:
        said = {"id": None}
    assert said["id"] is None
    (found,) = await client.fetch_closed_orders(BTC, params={"clientOrderId": "lost"})
    assert (found["filled"], venue.matching.accepted) == (0.01, {"lost": 1})


async def test_an_order_whose_request_is_lost_is_nowhere(venue: FakeKraken, client: Any) -> None:
    venue.fail(ADD, NEVER_HEARD)
    with pytest.raises(ccxt.NetworkError):
        await order(client, "market", "buy", 0.01, clientOrderId="lost")
    assert await client.fetch_closed_orders(BTC, params={"clientOrderId": "lost"}) == []
    assert venue.ledger.free["USD"] == Decimal(10_000)
