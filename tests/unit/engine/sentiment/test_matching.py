"""Which coins texts are about: names within names, words that are tickers, and tickers that are words."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime

import pytest

from engine.domain.sentiment import SourceText
from engine.sentiment.matching import Matcher
from tests.fakes.data import real_file

MATCHER = Matcher(["XYZ", "ON"])
AT = datetime(2026, 3, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "coins"),
    [
        ("Bitcoin rises", "BTC"),
        ("BITCOIN'S WINTER IS OVER", "BTC"),
        ("btc to 100k", "BTC"),
        ("XBT futures", "BTC"),
        ("#bitcoin is a #store of value", "BTC"),
        ("Bitcoin Cash forks again", "BCH"),
        ("Bitcoin cash-out tax hits holders", "BTC"),
        ("Bitcoin and Bitcoin Cash differ", "BTC BCH"),
        ("Bitcoin SV and bitcoin gold", "BSV BTG"),
        ("Ethereum Classic is not Ethereum", "ETC ETH"),
        ("Ethereum Name Service renews domains", "ENS"),
        ("apples, pears etc. and eth", "ETH"),
        ("$80M in ether stolen", "ETH"),
        ("Whether the weather holds, together", ""),
        ("Click the LINK for crypto prices", ""),
        ("Link in bio, see the link up top", ""),
        ("Click here: LINK, or click this LINK up here", ""),
        ("See the LINK up top to buy", ""),
        ("My LINK bags", "LINK"),
        ("LINK rallies 8%", "LINK"),
        ("Buy LINK before it is late", "LINK"),
        ("Chainlink joins a bank", "LINK"),
        ("Chainlink (LINK) joins a bank", "LINK"),
        ("$link and $Near look good", "LINK NEAR"),
        ("El sol sale para todos", ""),
        ("SOL Y PLAYA EN MALLORCA, COMPRE BUY", ""),
        ("SOL jumps to $200", "SOL"),
        ("SOLUSDT perp, LINK/USD and DOT-EUR", "SOL LINK DOT"),
        ("Solana's outage", "SOL"),
        ("Traders are near the top", ""),
        ("NEAR all-time highs", ""),
        ("NEAR price climbs", "NEAR"),
        ("ONE coin to rule them all", ""),
        ("ONE/USDT, $ONE", "ONE"),
        ("No one buys one coin", ""),
        ("DOGE cuts budgets of agencies", ""),
        ("Department of Government Efficiency token", ""),
        ("DOGE whales wake up", "DOGE"),
        ("Dogecoin turns ten", "DOGE"),
        ("The ripple effect of tariffs", ""),
        ("Ripple gains as crypto recovers", "XRP"),
        ("XRP Ledger upgrade", "XRP"),
        ("Avalanche hits ski resort", ""),
        ("Avalanche jumps 9%", "AVAX"),
        ("An avalanche of crypto tokens", ""),
        ("AVAX unlock", "AVAX"),
        ("Polygon token migrates", "MATIC POL"),
        ("Wrapped Bitcoin supply shrinks", "WBTC"),
        ("XYZ token surges", "XYZ"),
        ("We go ON and on", ""),
        ("ON price falls", "ON"),
        ("Amid $5 of fees", ""),
        ("", ""),
        ("🚀🚀🚀", ""),
    ],
)
def test_which_coins_are_meant(text: str, coins: str) -> None:
    assert MATCHER.mentioned(text) == frozenset(coins.split())


def test_a_coin_that_nobody_trades_is_known_only_where_it_is_marked() -> None:
    assert Matcher().mentioned("XYZ token surges") == frozenset()
    assert Matcher().mentioned("$XYZ surges, ABC/USDT falls") == {"XYZ", "ABC"}


def test_the_title_decides_and_the_body_where_it_says_nothing() -> None:
    body = "Bitcoin rose as well."
    told = SourceText(source="news", title="Solana jumps", body=body, at=AT)
    untold = SourceText(source="news", title="Markets this morning", body=body, at=AT)
    assert MATCHER.about(told) == {"SOL"}
    assert MATCHER.about(untold) == {"BTC"}


def test_real_headlines() -> None:
    with real_file("news/cryptonews_com_titles_unlabelled.csv").open(encoding="utf-8", newline="") as file:
        titles = [row["title"] for row in csv.DictReader(file)]
    for title in titles:
        found = MATCHER.mentioned(title)
        small = title.lower()
        assert ("BTC" in found) == bool(re.search(r"\b(bitcoins?(?!ist| cash)|btc)\b", small)), title
        assert "ONE" not in found, title
        assert "LINK" not in found or "chainlink" in small or "LINK" in title, title
