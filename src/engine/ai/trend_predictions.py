"""What is predicted of every market that is traded: made at closes, beside everything else, kept, and graded.

A prediction is made for each timeframe at its close. One that could not be made is tried again when the shortest of
them closes next, at most ``TRIES`` times. Whoever decides reads what is there, and never waits for it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from engine.ai.alignment import outlook_of
from engine.ai.predictor import AITrendPredictor, Made, Wanted
from engine.domain.errors import StoreError, VenueError
from engine.domain.market import Listing, Timeframe
from engine.domain.predictions import KeptPrediction, PredictionView, TrendOutlook, TrendPrediction
from engine.ports import Clock, MarketDataAt, market_data_of
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork
from engine.support.faults import fault_id

_log = structlog.get_logger(__name__)
T = TypeVar("T")

TRIES = 3
"""How often the prediction of one close is asked for."""
HEARD_AT_ONCE = 0.2
"""Wall seconds for which the job that makes them waits; then others of its group have their turn."""
GRADED_AT_ONCE = 100
"""How many are held against the market at a time."""
LAST = 20
"""How many of the last ones of a timeframe a track record is of."""


class TrendPredictions:
    """Makes, keeps and tells predictions.

    Args:
        predictor: Who makes them.
        market_data: What prices did, for grading.
        asked: The markets, each with the keys of how it is predicted; an empty one is that of all contexts
            that have none of their own.
        contexts: The keys of the contexts that ask in their own way, by another prompt or with other votes.
        timeframes: On which they are predicted, the shortest first.
        within: Wall seconds that all predictions of a close have together.
    """

    def __init__(
        self,
        *,
        predictor: AITrendPredictor,
        store: Database,
        clock: Clock,
        market_data: MarketDataAt,
        asked: Mapping[Listing, Sequence[str]],
        timeframes: Sequence[Timeframe],
        within: float,
        contexts: Mapping[str, str] | None = None,
    ) -> None:
        self._predictor = predictor
        self._store = store
        self._clock = clock
        self._market_data = market_data
        self._within = within
        self._asked = asked
        self._contexts = contexts or {}
        self.listings = tuple(asked)
        self.timeframes = tuple(timeframes)
        self._newest: dict[Wanted, TrendPrediction] | None = None
        self._reasons: dict[Wanted, str] = {}
        self._tries: Counter[tuple[Wanted, datetime]] = Counter()
        self._making: asyncio.Task[None] | None = None
        self._begun = False
        self._ungraded: list[KeptPrediction] = []
        self._unwritten: list[tuple[Mapping[Wanted, KeptPrediction], Sequence[KeptPrediction]]] = []

    @property
    def busy(self) -> bool:
        """Whether predictions are being made: the market of a replay stands still meanwhile."""
        return self._making is not None and not self._making.done()

    async def first_due(self) -> datetime | None:
        """Now, until they were made once: what has closed before the start is not waited for until the next close."""
        return None if self._begun else self._clock.now()

    async def make(self, at: datetime) -> None:
        """Begin with those of a close, and grade those whose horizon is over; while others are made, nothing."""
        self._begun = True
        if self.busy:
            return
        self._making = asyncio.create_task(self._make(at), name="predictions")
        await asyncio.wait((self._making,), timeout=HEARD_AT_ONCE)

    def goes_along(self, span: timedelta) -> bool:
        """Whether those of closes that are so far apart are made by rules alone, at once: ``begin``, then for each."""
        is_at_once = self._begun and not self.busy and self._predictor.is_at_once
        return is_at_once and not self.timeframes[0].duration % span

    async def begin(self, until: datetime) -> bool:
        """Read what is wanted for closes up to a time; whether that is little enough to be done along with them."""
        await self._known()
        ungraded = await self._store.read(lambda uow: uow.predictions.ungraded())
        self._ungraded = [each for each in ungraded if each.prediction.due_at <= until]
        return len(self._ungraded) < GRADED_AT_ONCE

    async def make_at_once(self, at: datetime) -> None:
        """Make those of a close, and grade those whose horizon is over; nobody has a turn meanwhile."""
        newest = await self._known()
        wanted = self._wanted(newest, at)
        made = await self._predictor.predict_at_once(wanted, at, self._within) if wanted else {}
        due = [each for each in self._ungraded if each.prediction.due_at <= at]
        graded = [found for each in due if (found := await self._held_against_the_market(each, at)) is not None]
        new = _made(made)
        self._unwritten.append((new, graded))
        over = {_key(each) for each in graded}
        self._ungraded = [each for each in (*self._ungraded, *new.values()) if _key(each) not in over]
        self._tell(newest, made)

    def keep(self, uow: UnitOfWork) -> None:
        """Write down what was made since ``begin``."""
        uow.predictions.add(each for made, _ in self._unwritten for each in made.values())
        uow.predictions.grade(each for _, graded in self._unwritten for each in graded)
        self._unwritten = []

    def end(self) -> None:
        """Let go of what ``begin`` has read; what was not written down counts no more."""
        if self._unwritten:
            self._newest = None
        self._ungraded, self._unwritten = [], []

    async def stop(self) -> None:
        """Wait for nobody any more; what is missing is made after the next start."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.gather(self._making, return_exceptions=True)

    async def outlook(self, listing: Listing, context: str = "") -> TrendOutlook:
        """What is expected of a market now, of what is predicted for a context."""
        return await self._outlook(listing, self._way(listing, context))

    async def outlook_at(self, listing: Listing, context: str, close: datetime) -> TrendOutlook:
        """What a decision at an earlier close knew: of that close itself nothing was predicted yet."""
        prompt = self._way(listing, context)

        def work(uow: UnitOfWork) -> dict[Timeframe, TrendPrediction]:
            found = {
                each: uow.predictions.newest(listing, each, close, before=close, prompt=prompt)
                for each in self.timeframes
            }
            return {each: kept.prediction for each, kept in found.items() if kept is not None}

        return outlook_of(listing, self.timeframes, await self._store.read(work), close)

    async def view(self, listing: Listing) -> PredictionView:
        """What people are shown of it: what all contexts share, and what is asked by prompts of their own."""
        prompt = self._way(listing, "")
        record = await self._store.read(
            lambda uow: uow.predictions.records(listing, self.timeframes, LAST, prompt=prompt)
        )
        own = {
            context: await self._outlook(listing, each)
            for context, each in self._contexts.items()
            if each in self._asked[listing]
        }
        return PredictionView(outlook=await self._outlook(listing, prompt), record=record, own=own)

    async def _outlook(self, listing: Listing, prompt: str) -> TrendOutlook:
        newest = await self._known()
        return outlook_of(
            listing,
            self.timeframes,
            _of(newest, listing, prompt),
            self._clock.now(),
            _of(self._reasons, listing, prompt),
        )

    def _way(self, listing: Listing, context: str) -> str:
        """The key by which a market is predicted for a context; the first of it where none is asked for all."""
        prompts = self._asked[listing]
        own = self._contexts.get(context, "")
        return own if own in prompts else prompts[0]

    async def _make(self, at: datetime) -> None:
        try:
            newest = await self._known()
            wanted = self._wanted(newest, at)
            made = await self._predictor.predict(wanted, at, self._within) if wanted else {}
            graded = await self._graded(at)
            await self._keep(newest, made, graded)
        except StoreError as error:
            _log.error("what was predicted could not be kept", error=error.message)
        except Exception:  # noqa: BLE001 - nobody waits for this task: its fault would be lost
            _log.exception("predicting failed", at=at.isoformat(), reference=fault_id())

    def _wanted(self, newest: Mapping[Wanted, TrendPrediction], at: datetime) -> list[Wanted]:
        """The markets and timeframes whose newest close has no prediction; what is asked too often is left out."""
        found = []
        for each in self._all():
            close = each.timeframe.floor(at)
            if (known := newest.get(each)) is not None and known.at >= close:
                continue
            if self._tries[each, close] < TRIES:
                self._tries[each, close] += 1
                found.append(each)
        return found

    def _all(self) -> Iterator[Wanted]:
        """All that is predicted, the shortest timeframe first."""
        for timeframe in self.timeframes:
            for listing, prompts in self._asked.items():
                yield from (Wanted(listing, timeframe, prompt) for prompt in prompts)

    async def _keep(self, newest: dict[Wanted, TrendPrediction], made: Made, graded: Sequence[KeptPrediction]) -> None:
        """Write down what was made, and only then tell it."""
        new = _made(made)

        def work(uow: UnitOfWork) -> None:
            uow.predictions.add(new.values())
            uow.predictions.grade(graded)

        if new or graded:
            await self._store.transact(work)
        self._tell(newest, made)

    def _tell(self, newest: dict[Wanted, TrendPrediction], made: Made) -> None:
        """Let decisions know what was made."""
        new = _made(made)
        newest.update({each: found.prediction for each, found in new.items()})
        self._reasons |= {each: found for each, found in made.items() if isinstance(found, str)}
        for each in new:
            self._reasons.pop(each, None)
            for tried in [tried for tried in self._tries if tried[0] == each]:
                del self._tries[tried]

    async def _known(self) -> dict[Wanted, TrendPrediction]:
        """The newest prediction of each market and timeframe, as it is kept."""
        if self._newest is None:
            self._newest = await self._store.read(self._load)
        return self._newest

    def _load(self, uow: UnitOfWork) -> dict[Wanted, TrendPrediction]:
        now, found = self._clock.now(), dict[Wanted, TrendPrediction]()
        for each in self._all():
            kept = uow.predictions.newest(each.listing, each.timeframe, now, prompt=each.prompt)
            if kept is not None:
                found[each] = kept.prediction
        return found

    async def _graded(self, now: datetime) -> list[KeptPrediction]:
        due = await self._store.read(lambda uow: uow.predictions.due(now, GRADED_AT_ONCE))
        found = [await self._held_against_the_market(each, now) for each in due]
        return [each for each in found if each is not None]

    async def _held_against_the_market(self, kept: KeptPrediction, now: datetime) -> KeptPrediction | None:
        """A prediction with its outcome; ``None`` where the price of then is not known here, or not any more."""
        asked = kept.prediction
        if asked.venue not in self._market_data:
            return None
        try:
            market_data = market_data_of(self._market_data, asked.venue)
            candles = await market_data.candles(asked.symbol, asked.timeframe, 1, asked.due_at)
        except VenueError:
            return None
        if candles.closed_at != asked.due_at:
            return None
        return kept.graded(float(candles.close[-1]), now)


def _made(made: Made) -> dict[Wanted, KeptPrediction]:
    return {each: found for each, found in made.items() if isinstance(found, KeptPrediction)}


def _key(kept: KeptPrediction) -> tuple[Wanted, datetime]:
    said = kept.prediction
    return Wanted(said.listing, said.timeframe, said.prompt), said.at


def _of(by_wanted: Mapping[Wanted, T], listing: Listing, prompt: str) -> dict[Timeframe, T]:
    return {
        each.timeframe: found for each, found in by_wanted.items() if each.listing == listing and each.prompt == prompt
    }
