"""Pictures on every platform: the account's equity and the candles of a trade, beside figures that are the store's."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from html import unescape
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from bot.app import App
from config.loader import load
from tests.fakes.program import CHAT, FALLEN, Files, browser, environ, running, write_config
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram

pytestmark = pytest.mark.skipif(find_spec("matplotlib") is None, reason="the extra charts is not installed")

ANN, SUE = 1001, "U1"
TEAM = [{"name": "Ann", "role": "viewer", "telegram": ANN, "slack": SUE, "web": "ann"}]
PATIENCE = 40.0
PNG = b"\x89PNG\r\n"


@dataclass(frozen=True, kw_only=True)
class Everywhere:
    """A program whose story is over, with one closed trade, and Ann on every platform."""

    telegram: FakeTelegram
    slack: FakeSlack
    page: httpx.AsyncClient
    files: Files

    async def on_telegram(self, text: str) -> tuple[str, bytes]:
        """What comes back: the words, and the picture where there is one."""
        before = len(self.telegram.messages(ANN))
        self.telegram.type(ANN, ANN, text)
        await self.telegram.wait_for(lambda: len(self.telegram.messages(ANN)) > before, PATIENCE)
        shown = self.telegram.messages(ANN)[-1]
        return shown.text, shown.photo or b""

    async def on_slack(self, text: str, *, picture: bool) -> tuple[str, bytes]:
        sue, before = self.slack.user(SUE), len(self.slack.user(SUE).messages())
        sue.say(text)
        await self.slack.wait_for(lambda: len(sue.messages()) == before + 1 + picture, PATIENCE)
        words, *shared = sue.messages()[before:]
        return words.text, shared[0].files[0] if shared else b""

    async def on_the_web(self, text: str) -> tuple[str, str]:
        """The words, and the drawing."""
        answer = await self.page.post("/chat/say", json={"text": text, "delivery_id": str(uuid4())})
        assert answer.status_code == 204
        card = (await self.page.get("/")).text.rpartition('<article id="m')[2].partition("</article>")[0]
        drawing = re.search(r"<svg class=\"scene\".*?</svg>", card, re.DOTALL)
        words = unescape(re.sub(r"\s+", " ", re.sub(r"<svg.*?</svg>|<[^>]+>", " ", card, flags=re.DOTALL)))
        return words, drawing[0] if drawing else ""


@asynccontextmanager
async def everywhere(folder: Path) -> AsyncIterator[Everywhere]:
    async with FakeTelegram() as telegram, FakeSlack() as slack:
        telegram.chat(ANN)
        telegram.chat(CHAT)
        slack.channel("C1", SUE)
        config = write_config(
            folder,
            people=TEAM,
            digest={"timezone": "Asia/Kolkata"},
            approval={"auto_above": 0, "ask_above": 0},
            replay={"end": FALLEN.isoformat(), "wait_for_people": 0},
            telegram={"api_url": telegram.url, "chat_id": CHAT, "messages_per_second": 30, "poll_timeout": 2},
            slack={"channel": "C1", "mode": "socket", "api_url": slack.api_url, "messages_per_second": 20},
        )
        secrets = {
            "BOT_TELEGRAM__TOKEN": telegram.token,
            "BOT_SLACK__BOT_TOKEN": slack.bot_token,
            "BOT_SLACK__APP_TOKEN": slack.app_token,
        }
        settings = load(None, config, {}, environ() | secrets, folder).settings
        files = Files(folder=folder)
        async with running(settings) as app, browser(app, "ann") as page:
            await telegram.wait_for(lambda: _is_over(app, files), PATIENCE)
            yield Everywhere(telegram=telegram, slack=slack, page=page, files=files)
        assert slack.at.complaints == []


def _is_over(app: App, files: Files) -> bool:
    assert app.program is not None
    return (
        app.program.engine.clock.now() >= FALLEN
        and bool(files.rows("SELECT id FROM positions WHERE status = 'closed'"))
        and all(platform.health == "ok" for platform in app.program.chat.remote)
    )


@pytest.mark.slow
async def test_charts_come_to_every_platform_with_the_figures_of_the_store(tmp_path: Path) -> None:
    async with everywhere(tmp_path) as at:
        (trade,) = at.files.rows("SELECT * FROM positions")
        (last,) = at.files.rows("SELECT equity FROM equity ORDER BY at DESC LIMIT 1")
        (account,) = at.files.rows("SELECT opening FROM account")
        net = Decimal(last["equity"]) - Decimal(account["opening"])
        equity, told = f"{Decimal(last['equity']):,.2f} USDT", f"{net:+,.2f} USDT"
        entry = f"Entry {Decimal(trade['entry_price']):,.2f}"
        result = Decimal(trade["realised"]) - Decimal(trade["fees"])

        for words, picture in (
            await at.on_telegram("/chart 7"),
            await at.on_slack("chart 7", picture=True),
        ):
            assert " ".join(words.split()).startswith(f"Equity in USDT, 7 days: {told}")
            assert equity in words
            assert picture.startswith(PNG)
        words, drawing = await at.on_the_web("/chart 7")
        assert f"Equity in USDT, 7 days: {told}" in words
        assert all(
            name in drawing for name in ("buy and hold", "drawdown", "Asia/Kolkata", "Equity in USDT, 2024-01-06 to")
        )

        for words, picture in (
            await at.on_telegram("/chart T1"),
            await at.on_slack("chart t1", picture=True),
        ):
            assert " ".join(words.split()).startswith(f"T1: BTC/USDT closed, {result:+,.2f} USDT")
            assert picture.startswith(PNG)
        words, drawing = await at.on_the_web("/chart T1")
        assert f"T1: BTC/USDT closed, {result:+,.2f} USDT" in words
        assert all(name in drawing for name in (entry, "Stop", "Target", "Exit"))

        wrong = ("/chart T99", "/chart 0", "/chart ../../etc", "/chart <svg onload=alert(1)>")
        for text in wrong:
            assert (await at.on_telegram(text))[1] == b""
            assert (await at.on_slack(text, picture=False))[1] == b""
            words, drawing = await at.on_the_web(text)
            assert drawing == ""
            assert "T99" in words or "from 1 to 365" in words
        assert len(at.telegram.called("sendPhoto")) == 2


async def test_the_board_has_axes_with_times_and_drawdown(tmp_path: Path) -> None:
    async with everywhere(tmp_path) as at:
        board = (await at.page.get("/")).text.partition('<div id="board">')[2].partition("</aside>")[0]
        texts = re.findall(r"<text[^>]*>([^<]+)</text>", board)
        assert any(re.fullmatch(r"6 Jan \d\d:30", text) for text in texts)
        assert any(text.endswith("Asia/Kolkata") for text in texts)
        assert {"equity", "buy and hold", "drawdown", "0%"} <= set(texts)
        assert sum(bool(re.fullmatch(r"[\d,.]+", text)) for text in texts) >= 2
