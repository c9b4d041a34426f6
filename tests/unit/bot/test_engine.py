"""The engine as the settings have it put together."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from bot.engine import build_engine
from bot.markets import source
from bot.venue_keys import keys_of
from bot.venues import venue_files, venue_names, venue_of
from config.loader import load
from config.settings import Settings
from engine.domain.errors import ConfigError
from engine.domain.orders import OrderRequest, OrderState, OrderType, Side
from engine.store.database import nowhere
from engine.store.location import url_of
from tests.fakes.database import new_file


async def test_each_venue_of_a_replay_takes_the_fees_of_its_exchange(tmp_path: Path) -> None:
    context = {"strategy": "momentum", "timeframe": "1h", "markets": ["BTC/USDT"]}
    names = ("binance", "coinbase", "kraken")
    asked = {
        "database": {"url": url_of(new_file(tmp_path))},
        "exchanges": {"binance": {"fee": "0.00075", "fee_in": "received"}, "coinbase": {}, "kraken": {"fee": "0.0026"}},
        "contexts": [{**context, "name": name, "exchange": name} for name in names],
        "venue": {"fee": "0.002"},
    }
    settings = load("demo", None, asked, {}, tmp_path).settings
    engine = await build_engine(settings, source(settings), nowhere)
    try:
        found = {}
        for name, venue in engine.venues.items():
            order = OrderRequest(
                client_id=name,
                venue=name,
                symbol="BTC/USDT",
                side=Side.BUY,
                type=OrderType.MARKET,
                quantity=Decimal("0.01"),
            )
            await venue.submit(order)
            state = await venue.find("BTC/USDT", name)
            assert isinstance(state, OrderState)
            fill = state.fills[0]
            assert fill.fee is not None
            whole = fill.quantity if fill.fee.currency == "BTC" else fill.value
            found[name] = fill.fee.currency, round(fill.fee.amount / whole, 5)
        assert found == {
            "binance": ("BTC", Decimal("0.00075")),
            "coinbase": ("USDT", Decimal("0.00200")),
            "kraken": ("USDT", Decimal("0.00260")),
        }
    finally:
        for venue in engine.venues.values():
            venue.close()
        await engine.store.close()


def real_settings(folder: Path, **exchanges: dict[str, object]) -> Settings:
    contexts = [
        {"name": name, "exchange": name, "strategy": "momentum", "timeframe": "1h", "markets": ["BTC/USDT"]}
        for name in exchanges
    ]
    asked = {
        "database": {"url": url_of(new_file(folder))},
        "exchanges": exchanges,
        "contexts": contexts,
        "sentiment": {"enabled": False},
    }
    keys = {
        f"BOT_EXCHANGES__{name.upper()}__{each}": "loopback-key-0123"
        for name, one in exchanges.items()
        if one.get("orders") == "real"
        for each in ("API_KEY", "SECRET")
    }
    return load("paper", None, asked, keys, folder).settings


async def test_two_accounts_of_a_venue_and_play_money_are_three_venues_by_name(tmp_path: Path) -> None:
    settings = real_settings(
        tmp_path, binance={"orders": "real"}, second={"orders": "real", "venue": "binance"}, play={"venue": "binance"}
    )
    assert venue_names(settings) == ("paper", "binance", "second")
    assert [venue_of(settings, each) for each in settings.contexts] == ["binance", "second", "paper"]
    assert list(venue_files(settings)) == ["paper"]


async def test_where_every_order_is_real_there_is_no_paper_venue(tmp_path: Path) -> None:
    settings = real_settings(tmp_path, binance={"orders": "real"})
    assert venue_names(settings) == ("binance",)
    assert venue_files(settings) == {}


async def test_a_venue_without_keys_takes_no_real_orders(tmp_path: Path) -> None:
    settings = real_settings(tmp_path, binance={})
    with pytest.raises(ConfigError, match="BOT_EXCHANGES__BINANCE__API_KEY"):
        keys_of("binance", settings.exchanges["binance"])
