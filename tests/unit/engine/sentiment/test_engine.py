"""Sources asked in turn, and what they say kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.data.derivatives.nobody import NoDerivatives
from engine.domain.derivatives import FundingRate, LongShort, OpenInterest
from engine.domain.errors import NoData, SourceError, VenueError
from engine.domain.sentiment import IndexReading, MarketFigure, SourceAge, SourceText
from engine.ports import DerivativesData
from engine.sentiment.assembling import SentimentTerms
from engine.sentiment.engine import SentimentEngine
from engine.sentiment.matching import Matcher
from engine.sentiment.reading import TextReader
from engine.store.database import Database
from tests.fakes.database import new_database
from tests.fakes.feed import HandClock

NOW = datetime(2026, 11, 30, 3, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
TERMS = SentimentTerms(
    weights={"news": 1.0, "fear_greed": 1.0, "funding": 1.0, "long_short": 1.0},
    window=48 * HOUR,
    half_life=6 * HOUR,
    figure_age=30 * HOUR,
)


@dataclass
class News:
    name: str = "news"
    trouble: str = ""
    titles: list[str] = field(default_factory=list)
    error: Exception | None = None
    asked: int = 0

    async def texts(self) -> tuple[SourceText, ...]:
        self.asked += 1
        if self.error:
            raise self.error
        return tuple(SourceText(source="news", title=title, at=NOW - HOUR) for title in self.titles)

    async def close(self) -> None:
        pass


@dataclass
class Index:
    name: str = "fear_greed"
    score: float = -0.5
    at: datetime = NOW

    async def reading(self) -> IndexReading:
        return IndexReading(source=self.name, score=self.score, at=self.at)

    async def close(self) -> None:
        pass


class Caps:
    name = "market_caps"

    async def figures(self) -> tuple[MarketFigure, ...]:
        return (
            MarketFigure(name="market_cap", subject="", value=3e12, at=NOW + HOUR),
            MarketFigure(name="dominance", subject="BTC/USDT", value=0.5, at=NOW - HOUR),
        )

    async def close(self) -> None:
        pass


class Futures:
    at_once = True

    async def funding(self, symbol: str) -> FundingRate:
        if symbol == "PEPE/USDT":
            raise NoData("no futures")
        return FundingRate(rate=Decimal("0.001"), next_at=None, at=NOW + HOUR)

    async def open_interest(self, _: str) -> OpenInterest:
        return OpenInterest(quantity=Decimal(7), at=NOW)

    async def long_short(self, _: str) -> LongShort:
        raise VenueError("down")

    async def close(self) -> None:
        pass


@dataclass
class Words:
    """Scores texts by one word."""

    name: str = "words"
    trouble: str = ""
    shown: list[str] = field(default_factory=list)

    async def score(self, texts: Sequence[str]) -> tuple[float | None, ...]:
        self.shown.extend(texts)
        return tuple(1.0 if "up" in text else -1.0 for text in texts)


@pytest.fixture
async def store(tmp_path: Path, each_database: str) -> AsyncIterator[Database]:
    database = new_database(tmp_path)
    yield database
    await database.close()


@pytest.fixture
def clock() -> HandClock:
    found = HandClock()
    found.at = NOW
    return found


def engine(
    store: Database,
    clock: HandClock,
    news: News,
    derivatives: DerivativesData | None = None,
    figures: tuple[Caps, ...] = (),
) -> SentimentEngine:
    return SentimentEngine(
        text_sources=(news,),
        index_sources=(Index(),),
        figure_sources=figures,
        every={"news": HOUR, "fear_greed": 6 * HOUR} | {each.name: HOUR for each in figures},
        looked_for=HOUR / 12,
        derivatives=derivatives or NoDerivatives(),
        symbols=("BTC/USDT", "PEPE/USDT"),
        reader=TextReader(matcher=Matcher(("BTC",)), scorer=Words(), oldest=TERMS.window),
        terms=TERMS,
        store=store,
        clock=clock,
    )


async def test_what_sources_say_is_kept_with_when_it_was_known(store: Database, clock: HandClock) -> None:
    mood = engine(store, clock, News(titles=["BTC up", "BTC up", "BTC down"]), Futures())
    await mood.refresh(NOW)
    found = await mood.analyze("BTC/USDT")
    assert {part.source: part.score for part in found.parts} == {"news": 0.0, "fear_greed": -0.5, "funding": 1.0}
    assert found.mentions == {"news": 2}
    assert {part.source for part in (await mood.analyze("PEPE/USDT")).parts} == {"fear_greed"}
    texts = await store.read(lambda uow: uow.sentiment.texts(NOW - 9 * HOUR, NOW))
    readings = await store.read(lambda uow: uow.sentiment.readings(NOW - 9 * HOUR, NOW))
    assert {(each.scored.text.title, each.known_at, each.scored.text.at, *each.scored.coins) for each in texts} == {
        ("BTC up", NOW, NOW - HOUR, "BTC"),
        ("BTC down", NOW, NOW - HOUR, "BTC"),
    }
    assert {(each.source, each.subject, each.at, each.score) for each in readings} == {
        ("fear_greed", "", NOW, -0.5),
        ("funding", "BTC/USDT", NOW, 1.0),  # at most now, though its clock is ahead
        ("open_interest", "BTC/USDT", NOW, None),
        ("open_interest", "PEPE/USDT", NOW, None),
    }


async def test_a_bot_that_starts_again_knows_what_was_said(store: Database, clock: HandClock) -> None:
    await engine(store, clock, News(titles=["BTC up"])).refresh(NOW)
    clock.at = NOW + HOUR
    again = engine(store, clock, News())
    found = await again.analyze("BTC/USDT")
    assert {part.source for part in found.parts} == {"news", "fear_greed"}
    assert [each.title for each in found.headlines] == ["BTC up"]
    clock.at = NOW + 49 * HOUR
    assert (await again.analyze("BTC/USDT")).parts == ()


async def test_what_was_kept_is_never_changed(store: Database, clock: HandClock) -> None:
    news = News(titles=["BTC up"])
    await engine(store, clock, news).refresh(NOW)
    await engine(store, clock, news).refresh(NOW + 2 * HOUR)
    (text,) = await store.read(lambda uow: uow.sentiment.texts(NOW - 9 * HOUR, NOW + 9 * HOUR))
    assert text.known_at == NOW
    assert await store.read(lambda uow: uow.sentiment.texts(NOW - 9 * HOUR, NOW - HOUR)) == ()


async def test_each_text_is_scored_once_also_by_a_bot_that_starts_again(store: Database, clock: HandClock) -> None:
    news = News(titles=["BTC up"])
    first, again = engine(store, clock, news), engine(store, clock, news)
    await first.refresh(NOW)
    news.titles.append("BTC down")
    await first.refresh(NOW + 2 * HOUR)
    await again.refresh(NOW + 2 * HOUR)
    assert [mood.reader.scorer.shown for mood in (first, again)] == [["BTC up", "BTC down"], []]  # type: ignore[attr-defined]


async def test_people_are_told_who_scores_where_that_is_not_who_should(store: Database, clock: HandClock) -> None:
    mood = engine(store, clock, News(titles=["BTC up"]))
    await mood.refresh(NOW)
    mood.reader.scorer.trouble = "some are the other's"  # type: ignore[misc]
    assert (await mood.view("BTC/USDT")).troubles == (("scores", "some are the other's"),)


async def test_figures_that_take_no_side_are_kept_and_told_and_weigh_nothing(store: Database, clock: HandClock) -> None:
    mood = engine(store, clock, News(), Futures(), (Caps(),))
    await mood.refresh(NOW)
    found = await mood.analyze("BTC/USDT")
    assert {(each.source, each.subject, each.value, each.at) for each in found.figures} == {
        ("market_cap", "", 3e12, NOW),
        ("dominance", "BTC/USDT", 0.5, NOW - HOUR),
        ("open_interest", "BTC/USDT", 7.0, NOW),
    }
    assert {part.source for part in found.parts} == {"fear_greed", "funding"}
    assert [each.source for each in (await mood.analyze("PEPE/USDT")).figures] == ["market_cap", "open_interest"]
    kept = await store.read(lambda uow: uow.sentiment.readings(NOW - 9 * HOUR, NOW))
    assert {(each.source, each.known_at) for each in kept} >= {("market_cap", NOW), ("dominance", NOW)}
    assert (await engine(store, clock, News()).analyze("BTC/USDT")).figures == found.figures


async def test_before_anybody_has_answered_people_are_told_so(store: Database, clock: HandClock) -> None:
    mood = engine(store, clock, News(titles=["BTC up"]))
    assert (await mood.view("BTC/USDT")).troubles[0] == ("news", "it has not answered yet")
    nobody = replace(mood, text_sources=(), index_sources=(), every={})
    assert (await nobody.view("BTC/USDT")).troubles == (("sources", "none has an address or a key (sentiment)"),)


async def test_each_source_tells_when_it_was_read_and_what_is_wrong(store: Database, clock: HandClock) -> None:
    news = News(titles=["BTC up"])
    mood = engine(store, clock, news)
    assert mood.ages()[0] == SourceAge(source="news", read_at=None, wrong="")
    await mood.refresh(NOW)
    news.error = SourceError("Gone.")
    await mood.refresh(NOW + HOUR)
    assert mood.ages() == (
        SourceAge(source="news", read_at=NOW, wrong="Gone."),
        SourceAge(source="fear_greed", read_at=NOW, wrong=""),
    )
    assert replace(mood, is_made_up=True).ages() == ()


async def test_sources_are_looked_for_at_once_and_then_as_often_as_is_wanted(store: Database, clock: HandClock) -> None:
    mood = engine(store, clock, News())
    assert await mood.next_look() == NOW
    await mood.refresh(NOW)
    assert await mood.next_look() == NOW + HOUR / 12


async def test_what_was_missed_while_the_machine_slept_or_was_busy_is_asked_for_once(
    store: Database, clock: HandClock
) -> None:
    mood = engine(store, clock, news := News(titles=["BTC up"]))
    await mood.refresh(NOW)
    clock.at = NOW + 8 * HOUR
    while (due := await mood.next_look()) <= clock.now():
        await mood.refresh(due)
    assert news.asked == 2
    assert mood.states["news"].read_at == clock.now()


async def test_each_source_is_asked_as_often_as_it_is_to_be(store: Database, clock: HandClock) -> None:
    news = News(titles=["BTC up"])
    mood = engine(store, clock, news)
    for minutes in (0, 30, 59, 60, 61, 121):
        await mood.refresh(NOW + timedelta(minutes=minutes))
    assert news.asked == 3


@pytest.mark.parametrize(
    ("error", "wrong", "after"),
    [
        (SourceError("The feed is gone."), "The feed is gone.", HOUR),
        (SourceError("Less.", again_after=7200), "Less.", 2 * HOUR),
        (KeyError("<b>"), "it fails; its id in the log is", HOUR),
    ],
)
async def test_a_source_that_fails_keeps_nobody_from_the_others(
    store: Database, clock: HandClock, error: Exception, wrong: str, after: timedelta
) -> None:
    mood = engine(store, clock, News(error=error))
    await mood.refresh(NOW)
    assert [part.source for part in (await mood.analyze("BTC/USDT")).parts] == ["fear_greed"]
    state = mood.states["news"]
    assert state.wrong.startswith(wrong)
    assert "<b>" not in state.wrong
    assert (state.read_at, state.due_at) == (None, NOW + after)
