"""What is told of layers: each that was tried with its figures, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from config.settings import Settings
from engine.backtest.layer_figures import Figure, LayerFigures
from engine.backtest.setup import BacktestSetup
from engine.learning.adjuster import PPOAdjuster
from engine.llm.tape import TapeUse
from engine.sentiment.history import SentimentHistory

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Something that the bot does beside its rules.

    Attributes:
        settings: Those of a run that does this, and what is before it.
        setup: What is traded.
        missing: Why it cannot be tried; empty where it can.
        adjuster: Who sizes its entries; ``None`` for nobody.
        is_aside: Whether it is only something that a later one is held against: it is no part of those.
        faces: Those that it is held against, beside the one before it.
    """

    name: str
    settings: Settings
    setup: BacktestSetup
    history: SentimentHistory | None = None
    missing: str = ""
    adjuster: PPOAdjuster | None = None
    is_aside: bool = False
    faces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A layer in some of the time.

    Attributes:
        when: Of which time; empty for all of it.
        added: What it differs by from the layer before it.
        beside: What it differs by from others that it is held against, by their names.
    """

    when: str
    figures: LayerFigures
    added: LayerFigures | None
    beside: Mapping[str, LayerFigures] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A layer that was tried, or why it was not.

    Attributes:
        against: The layer before it.
        parts: All of the time first, then what was before and after the training of a model ended.
        tape: What models were asked.
        cost: What that had cost, in US dollars; ``None`` where nobody was asked.
        cost_added: What it cost more than the layer before it, in pairs of the same calls.
    """

    name: str
    missing: str = ""
    against: str = ""
    parts: Sequence[Part] = ()
    tape: TapeUse | None = None
    cost: Figure | None = None
    cost_added: Figure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """All of them.

    Attributes:
        span: The time that was traded in.
        notes: What has to be known of the data behind them.
    """

    setup: BacktestSetup
    span: Span
    rows: Sequence[Row]
    notes: Sequence[str]
