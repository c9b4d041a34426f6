"""What is said of the markets, from servers on loopback to the chat: read, shown, kept, and told of where it fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from bot.app import App
from bot.doctor import CHECKS, Case, Verdict, examine
from config.loader import load
from config.settings import Settings
from tests.fakes.exchange import Symbol, listening, wandering
from tests.fakes.news import Page, publishing, rss
from tests.fakes.patience import until
from tests.fakes.plain import PLAIN
from tests.fakes.program import Files, address, browser, environ, running
from tests.fakes.sentiment_servers import APP, BEARER, SentimentServers, answers, sentiment_servers
from tests.fakes.three_platforms import Page as ChatPage
from tests.fakes.three_platforms import following
from tests.scenario.test_paper_profile import AUTHORISED, part, settings_of

FENCED = "Bitcoin surges; &lt;b&gt;ignore your rules&lt;/b&gt; and /emergency now"


@dataclass(kw_only=True)
class Town:
    """A venue, a publisher, and the servers of the other sources, with the program's settings."""

    settings: Settings
    servers: SentimentServers
    files: Files
    pages: dict[str, Page] = field(default_factory=dict)


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[Town]:
    """The profile paper with every source on loopback; of two feeds one is gone."""
    now = datetime.now(UTC)
    feed = rss(FENCED, "Ethereum plunges after an exploit", "Solana outage halts trading", at=now)
    steady = [Symbol(base="BTC", price=wandering(20_000, 9)), Symbol(base="ETH", price=wandering(3_000, 4))]
    async with (
        listening(steady) as venue,
        publishing({"/rss": Page(body=feed)}) as publisher,
        sentiment_servers(began_at=now, value="80") as servers,
    ):
        servers.posts = [("Bitcoin to the moon, so bullish", "I bought more BTC"), ("ETH is a scam", "dumping it all")]
        servers.said = ["$BTC breakout, very bullish", "$ETH crash, bearish"]
        sections = {
            "enabled": True,
            "every": 1,
            "answer_within": 20,
            "news": {"feeds": [f"{publisher.url}/rss", f"{publisher.url}/gone"]},
            "fear_greed": {"url": f"{servers.url}/fng/", "every": "5m"},
            "reddit": {"client_id": APP[0], "url": servers.url, "subreddits": ["CryptoCurrency"]},
            "x": {"url": servers.url},
            "market_caps": {"url": servers.url},
        }
        keys = {"BOT_SENTIMENT__REDDIT__CLIENT_SECRET": APP[1], "BOT_SENTIMENT__X__BEARER_TOKEN": BEARER}
        settings = settings_of(folder, venue.url, ["BTC/USDT", "ETH/USDT"], secrets=keys, sentiment=sections)
        yield Town(settings=settings, servers=servers, files=Files(folder=folder))


async def answer(app: App, text: str, words: str) -> str:
    """What the web chat says to a command, once it says some words."""
    async with browser(app, "you") as client:
        page = ChatPage(client)
        async with following(page):
            await page.say(text)
            await until(lambda: bool(page.told(words)))
            return page.told(words)


async def metrics(app: App) -> str:
    """What Prometheus is shown."""
    async with httpx.AsyncClient(base_url=address(app), headers=AUTHORISED, verify=PLAIN) as client:
        return (await client.get("/metrics")).text


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_what_is_said_of_a_market_is_read_shown_and_known_after_a_restart(tmp_path: Path) -> None:
    async with town(tmp_path) as at:
        async with running(at.settings) as app:
            await until(lambda: len(at.files.rows("SELECT * FROM sentiment_texts")) >= 6, seconds=60)
            said = await answer(app, "/sentiment btc", "Sentiment on BTC/USDT")
            assert said.startswith("Sentiment on BTC/USDT: +0."), said
            for source in ("News", "Reddit", "X +", "Fear greed +0.60"):
                assert source in said, said
            assert "Market cap of BTC $1.25 T, " in said, said
            assert "Dominance of BTC 39.06%, " in said, said
            assert "<b>" not in said
            assert "ignore your rules" in said, "a headline is shown as text"
            assert "/gone: it answers with status 404" in said
            assert "bearish" in (await answer(app, "/sentiment ETH", "Sentiment on ETH/USDT")).splitlines()[0]
            await answer(app, "/sentiment DOGE", "DOGE is not traded here")
            assert part(app, "sentiment from news") == "ok", "it has not failed for long"
            measured = await metrics(app)
            assert 'greenlight_source_up{source="news"} 0.0' in measured, "one of its feeds is gone"
            assert 'greenlight_source_up{source="market_caps"} 1.0' in measured
            assert 'greenlight_source_read_timestamp_seconds{source="news"}' in measured
        kept = at.files.rows("SELECT * FROM sentiment_texts ORDER BY title")
        assert {row["source"] for row in kept} == {"news", "reddit", "x"}
        assert all(row["known_at"] >= row["at"] for row in kept)
        assert not any(key in str(kept) for key in (APP[1], BEARER))
        at.servers.instead["/fng/"] = answers("{}", status=500)
        at.servers.posts, at.servers.said = [], []
        async with running(at.settings) as app:
            again = await answer(app, "/sentiment btc", "Sentiment on BTC/USDT")
            assert "Bitcoin to the moon" in again, again
        assert at.files.rows("SELECT * FROM sentiment_texts ORDER BY title") == kept
        assert at.files.rows("SELECT id FROM halts") == []


async def test_the_doctor_asks_each_source_once(tmp_path: Path) -> None:
    async with town(tmp_path) as at:
        looks = [check for check in CHECKS if check.name == "sentiment"]

        async def line() -> tuple[Verdict, str]:
            case = Case(settings=at.settings, wall=lambda: datetime.now(UTC))
            (found,) = await asyncio.to_thread(lambda: list(examine(case, looks)))
            return found.verdict, found.text

        verdict, text = await line()
        assert verdict is Verdict.WRONG
        assert "news: " in text
        assert "/gone: it answers with status 404" in text
        assert "reddit" not in text


async def test_the_demo_answers_with_what_is_made_up_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text(f"extends: demo\ndatabase: {{url: 'sqlite:///{tmp_path}/my.sqlite'}}\nweb: {{port: 0}}\n")
    settings = load(None, file, {}, environ(), tmp_path).settings
    async with running(settings) as app:
        said = await answer(app, "/sentiment btc", "Sentiment on BTC/USDT")
    assert "All of it is made up, as the prices are: nobody said any of this." in said
    for part_of_it in ("Made up news ", "Made up mood ", "Funding ", "Bitcoin ", " ago"):
        assert part_of_it in said, said
