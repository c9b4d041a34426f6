"""What the data of the markets is like, as a card."""

from dataclasses import replace
from datetime import timedelta

from engine.domain.market import Timeframe
from engine.domain.quality_views import MarketQuality, Outcome, QualityView
from handlers.cards import quality
from handlers.cards.lines import flowing
from tests.fakes import reports
from tests.fakes.reports import NOON


def test_what_was_refused_comes_with_its_halt_its_age_and_at_how_many_closes() -> None:
    card = quality.card(reports.quality_view("BTC"))
    assert card.title == "Data is not good: BTC/USDT"
    (item,) = card.items
    assert item.title == "BTC/USDT: halted"
    text = flowing(item.text)
    for words in (
        "halted since",
        "newest closes: 1h 1 h 5 min ago",
        "price 2 s old, by websocket",
        "1h refused, not a number: holds something that is no number (at 1 close, last 5 min ago)",
        "1h repaired, gap: missing among the newest 50: 1 (at 3 closes, last 5 min ago)",
    ):
        assert words in text, text


def test_of_many_markets_the_newest_finding_of_each_is_told_and_where_the_others_are() -> None:
    card = quality.card(reports.quality_view("BTC", "ETH"))
    assert card.title == "Data is not good: BTC/USDT"
    assert "and 1 kind of finding more: /quality BTC/USDT" in flowing(card.items[0].text)
    assert card.items[1].title == "ETH/USDT: good"


def test_before_the_first_close_nothing_is_said_to_be_good() -> None:
    empty = MarketQuality(name="BTC/USDT", candles=[], halts=[], price_at=None, streamed=False)
    card = quality.card(QualityView(at=NOON, markets=[empty]))
    assert (card.title, card.items[0].title) == ("Data: no close has been looked at yet", "BTC/USDT: not looked at yet")


def test_a_series_that_changed_its_nature_and_one_of_which_nothing_is_left_are_told() -> None:
    changed = reports.finding(Outcome.CHANGED, kind="jump", detail="the price went from 0.00005 to 8.56")
    own = reports.candle_quality("LUNA", changed, closed_at=None)
    market = MarketQuality(
        name="LUNA/USDT at binance",
        candles=[own, replace(own, timeframe=Timeframe.H4, findings=(reports.finding(last=NOON - timedelta(days=1)),))],
        halts=[],
        price_at=None,
        streamed=False,
    )
    text = flowing(quality.card(QualityView(at=NOON, markets=[market])).items[0].text)
    assert "newest closes: 1h none, 4h none" in text
    assert "1h changed its nature, jump: the price went from 0.00005 to 8.56 (at 1 close" not in text
    assert "1h changed its nature, jump: the price went from 0.00005 to 8.56 (at 3 closes" in text


def test_a_market_in_which_nothing_is_traded_is_not_called_good_and_is_once_something_is() -> None:
    idle = reports.finding(Outcome.CHANGED, kind="idle", detail="nothing has been traded since 2026-04-22 00:00 UTC")
    dead = reports.candle_quality("DEAD", idle)
    markets = [
        MarketQuality(name=name, candles=[own], halts=[], price_at=None, streamed=False)
        for name, own in (
            ("DEAD/EUR", dead),
            ("BACK/EUR", replace(dead, findings=(replace(idle, last=NOON - timedelta(hours=1)),))),
        )
    ]
    titles = [item.title for item in quality.card(QualityView(at=NOON, markets=markets)).items]
    assert titles == ["DEAD/EUR: nothing is traded", "BACK/EUR: good"]
