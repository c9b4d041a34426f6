"""Recorded payloads of real venues through the real ccxt: spot ones come out as they say, the others are refused."""

import gzip
import json
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from engine.exchanges.ccxt.wire import redirected
from tests.fakes import payload_readers as reads
from tests.fakes.payload_readers import Reader, below, book, differ, rows

Json = Any
ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("GREENLIGHT_DATA", ROOT.parent / "shared" / "data"))
REST, SOCKETS = DATA / "exchange_rest", DATA / "exchange_ws"
pytestmark = pytest.mark.skipif(not REST.is_dir(), reason="the recorded payloads are not here (GREENLIGHT_DATA)")

NOT_SPOT = "no spot market's: futures, options or margin"
SAYS_NOTHING = "carries no value: a greeting, an acknowledgement or a count"
ADMINISTRATION = "about an account's keys and members, of which nothing is asked"
NO_READER = "ccxt has nothing that reads it"
NOT_ITS_WORDS = "types of accounts that the venue does not have: CRYPTO, where it says ACCOUNT_TYPE_CRYPTO"
ELSEWHERE = "of a venue that is not named"
OURS = "what was asked, not an answer"

order, fee, candle = rows(reads.binance_order), rows(reads.binance_fee), rows(reads.binance_candle)
RULES: tuple[tuple[str, str, Reader | str], ...] = (
    ("binance", "binance/futures/*", NOT_SPOT),
    ("binance", "binance/spot/http_json/account_response.json", reads.binance_account),
    ("binance", "binance/spot/http_json/account_trades_response.json", rows(reads.binance_my_trade)),
    ("binance", "binance/spot/http_json/*order*.json", order),
    ("binance", "binance/spot/http_json/avg_price_response.json", NO_READER),
    ("binance", "binance/spot/http_json/book_ticker_response.json", rows(reads.binance_ticker)),
    ("binance", "binance/spot/http_json/depth_response.json", book()),
    ("binance", "binance/spot/http_json/exchange_info_response.json", "markets"),
    ("binance", "binance/spot/http_json/klines_response.json", candle),
    ("binance", "binance/spot/http_json/ping_response.json", SAYS_NOTHING),
    ("binance", "binance/spot/http_json/server_time_response.json", "time"),
    ("binance", "binance/spot/http_json/ticker_24hr_response.json", rows(reads.binance_ticker)),
    ("binance", "binance/spot/http_json/ticker_price_response.json", rows(reads.binance_price)),
    ("binance", "binance/spot/http_json/trades_response.json", rows(reads.binance_trade)),
    ("binance", "binance/spot/user_data_json/list_status_wrapped.json", NO_READER),
    ("binance", "binance/spot/user_data_json/*", reads.binance_user_event),
    ("binance", "binance_py/http_responses/http_futures*", NOT_SPOT),
    ("binance", "binance_py/http_responses/http_spot_market_agg_trades.json", rows(reads.binance_agg_trade)),
    ("binance", "binance_py/http_responses/http_spot_market_avg_price.json", NO_READER),
    ("binance", "binance_py/http_responses/http_spot_market_depth.json", book()),
    ("binance", "binance_py/http_responses/http_spot_market_exchange_info.json", "markets"),
    ("binance", "binance_py/http_responses/http_spot_market_historical_trades.json", rows(reads.binance_trade)),
    ("binance", "binance_py/http_responses/http_spot_market_klines.json", candle),
    ("binance", "binance_py/http_responses/http_spot_market_time.json", "time"),
    ("binance", "binance_py/http_responses/http_wallet_trading_fees.json", fee),
    ("binance", "binance_py/ws_messages/ws_futures*", NOT_SPOT),
    ("binance", "binance_py/ws_messages/*binance_us.json", ELSEWHERE),
    ("binance", "binance_py/ws_messages/*", reads.binance_user_event),
    ("bybit", "bybit/http_get_instruments_spot*.json", "instruments"),
    ("bybit", "bybit/http_get_fee_rate.json", below("result", "list")(rows(reads.bybit_fee))),
    ("bybit", "bybit/http_get_order_partially_filled_rejected.json", below("result", "list")(rows(reads.bybit_order))),
    ("bybit", "bybit/http_get_orders_*.json", below("result", "list")(rows(reads.bybit_order))),
    ("bybit", "bybit/http_get_orderbook.json", below("result")(book("b", "a"))),
    ("bybit", "bybit/http_get_wallet_balance*.json", reads.bybit_balance),
    ("bybit", "bybit/*user*", ADMINISTRATION),
    ("bybit", "bybit/http_get_account_info.json", ADMINISTRATION),
    ("bybit", "bybit/ws_account_order_partially_filled_rejected.json", reads.bybit_event),
    ("bybit", "bybit/ws_account_wallet*.json", reads.bybit_event),
    ("bybit", "bybit/ws_kline.json", reads.bybit_event),
    ("bybit", "bybit/ws_orderbook_*.json", reads.bybit_event),
    ("bybit", "bybit/ws_auth*", SAYS_NOTHING),
    ("bybit", "bybit/ws_order_response.json", SAYS_NOTHING),
    ("bybit", "bybit/ws_subscription*", SAYS_NOTHING),
    ("bybit", "bybit/*", NOT_SPOT),
    ("coinbase", "coinbase/http_accounts.json", NOT_ITS_WORDS),
    ("coinbase", "coinbase/http_cfm_position.json", NOT_SPOT),
    ("coinbase", "coinbase/http_order.json", below("order")(reads.coinbase_order)),
    ("coinbase", "coinbase/http_orders_list.json", below("orders")(rows(reads.coinbase_order))),
    ("coinbase", "coinbase/http_product.json", reads.coinbase_market),
    ("coinbase", "coinbase/http_products.json", below("products")(rows(reads.coinbase_market))),
    ("coinbase", "coinbase/http_product_book.json", reads.coinbase_book),
    ("coinbase", "coinbase/http_ticker.json", below("trades")(rows(reads.coinbase_trade))),
    ("coinbase", "coinbase/ws_subscriptions.json", SAYS_NOTHING),
    ("coinbase", "coinbase/ws_l2_*.json", reads.coinbase_event),
    ("kraken", "kraken/http_server_time.json", "time"),
    ("kraken", "kraken/http_ticker.json", reads.kraken_ticker),
    ("kraken", "kraken/http_trades_history.json", reads.kraken_trades),
    ("kraken", "kraken/http_cancel_order_spot.json", SAYS_NOTHING),
    ("kraken", "kraken/http_spot_balance.json", NO_READER),
    ("kraken", "kraken/http_spot_open_positions.json", NOT_SPOT),
    ("kraken", "kraken/http_spot_trade_balance.json", NOT_SPOT),
    ("kraken", "kraken/*futures*", NOT_SPOT),
    ("kraken", "kraken/ws_l3*", NO_READER),
    ("kraken", "kraken/ws_batch_add_response_partial.json", NO_READER),
    ("kraken", "kraken/ws_amend_order_request.json", OURS),
    ("kraken", "kraken/ws_pong.json", SAYS_NOTHING),
    ("kraken", "kraken/ws_add_order_response_failure.json", "refusal"),
)
"""By the first pattern that fits: how a file is read, or why it is not."""


