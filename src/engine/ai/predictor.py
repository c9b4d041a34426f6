"""Where prices are expected to go: every market and timeframe at once, each by a brief of its own.

close ─▶ candles ─▶ frame ─▶ brief ─▶ prompt ─▶ model or offline analyst ─▶ TrendPrediction, or the reason for none
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import structlog
from pydantic import ValidationError

from engine.ai.agents import speaker
from engine.ai.brief import Told, numbered, prediction_lines, safe, written
from engine.ai.prompt_files import Prompt
from engine.ai.rules import predicted
from engine.ai.schemas import PredictionShape
from engine.ai.votes import agreed_trend
from engine.analysis.technical import TechnicalAnalyzer
from engine.domain.briefs import Brief
from engine.domain.decisions import Frame, Input
from engine.domain.errors import GreenlightError, VenueError
from engine.domain.figures import bounded
from engine.domain.market import Listing, Timeframe
from engine.domain.predictions import KeptPrediction, Reason, Trend, TrendPrediction
from engine.inputs.candles import CheckedCandles
from engine.inputs.derivatives import KeptDerivatives
from engine.inputs.insights import AskSentiment
from engine.llm.manager import Answer, LLMManager
from engine.llm.validating import Facts, Validator
from engine.ports import Clock
from engine.support.faults import fault_id
from engine.timing.clocks import monotonic

_log = structlog.get_logger(__name__)

PURPOSE = "prediction"
"""What the manager is asked for: its chain, its caps and its figures go by it."""
DIRECTION = "direction"
"""The field of a prediction by whose probability its confidence is measured."""
PLACES = ("symbol", "timeframe", "brief")
"""The places of a question for one."""
LATE = "it was not there in time"


class Wanted(NamedTuple):
    """What is to be predicted, and how it is asked for: the key of a context's own way, or nothing for all others'."""

    listing: Listing
    timeframe: Timeframe
    prompt: str = ""


Made = Mapping[Wanted, KeptPrediction | str]
"""What became of what was wanted: a prediction, or why there is none."""
AskHoldings = Callable[[Mapping[Listing, Decimal]], Awaitable[Mapping[Listing, Sequence[Told]]]]
"""Tells what is held of some markets, at their prices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AITrendPredictor:
    """Asks where prices are going; whatever goes wrong with one question, the others are answered.

    Attributes:
        clock: In a replay what a model took to answer passes on the market too; rules and tapes take no time.
        candles: The closed candles of each market.
        analyzer: Reads them.
        frames: What was last read of each market and timeframe, shared with the cycle: nothing is read twice.
        derivatives: What futures tell.
        sentiment: Tells what is said of a market; ``None`` where no source is asked.
        holdings: Tells what is held, and why it was bought.
        prompts: How somebody is asked, by the keys of what is wanted.
        votes: How often each is asked, at once: how far the answers agree is a prediction's confidence; ``own_votes``
            how often where a key has its own number.
    """

    clock: Clock
    candles: CheckedCandles
    analyzer: TechnicalAnalyzer
    frames: dict[Listing, dict[Timeframe, Frame]]
    derivatives: KeptDerivatives
    sentiment: AskSentiment | None
    holdings: AskHoldings
    manager: LLMManager
    prompts: Mapping[str, Prompt]
    votes: int = 1
    own_votes: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_at_once(self) -> bool:
        """Whether everything that a prediction is made of is answered at once: nobody waits, or is asked anything."""
        by_rules = max((self.votes, *self.own_votes.values())) == 1 and self.manager.by_rules(PURPOSE) is not None
        return by_rules and self.derivatives.source.at_once

    async def predict(self, wanted: Collection[Wanted], at: datetime, within: float) -> Made:
        """What is expected at a close, of all that is wanted, within so many wall seconds for all of it together."""
        until = monotonic() + within
        missing, frames, lines = await self._told(wanted, at)
        asked = (self._in_time(each, _brief(frame, lines[each]), frame, until) for each, frame in frames.items())
        return missing | dict(zip(frames, await asyncio.gather(*asked), strict=True))

    async def predict_at_once(self, wanted: Collection[Wanted], at: datetime, within: float) -> Made:
        """The same where it is made at once: what rules say is neither written into a prompt nor read back from it."""
        until = monotonic() + within
        missing, frames, lines = await self._told(wanted, at)
        return missing | {
            each: self._by_rules(each, lines[each], frame)
            or await self._in_time(each, _brief(frame, lines[each]), frame, until)
            for each, frame in frames.items()
        }

    async def _told(
        self, wanted: Collection[Wanted], at: datetime
    ) -> tuple[dict[Wanted, KeptPrediction | str], dict[Wanted, Frame], dict[Wanted, tuple[Told, ...]]]:
        """Why nothing can be said of some, and what is seen and told of the others."""
        seen = {each: await self._seen(each, at) for each in wanted}
        frames = {each: found for each, found in seen.items() if isinstance(found, Frame)}
        missing: dict[Wanted, KeptPrediction | str] = {
            each: found for each, found in seen.items() if isinstance(found, str)
        }
        return missing, frames, await self._lines(frames)

    def _by_rules(self, wanted: Wanted, lines: Sequence[Told], frame: Frame) -> KeptPrediction | None:
        """What rules say of a brief; ``None`` where they say nothing, or nothing that is believed."""
        link, symbol = self.manager.by_rules(PURPOSE), frame.signals.symbol
        told = {f"f{number}": line for number, line in enumerate(lines, start=1)}
        if link is None or (said := predicted(_Figures(told), wanted.timeframe, symbol)) is None:
            return None
        facts = Facts(symbol=symbol, book=None, figures=dict.fromkeys(told))  # it cites fields, and repeats no figure
        try:
            value = PredictionShape.model_validate(said, context=facts)
        except ValidationError:
            return None
        answer = Answer(value=value, provider=link.provider, model=link.model, is_offline=True)
        return KeptPrediction(
            prediction=_of(answer, wanted, frame.signals.at, self.clock.now()), close=frame.signals.close
        )

    async def _seen(self, wanted: Wanted, at: datetime) -> Frame | str:
        """What is read of a market on a timeframe at its newest close, or why nothing is."""
        listing, timeframe = wanted.listing, wanted.timeframe
        try:
            candles, report = await self.candles.at(listing, timeframe, at)
        except VenueError as error:
            return _why(error)
        if not (report.usable or report.merely_short) or not len(candles):
            return f"its candles cannot be used: {'; '.join(issue.detail for issue in report.refused)}"
        if candles.closed_at != timeframe.floor(at):
            return "its newest candle is not there"
        known = self.frames.setdefault(listing, {})
        known.update(self.analyzer.frames({timeframe: candles}, known))
        return known[timeframe]

    async def _lines(self, frames: Mapping[Wanted, Frame]) -> dict[Wanted, tuple[Told, ...]]:
        """What is told of each; what is the same on all timeframes of a market is asked for once."""
        prices = {each.listing: Decimal(repr(frame.signals.close)) for each, frame in frames.items()}
        held = {} if self.manager.by_rules(PURPOSE) else await self.holdings(prices)  # rules do not look at it
        known: dict[str, tuple[Input, ...]] = {}
        said = {}
        for symbol in {listing.symbol: None for listing in prices}:
            known[symbol] = await self.derivatives.of(symbol)
            said[symbol] = await self.sentiment(symbol) if self.sentiment else None
        return {
            each: prediction_lines(
                frame.signals, known[each.listing.symbol], said[each.listing.symbol], held.get(each.listing, ())
            )
            for each, frame in frames.items()
        }

    async def _in_time(self, wanted: Wanted, brief: Brief, frame: Frame, until: float) -> KeptPrediction | str:
        left = until - monotonic()
        try:
            async with asyncio.timeout(left):
                return await self._ask(wanted, brief, frame, left)
        except TimeoutError:
            return LATE
        except GreenlightError as error:
            return _why(error)
        except Exception:  # noqa: BLE001 - whatever is wrong with one prediction, the others are made all the same
            fault = fault_id()
            _log.exception("a prediction failed", symbol=brief.symbol, timeframe=wanted.timeframe, reference=fault)
            return f"it failed (fault {fault})"

    async def _ask(self, wanted: Wanted, brief: Brief, frame: Frame, left: float) -> KeptPrediction | str:
        begun, started = self.clock.now(), self.clock.monotonic()
        asked = self.own_votes.get(wanted.prompt, self.votes)
        answers = await asyncio.gather(*(self._vote(number + 1, wanted, brief, left) for number in range(asked)))
        believed = [answer for answer in answers if not answer.abstains]
        if not believed:
            return answers[0].reason
        at_once = self.manager.on_tape or all(answer.is_offline for answer in believed)
        made_at = begun if at_once else begun + timedelta(seconds=int(self.clock.monotonic() - started))
        votes = [_of(answer, wanted, brief.at, made_at) for answer in believed]
        agreed = votes[0] if asked == 1 else agreed_trend(votes, asked)
        cost = sum((answer.cost for answer in answers), Decimal(0))
        return KeptPrediction(prediction=replace(agreed, cost=cost), close=frame.signals.close)

    async def _vote(self, number: int, wanted: Wanted, brief: Brief, left: float) -> Answer:
        prompt = self.prompts[wanted.prompt]
        return await self.manager.generate(
            prompt.asked(symbol=brief.symbol, timeframe=wanted.timeframe, brief=written(brief)),
            prompt.system,
            PredictionShape,
            PURPOSE,
            deadline=left,
            validate=Validator(
                shape=PredictionShape, facts=Facts(symbol=brief.symbol, book=None, figures=brief.figures)
            ),
            vote=number,
            probability_of=DIRECTION,
        )


