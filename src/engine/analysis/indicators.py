"""Indicators over whole columns, by TA-Lib; any other by its name and parameters in pandas-ta-classic.

Arrays in, arrays of the same length out, ``NaN`` where the history is too short. Row ``i`` is made of rows ``0..i``
only. TA-Lib is loaded at the first call, pandas where an indicator needs it: chat answers before that.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from inspect import signature
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.analysis.talib_core import talib
from engine.domain.errors import ConfigError
from engine.domain.market import Candles, Timeframe

if TYPE_CHECKING:
    import pandas as pd

    from engine.domain.market import Floats

_CANDLE_COLUMNS = ("open_", "high", "low", "close", "volume")
_ALWAYS = {"talib": True, "as_dataframe": True}
"""Arguments given to every indicator that takes them: TA-Lib's arithmetic is the fast one, tuples are deprecated."""
_NOT_FREE = frozenset({*_CANDLE_COLUMNS, *_ALWAYS, "offset", "kwargs"})
"""What is not for users to set; an offset could show an indicator the future."""
_TRIAL = 600
"""Candles of a trial run."""

Parameter = int | float | bool | str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IndicatorColumns:
    """The core set over one market's candles: ``float64[n]`` each, ``NaN`` where the history is too short."""

    rsi: Floats
    macd: Floats
    macd_signal: Floats
    macd_histogram: Floats
    bollinger_lower: Floats
    bollinger_middle: Floats
    bollinger_upper: Floats
    ma_20: Floats
    ma_50: Floats
    ma_200: Floats
    atr: Floats
    volume_ratio: Floats


def compute(candles: Candles) -> IndicatorColumns:
    """The core set with its usual lengths: RSI 14, MACD 12-26-9, Bollinger 20-2, SMA 20/50/200, ATR 14, volume 20."""
    close = candles.close
    line, signal, histogram = macd(close)
    lower, middle, upper = bollinger(close)
    return IndicatorColumns(
        rsi=rsi(close),
        macd=line,
        macd_signal=signal,
        macd_histogram=histogram,
        bollinger_lower=lower,
        bollinger_middle=middle,
        bollinger_upper=upper,
        ma_20=sma(close, 20),
        ma_50=sma(close, 50),
        ma_200=sma(close, 200),
        atr=atr(candles.high, candles.low, close),
        volume_ratio=volume_ratio(candles.volume),
    )


def rsi(close: Floats, length: int = 14) -> Floats:
    """Relative Strength Index, 0 to 100 (Wilder 1978: his smoothing of gains and losses)."""
    values = _floats(talib().RSI(close, length))
    if len(close) and (close == close[0]).all():
        values[:] = np.nan  # TA-Lib calls a market that never moved 0, which would read as oversold
    return values


def macd(close: Floats, fast: int = 12, slow: int = 26, signal: int = 9) -> tuple[Floats, Floats, Floats]:
    """MACD line, its signal line, and the first less the second (Appel: ``EMA(fast) - EMA(slow)``)."""
    line, smoothed, histogram = talib().MACD(close, fast, slow, signal)
    return _floats(line), _floats(smoothed), _floats(histogram)


def bollinger(close: Floats, length: int = 20, deviations: float = 2.0) -> tuple[Floats, Floats, Floats]:
    """Lower, middle and upper band: the mean and so many population standard deviations around it (Bollinger)."""
    upper, middle, lower = talib().BBANDS(close, length, float(deviations), float(deviations))
    return _floats(lower), _floats(middle), _floats(upper)


def sma(values: Floats, length: int) -> Floats:
    """Simple moving average of the newest ``length`` values."""
    return _floats(talib().SMA(values, length))


def atr(high: Floats, low: Floats, close: Floats, length: int = 14) -> Floats:
    """Average True Range in the unit of the prices (Wilder 1978)."""
    return _floats(talib().ATR(high, low, close, length))


def volume_ratio(volume: Floats, length: int = 20) -> Floats:
    """Each volume over the mean of the newest ``length``, its own included; ``NaN`` where nothing traded."""
    mean = sma(volume, length)
    ratio = np.full(len(volume), np.nan)
    np.divide(volume, mean, out=ratio, where=mean > 0)
    return ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorSpec:
    """An indicator of pandas-ta-classic, as its documentation has it.

    Attributes:
        name: The library's own, e.g. ``adx``.
        parameters: By the library's names, e.g. ``{"length": 14}``; what is left out has the library's default.
    """

    name: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


