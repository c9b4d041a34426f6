"""Profile paper as a user has it, on the wall's clock, against a venue on loopback that speaks Binance's words."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest

from bot.app import App
from config.loader import load
from config.settings import Settings
from engine.domain.errors import ConfigError
from engine.domain.market import to_millis
from engine.domain.orders import Ack, OrderRequest, OrderType, Side, client_id
from tests.auditor import check_conservation
from tests.fakes.breaking_out import BreakingOut, next_minute
from tests.fakes.exchange import (
    DEPTH,
    HTML,
    INFO,
    KLINES,
    MINUTE,
    NAN,
    SPIKE,
    FakeExchange,
    Symbol,
    listening,
    now_ms,
    scaled,
    slow,
    too_fast,
    wandering,
)
from tests.fakes.patience import until
from tests.fakes.plain import PLAIN
from tests.fakes.program import CHAT, TOKEN, VENUE, Files, address, environ, running
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_chats import Shown

AUTHORISED = {"authorization": f"Bearer {TOKEN}"}
ETH_IS_HALTED = "ETH/USDT: binance has halted it"


def settings_of(
    folder: Path,
    url: str,
    markets: Sequence[str] = ("BTC/USDT",),
    telegram: FakeTelegram | None = None,
    *,
    secrets: Mapping[str, str] = MappingProxyType({}),
    **more: Any,
) -> Settings:
    """Profile paper with the venue on loopback, one impatient context, and nothing traded without being asked."""
    sections = {
        "extends": "paper",
        "database": {"url": f"sqlite:///{folder}/greenlight.sqlite"},
        "venue": {"file": str(folder / VENUE)},
        "web": {"port": 0},
        "sentiment": {"enabled": False},  # nobody outside is asked
        "exchanges": {"binance": {"api_url": url, "poll_every": 0.3, "answer_within": 2}},
        "approval": {"auto_above": 2, "ask_above": 0, "max_price_drift": 0.05},
        "contexts": [
            {"name": "trend", "strategy": "momentum", "markets": list(markets), "timeframe": "1m", "higher": []}
        ],
    }
    if telegram is not None:
        sections["telegram"] = {"api_url": telegram.url, "chat_id": CHAT, "poll_timeout": 2}
    file = folder / "paper.yaml"
    file.write_text(json.dumps(sections | more))  # JSON is YAML
    return load(None, file, {}, environ(telegram) | dict(secrets), folder).settings


class Falling:
    """A market that lies still at a price, and is at another one from one moment to another."""

    def __init__(self, base: str = "BTC", usual: float = 20_000.0, **steps: str) -> None:
        self.usual, self.fallen = usual, usual
        self.begins = self.ends = math.inf
        self.symbol = Symbol(base=base, price=self.price, level_quantity=100.0, **steps)

    def price(self, at: int) -> float:
        return self.fallen if self.begins <= at < self.ends else self.usual

    def fall(self, share: float, seconds: float = math.inf) -> None:
        """Fall by a share of the price, for so long from now on."""
        self.fallen, self.begins = self.usual * (1 - share), now_ms()
        self.ends = self.begins + seconds * 1000

    async def hold(self, app: App, quantity: str, stop: float, name: str = "BTC/USDT") -> str:
        """Buy, and protect it by a stop at a share of the price; the id of what protects it."""
        assert app.program is not None
        venue, now, price = app.program.engine.venues["paper"], time.time_ns(), Decimal(str(self.usual))
        tick = Decimal(self.symbol.tick)
        plain = OrderRequest(
            venue="paper", client_id=client_id(f"buy {name} {now}"), symbol=name, side=Side.BUY, type=OrderType.MARKET,
            quantity=Decimal(quantity),
        )  # fmt: skip
        guard = replace(
            plain, client_id=client_id(f"guard {name} {now}"), side=Side.SELL, type=OrderType.OCO,
            trigger_price=Decimal(str(stop)) * price // tick * tick, limit_price=2 * price // tick * tick,
        )  # fmt: skip
        assert isinstance(await venue.submit(plain), Ack)
        assert isinstance(await venue.submit(guard), Ack)
        self.symbol.level_quantity /= 100
        return guard.client_id


async def get(app: App, path: str) -> Any:
    async with httpx.AsyncClient(base_url=address(app), headers=AUTHORISED, verify=PLAIN) as client:
        answer = await client.get(path)
        return answer.json()


def part(app: App, name: str = "market data") -> str:
    assert app.program is not None
    return next(part.detail for part in app.program.engine.health.parts() if part.name == name)


async def all_in(app: App) -> None:
    """Wait until everything that is traded has a price and its candles."""
    assert app.program is not None
    assert app.program.engine.market.live is not None
    assert await app.program.engine.market.live.first(20) == "ok"


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_from_a_closed_candle_of_a_real_venue_to_a_stop_that_was_hit_over_a_restart(tmp_path: Path) -> None:
    market, files = BreakingOut(next_minute()), Files(folder=tmp_path)
    halted = Symbol(base="ETH", price=lambda _: 3_000.0, status="BREAK")
    async with listening([market.symbol, halted]) as fake:
        settings = settings_of(tmp_path, fake.url, ["BTC/USDT", "ETH/USDT"])
        async with running(settings) as app:
            status = await get(app, "/api/status")
            assert status["profile"] == "paper"
            await until(lambda: part(app) == ETH_IS_HALTED)
            await until(lambda: bool(files.rows("SELECT * FROM approvals")), seconds=90)
            (stopped,) = files.rows("SELECT * FROM halts WHERE symbol = 'ETH/USDT'")
            assert (stopped["kind"], "has halted it" in stopped["reason"]) == ("data", True)
            await until(lambda: bool(files.events("PlatformTroubled")))
            asked = files.approval()
            assert asked["status"] == "pending"
            (decision,) = files.rows("SELECT * FROM decisions WHERE id = ?", asked["decision_id"])
            assert time.time() * 1000 - market.closes < 30_000
            async with httpx.AsyncClient(base_url=address(app), headers=AUTHORISED, verify=PLAIN) as client:
                assert (await client.post("/api/approvals/A1/approve")).status_code == 200
            await until(lambda: files.approval()["status"] == "ordered")
            await until(lambda: bool(files.rows("SELECT * FROM orders WHERE type = 'oco' AND status = 'open'")))
            bought = files.venue("SELECT * FROM fills")
            book = market.symbol.depth(now_ms(), 100)
            assert all(abs(float(fill["price"]) - float(book["asks"][0][0])) < 60 for fill in bought), (bought, book)
            assert all(Decimal(fill["price"]) % Decimal("0.01") == 0 for fill in bought), bought
        assert files.complaints() == []

        async with running(settings) as app:
            await until(lambda: part(app) == ETH_IS_HALTED)
            assert [held["symbol"] for held in await positions(app)] == ["BTC/USDT"]
            assert files.complaints() == []
            market.fallen_at = now_ms()
            await until(lambda: bool(files.rows("SELECT * FROM positions WHERE status = 'closed'")), seconds=30)
        (closed,) = files.rows("SELECT * FROM positions")
        assert closed["closed_by"] == "stop"
        assert files.complaints() == []
        assert fake.asked()[KLINES] < 40, "it polls candles that have not changed"
    assert decision["symbol"] == "BTC/USDT"


async def positions(app: App) -> list[dict[str, Any]]:
    found = await get(app, "/api/positions")
    return found if isinstance(found, list) else found["positions"]


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("minutes", [10, -10], ids=["slow", "fast"])
async def test_by_a_clock_that_is_minutes_wrong_nothing_is_entered(tmp_path: Path, minutes: int) -> None:
    """Our clock is slow where the venue's is ahead. The set-up appears in the minute that closes for both of them."""
    closes = next_minute(25)
    market, files = BreakingOut(closes + min(0, minutes) * MINUTE), Files(folder=tmp_path)
    async with listening([market.symbol]) as fake:
        fake.ahead = timedelta(minutes=minutes)
        async with running(settings_of(tmp_path, fake.url)) as app:
            await all_in(app)
            words = f"this machine's clock is 10 min {'behind' if minutes > 0 else 'ahead of'} binance's"
            assert part(app, "clock") == f"{words}: nothing is entered on 1m candles"
            assert (await get(app, "/api/status"))["status"] == "paused"
            await until(lambda: bool(files.events("PlatformTroubled")))
            assert files.events("PlatformTroubled")[0]["platform"] == "clock"
            await until(lambda: bool(files.rows("SELECT * FROM decisions")), seconds=150)
            (decision,) = files.rows("SELECT * FROM decisions")
            if minutes > 0:
                assert decision["stance"] == "enter", "what it saw was a set-up"
                assert words in decision["record"]
            assert decision["status"] == ("refused" if minutes > 0 else "held")
            assert files.rows("SELECT * FROM halts") == [], "the clock is told of by itself"
            assert files.rows("SELECT * FROM approvals") == []
            fake.ahead = timedelta(0)
            await until(lambda: part(app, "clock") == "ok")
            assert (await get(app, "/api/status"))["status"] == "trading"
            await until(lambda: bool(files.events("PlatformRecovered")))
        assert files.complaints() == []


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_one_bad_answer_costs_nothing_and_what_stays_bad_is_halted_until_it_is_good(tmp_path: Path) -> None:
    """No other close comes before the one that counts, and on a busy machine the venue may take its time."""
    await until(lambda: now_ms() % MINUTE < MINUTE / 3, seconds=60)
    market, files = BreakingOut(next_minute(0)), Files(folder=tmp_path)
    steady = Symbol(base="ETH", price=wandering(3_000, 4), level_quantity=20.0)
    async with listening([market.symbol, steady]) as fake:
        venues = {"binance": {"api_url": fake.url, "poll_every": 2, "answer_within": 20}}
        async with running(settings_of(tmp_path, fake.url, ["BTC/USDT", "ETH/USDT"], exchanges=venues)) as app:
            await all_in(app)
            fake.fail(KLINES, NAN, symbol="BTCUSDT")
            fake.fail(KLINES, SPIKE, symbol="ETHUSDT", times=1000)
            await until(lambda: bool(files.rows("SELECT * FROM approvals")), seconds=120)
            (entered,) = files.rows("SELECT at FROM decisions WHERE stance = 'enter'")
            assert to_millis(datetime.fromisoformat(entered["at"]).replace(tzinfo=UTC)) == market.closes
            (halt,) = files.rows("SELECT * FROM halts")
            assert (halt["symbol"], halt["kind"]) == ("ETH/USDT", "data")
            assert "bad tick" in halt["reason"]
            decided = len(files.rows("SELECT * FROM decisions"))
            fake.heal()
            await until(lambda: files.rows("SELECT status FROM halts") == [{"status": "ended"}], seconds=40)
            assert len(files.rows("SELECT * FROM decisions")) == decided, "it did not wait for the next close"
            assert part(app) == "ok"
        assert files.events("PlatformTroubled") == []


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("kind", ["refused", "slow"])
async def test_an_outage_over_a_close_is_one_card_and_ends_in_one_edit(tmp_path: Path, kind: str) -> None:
    files, markets = Files(folder=tmp_path), ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
    async with listening() as fake, FakeTelegram() as telegram:
        telegram.chat(CHAT)
        if kind == "refused":
            await fake.stop()
        else:
            for path in (INFO, DEPTH, KLINES):
                fake.fail(path, slow(60), times=100_000)
        async with running(settings_of(tmp_path, fake.url, markets, telegram)) as app:
            await until(lambda: len(files.rows("SELECT * FROM decisions")) == 3, seconds=120)
            assert (await get(app, "/api/status"))["status"] == "paused"
            await telegram.wait_for(lambda: outage_cards(telegram) and files.is_quiet(), 30)
            (told,) = outage_cards(telegram)
            assert told.text.startswith("Market data is in trouble (P1)")
            assert "(all 3 markets)" in told.text
            if kind == "refused":
                await fake.start()
            else:
                fake.heal()
            await until(lambda: part(app) == "ok", seconds=40)
            await until(lambda: bool(files.events("PlatformRecovered")), seconds=40)
            await telegram.wait_for(files.is_quiet, 30)
        (told,) = outage_cards(telegram)
        assert told.text.startswith("Market data works again (P1)")
        assert len(told.edits) == 1
        assert (len(files.events("PlatformTroubled")), files.rows("SELECT * FROM halts")) == (1, [])


