"""The leakage card: how far a model's predictions follow the brief, and how far it knows the answer from elsewhere.

A model that was trained on what came later seems to foretell it in a backtest. Each case is asked about as it is,
without name and date, with its evidence turned round, and with the figures of a case that was answered otherwise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from engine.ai.brief import prediction_brief, written
from engine.ai.perturbing import masked, turned, with_figures
from engine.ai.predictor import PURPOSE
from engine.ai.prompt_files import Prompt
from engine.ai.schemas import PredictionShape
from engine.analysis.technical import HISTORY, TechnicalAnalyzer
from engine.domain.briefs import Brief
from engine.domain.errors import DataError
from engine.domain.market import Candles, Timeframe
from engine.domain.predictions import Trend
from engine.llm.manager import LLMManager
from engine.llm.validating import Facts, Validator

HORIZON = 12
"""After how many candles it is looked what came."""
FOLLOWS, HARDLY = 0.8, 0.4
"""From which share of answers on a model is said to follow the brief, and up to which hardly to."""
_AT_ONCE = 4
_OPPOSITE = {Trend.BULLISH: Trend.BEARISH, Trend.BEARISH: Trend.BULLISH}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A market at a time of the past.

    Attributes:
        brief: What is told of it.
        came: What the price did then.
    """

    brief: Brief
    timeframe: Timeframe
    came: Trend


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A number of answers among all that could be meant."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """It as a fraction; ``None`` where none could be meant."""
        return self.count / self.of if self.of else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leakage:
    """How a model answered the cases of one time.

    Attributes:
        cases, answered: How many it was asked about, and how many it answered as they are.
        turned: The answers with a direction that are the opposite once the evidence is turned round.
        unmasked: The answers that are the same without name and date.
        figures: The answers that go with the figures where these are of a case with another answer: else with the name.
        right: The answers with a direction that was what came.
    """

    cases: int
    answered: int
    turned: Share
    unmasked: Share
    figures: Share
    right: Share

    @property
    def verdict(self) -> str:
        """What it comes to, in words."""
        shares = [each.value for each in (self.turned, self.unmasked, self.figures)]
        known = [each for each in shares if each is not None]
        if len(known) < len(shares):
            return "too few answers"
        if min(known) >= FOLLOWS:
            return "follows the brief"
        if (self.turned.value or 0) <= HARDLY and (self.figures.value or 0) <= HARDLY:
            return "hardly looks at the brief"
        return "follows the brief in part"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answered:
    """What was said of a case, in each of its forms; ``None`` where nobody could say."""

    case: Case
    as_it_is: Trend | None
    masked: Trend | None
    turned: Trend | None


def cases_in(candles: Candles, count: int) -> tuple[Case, ...]:
    """So many times of a market's past, evenly spread.

    Raises:
        DataError: There are too few candles.
    """
    last = len(candles) - HORIZON
    if last < HISTORY + count:
        needed = HISTORY + count + HORIZON
        raise DataError(f"{candles.symbol} {candles.timeframe}: {len(candles)} candles, and {needed} are needed.")
    analyzer = TechnicalAnalyzer()
    return tuple(_case(analyzer, candles, int(row)) for row in np.linspace(HISTORY, last, count))


def _case(analyzer: TechnicalAnalyzer, candles: Candles, row: int) -> Case:
    """The market once the first ``row`` candles have closed."""
    known = candles.cut(row - HISTORY, row)
    came = candles.close[row + HORIZON - 1] - candles.close[row - 1]
    brief = prediction_brief(analyzer.analyze(known))
    return Case(brief=brief, timeframe=candles.timeframe, came=Trend.BULLISH if came > 0 else Trend.BEARISH)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakageProbe:
    """Asks a model about cases in each of their forms.

    Attributes:
        manager: Who is asked; its caps hold.
        prompt: How.
        asked: Called for each answer that came.
    """

    manager: LLMManager
    prompt: Prompt
    asked: Callable[[], None] = lambda: None

    async def measure(self, cases: Sequence[Case]) -> Leakage:
        """How far its answers follow what it is told."""
        slots = asyncio.Semaphore(_AT_ONCE)
        answered = await asyncio.gather(*(self._answered(case, slots) for case in cases))
        pairs = _pairs(answered)
        crossed = await asyncio.gather(
            *(self._ask(with_figures(one.case.brief, other.case.brief), one.case, slots) for one, other in pairs)
        )
        told = [each for each in answered if each.as_it_is is not None]
        sided = [each for each in told if each.as_it_is in _OPPOSITE]
        return Leakage(
            cases=len(cases),
            answered=len(told),
            turned=_share([each.turned is _OPPOSITE[each.as_it_is] for each in sided if each.as_it_is]),
            unmasked=_share([each.masked is each.as_it_is for each in told]),
            figures=_share([said is other.as_it_is for said, (_, other) in zip(crossed, pairs, strict=True)]),
            right=_share([each.as_it_is is each.case.came for each in sided]),
        )

    async def _answered(self, case: Case, slots: asyncio.Semaphore) -> _Answered:
        brief = case.brief
        as_it_is, without, other_way = [
            await self._ask(each, case, slots) for each in (brief, masked(brief), turned(brief))
        ]
        return _Answered(case=case, as_it_is=as_it_is, masked=without, turned=other_way)

    async def _ask(self, brief: Brief, case: Case, slots: asyncio.Semaphore) -> Trend | None:
        async with slots:
            answer = await self.manager.generate(
                self.prompt.asked(symbol=brief.symbol, timeframe=case.timeframe, brief=written(brief)),
                self.prompt.system,
                PredictionShape,
                PURPOSE,
                validate=Validator(
                    shape=PredictionShape, facts=Facts(symbol=brief.symbol, book=None, figures=brief.figures)
                ),
            )
        self.asked()
        return None if answer.abstains else Trend(answer.value.direction)


def _pairs(answered: Sequence[_Answered]) -> list[tuple[_Answered, _Answered]]:
    """Each case that was answered with the next one that was answered otherwise, where there is one."""
    told = [each for each in answered if each.as_it_is is not None]
    found = []
    for number, one in enumerate(told):
        others = (*told[number + 1 :], *told[:number])
        if (other := next((each for each in others if each.as_it_is is not one.as_it_is), None)) is not None:
            found.append((one, other))
    return found


def _share(found: Sequence[bool]) -> Share:
    return Share(count=sum(found), of=len(found))


def parted(cases: Sequence[Case], cut_off: datetime | None) -> dict[str, list[Case]]:
    """Cases before a model's training ended and after it; all of them where nobody knows when that was."""
    if cut_off is None:
        return {"all": list(cases)}
    day = f"{cut_off:%Y-%m-%d}"
    before = [each for each in cases if each.brief.at < cut_off]
    return {f"before {day}": before, f"from {day} on": [each for each in cases if each.brief.at >= cut_off]}