@dataclass(frozen=True, kw_only=True)
class Payload:
    name: str
    venue: str
    how: Reader | str
    data: Json


def files() -> Iterator[Payload]:
    root = REST / "nautilus"
    for path in sorted(root.rglob("*.json")):
        name = str(path.relative_to(root))
        found = [(venue, how) for venue, pattern, how in RULES if fnmatch(name, pattern)]
        assert found, f"nothing says how {name} is read"
        venue, how = found[0]
        yield Payload(name=name, venue=venue, how=how, data=json.loads(path.read_bytes()))


READ_BY_A_CALL = {"time", "markets", "instruments", "refusal"}
TIMES: dict[str, tuple[str, Callable[[Json], int]]] = {
    "binance": ("/api/v3/time", lambda data: int(data["serverTime"])),
    "kraken": ("/0/public/Time", lambda data: int(data["result"]["unixtime"]) * 1000),
}
"""Where a venue's time is asked for, and what an answer says in milliseconds."""


class Clients:
    """ccxt's clients, each with the markets that were recorded, before a server that tells recorded answers."""

    def __init__(self) -> None:
        self.answers: dict[str, Json] = {}
        self.url = ""
        self._made: list[Any] = []
        self._known: dict[str, Any] = {}

    async def serve(self, request: web.Request) -> web.Response:
        if request.path not in self.answers:
            return web.json_response({"error": [], "result": {}, "retCode": 0}, status=200)
        return web.json_response(self.answers[request.path])

    def new(self, venue: str) -> Any:
        """A client that has seen nothing yet but the markets."""
        import ccxt.pro

        client = getattr(ccxt.pro, venue)({"enableRateLimit": False, "options": {"fetchMarkets": {"types": ["spot"]}}})
        client.timeout_on_exit = 0
        client.urls["api"] = redirected(client.urls["api"], self.url)
        self._made.append(client)
        if venue in self._known:
            known = self._known[venue]
            client.markets, client.markets_by_id, client.symbols = known.markets, known.markets_by_id, known.symbols
            client.currencies, client.currencies_by_id = known.currencies, known.currencies_by_id
            client.options = {**known.options, **client.options}
        return client

    async def learn(self, venue: str, path: str, answer: Json) -> list[Json]:
        """Ask for a venue's markets by ccxt's own call, and keep them."""
        self.answers[path] = answer
        client = self.new(venue)
        markets = await client.fetch_markets()
        self.keep(venue, client, markets)
        return list(markets)

    def keep(self, venue: str, client: Any, markets: list[Json]) -> None:
        client.set_markets(markets)
        self._known[venue] = client

    async def close(self) -> None:
        for client in self._made:
            await client.close()


