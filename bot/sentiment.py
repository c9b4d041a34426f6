"""Who is asked what is said of the markets, by the settings.

settings ─▶ sources that have an address or a key ─▶ SentimentEngine ─▶ a job that asks those that are due
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from bot.markets import Source
from config.sentiment import SentimentSettings, SourceSettings
from config.settings import Settings
from engine.ai.text_scoring import ModelScorer
from engine.domain.errors import BadInput, SourceError
from engine.domain.market import names_of
from engine.domain.sentiment import SentimentView
from engine.jobs.table import Group, Job
from engine.llm.manager import LLMManager
from engine.ports import Clock, DerivativesData, FigureSource, IndexSource, MarketFeed, TextScorer, TextSource
from engine.sentiment.assembling import SentimentTerms
from engine.sentiment.classifier import SHIPPED, load_model
from engine.sentiment.coins import COINS
from engine.sentiment.engine import NEVER_ASKED, SentimentEngine
from engine.sentiment.fear_greed import FearGreed
from engine.sentiment.generated import GeneratedMood, GeneratedNews
from engine.sentiment.history import FEAR_GREED, NEWS, SentimentHistory
from engine.sentiment.history_files import read_history
from engine.sentiment.market_caps import MarketCaps
from engine.sentiment.matching import Matcher
from engine.sentiment.news import NewsFeeds
from engine.sentiment.reading import TextReader
from engine.sentiment.reddit import Reddit
from engine.sentiment.scorers import FirstThatWorks, classifier, vader
from engine.sentiment.x import XSearch
from engine.store.database import Database
from engine.timing.clocks import WallClock
from engine.views.absent import no_sentiment

AGENT = "greenlight/0.1 (a trading bot that reads public texts)"
_TURNS = 2
"""For how many of its turns a source may fail before it counts as not well."""
_SHOWN = 30
"""Characters that are shown of what is not known."""


def sentiment_of_settings(
    settings: Settings,
    feed: MarketFeed,
    store: Database,
    clock: Clock,
    derivatives: DerivativesData,
    models: LLMManager,
) -> SentimentEngine | None:
    """The sources that the settings ask for; ``None`` where none is to be asked."""
    asked = settings.sentiment
    if not asked.enabled:
        return None
    symbols = tuple(dict.fromkeys(symbol for context in settings.contexts for symbol in context.markets))
    bases = tuple(dict.fromkeys(symbol.partition("/")[0] for symbol in symbols))
    futures = dict.fromkeys(("funding", "long_short"), asked.futures_weight)
    made_up = asked.source == "generated"
    texts, indices, terms = _made_up(settings, feed, clock, symbols) if made_up else _of_the_web(settings, bases, clock)
    figures = _figure_sources(asked, symbols) if _asks_the_web(settings) else ()
    return SentimentEngine(
        text_sources=texts,
        index_sources=indices,
        figure_sources=figures,
        every={name: timedelta(0) if made_up else source.every for name, source in terms.items()}
        | {source.name: asked.market_caps.every for source in figures},
        looked_for=asked.every,
        derivatives=derivatives,
        symbols=symbols,
        reader=TextReader(matcher=Matcher(bases), scorer=_scorer(asked, models), oldest=asked.window),
        terms=SentimentTerms(
            weights=futures | {name: source.weight for name, source in terms.items()},
            window=asked.window,
            half_life=asked.half_life,
            figure_age=asked.figure_age,
        ),
        store=store,
        clock=clock,
        is_made_up=made_up,
    )


def history_of(settings: Settings, files: Sequence[Path] = ()) -> SentimentHistory | None:
    """What files tell of the past, weighed as the settings weigh what is said now; scored by the house's classifier.

    Args:
        settings: The settings.
        files: The files; those of the settings where none is given. Without any there is no history.

    Raises:
        DataError: A file cannot be read, or has a row that makes no sense.
    """
    files = files or settings.replay.sentiment
    if not files:
        return None
    asked = settings.sentiment
    terms = SentimentTerms(
        weights={NEWS: asked.news.weight, FEAR_GREED: asked.fear_greed.weight},
        window=asked.window,
        half_life=asked.half_life,
        figure_age=asked.figure_age,
    )
    return read_history(files, terms, Matcher(), load_model(SHIPPED).rate)


def sentiment_jobs(engine: SentimentEngine | None) -> Sequence[Job]:
    """What asks the sources that are due; what takes long holds up nobody."""
    if engine is None or engine.is_made_up:
        return ()
    return (Job(name="sentiment", group=Group.RESEARCH, alarm=engine.next_look, run=engine.refresh),)


def has_sources(settings: Settings) -> bool:
    """Whether a run would ask anybody on the web."""
    asked = settings.sentiment
    given = (
        *asked.news.feeds,
        asked.fear_greed.url,
        asked.reddit.client_id,
        asked.x.bearer_token,
        asked.market_caps.url,
    )
    return asked.enabled and _asks_the_web(settings) and any(each is not None for each in given)


async def look_at_sources(settings: Settings) -> str:
    """Ask each source once, as a run would, and tell how many texts it has.

    Raises:
        SourceError: Some cannot be read; each is named with its reason.
    """
    asked, clock = settings.sentiment, WallClock()
    texts, indices = _text_sources(asked, ("BTC",), clock), _index_sources(asked)
    told, wrong = list[str](), list[str]()
    for source in texts:
        try:
            told.append(f"{source.name} ({len(await source.texts())} texts)")
            wrong += [f"{source.name}: {source.trouble}"] if source.trouble else []
        except SourceError as error:
            wrong.append(f"{source.name}: {error}")
        await source.close()
    for index in indices:
        try:
            told.append(f"{index.name} ({(await index.reading()).score:+.2f})")
        except SourceError as error:
            wrong.append(f"{index.name}: {error}")
        await index.close()
    for caps in _figure_sources(asked, ("BTC/USD",)):
        try:
            told.append(f"{caps.name} ({len(await caps.figures())} figures)")
        except SourceError as error:
            wrong.append(f"{caps.name}: {error}")
        await caps.close()
    if wrong:
        raise SourceError(" ".join(wrong), "The others are read all the same; see sentiment.")
    return ", ".join(told)


def sentiment_view(engine: SentimentEngine | None) -> Callable[[str], Awaitable[SentimentView]]:
    """Tells what is said of a market that people name; it raises ``BadInput`` where that is not traded here."""
    return no_sentiment if engine is None else _named(engine.symbols, engine.view)


def history_view(history: SentimentHistory, market: Source, clock: Clock) -> Callable[[str], Awaitable[SentimentView]]:
    """The same of what was said at the time of a clock."""
    traded = tuple(dict.fromkeys(symbol for context in market.contexts for symbol in context.markets))
    return _named(traded, partial(_of_history, history, clock))


async def _of_history(history: SentimentHistory, clock: Clock, symbol: str) -> SentimentView:
    data = history.of(symbol, clock.now())
    return SentimentView(data=data, troubles=() if data.parts else (("history", "it has nothing of this time"),))


def _named(
    symbols: Sequence[str], tell: Callable[[str], Awaitable[SentimentView]]
) -> Callable[[str], Awaitable[SentimentView]]:
    async def view(market: str) -> SentimentView:
        found = [symbol for symbol in symbols if market in names_of(symbol)]
        if len(found) != 1:
            problem = "may be several markets" if found else "is not traded here"
            raise BadInput(f"{market[:_SHOWN]} {problem}.", f"There are {', '.join(found or symbols)}.")
        return await tell(found[0])

    return view


def source_health(engine: SentimentEngine | None) -> dict[str, Callable[[], str]]:
    """Each source with what tells how it is: ``ok``, or why it could not be read for some of its turns."""
    if engine is None or engine.is_made_up:
        return {}
    return {name: partial(_health, engine, name) for name in engine.every}


def _health(engine: SentimentEngine, name: str) -> str:
    state = engine.states.get(name, NEVER_ASKED)
    is_long = state.failing_since and engine.clock.now() - state.failing_since >= _TURNS * engine.every[name]
    return state.wrong if is_long else "ok"


_Sources = tuple[tuple[TextSource, ...], tuple[IndexSource, ...], Mapping[str, SourceSettings]]
"""Who has texts, who has an index, and by which settings each of them is asked and weighed."""


def _of_the_web(settings: Settings, bases: Sequence[str], clock: Clock) -> _Sources:
    if not _asks_the_web(settings):
        return (), (), {}
    asked = settings.sentiment
    texts, indices = _text_sources(asked, bases, clock), _index_sources(asked)
    names = [source.name for source in texts] + [source.name for source in indices]
    return texts, indices, {name: getattr(asked, name) for name in names}


def _asks_the_web(settings: Settings) -> bool:
    return settings.sentiment.source == "web" and settings.market.clock == "wall"  # it tells of this moment alone


def _made_up(settings: Settings, feed: MarketFeed, clock: Clock, symbols: Sequence[str]) -> _Sources:
    """Beside real prices, and those of files, nothing is made up."""
    if settings.market.source != "replay" or settings.replay.data:
        return (), (), {}
    asked, seed = settings.sentiment, settings.market.seed
    news = GeneratedNews(feed=feed, clock=clock, symbols=symbols, seed=seed, window=asked.window)
    mood = GeneratedMood(feed=feed, clock=clock, symbols=symbols, seed=seed)
    return (news,), (mood,), {news.name: asked.news, mood.name: asked.fear_greed}


def _text_sources(asked: SentimentSettings, bases: Sequence[str], clock: Clock) -> tuple[TextSource, ...]:
    within, found = asked.answer_within.total_seconds(), list[TextSource]()
    if asked.news.feeds:
        found.append(NewsFeeds(urls=asked.news.feeds, answer_within=within, clock=clock, every=asked.news.every))
    if asked.reddit.client_id is not None:
        found.append(
            Reddit(
                client_id=asked.reddit.client_id,
                client_secret=asked.reddit.client_secret or SecretStr(""),
                subreddits=asked.reddit.subreddits,
                url=asked.reddit.url,
                within=within,
                agent=AGENT,
            )
        )
    if asked.x.bearer_token is not None:
        token, words = asked.x.bearer_token, tuple(_words(bases))
        found.append(XSearch(url=asked.x.url, token=token, words=words, within=within, agent=AGENT))
    return tuple(found)


def _index_sources(asked: SentimentSettings) -> tuple[IndexSource, ...]:
    within = asked.answer_within.total_seconds()
    return (FearGreed(url=asked.fear_greed.url, within=within, agent=AGENT),) if asked.fear_greed.url else ()


def _figure_sources(asked: SentimentSettings, symbols: Sequence[str]) -> tuple[FigureSource, ...]:
    within, url = asked.answer_within.total_seconds(), asked.market_caps.url
    return (MarketCaps(url=url, symbols=symbols, within=within, agent=AGENT),) if url else ()


def _scorer(asked: SentimentSettings, models: LLMManager) -> TextScorer:
    own = FirstThatWorks(classifier(), vader())
    return ModelScorer(manager=models, otherwise=own) if asked.scorer == "llm" else own


def _words(bases: Sequence[str]) -> list[str]:
    """What is looked for on X: the cashtag of each coin, and its first name."""
    tags = [f"${base}" for base in bases]
    return tags + [COINS[base].names[0] for base in bases if base in COINS and COINS[base].names]
