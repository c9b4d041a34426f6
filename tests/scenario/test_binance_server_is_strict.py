"""The fake Binance that trades, with the real ccxt: what it does with orders, and each refusal in its terms."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import ccxt
import pytest

from tests.fakes.ccxt_clients import ccxt_before
from tests.fakes.exchange import Symbol, wandering
from tests.fakes.patience import until
from tests.fakes.venues.binance import (
    DOWN,
    DOWN_IN_WORDS,
    DROPPED,
    GARBAGE,
    NEVER_HEARD,
    NO_ROWS,
    PAGE_OF_HTML,
    TRUNCATED,
    UNKNOWN_OUTCOME,
    FakeBinance,
    late,
    slow_answer,
    trading,
)

BTC, RAW = "BTC/USDT", "BTCUSDT"
PLACE, CANCEL, ASK = "POST /api/v3/order", "DELETE /api/v3/order", "GET /api/v3/order"
TRADES = "GET /api/v3/myTrades"


@pytest.fixture
async def venue() -> AsyncIterator[FakeBinance]:
    async with trading(balances={"USDT": "10000", "BTC": "1"}) as fake:
        fake.set_price(RAW, 50_000)
        yield fake
        fake.audit()


@pytest.fixture
async def client(venue: FakeBinance) -> AsyncIterator[Any]:
    async with ccxt_before(venue.url, key=venue.keys.key, secret=venue.keys.secret) as made:
        yield made


async def order(client: Any, kind: str, side: str, amount: float, price: float | None = None, **params: Any) -> Any:
    return await client.create_order(BTC, kind, side, amount, price, params)


def some(amounts: Any) -> Any:
    return {asset: amount for asset, amount in amounts.items() if amount}


# What it does


async def test_a_market_order_takes_level_after_level_of_the_book(venue: FakeBinance, client: Any) -> None:
    venue.ledger.change("USDT", Decimal(300_000), "deposit")
    made = await order(client, "market", "buy", 5)
    # Levels of 2, 4 and 6 coins, a tick apart.
    assert [(each["price"], each["amount"]) for each in made["trades"]] == [(50_000.01, 2), (50_000.02, 3)]
    assert [each.fee for each in venue.matching.trades] == [Decimal("0.002"), Decimal("0.003")]


async def test_an_order_of_each_type_ends_as_at_the_venue(venue: FakeBinance, client: Any) -> None:
    bought = await order(client, "market", "buy", 0.01, clientOrderId="m")
    assert (bought["status"], bought["filled"], bought["average"]) == ("closed", 0.01, 50_000.01)
    assert bought["fee"] == {"currency": "BTC", "cost": 0.00001}
    resting = await order(client, "limit", "buy", 0.01, 49_000)
    maker = await order(client, "limit", "sell", 0.01, 51_000, postOnly=True)
    stop = await order(client, "market", "sell", 0.01, stopLossPrice=48_000)
    stop_limit = await order(client, "limit", "sell", 0.01, 47_900, stopLossPrice=48_000)
    target = await order(client, "market", "sell", 0.01, takeProfitPrice=52_000)
    assert some(venue.ledger.locked) == {"USDT": Decimal(490), "BTC": Decimal("0.04")}
    venue.set_price(RAW, 48_990)
    assert (await client.fetch_order(resting["id"], BTC))["average"] == 49_000
    venue.set_price(RAW, 47_950)
    assert (await client.fetch_order(stop["id"], BTC))["average"] == 47_949.99
    assert (await client.fetch_order(stop_limit["id"], BTC))["average"] == 47_949.99
    venue.set_price(RAW, 52_500)
    assert (await client.fetch_order(maker["id"], BTC))["average"] == 51_000
    assert (await client.fetch_order(target["id"], BTC))["average"] == 52_499.99
    assert await client.fetch_open_orders(BTC) == []
    assert some(venue.ledger.locked) == {}


async def test_a_trailing_order_follows_and_sells_after_its_distance(venue: FakeBinance, client: Any) -> None:
    made = await order(client, "market", "sell", 0.01, trailingPercent="2", stopLossOrTakeProfit="stopLoss")
    for price in (52_000, 51_000):
        venue.set_price(RAW, price)
        assert (await client.fetch_order(made["id"], BTC))["status"] == "open"
    venue.set_price(RAW, 50_950)  # 2 % below 52,000 is 50,960
    assert (await client.fetch_order(made["id"], BTC))["status"] == "closed"


async def test_of_two_orders_of_a_list_one_ends_the_other_and_the_money_is_held_once(
    venue: FakeBinance, client: Any
) -> None:
    async def both(quantity: str) -> Any:
        legs = {"aboveType": "LIMIT_MAKER", "abovePrice": "60000", "belowType": "STOP_LOSS", "belowStopPrice": "45000"}
        return await client.private_post_orderlist_oco({"symbol": RAW, "side": "SELL", "quantity": quantity, **legs})

    first = await both("0.7")
    assert venue.ledger.locked["BTC"] == Decimal("0.7")
    with pytest.raises(ccxt.InsufficientFunds):
        await both("0.4")
    assert {each["id"] for each in await client.fetch_open_orders(BTC)} == {
        each["orderId"] if isinstance(each["orderId"], str) else str(each["orderId"]) for each in first["orders"]
    }
    venue.set_price(RAW, 44_000)
    states = {each["type"]: each["status"] for each in await client.fetch_orders(BTC)}
    assert states == {"limit": "expired", "market": "closed"}
    await both_cancelled(venue, client)


async def both_cancelled(venue: FakeBinance, client: Any) -> None:
    sent = {"symbol": RAW, "side": "SELL", "quantity": "0.2", "price": "50000", "stopPrice": "40000",
            "stopLimitPrice": "39900", "stopLimitTimeInForce": "GTC"}  # fmt: skip
    old = await client.private_post_order_oco(sent)
    # Cancelling one leg cancels the list, and the answer is the list's.
    answer = await client.private_delete_order({"symbol": RAW, "orderId": old["orders"][0]["orderId"]})
    assert [each["status"] for each in answer["orderReports"]] == ["CANCELED", "CANCELED"]
    assert venue.ledger.locked["BTC"] == 0


async def test_a_list_whose_prices_do_not_stand_around_the_market_is_refused(venue: FakeBinance, client: Any) -> None:
    sent = {"symbol": RAW, "side": "SELL", "quantity": "0.1", "price": "49000", "stopPrice": "45000"}
    with pytest.raises(ccxt.ExchangeError, match="relationship of the prices"):
        await client.private_post_order_oco(sent)
    assert not venue.matching.orders


async def test_an_order_is_filled_by_parts_and_may_be_cancelled_in_between(venue: FakeBinance, client: Any) -> None:
    venue.matching.liquidity = Decimal("0.004")
    made = await order(client, "limit", "buy", 0.01, 50_100)
    assert (made["status"], made["filled"]) == ("open", 0.004)
    await until(lambda: len(venue.matching.trades) == 3)
    done = await client.fetch_order(made["id"], BTC)
    assert (done["status"], done["filled"]) == ("closed", 0.01)
    assert [each["amount"] for each in await client.fetch_my_trades(BTC)] == [0.004, 0.004, 0.002]
    venue.matching.liquidity = None
    resting = await order(client, "limit", "buy", 0.01, 40_000, clientOrderId="rest")
    venue.matching.fill(venue.matching.orders[-1], "0.003")
    cancelled = await client.cancel_order(resting["id"], BTC)
    assert (cancelled["status"], cancelled["filled"], venue.ledger.locked["USDT"]) == ("canceled", 0.003, 0)


async def test_a_fee_is_taken_in_bnb_while_there_is_some(client: Any, venue: FakeBinance) -> None:
    venue.symbols["BNBUSDT"] = Symbol(base="BNB", price=lambda _: 500.0)
    venue.matching.fees.paid_in = "BNB"
    venue.ledger.change("BNB", Decimal("0.001"), "deposit")
    fees = [(await order(client, "market", "buy", 0.01))["fee"] for _ in range(2)]
    # Three quarters of 0.1 % of 500.0001, at 500 a coin; then there is not enough left.
    assert fees == [{"currency": "BNB", "cost": 0.00075}, {"currency": "BTC", "cost": 0.00001}]


async def test_an_id_is_refused_while_its_order_is_open_and_taken_again_once_it_is_filled(
    venue: FakeBinance, client: Any
) -> None:
    await order(client, "limit", "buy", 0.01, 40_000, clientOrderId="twice")
    with pytest.raises(ccxt.InvalidOrder, match="Duplicate order sent"):
        await order(client, "limit", "buy", 0.01, 40_000, clientOrderId="twice")
    venue.set_price(RAW, 39_000)
    await order(client, "market", "buy", 0.01, clientOrderId="twice")
    assert venue.matching.accepted["twice"] == 2


async def test_replacing_an_order_cancels_it_or_does_nothing(venue: FakeBinance, client: Any) -> None:
    made = await order(client, "limit", "buy", 0.01, 40_000)
    moved = await client.edit_order(made["id"], BTC, "limit", "buy", 0.01, 41_000)
    assert (moved["price"], [each.status for each in venue.matching.orders]) == (41_000, ["CANCELED", "NEW"])
    with pytest.raises(ccxt.ExchangeError, match="cancel-replace failed"):
        await client.edit_order(made["id"], BTC, "limit", "buy", 0.01, 42_000)
    assert len(venue.matching.orders) == 2


async def test_trades_come_by_pages_from_an_id_on(venue: FakeBinance, client: Any) -> None:
    await order(client, "limit", "buy", 0.0125, 40_000)
    for _ in range(1250):
        venue.matching.fill(venue.matching.orders[0], "0.00001")
    newest = await client.fetch_my_trades(BTC, limit=5000)
    assert (len(newest), newest[-1]["id"]) == (1000, "2250")
    pages = [await client.fetch_my_trades(BTC, limit=1000, params={"fromId": start}) for start in (1001, 2001, 2251)]
    assert [len(page) for page in pages] == [1000, 250, 0]
    assert len({each["id"] for page in pages for each in page}) == 1250


async def test_ids_of_trades_and_orders_are_unique_within_a_market_only(venue: FakeBinance, client: Any) -> None:
    made = [await client.create_order(symbol, "market", "buy", 0.01) for symbol in (BTC, "ETH/USDT")]
    assert made[0]["id"] == made[1]["id"]
    assert made[0]["trades"][0]["id"] == made[1]["trades"][0]["id"]


async def test_the_account_tells_what_is_free_and_held_and_what_the_keys_may_do(
    venue: FakeBinance, client: Any
) -> None:
    await order(client, "limit", "buy", 0.01, 40_000)
    balance = await client.fetch_balance()
    assert (balance["USDT"]["free"], balance["USDT"]["used"]) == (9600.0, 400.0)
    rights = await client.sapi_get_account_apirestrictions()
    assert (rights["enableSpotAndMarginTrading"], rights["enableWithdrawals"]) == (True, False)
    assert (await client.fetch_trading_fee(BTC))["taker"] == 0.001


# What it refuses


@pytest.mark.parametrize(
    ("kind", "side", "amount", "price", "params", "words"),
    [
        ("limit", "buy", 0.0001, 40_000, {}, "Filter failure: NOTIONAL"),
        ("limit", "buy", 9001, 40_000, {}, "Filter failure: LOT_SIZE"),
        ("market", "sell", 101, None, {}, "Filter failure: MARKET_LOT_SIZE"),
        ("limit", "buy", 0.01, 1, {}, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        ("limit", "buy", 5, 40_000, {}, "insufficient balance"),
        ("market", "sell", 1.5, None, {}, "insufficient balance"),
        ("limit", "buy", 0.01, 50_100, {"postOnly": True}, "would immediately match and take"),
        ("market", "sell", 0.01, None, {"stopLossPrice": 51_000}, "would trigger immediately"),
        ("market", "sell", 0.01, None, {"takeProfitPrice": 49_000}, "would trigger immediately"),
        ("market", "sell", 0.01, None, {"trailingDelta": "1", "stopLossOrTakeProfit": "stopLoss"}, "TRAILING_DELTA"),
        ("limit", "buy", 0.01, 40_000, {"timeInForce": "DAY"}, "Invalid timeInForce"),
        ("limit", "buy", 0.01, 40_000, {"clientOrderId": "x" * 37}, "Illegal characters found"),
        ("limit", "buy", 0.01, 40_000, {"colour": "red"}, "Not all sent parameters were read"),
        ("market", "buy", 0.01, None, {"timeInForce": "GTC"}, "sent when not required"),
    ],
)
async def test_an_order_that_breaks_a_rule_is_refused_with_the_venues_words(
    client: Any, venue: FakeBinance, kind: str, side: str, amount: float, price: float | None, params: Any, words: str
) -> None:
    with pytest.raises(ccxt.ExchangeError, match=words):
        await order(client, kind, side, amount, price, **params)
    assert not venue.matching.orders
    assert some(venue.ledger.free) == {"USDT": 10_000, "BTC": 1}


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"quantity": "0.01", "price": "40000.001", "timeInForce": "GTC"}, "PRICE_FILTER"),
        ({"quantity": "0.010000001", "price": "40000", "timeInForce": "GTC"}, "-1111"),
        ({"quantity": "0.000015", "price": "40000", "timeInForce": "GTC"}, "LOT_SIZE"),
        ({"quantity": "1e-2", "price": "40000", "timeInForce": "GTC"}, "-1100"),
        ({"quantity": "0.01", "timeInForce": "GTC"}, "-1102"),
        ({"quantity": "0.01", "price": "40000"}, "-1102"),
    ],
)
async def test_what_ccxt_would_never_send_is_refused_too(client: Any, sent: Any, code: str) -> None:
    with pytest.raises(ccxt.BaseError, match=code):
        await client.private_post_order({"symbol": RAW, "side": "BUY", "type": "LIMIT", **sent})


async def test_only_so_many_orders_and_conditional_orders_stand_at_once(venue: FakeBinance, client: Any) -> None:
    venue.matching.filters = type(venue.matching.filters)(max_orders=3, max_conditional=1)
    await order(client, "market", "sell", 0.01, stopLossPrice=48_000)
    with pytest.raises(ccxt.BaseError, match="MAX_NUM_ALGO_ORDERS"):
        await order(client, "market", "sell", 0.01, stopLossPrice=48_000)
    for _ in range(2):
        await order(client, "limit", "buy", 0.01, 40_000)
    with pytest.raises(ccxt.BaseError, match="MAX_NUM_ORDERS"):
        await order(client, "limit", "buy", 0.01, 40_000)


async def test_a_halted_market_takes_no_order_and_an_unknown_one_is_none(venue: FakeBinance, client: Any) -> None:
    venue.symbols[RAW].status = "BREAK"
    with pytest.raises(ccxt.ExchangeError, match="Market is closed"):
        await order(client, "market", "buy", 0.01)
    del venue.symbols[RAW]
    with pytest.raises(ccxt.BadSymbol, match="-1121"):
        await order(client, "market", "buy", 0.01)
    venue.symbols[RAW] = Symbol(base="BTC", price=wandering(50_000, 1))


async def test_an_order_that_there_is_not_is_not_found_by_the_venues_word(client: Any) -> None:
    for asked in (client.fetch_order("77", BTC), client.cancel_order("77", BTC)):
        with pytest.raises(ccxt.OrderNotFound):
            await asked


async def test_a_request_is_judged_by_the_venues_clock(venue: FakeBinance, client: Any) -> None:
    for ahead in (timedelta(seconds=11), timedelta(seconds=-2)):
        venue.ahead = ahead
        with pytest.raises(ccxt.InvalidNonce, match="-1021"):
            await client.fetch_balance()
    await client.load_time_difference()
    client.options["adjustForTimeDifference"] = True
    assert await client.fetch_balance()


async def test_keys_and_signatures_are_checked(venue: FakeBinance, client: Any) -> None:
    client.secret = "another"
    with pytest.raises(ccxt.AuthenticationError, match="-1022"):
        await client.fetch_balance()
    client.secret, client.apiKey = venue.keys.secret, "unknown"
    with pytest.raises((ccxt.AuthenticationError, ccxt.DDoSProtection), match="-2015"):
        await client.fetch_balance()
    async with aiohttp.ClientSession() as http, http.get(f"{venue.url}/api/v3/account?timestamp=1") as answer:
        assert (answer.status, (await answer.json())["code"]) == (401, -2014)
    async with aiohttp.ClientSession() as http, http.get(f"{venue.url}/api/v3/nothing") as answer:
        assert (answer.status, answer.content_type) == (404, "text/html")


async def test_keys_that_may_not_trade_may_only_look(venue: FakeBinance, client: Any) -> None:
    venue.keys.can_trade = False
    with pytest.raises((ccxt.AuthenticationError, ccxt.DDoSProtection), match="-2015"):
        await order(client, "market", "buy", 0.01)
    assert await client.fetch_balance()


async def test_who_asks_too_much_is_slowed_down_then_banned_and_the_ban_grows(venue: FakeBinance, client: Any) -> None:
    venue.limits.weight, venue.limits.patience, venue.limits.ban_seconds = 100, 2, 60
    for _ in range(9):
        with suppress(ccxt.DDoSProtection):
            await client.fetch_balance()
    statuses = [each.status for each in venue.log[-9:]]
    assert 429 in statuses
    assert statuses[-1] == 418
    assert venue.limits.calls_while_banned >= 1
    assert venue.limits.banned_until - venue.now_ms() > 60_000


async def test_too_many_orders_within_ten_seconds_are_refused(venue: FakeBinance, client: Any) -> None:
    venue.limits.orders = 2
    made = await asyncio.gather(
        *(order(client, "limit", "buy", 0.01, 40_000) for _ in range(5)), return_exceptions=True
    )
    assert any("-1015" in str(each) for each in made if isinstance(each, ccxt.DDoSProtection))
    assert len(venue.matching.orders) < 5


# What goes wrong on demand


@pytest.mark.parametrize("fault", [DROPPED, TRUNCATED, PAGE_OF_HTML, GARBAGE, UNKNOWN_OUTCOME, slow_answer(5)])
async def test_an_order_takes_effect_although_its_answer_does_not_come(
    venue: FakeBinance, client: Any, fault: Any
) -> None:
    client.timeout = 300
    venue.fail(PLACE, fault)
    try:
        said = await order(client, "market", "buy", 0.01, clientOrderId="lost")
    except ccxt.BaseError:
        said = {"id": None}
    assert said["id"] is None
    found = await client.fetch_order(None, BTC, {"clientOrderId": "lost"})
    assert (found["status"], venue.matching.accepted) == ("closed", {"lost": 1})


@pytest.mark.parametrize("fault", [NEVER_HEARD, DOWN, DOWN_IN_WORDS])
async def test_an_order_does_not_take_effect_when_its_request_is_lost(
    venue: FakeBinance, client: Any, fault: Any
) -> None:
    venue.fail(PLACE, fault)
    with pytest.raises(ccxt.BaseError):
        await order(client, "market", "buy", 0.01, clientOrderId="lost")
    with pytest.raises(ccxt.OrderNotFound):
        await client.fetch_order(None, BTC, {"clientOrderId": "lost"})


async def test_a_late_request_takes_effect_after_it_was_not_found_unless_its_window_is_over(
    venue: FakeBinance, client: Any
) -> None:
    for name, window in (("late", 5000), ("over", 100)):
        venue.fail(PLACE, late(0.3))
        with pytest.raises(ccxt.NetworkError):
            await order(client, "market", "buy", 0.01, clientOrderId=name, recvWindow=window)
    with pytest.raises(ccxt.OrderNotFound):
        await client.fetch_order(None, BTC, {"clientOrderId": "late"})
    await until(lambda: venue.count(PLACE) == 2)
    assert venue.matching.accepted == {"late": 1}


async def test_a_page_may_be_missing_and_a_cancel_be_done_unheard(venue: FakeBinance, client: Any) -> None:
    await order(client, "market", "buy", 0.01)
    venue.fail(TRADES, NO_ROWS)
    assert [len(await client.fetch_my_trades(BTC)) for _ in range(2)] == [0, 1]
    made = await order(client, "limit", "buy", 0.01, 40_000)
    # aiohttp sends a DELETE again by itself: the second one is answered that there is no such order.
    venue.fail(CANCEL, DROPPED)
    with pytest.raises((ccxt.OrderNotFound, ccxt.NetworkError)):
        await client.cancel_order(made["id"], BTC)
    assert (await client.fetch_order(made["id"], BTC))["status"] == "canceled"


# The user stream


async def test_the_real_client_hears_of_each_fill_by_the_websocket_api(venue: FakeBinance) -> None:
    async with ccxt_before(venue.url, key=venue.keys.key, secret=venue.keys.secret, streams=True) as client:
        got: list[Any] = []

        async def listen() -> None:
            while True:
                got.extend([each["id"] for each in await client.watch_my_trades()])

        listening = asyncio.create_task(listen())
        await until(lambda: venue.stream.listeners == 1)
        made = await order(client, "market", "buy", 0.01)
        await until(lambda: got == [made["trades"][0]["id"]])
        listening.cancel()


async def test_the_stream_wants_a_good_signature(venue: FakeBinance) -> None:
    async with ccxt_before(venue.url, key=venue.keys.key, secret=venue.keys.secret, streams=True) as client:
        client.secret = "another"
        # ccxt 4.5.90 stumbles over the refusal: it forgets the subscription twice.
        with pytest.raises((ccxt.AuthenticationError, KeyError)):
            await client.watch_orders()
    assert venue.stream.subscribed == 0


async def test_reports_come_bare_by_a_listen_key_and_doubled_reordered_or_lost_on_demand(venue: FakeBinance) -> None:
    stream = venue.stream
    async with aiohttp.ClientSession(headers={"X-MBX-APIKEY": venue.keys.key}) as http:
        async with http.post(f"{venue.url}/api/v3/userDataStream") as answer:
            key = (await answer.json())["listenKey"]
        async with http.ws_connect(f"{venue.url}/ws/{key}") as socket:
            await until(lambda: stream.listeners == 1)
            stream.hold()
            for number in range(3):
                stream.tell({"e": "executionReport", "i": number})
            stream.release(lambda events: events[::-1])
            stream.lose, stream.copies = 1, 2
            for number in range(3, 5):
                stream.tell({"e": "executionReport", "i": number})
            got = [(await socket.receive_json(timeout=2))["i"] for _ in range(5)]
            await stream.cut()
    assert got == [2, 1, 0, 4, 4]
    assert [each["i"] for each in stream.told] == [0, 1, 2, 3, 4]
