"""``bot order --dry-run`` against a venue on loopback: what would be sent, to whom, and that nothing is."""

from __future__ import annotations

import re
import subprocess
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from bot.order_preview import lines, look
from config.loader import load
from config.settings import Settings
from engine.domain.errors import BadInput
from engine.domain.orders import OrderRequest, OrderType, Side
from tests.fakes.told import BOT, quiet
from tests.fakes.venues.binance import FakeBinance


@pytest.fixture
async def fake() -> AsyncIterator[FakeBinance]:
    venue = FakeBinance(balances={"USDT": "10000"})
    await venue.start()
    yield venue
    await venue.stop()


def settings_of(folder: Path, fake: FakeBinance, profile: str = "prod") -> Settings:
    environ = {
        "BOT_EXCHANGES__BINANCE__API_KEY": fake.keys.key,
        "BOT_EXCHANGES__BINANCE__SECRET": fake.keys.secret,
        "BOT_EXCHANGES__BINANCE__API_URL": fake.url,
        "BOT_EXCHANGES__BINANCE__FEE": "0.002",
    }
    return load(profile, None, {}, environ, folder).settings


def asked(symbol: str = "BTC/USDT") -> OrderRequest:
    return OrderRequest(
        client_id="", venue="", symbol=symbol, side=Side.BUY, type=OrderType.MARKET, quantity=Decimal("0.01")
    )


async def test_it_names_the_account_the_price_and_the_fees_and_sends_nothing(tmp_path: Path, fake: FakeBinance) -> None:
    said = lines(*await look(settings_of(tmp_path, fake), asked()))
    assert said[0] == f"To binance, real money, key ends in {fake.keys.key[-4:]}:"
    assert said[1] == "  buy 0.01 BTC/USDT at market"
    assert re.match(r"  worth \d+\.\d\d USDT, fees about ", said[2]), "to the cent, as stages of capital are"
    assert "by the book of now" in said[3]
    assert said[-1] == "Nothing was sent."
    assert dict(fake.matching.accepted) == {}
    assert fake.keys.secret not in "\n".join(said)


async def test_with_play_money_it_says_so(tmp_path: Path, fake: FakeBinance) -> None:
    settings = settings_of(tmp_path, fake, "paper")
    assert lines(*await look(settings, asked()))[0] == "To the paper venue, along binance's prices:"


async def test_a_market_that_is_not_there_is_answered_with_the_nearest(tmp_path: Path, fake: FakeBinance) -> None:
    with pytest.raises(BadInput, match=r"no market BTC/USDX\. Did you mean BTC/USD"):
        await look(settings_of(tmp_path, fake), asked(symbol="BTC/USDX"))


async def test_where_there_is_no_venue_of_now_it_says_which_profiles_have_one(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no venue of now in profile demo"):
        await look(load("demo", None, {}, {}, tmp_path).settings, asked())


def test_without_dry_run_nothing_is_looked_at_nor_sent(tmp_path: Path) -> None:
    done = subprocess.run(
        [BOT, "order", "BTC/USDT", "buy", "0.01"],
        cwd=tmp_path,
        env=quiet(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "--dry-run" in done.stderr
    assert "Traceback" not in done.stderr
