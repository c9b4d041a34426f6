"""``bot compare --layers``: what each layer of the bot adds to the one before it, on the same candles.

rules ─▶ + sentiment ─▶ + prediction ─▶ + panel ─▶ + PPO ─▶ + people

Each is a replay through the live cycle with these layers, and no others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from numpy.random import default_rng

from bot.backtests.full import FullRun, full_run
from bot.backtests.layer_rows import Layer, Layers, Part, Row, Span
from bot.backtests.sizing_layers import SizingLayers, adjusting_notes, people_layer, unadjusted, with_adjuster_off
from config.settings import Settings
from engine.backtest.layer_figures import Stretch, differences, figures_of, stretch_of, total_difference, total_of
from engine.backtest.registry import TrialRegistry
from engine.backtest.returns import curve_of, sharpe
from engine.backtest.setup import BacktestSetup
from engine.backtest.trials import trial_of
from engine.domain.backtests import BacktestResult
from engine.llm.tape import TapeUse
from engine.sentiment.history import FEAR_GREED, NEWS, SentimentHistory
from handlers.cards.wording import count

RULES = "rules"
_FEW = 0.05
"""The share of a layer's questions that may lack an answer without a word about it."""
_SOURCES = {FEAR_GREED: "Fear & Greed", NEWS: "headlines"}


def compare_layers(
    setup: BacktestSetup,
    settings: Settings,
    history: SentimentHistory | None,
    registry: TrialRegistry,
    now: datetime,
    seed: int,
) -> Layers:
    """Trade with each layer that can be tried. Each is a trial.

    Args:
        setup: What is traded.
        settings: What the bot does with all layers.
        history: What was said of the markets; ``None`` where nobody knows.
        registry: Where trials are written down.
        now: The time on the wall.
        seed: Where the chance of resampling comes from: what is the same has the same intervals.

    Raises:
        GreenlightError: A layer cannot be traded.
    """
    plain = with_adjuster_off(settings)
    ruled = _with(plain, enabled=False)
    rules = full_run(setup, ruled)
    span = rules.result.begins, rules.result.ends
    tried = _Tried(settings=settings, registry=registry, now=now, seed=seed, span=span)
    tried.add(Layer(name=RULES, settings=ruled, setup=setup), rules)
    for layer in layers_of(setup, plain, history, _uncovered(setup, history, span)):
        tried.add(layer)
    sizing = SizingLayers(policy=settings.ppo.policy, max_age=settings.ppo.max_age, limits=settings.risk, span=span)
    for layer in sizing.of(tried.last):
        tried.add(layer)
    tried.add(people_layer(tried.last, settings))
    notes = [*_of_sentiment(setup, history, span), *_of_models(settings, tried.uses, span), *tried.notes]
    return Layers(setup=setup, span=span, rows=tried.rows, notes=notes)


@dataclass(slots=True, kw_only=True)
class _Tried:
    """What has been tried so far.

    Attributes:
        runs: Of each layer that has a row.
        costs: What each call of theirs had cost, in US dollars, by its key.
        last: The newest of them that the next one goes on from.
    """

    settings: Settings
    registry: TrialRegistry
    now: datetime
    seed: int
    span: Span
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    uses: list[TapeUse] = field(default_factory=list)
    runs: dict[str, BacktestResult] = field(default_factory=dict)
    costs: dict[str, dict[str, float]] = field(default_factory=dict)
    last: Layer = field(init=False)

    def add(self, layer: Layer, run: FullRun | None = None) -> None:
        """Try a layer, or say why not."""
        if layer.missing:
            self.rows.append(Row(name=layer.name, missing=layer.missing))
            return
        run = run or full_run(layer.setup, layer.settings, layer.history, adjuster=layer.adjuster)
        if reason := _unanswered(run.tape) or unadjusted(layer, run):
            self.rows.append(Row(name=layer.name, missing=reason))
            return
        _keep(layer.setup, layer.name, run.result, self.registry, self.now)
        cuts = [at for at in _cut_offs(self.settings, run.tape) if self.span[0] < at < self.span[1]]
        before = (self.last.name, self.runs[self.last.name]) if self.runs else None
        beside = {} if layer.is_aside else self._aside(layer)
        row = _row(layer.name, run, before, beside, cuts, self.seed)
        self.rows.append(_with_cost(row, self.costs.get(self.last.name, {}) if self.runs else {}, self.seed))
        self.notes += [*gaps(layer.name, run.tape), *adjusting_notes(layer, run)]
        self.uses += [run.tape] if run.tape else []
        self.runs[layer.name] = run.result
        self.costs[layer.name] = _costs(run.tape)
        if not layer.is_aside:
            self.last = layer

    def _aside(self, layer: Layer) -> Mapping[str, BacktestResult]:
        """What the adjuster that has learnt is held against beside the layer before it."""
        return {name: self.runs[name] for name in layer.faces if name in self.runs}


def layers_of(
    setup: BacktestSetup, settings: Settings, history: SentimentHistory | None, uncovered: str
) -> Iterator[Layer]:
    """The layers of what is said and asked, each with those before it.

    Args:
        setup: What is traded.
        settings: What the bot does with all of them.
        history: What was said of the markets.
        uncovered: Why that is of no use; empty where it is.
    """
    said, no_model = None if uncovered else history, _no_model(settings)
    ruled = _with(settings, enabled=False)
    yield Layer(name="+ sentiment", settings=ruled, setup=setup, history=said, missing=uncovered)
    off = "" if settings.ai.prediction.enabled else "off (ai.prediction.enabled)"
    predicting = _with(settings, panel=settings.ai.panel.model_copy(update={"enabled": False}))
    yield Layer(name="+ prediction", settings=predicting, setup=setup, history=said, missing=no_model or off)
    off = "" if settings.ai.panel.enabled else "off (ai.panel.enabled)"
    yield Layer(name="+ panel", settings=settings, setup=setup, history=said, missing=no_model or off)


