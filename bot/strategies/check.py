"""``bot strategy check``: the contract of the family over one strategy, on made-up markets and on candle files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from bot.backtests.setups import alone, known_of
from bot.doctor.check import Verdict
from bot.strategies.registry import kind_of, strategy_of
from engine.analysis.technical import TechnicalAnalyzer
from engine.backtest.strategy_contract import RULES, Bench, Rule, usual_benches
from engine.domain.errors import BadInput, ConfigError, GreenlightError
from engine.domain.market import Candles, Timeframe
from engine.ports import Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What came of one rule; ``SKIPPED`` where the same is wrong as before, and no more can be told."""

    rule: str
    verdict: Verdict = Verdict.OK
    text: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyCheck:
    """One strategy, and the candles that it is looked at on; of other lengths it has as many as there are."""

    name: str
    tried: tuple[tuple[Strategy, Bench], ...]

    @classmethod
    def of(
        cls,
        asked: str,
        params: Sequence[str],
        timeframe: Timeframe | None,
        files: Sequence[Path],
        analyzer: TechnicalAnalyzer,
    ) -> StrategyCheck:
        """What somebody asks for.

        Raises:
            BadInput: There is no such strategy or parameter.
            DataError: A candle file cannot be used.
        """
        benches = [(each.timeframe, Bench(series=each, analyzer=analyzer)) for each in _of_files(files)]
        if not benches:
            usual = timeframe or _own_timeframe(asked)
            benches = [(usual, each) for each in usual_benches(usual, analyzer)]
        tried = tuple((_built(asked, params, timeframe or own), bench) for own, bench in benches)
        return cls(name=tried[0][0].name, tried=tried)

    def findings(self) -> Iterator[Finding]:
        """What comes of each rule, as soon as it is known; what was said before is not said again."""
        seen: set[str] = set()
        for rule in RULES:
            error = self._broken(rule)
            if error is None:
                yield Finding(rule=rule.name)
                continue
            if error.message in seen:
                yield Finding(rule=rule.name, verdict=Verdict.SKIPPED, text="first put that right")
            else:
                yield Finding(rule=rule.name, verdict=Verdict.WRONG, text=error.message, remedy=error.remedy)
            seen.add(error.message)

    def _broken(self, rule: Rule) -> GreenlightError | None:
        try:
            for strategy, bench in self.tried:
                rule.look(strategy, bench)
        except GreenlightError as error:
            return error
        return None

    def told(self) -> str:
        """How often it enters, for whom it never does may have another fault."""
        counts = [
            (int(np.count_nonzero(said.entry)), len(said))
            for said in (strategy.columns(bench.whole(strategy)) for strategy, bench in self.tried)
        ]
        entries, candles = (sum(column) for column in zip(*counts, strict=True))
        return f"It entered {entries:,} times in {candles:,} candles."


def _of_files(files: Sequence[Path]) -> Iterator[Candles]:
    for file in files:  # each by itself: one market may be there in several lengths
        yield from known_of((file,), {}).candles.values()


def _own_timeframe(asked: str) -> Timeframe:
    try:
        return next(Timeframe(str(each.default)) for each in fields(kind_of(asked)) if each.name == "timeframe")
    except (ConfigError, KeyError, ValueError):
        return Timeframe.H1  # what is wrong with it is told where it is built


def _built(asked: str, params: Sequence[str], timeframe: Timeframe) -> Strategy:
    try:
        return strategy_of(alone(asked, params, ("MADE/UP",), timeframe), "")
    except ConfigError as error:
        raise BadInput(error.message, error.remedy) from None
