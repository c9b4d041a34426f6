"""Every source of sentiment, with real clients against servers on loopback: what it gives, and how it fails."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import SecretStr

from engine.domain.errors import SourceError
from engine.sentiment.fear_greed import FearGreed
from engine.sentiment.market_caps import MarketCaps
from engine.sentiment.reddit import AT_ONCE, Reddit
from engine.sentiment.x import XSearch, query_of
from engine.timing.clocks import monotonic
from tests.fakes.sentiment_servers import APP, BEARER, BEGAN, SentimentServers, answers, drips, sentiment_servers

AGENT = "greenlight-tests/1 (by nobody)"
WITHIN = 20.0


@dataclass(frozen=True, kw_only=True)
class Family:
    """A member: how it is made, where its server answers, and how one asks it.

    Attributes:
        secrets: What must never be told.
    """

    name: str
    path: str
    make: Callable[..., Any]
    secrets: tuple[str, ...] = ()


def fear_greed(servers: SentimentServers, within: float = WITHIN) -> FearGreed:
    return FearGreed(url=f"{servers.url}/fng/", within=within, agent=AGENT)


def reddit(servers: SentimentServers, within: float = WITHIN, secret: str = APP[1]) -> Reddit:
    return Reddit(
        client_id=APP[0],
        client_secret=SecretStr(secret),
        subreddits=("CryptoCurrency", "bitcoin"),
        url=servers.url,
        within=within,
        agent=AGENT,
    )


def x(servers: SentimentServers, within: float = WITHIN, token: str = BEARER) -> XSearch:
    return XSearch(url=servers.url, token=SecretStr(token), words=("$BTC", "bitcoin"), within=within, agent=AGENT)


def market_caps(servers: SentimentServers, within: float = WITHIN) -> MarketCaps:
    return MarketCaps(url=servers.url, symbols=("BTC/USDT", "ETH/EUR", "NEW/USDT"), within=within, agent=AGENT)


FAMILY = [
    Family(name="market_caps", path="/global", make=market_caps),
    Family(name="market_caps of coins", path="/coins/markets", make=market_caps),
    Family(name="fear_greed", path="/fng/", make=fear_greed),
    Family(name="reddit", path="/r/CryptoCurrency+bitcoin/new", make=reddit, secrets=(APP[1],)),
    Family(name="x", path="/2/tweets/search/recent", make=x, secrets=(BEARER,)),
]
each_member = pytest.mark.parametrize("member", FAMILY, ids=lambda member: member.name)


@pytest.fixture
async def servers() -> AsyncIterator[SentimentServers]:
    async with sentiment_servers() as found:
        yield found


def asked(source: Any) -> Any:
    """What a source is asked by."""
    return next(getattr(source, name) for name in ("reading", "texts", "figures") if hasattr(source, name))


async def ask(source: Any) -> Any:
    try:
        return await asked(source)()
    finally:
        await source.close()


async def refused(source: Any) -> SourceError:
    with pytest.raises(SourceError) as failed:
        await ask(source)
    return failed.value


@each_member
@pytest.mark.parametrize(
    "body", ["", "[7]", "null", '{"data": 7}', '{"data": [{"value": "x"}]}', "<html>", "[" * 50_000, b"\xff\xfe\x00"]
)
async def test_nonsense_is_a_source_that_fails(servers: SentimentServers, member: Family, body: str | bytes) -> None:
    servers.instead[member.path] = answers(body)
    if member.name == "reddit" and body in ("", "null"):  # to praw these are no posts
        assert await ask(member.make(servers)) == ()
    else:
        assert "nonsense" in str(await refused(member.make(servers))) or member.name == "reddit"


@each_member
@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
async def test_a_status_that_is_no_success_is_a_source_that_fails(
    servers: SentimentServers, member: Family, status: int
) -> None:
    servers.instead[member.path] = answers("{}", status=status)
    said = str(await refused(member.make(servers, within=1.0)))  # praw tries three times, with pauses
    assert [secret for secret in member.secrets if secret in said] == []


@each_member
async def test_who_is_asked_for_less_says_for_how_long(servers: SentimentServers, member: Family) -> None:
    servers.instead[member.path] = answers("{}", status=429, headers={"retry-after": "77"})
    assert (await refused(member.make(servers))).again_after == 77


@each_member
async def test_a_drip_ends_at_the_deadline(servers: SentimentServers, member: Family) -> None:
    servers.instead[member.path] = drips(30.0)
    began = monotonic()
    assert "does not answer within 0.3 s" in str(await refused(member.make(servers, within=0.3)))
    assert monotonic() - began < 3


@each_member
async def test_a_bomb_is_let_go_of_before_it_is_unpacked(servers: SentimentServers, member: Family) -> None:
    bomb = gzip.compress(b" " * 60_000_000)
    servers.instead[member.path] = answers(bomb, headers={"content-encoding": "gzip"})
    await refused(member.make(servers, within=20.0))


@each_member
@pytest.mark.parametrize(
    "to", ["http://127.0.0.1:9/", "http://[::1]:9/", "file:///etc/passwd", "//10.0.0.1/", "ftp://a"]
)
async def test_nobody_is_led_into_the_house(servers: SentimentServers, member: Family, to: str) -> None:
    servers.instead[member.path] = answers(status=302, headers={"location": to})
    await refused(member.make(servers))
    assert all(path in (member.path, "/api/v1/access_token", "/global") for path in servers.paths())


@each_member
async def test_nobody_listens(servers: SentimentServers, member: Family) -> None:
    servers.url = "http://127.0.0.1:9"
    await refused(member.make(servers, within=1.0))


@pytest.mark.parametrize(("value", "score"), [("0", -1.0), ("25", -0.5), ("50", 0.0), ("100", 1.0)])
async def test_the_index_is_a_score(servers: SentimentServers, value: str, score: float) -> None:
    servers.value = value
    found = await ask(fear_greed(servers))
    assert (found.source, found.score, found.at) == ("fear_greed", score, BEGAN)


@pytest.mark.parametrize("value", ["101", "-1", "", "nan"])
async def test_an_index_out_of_its_range_is_none(servers: SentimentServers, value: str) -> None:
    servers.value = value
    assert "nonsense" in str(await refused(fear_greed(servers)))


async def test_posts_of_reddit_are_read_as_praw_reads_them(servers: SentimentServers) -> None:
    servers.posts = [
        ("Bitcoin to the moon", "I bought <b>all</b> of it 🙂"),
        ("gone", "[removed]"),
        ("SOL is down", ""),
    ]
    found = await ask(reddit(servers))
    assert [(post.title, post.body) for post in found] == [
        ("SOL is down", ""),
        ("Bitcoin to the moon", "I bought <b>all</b> of it 🙂"),
    ]
    assert found[1].at == BEGAN
    assert found[1].url == "https://www.reddit.com/r/CryptoCurrency/comments/p0/"
    assert servers.asked[-1].headers["user-agent"].startswith(AGENT)


async def test_a_wrong_secret_of_the_app_is_told_without_it(servers: SentimentServers) -> None:
    said = str(await refused(reddit(servers, secret="a-wrong-secret")))
    assert "sentiment.reddit" in said
    assert "a-wrong-secret" not in said


async def test_while_reddit_has_not_answered_nobody_asks_again(servers: SentimentServers) -> None:
    servers.instead["/r/CryptoCurrency+bitcoin/new"] = drips(1.0)
    source = reddit(servers, within=0.3)
    with pytest.raises(SourceError, match="does not answer"):
        await source.texts()
    with pytest.raises(SourceError, match="has not answered the last question"):
        await source.texts()
    await source.close()


async def test_x_is_asked_for_what_is_new(servers: SentimentServers) -> None:
    servers.said = ["$BTC up", "bitcoin down"]
    source = x(servers)
    assert [post.title for post in await source.texts()] == ["bitcoin down", "$BTC up"]
    assert await source.texts() == ()
    servers.said.append("sideways")
    (new,) = await ask(source)
    assert (new.title, new.url) == ("sideways", "https://x.com/i/status/102")
    assert servers.asked[0].query["query"] == '("$BTC" OR "bitcoin") lang:en -is:retweet'


def test_a_query_is_as_long_as_x_reads_it() -> None:
    assert len(query_of([f"coin{n}" for n in range(500)])) <= 512
    assert query_of(['a"b']) == '("ab") lang:en -is:retweet'


async def test_the_loop_goes_on_while_a_source_is_read(servers: SentimentServers) -> None:
    servers.posts = [(f"Post {n}", "text " * 1000) for n in range(100)]
    latest, worst = monotonic(), 0.0

    async def tick() -> None:
        nonlocal latest, worst
        while True:
            await asyncio.sleep(0.005)
            now = monotonic()
            worst, latest = max(worst, now - latest), now

    ticking = asyncio.create_task(tick())
    assert len(await ask(reddit(servers))) == AT_ONCE
    ticking.cancel()
    assert worst < 1.0  # the bench has the measured figure


async def test_what_coins_are_worth_and_their_shares_of_the_whole(servers: SentimentServers) -> None:
    servers.worth |= {"new": None}
    found = await ask(market_caps(servers))
    assert [(each.name, each.subject, each.value) for each in found] == [
        ("market_cap", "", 3.2e12),
        ("market_cap", "BTC/USDT", 1.25e12),
        ("dominance", "BTC/USDT", pytest.approx(0.390625)),
        ("market_cap", "ETH/EUR", 3.5e11),
        ("dominance", "ETH/EUR", pytest.approx(0.109375)),
        ("dominance", "NEW/USDT", 0.0),
    ]
    assert {each.at.replace(microsecond=0) for each in found} == {BEGAN}


async def test_of_several_coins_with_one_ticker_the_largest_is_meant(servers: SentimentServers) -> None:
    one = {"symbol": "BTC", "last_updated": "2026-09-21T14:13:20Z"}
    coins = [one | {"market_cap": 5.0}, one | {"market_cap": 7e12}, one | {"market_cap": None}]
    servers.instead["/coins/markets"] = answers(json.dumps(coins))
    found = await ask(market_caps(servers))
    assert [each.value for each in found if (each.name, each.subject) == ("market_cap", "BTC/USDT")] == [7e12]


@pytest.mark.parametrize("worth", ["-1", "1e30", "NaN", "Infinity", '"much"', "[]"])
async def test_what_no_coin_is_worth_is_nonsense(servers: SentimentServers, worth: str) -> None:
    coin = f'[{{"symbol": "btc", "market_cap": {worth}, "last_updated": "2026-09-21T14:13:20Z"}}]'
    servers.instead["/coins/markets"] = answers(coin)
    assert "nonsense" in str(await refused(market_caps(servers)))


async def test_who_has_an_answer_is_told_only_of_another_one(servers: SentimentServers) -> None:
    source = market_caps(servers)
    first, again = await source.figures(), await source.figures()
    servers.worth["btc"] = 2e12
    later = await ask(source)
    assert first == again != later
    conditions = [request.headers.get("if-none-match", "") != "" for request in servers.asked]
    assert conditions == [False, False, True, True, True, True]