def newest(candles: Candles, specs: Sequence[IndicatorSpec]) -> dict[str, float]:
    """The newest value of every column of some indicators, by the library's name of the column: ``ADX_14``, ``DMP_14``.

    A column that has no value yet is left out.

    Raises:
        ConfigError: There is no such indicator, or it cannot be computed with its parameters.
    """
    if not specs:
        return {}
    inputs = _pandas_columns(candles)
    values = {name: float(column.to_numpy()[-1]) for spec in specs for name, column in _columns(spec, inputs).items()}
    return {name: value for name, value in values.items() if math.isfinite(value)}


def column_names(spec: IndicatorSpec) -> tuple[str, ...]:
    """The names of an indicator's columns, read off a trial run.

    Raises:
        ConfigError: There is no such indicator or parameter (the nearest one is named), or a value makes no sense.
    """
    return tuple(_columns(spec, _pandas_columns(_trial())))


def _columns(spec: IndicatorSpec, inputs: Mapping[str, pd.Series[float]]) -> dict[str, pd.Series[float]]:
    import pandas as pd

    function = _function(spec)
    always = {name: value for name, value in _ALWAYS.items() if name in signature(function).parameters}
    try:
        found: pd.Series[float] | pd.DataFrame | None = function(
            **{name: inputs[name] for name in _required(function)}, **spec.parameters, **always
        )
    except Exception as error:  # any of 200 foreign functions may raise anything on values it was not made for
        raise ConfigError(
            f"The indicator {spec.name} cannot be computed so: {error}.", "Check its parameters."
        ) from error
    if found is None or not len(found):
        return {}
    if isinstance(found, pd.DataFrame):
        return {str(name): found[name] for name in found.columns}
    return {str(found.name): found}


def _function(spec: IndicatorSpec) -> Callable[..., Any]:
    """The library's function of an indicator.

    Raises:
        ConfigError: There is none, or it has no such parameter; the nearest one is named.
    """
    known = _known()
    if spec.name not in known:
        near = get_close_matches(spec.name.lower(), sorted(known), n=1, cutoff=0)
        raise ConfigError("There is no such indicator.", f"Did you mean {near[0]}?", key="name")
    function = known[spec.name]
    if not spec.parameters:
        return function
    free = [name for name in signature(function).parameters if name not in _NOT_FREE]
    for name in spec.parameters:
        if name not in free:
            near = get_close_matches(name, free, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"It takes {', '.join(free) or 'none'}."
            raise ConfigError(f"{spec.name} has no such parameter.", hint, key=name)
    return function


@cache
def _known() -> Mapping[str, Callable[..., Any]]:
    """Every indicator that can be computed from candles alone, by its name. Asking each function takes milliseconds."""
    ta = _library()
    return {name: getattr(ta, name) for names in ta.Category.values() for name in names if _required(getattr(ta, name))}


def _trial() -> Candles:
    """Candles that every indicator has a value for: two waves over a slope, an hour each."""
    steps = np.arange(_TRIAL, dtype=np.float64)
    close = 100 + steps / 20 + 5 * np.sin(steps / 7) + 2 * np.sin(steps / 3)
    opened = np.concatenate([close[:1], close[:-1]])
    return Candles(
        symbol="BTC/USDT",
        timeframe=Timeframe.H1,
        open_ms=(np.arange(_TRIAL, dtype=np.int64) + 400_000) * Timeframe.H1.millis,
        open=opened,
        high=np.maximum(opened, close) + 1,
        low=np.minimum(opened, close) - 1,
        close=close,
        volume=1000 + 100 * np.cos(steps),
    )


def _library() -> ModuleType:
    """pandas-ta-classic, whose import still uses a name that pandas 3 has deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import pandas_ta_classic
    library: ModuleType = pandas_ta_classic
    return library


def _required(function: Callable[..., Any]) -> tuple[str, ...]:
    """The candle columns a function needs; none where it cannot be fed with candles alone."""
    needed = [p.name for p in signature(function).parameters.values() if p.default is p.empty]
    columns = tuple(name for name in needed if name != "kwargs")
    return columns if set(columns) <= set(_CANDLE_COLUMNS) else ()


def _pandas_columns(candles: Candles) -> dict[str, pd.Series[float]]:
    frame = candles.frame().tz_localize(None)  # the library's periods know no time zones; these times are UTC
    return {name: frame[name.rstrip("_")] for name in _CANDLE_COLUMNS}


def _floats(column: Any) -> Floats:
    return np.asarray(column, dtype=np.float64)
