"""The brief of a proposal: what those who are asked about it are told, and how that is written down for them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import count
from typing import NamedTuple

from engine.domain.briefs import Brief, BriefField
from engine.domain.decisions import Input, Opinion, Signals, TechnicalSignals, Verdict
from engine.domain.figures import plain
from engine.domain.insights import Insight
from engine.domain.predictions import TrendOutlook
from engine.domain.proposals import Proposal
from engine.domain.sentiment import SentimentData

LONGEST_FOREIGN = 200
"""Letters that are told of a text which somebody else wrote."""
MOST_HEADLINES = 8
_DIGITS = 6
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff<>\[\]`{}|]+")
_LINE = re.compile(r"^\[(f\d+)\] ([a-z0-9_.]+)(?: = (-?\d+(?:\.\d+)?)(?: \((.*)\))?|: (.*))$")
_READINGS = ("rsi", "macd", "macd_signal", "macd_histogram", "bollinger_lower", "bollinger_upper", "volume_ratio")
_AVERAGES = ("ma_20", "ma_50", "ma_200")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing to be told, before it has its id."""

    name: str
    text: str = ""
    figure: Decimal | None = None
    is_foreign: bool = False


class Reading(NamedTuple):
    """A figure to be told that was reckoned in floats. It is rounded when it is read, for who reads few of many."""

    name: str
    value: float
    text: str = ""

    @property
    def figure(self) -> Decimal:
        """What is told."""
        return Decimal(plain(self.value, _DIGITS))

    @property
    def is_foreign(self) -> bool:
        """Nobody else wrote it."""
        return False


Told = Line | Reading


def brief_of(proposal: Proposal, beside: Iterable[Told] = ()) -> Brief:
    """What is told of a proposal.

    Args:
        proposal: What a strategy wants, and everything that was seen then.
        beside: What the account tells of it: what is held, how earlier ones ended.
    """
    lines = (
        *_wanted(proposal.signals, proposal.close),
        *(line for reading in proposal.readings for line in lines_of(reading)),
        *_market_context(proposal.market_context),
        *_insight(proposal.insight),
        *beside,
    )
    return Brief(symbol=proposal.symbol, at=proposal.candle_at, fields=numbered(lines))


def prediction_brief(
    signals: TechnicalSignals,
    known: Iterable[Input] = (),
    sentiment: SentimentData | None = None,
    beside: Iterable[Told] = (),
) -> Brief:
    """What is told of a market on one timeframe, for a prediction.

    Args:
        signals: The readings of that timeframe.
        known: What futures tell.
        sentiment: What is said of it.
        beside: What the account tells: what is held of it, and why that was bought.
    """
    lines = prediction_lines(signals, known, sentiment, beside)
    return Brief(symbol=signals.symbol, at=signals.at, fields=numbered(lines))


def prediction_lines(
    signals: TechnicalSignals,
    known: Iterable[Input] = (),
    sentiment: SentimentData | None = None,
    beside: Iterable[Told] = (),
) -> tuple[Told, ...]:
    """What stands in the brief of a prediction, in order."""
    said = _sentiment(sentiment) if sentiment is not None else ()
    return (*lines_of(signals), *_market_context(known), *said, *beside)


def numbered(lines: Iterable[Told], after: int = 0) -> tuple[BriefField, ...]:
    """Things to be told, each with its id."""
    return tuple(
        BriefField(id=f"f{number}", name=line.name, text=line.text, figure=line.figure, is_foreign=line.is_foreign)
        for number, line in zip(count(after + 1), lines, strict=False)
    )


def with_opinions(brief: Brief, heard: Sequence[Opinion]) -> Brief:
    """The same, and what others have said of it: for who speaks last."""
    return Brief(
        symbol=brief.symbol,
        at=brief.at,
        fields=(*brief.fields, *numbered((line for each in heard for line in _opinion(each)), len(brief.fields))),
    )


@lru_cache(maxsize=4)
def written(brief: Brief) -> str:
    """A brief as it is put into a prompt: a line a field, and words of other people by themselves, marked as such.

    All members of a panel are told the same one.
    """
    own = [_written(field) for field in brief.fields if not field.is_foreign]
    foreign = [_written(field) for field in brief.fields if field.is_foreign]
    parts = [f"<brief symbol={brief.symbol} at={brief.at:%Y-%m-%dT%H:%MZ}>", *own, "</brief>"]
    if foreign:
        parts += ["<quoted>", *foreign, "</quoted>"]
    return "\n".join(parts)


def read_back(prompt: str) -> tuple[BriefField, ...]:
    """The fields of a brief that stands in a prompt: what rules answer from."""
    return tuple(field for line in prompt.splitlines() if (field := _field(line)) is not None)


def safe(text: str) -> str:
    """Somebody else's words on one line, without what could be taken for the form of a prompt."""
    return " ".join(_UNSAFE.sub(" ", text).split())[:LONGEST_FOREIGN]