def recorded_rest() -> list[tuple[str, str, Json]]:
    with gzip.open(REST / "cryptofeed_rest_binance_coinbase_kraken.jsonl.gz", "rt") as lines:
        found = [json.loads(line) for line in lines]
    return [(each["exchange"], each["url"], each["body"]) for each in found]


@asynccontextmanager
async def recorded_clients() -> AsyncIterator[Clients]:
    clients = Clients()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", clients.serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    clients.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    bodies = {url.rpartition("/")[2]: body for _, url, body in recorded_rest()}
    await clients.learn("binance", INFO, bodies["exchangeInfo"])
    await clients.learn("kraken", "/0/public/AssetPairs", bodies["AssetPairs"])
    await clients.learn("coinbaseexchange", "/products", bodies["products"])
    spot = json.loads((REST / "nautilus/bybit/http_get_instruments_spot.json").read_bytes())
    await clients.learn(
        "bybit", "/v5/market/instruments-info", {**spot, "result": {**spot["result"], "category": "spot"}}
    )
    products = json.loads((REST / "nautilus/coinbase/http_products.json").read_bytes())["products"]
    coinbase = clients.new("coinbase")
    clients.keep("coinbase", coinbase, [coinbase.parse_spot_market(each, {}) for each in products])
    try:
        yield clients
    finally:
        await clients.close()
        await runner.cleanup()


INFO, INSTRUMENTS = "/api/v3/exchangeInfo", "/v5/market/instruments-info"


async def pairs_of(clients: Clients, payload: Payload) -> list[tuple[str, Any, Any]]:
    """What a payload says beside what was read of it."""
    client = clients.new(payload.venue)
    if payload.how == "instruments":
        clients.answers[INSTRUMENTS] = payload.data
        made = {each["id"]: each for each in await client.fetch_markets()}
        return [pair for row in payload.data["result"]["list"] for pair in instrument(row, made[row["symbol"]])]
    if payload.how == "markets":
        clients.answers[INFO] = payload.data
        made = {each["id"]: each for each in await client.fetch_markets()}
        return [pair for row in payload.data["symbols"] for pair in reads.binance_market(row, made[row["symbol"]])]
    if payload.how == "time":
        path, said = TIMES[payload.venue]
        clients.answers[path] = payload.data
        return [("time", said(payload.data), await client.fetch_time())]
    if payload.how == "refusal":
        wire = client.client("ws://127.0.0.1:9/")
        waiting = wire.future(str(payload.data["req_id"]))
        client.handle_message(wire, payload.data)
        return [("refusal", payload.data["error"], str(waiting.exception()))]
    assert callable(payload.how)
    if payload.name == "coinbase/ws_l2_data_update.json":  # which says what changed since the snapshot
        snapshot = json.loads((REST / "nautilus/coinbase/ws_l2_data_snapshot.json").read_bytes())
        client.handle_message(client.client("ws://127.0.0.1:9/"), snapshot)
    return list(payload.how(client, payload.data))


def instrument(row: Json, made: Json) -> list[tuple[str, Any, Any]]:
    lot, limits = row["lotSizeFilter"], made["limits"]
    return [
        ("base", row["baseCoin"], made["base"]),
        ("lot", lot["basePrecision"], made["precision"]["amount"]),
        ("tick", row["priceFilter"]["tickSize"], made["precision"]["price"]),
        ("least", lot["minOrderQty"], limits["amount"]["min"]),
        ("cost", lot["minOrderAmt"], limits["cost"]["min"]),
    ]


async def judge(clients: Clients, payload: Payload) -> tuple[bool, list[Any]]:
    """Whether a payload is read, and what came out of it otherwise than it says."""
    if isinstance(payload.how, str) and payload.how not in READ_BY_A_CALL:
        return False, []
    try:
        pairs = await pairs_of(clients, payload)
    except Exception as error:  # noqa: BLE001 - whatever ccxt stumbles over is told with the file's name
        return True, [repr(error)]
    wrong = [pair for pair in pairs if differ(pair[1], pair[2])]
    return True, wrong if pairs else ["nothing was read"]