class _Figures(Mapping[str, tuple[str, float]]):
    """What is told, for who looks up few of its figures: by the names of the fields, each with its id."""

    def __init__(self, told: Mapping[str, Told]) -> None:
        self._told = {line.name: (each, line) for each, line in told.items()}

    def __getitem__(self, name: str) -> tuple[str, float]:
        each, line = self._told[name]
        if line.figure is None:
            raise KeyError(name)
        return each, float(line.figure)

    def __iter__(self) -> Iterator[str]:
        return (name for name, (_, line) in self._told.items() if line.figure is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _brief(frame: Frame, lines: Iterable[Told]) -> Brief:
    return Brief(symbol=frame.signals.symbol, at=frame.signals.at, fields=numbered(lines))


def _why(error: GreenlightError) -> str:
    """As a reason that may stand within a sentence."""
    return error.message.removesuffix(".")


def _of(answer: Answer, wanted: Wanted, at: datetime, made_at: datetime) -> TrendPrediction:
    """What was answered; its confidence is what a provider tells of the direction: none is asked for or made up."""
    (listing, timeframe, prompt), said = wanted, answer.value
    return TrendPrediction(
        venue=listing.venue,
        symbol=listing.symbol,
        timeframe=timeframe,
        at=at,
        made_at=made_at,
        direction=Trend(said.direction),
        expected_move=float(bounded(said.expected_move_percent / 100)),
        horizon=said.horizon_candles,
        confidence=answer.probability,
        reasons=tuple(Reason(text=safe(each.text), fields=tuple(each.fields)) for each in said.reasons),
        by=speaker(answer),
        is_offline=answer.is_offline,
        cost=answer.cost,
        prompt=prompt,
    )