def _written(field: BriefField) -> str:
    if field.figure is None:
        return f"[{field.id}] {field.name}: {field.text}"
    remark = f" ({field.text})" if field.text else ""
    return f"[{field.id}] {field.name} = {plain(field.figure)}{remark}"


@lru_cache(maxsize=512)
def _field(line: str) -> BriefField | None:
    found = _LINE.match(line)
    if found is None:
        return None
    number, name, figure, remark, text = found.groups()
    try:
        value = Decimal(figure) if figure is not None else None
    except InvalidOperation:
        return None
    foreign = name.startswith("headline.") or name.endswith(".words")
    return BriefField(
        id=number, name=name, text=(remark if value is not None else text) or "", figure=value, is_foreign=foreign
    )


def _wanted(signals: Signals, close: float | None) -> Iterator[Told]:
    """What the strategy wants, and what speaks for it."""
    yield Line(name="strategy.trigger", text=safe(signals.trigger))
    yield Reading("strategy.agreement", signals.confidence, "share of its conditions that hold")
    for number, condition in enumerate(signals.conditions, start=1):
        holds = "holds" if condition.holds else "does not hold"
        detail = f" ({safe(condition.detail)})" if condition.detail else ""
        yield Line(name=f"strategy.condition_{number}", text=f"{safe(condition.name)}: {holds}{detail}")
    if signals.stop_distance is not None and close is not None and close > signals.stop_distance:
        yield Reading("strategy.stop", close - signals.stop_distance, "price of the stop that it would have")


def lines_of(signals: TechnicalSignals) -> Iterator[Told]:
    """The readings of one timeframe; a price also as its distance from the close, in per cent."""
    of = signals.timeframe
    yield Reading(f"{of}.close", signals.close, f"close of {signals.at:%Y-%m-%dT%H:%MZ}")
    for name in _READINGS:
        if (value := getattr(signals, name)) is not None:
            yield Reading(f"{of}.{name}", value)
    for name in _AVERAGES:
        if (value := getattr(signals, name)) is not None:
            yield Reading(f"{of}.{name}", value)
            yield Reading(f"{of}.above_{name}", _percent(signals.close, value), "close above it, in per cent")
    if signals.atr is not None:
        yield Reading(f"{of}.atr_percent", signals.atr / signals.close * 100, "average true range, in per cent")
    for name, levels in (("support", signals.supports), ("resistance", signals.resistances)):
        if levels:
            yield Reading(f"{of}.{name}_percent", _percent(levels[0], signals.close), f"nearest {name} from the close")
    if signals.flags:
        yield Line(name=f"{of}.flags", text=", ".join(map(safe, signals.flags)))
    if signals.patterns:
        told = (f"{safe(each.name)} {'bullish' if each.bullish else 'bearish'}" for each in signals.patterns)
        yield Line(name=f"{of}.patterns", text=", ".join(told))


def _market_context(known: Iterable[Input]) -> Iterator[Told]:
    for each in known:
        yield Line(name=f"futures.{each.name.replace(' ', '_')}", text=safe(each.detail))


def _insight(insight: Insight) -> Iterator[Told]:
    if insight.sentiment is not None:
        yield from _sentiment(insight.sentiment)
    if insight.outlook is not None:
        yield from _outlook(insight.outlook)


def _sentiment(data: SentimentData) -> Iterator[Told]:
    score = data.aggregate()
    if score is None:
        return
    yield Reading("sentiment", score, "all sources, -1 bearish to 1 bullish")
    for part in data.parts:
        hours = part.age(data.at).total_seconds() / 3600
        yield Reading(f"sentiment.{part.source}", part.score, f"{part.count} texts or readings, {hours:.1f} h old")
    for number, each in enumerate(data.headlines[:MOST_HEADLINES], start=1):
        yield Line(name=f"headline.{number}", text=safe(each.title), is_foreign=True)


def _outlook(outlook: TrendOutlook) -> Iterator[Told]:
    if not outlook.predictions:
        return
    yield Reading("outlook.alignment", outlook.alignment, "-1 all bearish to 1 all bullish")
    late = {timeframe for timeframe, _ in outlook.missing}
    for each in (one for one in outlook.predictions if one.timeframe not in late):
        move = each.expected_move * 100
        yield Reading(f"outlook.{each.timeframe}", move, f"{each.direction}, expected move in per cent")


def _opinion(opinion: Opinion) -> Iterator[Told]:
    """What a member said; its words are a model's, and so somebody else's."""
    yield Line(name=f"{opinion.agent}.verdict", text=opinion.verdict)
    if opinion.verdict is not Verdict.ABSTAIN:
        yield Reading(f"{opinion.agent}.share", opinion.share, "of the trade that it would make")
    for reason in opinion.reasons:
        yield Line(name=f"{opinion.agent}.words", text=safe(reason), is_foreign=True)


def _percent(value: float, of: float) -> float:
    return (value / of - 1) * 100 if of else 0.0