def outage_cards(telegram: FakeTelegram) -> list[Shown]:
    """Every card but the welcome."""
    return [shown for shown in telegram.messages(CHAT) if not shown.text.startswith("Greenlight is running")]


@pytest.mark.slow
async def test_a_venue_that_is_down_at_the_start_is_told_of_and_waited_for(tmp_path: Path) -> None:
    fake, told = FakeExchange(), list[str]()
    await fake.start()
    await fake.stop()
    async with running(settings_of(tmp_path, fake.url), announce=told.append) as app:
        assert (await get(app, "/api/status"))["profile"] == "paper"
        await until(lambda: "cannot be reached" in part(app))
        await fake.start()
        try:
            await until(lambda: part(app) == "ok")
            await until(lambda: any("prices and candles are in" in line for line in told))
        finally:
            await fake.stop()


@pytest.mark.slow
async def test_a_venue_that_asks_for_quiet_gets_it_and_is_asked_again(tmp_path: Path) -> None:
    async with listening() as fake, running(settings_of(tmp_path, fake.url)) as app:
        await all_in(app)
        fake.fail(DEPTH, too_fast(429, 1), too_fast(418, 2))
        await until(lambda: "asked for quiet" in part(app))
        calls, before = len(fake.calls), part(app)
        await until(lambda: part(app) not in (before, "ok"))
        assert "asked for quiet; it is asked again at" in part(app)
        assert len(fake.calls) - calls <= 1, "the 418 came after the 429 was over, and nothing else"
        await until(lambda: part(app) == "ok")