@pytest.mark.slow
async def test_every_spot_payload_comes_out_as_it_says_and_the_others_are_refused() -> None:
    read, refused, wrong = Counter[str](), Counter[str](), {}
    async with recorded_clients() as clients:
        for payload in files():
            is_read, differences = await judge(clients, payload)
            (read if is_read else refused)[payload.venue] += 1
            if differences:
                wrong[payload.name] = differences[:6]
    assert not wrong, "\n".join(f"{name}: {each}" for name, each in wrong.items())
    assert read == {"binance": 46, "bybit": 19, "coinbase": 8, "kraken": 4}
    assert refused == {"binance": 64, "bybit": 45, "coinbase": 3, "kraken": 25}


async def test_the_long_answers_of_rest_come_out_as_they_say() -> None:
    """Every market of Binance, Coinbase's exchange and Kraken, and four books a thousand levels deep."""
    wrong, counted = [], Counter[str]()
    async with recorded_clients() as clients:
        for venue, url, body in recorded_rest():
            for what, said, made in long_answer(clients, venue, url, body):
                counted[f"{venue} {what}"] += 1
                if differ(said, made):
                    wrong.append((url, what, said, made))
    assert wrong[:5] == []
    assert counted["BINANCE tick"] == 1695
    assert counted["BINANCE bids"] + counted["BINANCE asks"] == 2 * 4648
    assert (counted["COINBASE tick"], counted["KRAKEN tick"]) == (162, 304)


def long_answer(clients: Clients, venue: str, url: str, body: Json) -> Iterator[tuple[str, Any, Any]]:
    client = clients.new({"BINANCE": "binance", "COINBASE": "coinbaseexchange", "KRAKEN": "kraken"}[venue])
    if "depth" in url:
        yield from book()(client, body)
    elif venue == "BINANCE":
        for row in body["symbols"]:
            yield from reads.binance_market(row, client.markets_by_id[row["symbol"]][0])
    elif venue == "COINBASE":
        for row in body:
            made = client.markets_by_id[row["id"]][0]
            yield from (
                ("base", row["base_currency"], made["baseId"]),
                ("quote", row["quote_currency"], made["quoteId"]),
            )
            yield from (("tick", row["quote_increment"], made["precision"]["price"]),)
            yield from (("lot", row["base_increment"], made["precision"]["amount"]),)
    else:
        for name, row in body["result"].items():
            made = client.markets_by_id[name][0]
            yield "name", row["altname"], made["altname"]
            yield "tick", 10.0 ** -row["pair_decimals"], made["precision"]["price"]
            yield "least", row.get("ordermin"), made["limits"]["amount"]["min"]


async def test_the_recorded_feed_of_coinbases_exchange_comes_out_as_it_says() -> None:
    """Every change of a book is looked for in the book; subscriptions say nothing, and last matches ccxt leaves out."""
    counted, wrong = Counter[str](), []
    async with recorded_clients() as clients:
        client = clients.new("coinbaseexchange")
        for data in messages("cryptofeed_COINBASE.ws.28.0.txt.gz"):
            if data["type"] in {"subscriptions", "last_match"}:
                counted[f"refused: {data['type']}"] += 1
                continue
            counted[data["type"]] += 1
            wrong += [each for each in reads.coinbase_exchange_event(client, data) if differ(each[1], each[2])]
    assert wrong == []
    read = {"l2update": 7018, "match": 39, "snapshot": 10, "ticker": 49}
    assert counted == {**read, "refused: last_match": 10, "refused: subscriptions": 3}


def messages(name: str) -> Iterator[Json]:
    """What came in, in a recording whose lines begin with a time; what was asked has an arrow instead."""
    with gzip.open(SOCKETS / name, "rt") as lines:
        for line in lines:
            at, _, text = line.partition(": ")
            if "<" not in at and text.strip():
                yield json.loads(text)


async def test_what_ccxt_no_longer_speaks_or_is_not_spot_is_refused() -> None:
    """Kraken's first websocket interface, of which ccxt makes nothing, and the streams of Binance's futures."""
    counted = Counter[str]()
    async with recorded_clients() as clients:
        client = clients.new("kraken")
        wire = client.client("ws://127.0.0.1:9/")
        for number in (48, 49, 50):
            for data in messages(f"cryptofeed_KRAKEN.ws.{number}.0.txt.gz"):
                client.handle_message(wire, data)
                counted["kraken: an older interface" if isinstance(data, list) else "kraken: says nothing"] += 1
        assert not client.trades
        assert not client.tickers
        assert not client.orderbooks
    for data in messages("cryptofeed_BINANCE_FUTURES.ws.1.0.txt.gz"):
        assert "stream" in data
        counted["binance: not spot"] += 1
    assert counted == {"binance: not spot": 1535, "kraken: an older interface": 4305, "kraken: says nothing": 125}