def _with(settings: Settings, **ai: object) -> Settings:
    return settings.model_copy(update={"ai": settings.ai.model_copy(update=ai)})


def _no_model(settings: Settings) -> str:
    if not settings.asks_models:
        return "models are off (ai.enabled)"
    return "" if settings.llm.tape is not None else "no tape (llm.tape)"


def _unanswered(tape: TapeUse | None) -> str:
    """Why a run with models says nothing of them; empty where it does."""
    if tape is None or tape.answered:
        return ""
    if not tape.missing:
        return "there was nothing to ask"
    return f"the tape has no answer to any of {count(tape.missing, 'question')}"


def gaps(name: str, tape: TapeUse | None) -> Iterator[str]:
    """That a row says little of models, where its tape lacks more than a few answers."""
    if tape is None:
        return
    asked = tape.answered.total() + tape.by_rules + tape.missing
    if tape.missing > asked * _FEW:
        yield (
            f"{name}: the tape has no answer to {tape.missing:,} of {asked:,} questions, so that its row says little: "
            f"a run of this layer by itself makes them (docs/ai.md)."
        )


def _keep(setup: BacktestSetup, name: str, result: BacktestResult, registry: TrialRegistry, now: datetime) -> None:
    curve, span = curve_of(result.begins, result.cash, result.daily), (result.begins, result.ends)
    found = [sharpe(curve.returns)]
    registry.add(trial_of(setup, found, command="compare", at=now, span=span, varied={"layer": name}))


def _row(
    name: str,
    run: FullRun,
    before: tuple[str, BacktestResult] | None,
    beside: Mapping[str, BacktestResult],
    cuts: Sequence[datetime],
    seed: int,
) -> Row:
    """A layer over all of the time, and on each side of the ends of trainings."""
    times: list[tuple[str, datetime | None, datetime | None]] = [("", None, None)]
    for at in sorted(set(cuts)):
        times += [(f"before {at:%Y-%m-%d}", None, at), (f"from {at:%Y-%m-%d}", at, None)]
    parts = []
    for when, begins, ends in times:
        own = _stretch(run.result, begins, ends)
        without = _stretch(before[1], begins, ends) if before else None
        added = differences(own, without, default_rng(seed)) if without else None
        faced = {
            name: differences(own, _stretch(other, begins, ends), default_rng(seed)) for name, other in beside.items()
        }
        parts.append(Part(when=when, figures=figures_of(own, default_rng(seed)), added=added, beside=faced))
    return Row(name=name, against=before[0] if before else "", parts=parts, tape=run.tape)


def _costs(tape: TapeUse | None) -> dict[str, float]:
    return {key: float(cost) for key, cost in tape.costs.items()} if tape else {}


def _with_cost(row: Row, before: Mapping[str, float], seed: int) -> Row:
    """A row with what its models had cost, and what that is more than before it; as it is where nobody was asked."""
    own = _costs(row.tape)
    if row.tape is None:
        return row
    return replace(
        row,
        cost=total_of(list(own.values()), default_rng(seed)),
        cost_added=total_difference(own, before, default_rng(seed)) if row.against else None,
    )


def _stretch(result: BacktestResult, begins: datetime | None, ends: datetime | None) -> Stretch:
    return stretch_of(curve_of(result.begins, result.cash, result.daily), result.trades, begins, ends)


def _uncovered(setup: BacktestSetup, history: SentimentHistory | None, span: Span) -> str:
    """Why what was said of the markets is of no use here; empty where it is."""
    if history is None:
        return "no history (--sentiment, replay.sentiment)"
    is_covered = any(each.days for symbol in setup.candles for each in history.coverage(symbol, *span))
    return "" if is_covered else "its history has nothing of this time"


def _of_sentiment(setup: BacktestSetup, history: SentimentHistory | None, span: Span) -> Iterator[str]:
    """How much there is, of which time."""
    if history is None:
        return
    yield "Sentiment decides nothing by itself: it is told to who predicts, and to the panel."
    for symbol in setup.candles:
        found = {each.source: each for each in history.coverage(symbol, *span)}
        for source, name in _SOURCES.items():
            if (each := found.get(source)) is None:
                yield f"{symbol}: no {name}."
            else:
                known = f"known from {each.first:%Y-%m-%d} to {each.last:%Y-%m-%d}"
                yield f"{symbol}: {name} on {each.days:.0%} of the days; {known}."
    yield "Of other sources (Reddit, X, futures) there is no history."


def _of_models(settings: Settings, uses: Sequence[TapeUse], span: Span) -> Iterator[str]:
    """What models may have known of this time, each from its training."""
    for provider, model in dict.fromkeys(each for use in uses for each in use.answered):
        ended = settings.llm.cut_off_of(provider, model)
        if ended is None:
            yield (
                f"{provider} {model}: when its training ended is not known (llm.providers.{provider}.cut_off); "
                f"it may know what came."
            )
        elif ended >= span[1]:
            yield f"{provider} {model}: its training ended on {ended:%Y-%m-%d}, after all of it: it may know what came."
        elif ended <= span[0]:
            yield f"{provider} {model}: its training ended on {ended:%Y-%m-%d}, before all of this."


def _cut_offs(settings: Settings, tape: TapeUse | None) -> list[datetime]:
    """When the trainings of the models that have answered ended, where that is known."""
    found = (settings.llm.cut_off_of(*each) for each in (tape.answered if tape else ()))
    return [at for at in found if at is not None]