@pytest.mark.slow
async def test_html_and_a_dead_server_do_not_keep_the_chat_from_answering(tmp_path: Path) -> None:
    async with listening() as fake, running(settings_of(tmp_path, fake.url)) as app:
        await all_in(app)
        fake.fail(DEPTH, HTML, times=1000)
        fake.fail(KLINES, HTML, times=1000)
        await until(lambda: "no JSON" in part(app))
        assert (await get(app, "/api/status"))["profile"] == "paper"
        fake.heal()
        await until(lambda: part(app) == "ok")


def sold(files: Files, guard: str) -> tuple[str, list[Decimal], Decimal]:
    """What became of a protection: its status, its prices, and how much it has sold."""
    (order,) = files.venue("SELECT * FROM orders WHERE client_id = ?", guard)
    fills = files.venue("SELECT * FROM fills WHERE client_id = ?", guard)
    prices = [Decimal(fill["price"]) for fill in fills]
    return order["status"], prices, sum((Decimal(fill["quantity"]) for fill in fills), Decimal(0))


def rich(folder: Path, url: str, *markets: str) -> Settings:
    """As before, with the money for positions of many times what a minute trades."""
    settings = settings_of(folder, url, markets)
    venue = settings.venue.model_copy(update={"balances": {"USDT": Decimal(100_000_000)}})
    return settings.model_copy(update={"venue": venue})


