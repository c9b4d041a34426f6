"""A trial: a backtest or a sweep of them that was run, with what it takes to tell it from others.

Who tries often enough finds something that looks good. What a Sharpe ratio is worth therefore hangs on how many were
looked at (``deflated``), and that is counted, not remembered.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from engine.backtest.setup import BacktestSetup, BareTerms, LiveTerms
from engine.backtest.setup_candles import candles_of
from engine.domain.market import Candles
from engine.ports import Strategy

_BYTES = 16
"""Of a fingerprint: two are never the same by accident."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What was tried. Sharpe ratios are a year's.

    Attributes:
        at: When, in wall time.
        command: By what: ``backtest``, ``sweep``.
        data: A fingerprint of the candles.
        symbols: The markets that were traded.
        begins, ends: The time that was traded in.
        settings: Strategies, parameters, terms and costs, as JSON has them; of a sweep also what was varied.
        count: How many combinations were tried.
        sharpe: The best Sharpe ratio among them; ``None`` where none has one.
        mean, variance: Of those that have one; the variance of a single one is 0.
        part_of: What is gone on with where it was stopped: of rows with the same, the last one counts all that the ones
            before it do. Empty for what is run at one go.
    """

    at: datetime
    command: str
    data: str
    symbols: tuple[str, ...]
    begins: datetime
    ends: datetime
    settings: Mapping[str, Any]
    count: int = 1
    sharpe: float | None = None
    mean: float | None = None
    variance: float = 0.0
    part_of: str = ""

    def repeats(self, other: Trial) -> bool:
        """Whether it is the same once more: nothing new was tried."""
        return self._what == other._what

    @property
    def _what(self) -> tuple[object, ...]:
        return self.data, self.symbols, self.begins, self.ends, self.settings, self.count


def trial_of(
    setup: BacktestSetup,
    sharpes: Sequence[float | None],
    *,
    command: str,
    at: datetime,
    span: tuple[datetime, datetime],
    varied: Mapping[str, Any] | None = None,
    part_of: str = "",
) -> Trial:
    """What was tried on a setup.

    Args:
        setup: The setup, or that of any combination of a sweep.
        sharpes: The Sharpe ratio of a year of each combination; ``None`` for one that has none.
        command: By what.
        at: When, in wall time.
        span: The time that was traded in.
        varied: What a sweep has varied, by names, with the values of each.
        part_of: What it goes on with, or may be gone on with by.
    """
    known = sorted(each for each in sharpes if each is not None)  # whichever worker was first, sums are the same
    return Trial(
        at=at,
        command=command,
        data=fingerprint(setup),
        symbols=tuple(setup.candles),
        begins=span[0],
        ends=span[1],
        settings=_plain({**_settings(setup), **({"varied": varied} if varied else {})}),
        count=len(sharpes),
        sharpe=max(known, default=None),
        mean=float(np.mean(known)) if known else None,
        variance=float(np.var(known, ddof=1)) if len(known) > 1 else 0.0,
        part_of=part_of,
    )


def fingerprint(setup: BacktestSetup) -> str:
    """The candles of a setup in 32 characters: other candles have others."""
    return _of_candles(candles_of(setup, symbol) for symbol in setup.candles)


def _of_candles(several: Iterable[Candles]) -> str:
    found = hashlib.blake2b(digest_size=_BYTES)
    for candles in several:
        found.update(f"{candles.symbol} {candles.timeframe} {len(candles)};".encode())
        for column in (candles.open_ms, candles.open, candles.high, candles.low, candles.close, candles.volume):
            found.update(np.ascontiguousarray(column).data)
    return found.hexdigest()


def _settings(setup: BacktestSetup) -> dict[str, Any]:
    return {
        "contexts": [
            {
                "strategy": context.strategy.name,
                "source": _source(context.strategy),
                "markets": context.markets,
                "timeframe": context.timeframe,
                "params": _params(context.strategy),
            }
            for context in setup.contexts
        ],
        "terms": {"kind": "bare" if isinstance(setup.terms, BareTerms) else "risk", **asdict(setup.terms)},
        "cash": setup.cash,
        "model": asdict(setup.model),
        "intrabar": setup.intrabar,
        **({} if setup.live is None else {"live": _live(setup.live)}),
        "indicators": [{each.name: dict(each.parameters)} for each in setup.analyzer.indicators],
    }


def _live(terms: LiveTerms) -> dict[str, Any]:
    return {
        "latency": asdict(terms.latency),
        "shorter": _of_candles(terms.shorter.values()),
        "books": [each.fingerprint for each in terms.books.values()],
        "fee_currency": terms.fee_currency and (terms.fee_currency.name, terms.fee_currency.amount),
    }


def _params(strategy: object) -> dict[str, Any]:
    if is_dataclass(strategy):
        return {each.name: getattr(strategy, each.name) for each in fields(strategy)}
    return {name: value for name, value in vars(strategy).items() if not name.startswith("_")}


def _source(strategy: Strategy) -> str:
    """A fingerprint of a strategy's file: one that was rewritten is another try."""
    try:
        written = Path(inspect.getfile(type(strategy))).read_bytes()
    except (OSError, TypeError):
        return ""
    return hashlib.blake2b(written, digest_size=_BYTES).hexdigest()


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """As they are read again from JSON."""
    read: dict[str, Any] = json.loads(json.dumps(settings, default=str, sort_keys=True))
    return read
