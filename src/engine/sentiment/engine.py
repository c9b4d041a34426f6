"""Asks all sources in turn, keeps what they say, and tells what it comes to: no decision waits for any of them.

due sources, at once ─▶ texts ─▶ read aside (matched, scored) ─┬▶ store, with when it was known
indices, figures, futures ──▶ readings ────────────────────────┘
analyze(symbol) ◀─ what is kept of the last days
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import structlog

from engine.domain.errors import GreenlightError, SourceError
from engine.domain.sentiment import KeptText, Reading, ScoredText, SentimentData, SentimentView, SourceAge, SourceText
from engine.ports import Clock, DerivativesData, FigureSource, IndexSource, TextSource
from engine.sentiment.assembling import SentimentTerms, sentiment_of
from engine.sentiment.futures import readings_of
from engine.sentiment.reading import TextReader
from engine.store.database import Database
from engine.support.faults import fault_id

T = TypeVar("T")

LONGEST_QUIET = 3 * 24 * 3600.0
"""Seconds for which a source is left alone at most when it asks for that."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """How a source is.

    Attributes:
        read_at: When it was read last; ``None`` where it never was.
        wrong: Why it could not be read the last time; empty where it could.
        failing_since: When it first could not, since it could; ``None`` where it can.
        due_at: When it is asked again at the soonest.
    """

    read_at: datetime | None
    wrong: str
    failing_since: datetime | None
    due_at: datetime


NEVER_ASKED = SourceState(read_at=None, wrong="", failing_since=None, due_at=datetime.min.replace(tzinfo=UTC))


@dataclass(kw_only=True)
class SentimentEngine:
    """The sources of one bot, and what they said of late.

    Attributes:
        text_sources, index_sources, figure_sources: Who has texts, who an index, and who figures that take no side.
        every: How often each of them is asked, by name.
        looked_for: How often it is looked for sources that are due, and futures are asked.
        derivatives: Who tells of futures.
        symbols: The markets that are traded.
        reader: Reads texts: which coins each is about, and what it says of them.
        is_made_up: Whether its sources make up what they say, for nothing: then they are asked whenever somebody wants
            to know, and by no job.
    """

    text_sources: Sequence[TextSource]
    index_sources: Sequence[IndexSource]
    figure_sources: Sequence[FigureSource] = ()
    every: Mapping[str, timedelta]
    looked_for: timedelta
    derivatives: DerivativesData
    symbols: Sequence[str]
    reader: TextReader
    terms: SentimentTerms
    store: Database
    clock: Clock
    is_made_up: bool = False
    states: dict[str, SourceState] = field(default_factory=dict, init=False)
    _texts: dict[tuple[str, str], KeptText] = field(default_factory=dict, init=False)
    _readings: dict[tuple[str, str], Reading] = field(default_factory=dict, init=False)
    _remembered: bool = field(default=False, init=False)
    _looked_at: datetime | None = field(default=None, init=False)

    async def next_look(self) -> datetime:
        """When it is to be looked for sources that are due: at once, and so long after it was the last time."""
        return self.clock.now() if self._looked_at is None else self._looked_at + self.looked_for

    async def refresh(self, due_at: datetime) -> None:
        """Ask every source that is due, at once; what fails is asked again when it is due, and stands in ``states``.

        Args:
            due_at: When that was to be done. Where it is later by now, what was due meanwhile is done with it.
        """
        now = self._looked_at = max(due_at, self.clock.now())
        await self._remember(now)
        self._forget(now)  # what was too old to count and is said again counts again
        came, indices, figures, futures = await asyncio.gather(
            asyncio.gather(*(self._texts_of(source, now) for source in self.text_sources)),
            asyncio.gather(*(self._reading_of(source, now) for source in self.index_sources)),
            asyncio.gather(*(self._figures_of(source, now) for source in self.figure_sources)),
            asyncio.gather(*(readings_of(self.derivatives, symbol, now) for symbol in self.symbols)),
        )
        texts = [text for found in came for text in found]
        readings = [each for found in (*indices, *figures, *futures) for each in found]
        if (texts or readings) and not self.is_made_up:  # what is made up is made up again
            await self.store.transact(lambda uow: uow.sentiment.add(texts, readings))
        self._keep(texts, readings)

    async def analyze(self, symbol: str) -> SentimentData:
        """What is known of a market now. It asks nobody on the web: what it reads is what ``refresh`` has kept."""
        now = self.clock.now()
        await (self.refresh(now) if self.is_made_up else self._remember(now))
        return sentiment_of(symbol, tuple(self._texts.values()), tuple(self._readings.values()), self.terms, now)

    async def view(self, symbol: str) -> SentimentView:
        """The same for people, with the sources that could not be read."""
        data = await self.analyze(symbol)
        states = {name: self.states.get(name, NEVER_ASKED) for name in self.every}
        troubles = [
            (name, state.wrong or "it has not answered yet")
            for name, state in states.items()
            if state.wrong or state.read_at is None
        ]
        if not states and not data.parts:
            troubles.append(("sources", "none has an address or a key (sentiment)"))
        if trouble := self.reader.scorer.trouble:
            troubles.append(("scores", trouble))
        return SentimentView(data=data, troubles=tuple(troubles), is_made_up=self.is_made_up)

    def ages(self) -> tuple[SourceAge, ...]:
        """How each source is that is asked by itself."""
        known = {name: self.states.get(name, NEVER_ASKED) for name in self.every if not self.is_made_up}
        return tuple(SourceAge(source=name, read_at=each.read_at, wrong=each.wrong) for name, each in known.items())

    async def close(self) -> None:
        """Let go of every connection."""
        closing = [source.close() for source in self.text_sources]
        closing += [source.close() for source in self.index_sources]
        closing += [source.close() for source in self.figure_sources]
        await asyncio.gather(*closing, return_exceptions=True)

    async def _remember(self, now: datetime) -> None:
        """Read what an earlier run had kept, once."""
        if self._remembered:
            return
        self._remembered = True
        texts = await self.store.read(lambda uow: uow.sentiment.texts(now - self.terms.window, now))
        readings = await self.store.read(lambda uow: uow.sentiment.readings(now - self.terms.figure_age, now))
        self._keep(texts, readings)

    async def _texts_of(self, source: TextSource, now: datetime) -> Sequence[KeptText]:
        """What a source has, as it is read."""

        async def read() -> Sequence[ScoredText]:
            return await self.reader.read(await source.texts(), now, self._is_known)

        found = await self._ask(source.name, read, now, lambda: source.trouble)
        return [kept(each, now) for each in found or ()]

    async def _reading_of(self, source: IndexSource, now: datetime) -> Sequence[Reading]:
        found = await self._ask(source.name, source.reading, now)
        if found is None:
            return ()
        at, score = min(found.at, now), found.score
        return (Reading(source=found.source, subject="", at=at, known_at=now, value=score, score=score),)

    async def _figures_of(self, source: FigureSource, now: datetime) -> Sequence[Reading]:
        found = await self._ask(source.name, source.figures, now)
        return [
            Reading(
                source=each.name, subject=each.subject, at=min(each.at, now), known_at=now, value=each.value, score=None
            )
            for each in found or ()
        ]

    async def _ask(
        self, name: str, ask: Callable[[], Awaitable[T]], now: datetime, trouble: Callable[[], str] = str
    ) -> T | None:
        """What a source answers where it is due; ``None`` where it is not, or fails: then ``states`` says why."""
        known = self.states.get(name, NEVER_ASKED)
        if now < known.due_at:
            return None
        again, read_at, wrong, answer = now + self.every[name], known.read_at, "", None
        try:
            answer = await ask()
            read_at, wrong = now, trouble()
        except GreenlightError as error:
            wrong, wait = str(error), error.again_after if isinstance(error, SourceError) else None
            again = max(again, now + timedelta(seconds=min(wait or 0.0, LONGEST_QUIET)))
            _log.info("a source of sentiment is not read", source=name, detail=wrong)
        except Exception:  # noqa: BLE001 - somebody else's data and library: the other sources are read all the same
            wrong = f"it fails; its id in the log is {fault_id()}"
            _log.exception("a source of sentiment fails", source=name, detail=wrong)
        since = (known.failing_since or now) if wrong else None
        self.states[name] = SourceState(read_at=read_at, wrong=wrong, failing_since=since, due_at=again)
        return answer

    def _is_known(self, text: SourceText) -> bool:
        return _key(text) in self._texts

    def _keep(self, texts: Sequence[KeptText], readings: Sequence[Reading]) -> None:
        for text in texts:
            self._texts.setdefault(text.key, text)
        for each in readings:
            known = self._readings.get((each.source, each.subject))
            if known is None or known.at <= each.at:
                self._readings[each.source, each.subject] = each

    def _forget(self, now: datetime) -> None:
        """Let go of what is too old to count; the store keeps it."""
        self._texts = {key: text for key, text in self._texts.items() if now - text.scored.text.at <= self.terms.window}


def kept(scored: ScoredText, now: datetime) -> KeptText:
    """A text as it is known now; one whose clock is ahead of ours is of now."""
    text = scored.text if scored.text.at <= now else replace(scored.text, at=now)
    return KeptText(scored=replace(scored, text=text), fingerprint=_key(text)[1], known_at=now)


def _key(text: SourceText) -> tuple[str, str]:
    """What a text is known by, whenever it was published: its source, and what it has in common with its copies."""
    said = f"{text.title}\n{text.body}".casefold()
    return text.source, hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:32]