@pytest.mark.slow
async def test_a_stop_in_a_market_that_no_context_trades_any_more_is_reached(tmp_path: Path) -> None:
    market, files = Falling(), Files(folder=tmp_path)
    async with listening([market.symbol, Symbol(base="ETH", price=lambda _: 3_000.0)]) as fake:
        async with running(settings_of(tmp_path, fake.url, ["BTC/USDT", "ETH/USDT"])) as app:
            await all_in(app)
            guard = await market.hold(app, "0.1", 0.95)
            await until(lambda: bool(files.rows("SELECT * FROM positions WHERE status = 'open'")))
        async with running(settings_of(tmp_path, fake.url, ["ETH/USDT"])) as app:
            await all_in(app)
            market.fall(0.075)
            await until(lambda: sold(files, guard)[0] == "filled", seconds=20)


COINS = {
    "BTC/USDT": (20_000.0, "2000", {}),
    "SHIB/USDT": (0.00002, "20000", {"tick": "0.00000001", "lot": "1.00000000", "min_notional": "0.001"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("symbol", COINS)
async def test_a_dip_while_the_program_was_stopped_sells_a_huge_position_whole_where_it_was_traded(
    tmp_path: Path, symbol: str
) -> None:
    usual, quantity, steps = COINS[symbol]
    market, files = Falling(symbol.partition("/")[0], usual, **steps), Files(folder=tmp_path)
    async with listening([market.symbol]) as fake:
        settings = rich(tmp_path, fake.url, symbol)
        async with running(settings) as app:
            await all_in(app)
            guard = await market.hold(app, quantity, 0.95, symbol)
        market.fall(0.075, seconds=2)
        await until(lambda: now_ms() > market.ends)
        async with running(settings) as app:
            await all_in(app)
            await until(lambda: sold(files, guard)[0] != "open")
        status, prices, total = sold(files, guard)
        dipped, tick = Decimal(str(usual)) * Decimal("0.925"), Decimal(market.symbol.tick)
        assert (status, total) == ("filled", Decimal(quantity))
        near = dipped * Decimal("0.99"), dipped * Decimal("1.002")
        assert all(near[0] <= price <= near[1] and price % tick == 0 for price in prices), "nobody traded at its stop"
        assert check_conservation(files.venue_file) == []


@pytest.mark.slow
async def test_one_wrong_book_sells_nothing_and_a_real_crash_sells_at_its_own_price(tmp_path: Path) -> None:
    market, files = Falling(), Files(folder=tmp_path)
    async with listening([market.symbol]) as fake, running(rich(tmp_path, fake.url, "BTC/USDT")) as app:
        await all_in(app)
        guard = await market.hold(app, "2000", 0.98)
        for fault in (scaled(bids=0.9), scaled(bids=0.9, asks=0.9), scaled(bids=2.2, asks=2.2)):
            fake.fail(DEPTH, fault)
            await until(lambda: "that is looked at again" in part(app))
            await until(lambda: part(app) == "ok")
        assert sold(files, guard) == ("open", [], 0)
        market.fall(0.1)
        await until(lambda: sold(files, guard)[0] != "open")
        status, prices, total = sold(files, guard)
        assert (status, total) == ("filled", Decimal(2000))
        assert all(Decimal(17_990) <= price < Decimal(18_000) for price in prices), "nobody saw 19,600"


@pytest.mark.slow
async def test_a_market_whose_book_hangs_keeps_no_other_from_its_stop(tmp_path: Path) -> None:
    falling, hung, files = Falling(), Falling("ETH", 3_000.0), Files(folder=tmp_path)
    both = [falling.symbol, hung.symbol]
    async with listening(both) as fake, running(rich(tmp_path, fake.url, "BTC/USDT", "ETH/USDT")) as app:
        await all_in(app)
        guards = await falling.hold(app, "100", 0.95), await hung.hold(app, "100", 0.95, "ETH/USDT")
        fake.fail(DEPTH, slow(60), symbol="ETHUSDT", times=1000)
        await until(lambda: "does not answer" in part(app))
        falling.fall(0.1)
        await until(lambda: sold(files, guards[0])[0] != "open")
        assert "does not answer" in part(app)
        assert (sold(files, guards[0])[2], sold(files, guards[1])) == (100, ("open", [], 0))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, r"live_trading: profile prod .*Write live_trading: \"I understand\""),
        ({"BOT_LIVE_TRADING": "yes"}, "live_trading: "),
        (
            {"BOT_LIVE_TRADING": "I understand"},
            "exchanges.binance.api_key: must be set.*BOT_EXCHANGES__BINANCE__API_KEY",
        ),
    ],
)
async def test_prod_does_not_start(tmp_path: Path, said: dict[str, str], words: str) -> None:
    database = {"BOT_DATABASE__URL": f"sqlite:///{tmp_path}/prod/greenlight.sqlite"}
    with pytest.raises(ConfigError, match=words):
        await App(load("prod", None, {}, said | database, tmp_path).settings, announce=lambda _: None).run()
    assert not (tmp_path / "prod").exists()
