"""The engine as the settings have it put together."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from bot.engine import build_engine
from bot.markets import source
from config.loader import load
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
