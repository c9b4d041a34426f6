"""What ``bot status`` and ``bot emergency`` print of what the running instance answers: text for people."""

import asyncio
import json
from dataclasses import replace
from decimal import Decimal

import pytest

from bot import asking
from config.loader import load
from engine.domain.errors import GreenlightError, StoreError
from engine.domain.halt_views import EmergencyView, Exposed
from engine.domain.halts import HaltKind
from handlers.cards import account
from tests.fakes import reports
from tests.fakes.web import TOKEN, served

DRAWDOWN = Decimal("0.01539278239536817576616664334")
EXPOSED = Exposed(entries=(reports.order(id="O9"),), positions=(reports.position(),), approvals=2)


@pytest.fixture
async def web(tmp_path):
    async with served(tmp_path) as room:
        yield room


@pytest.fixture
def settings(web, tmp_path):
    sections = {"web": {"port": web.server.port}, "database": {"url": f"sqlite:///{tmp_path}/none/bot.sqlite"}}
    return load(None, None, sections, {"BOT_WEB__TOKEN": TOKEN}, tmp_path).settings


async def test_the_status_reads_as_in_the_chat(web, settings):
    halts = (reports.halt(), replace(reports.halt(HaltKind.STORE, reason="The disk is full."), id=""))
    web.room.views.changes = {
        "drawdown": DRAWDOWN,
        "equity": Decimal("10012.3456000001234"),
        "halts": halts,
        "trading": False,
        "no_entry": "the clock is 9 s off",
    }
    said = await asyncio.to_thread(asking.status, settings, as_json=False)
    card = account.status(await web.room.views.status(), hints=False)
    assert said == f"{card.plain}\nVersion: 1.2.3"
    assert "Equity: 10,012.35 USDT" in said
    assert "Drawdown: 1.54%" in said
    assert "Strategies: btc_momentum, eth_reversion" in said
    assert "Storage halt" not in said
    assert "\nstorage halt: The disk is full." in said
    assert "The clock is 9 s off" in said


async def test_the_status_as_json_is_the_answer_of_the_api(web, settings):
    web.room.views.changes = {"halts": (reports.halt(),)}
    said = await asyncio.to_thread(asking.status, settings, as_json=True)
    bearer = {"authorization": f"Bearer {TOKEN}"}
    assert json.loads(said) == (await web.client.get("/api/status", headers=bearer)).json()


async def test_the_emergency_stop_is_told_with_what_it_would_sell_and_its_value(web, settings):
    async def exposed():
        return EXPOSED

    web.room.views.exposed = exposed
    said = await asyncio.to_thread(asking.exposed, settings)
    held = EXPOSED.positions[0]
    assert said.splitlines() == [
        "To cancel: O9, buy 0.00617 BTC/USDT",
        f"To sell: {held.id}, {held.quantity.normalize():f} BTC/USDT, now 124.02 USDT",
        "Open approvals: 2",
        "Nothing was done. bot emergency --now halts entries and sells everything.",
    ]
    assert "The emergency stop H2 stands" in await asyncio.to_thread(asking.stop_everything, settings)


async def test_an_emergency_stop_that_stands_is_told_with_what_it_waits_for(web, settings):
    async def exposed():
        return EXPOSED

    async def emergency(_):
        waits = "T3 BTC/USDT: BTC/USDT is not traded: binance has halted it; tried again in 30 s"
        return EmergencyView(halt=reports.halt(HaltKind.EMERGENCY), note=waits, left=EXPOSED, closed=())

    web.room.views.exposed, web.room.views.emergency = exposed, emergency
    web.room.views.halts_by_id = {"H1": reports.halt(HaltKind.EMERGENCY)}
    said = (await asyncio.to_thread(asking.exposed, settings)).splitlines()
    assert said[1].startswith("To sell: T3")
    assert said[3].startswith("The emergency stop H1 stands since ")
    assert said[4].endswith("binance has halted it; tried again in 30 s")
    assert "Nothing was done" not in said[5]


async def test_what_the_bot_cannot_answer_is_told_in_its_own_words(web, settings):
    async def broken():
        raise StoreError("The disk is full.", "Make room on it.")

    web.room.views.status = broken
    with pytest.raises(GreenlightError, match=r"cannot answer: 503\. The disk is full\. Make room on it\."):
        await asyncio.to_thread(asking.status, settings, as_json=False)
