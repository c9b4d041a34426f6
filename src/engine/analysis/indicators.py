"""Indicators over whole columns, by TA-Lib; any other by its name and parameters in pandas-ta-classic.

Arrays in, arrays of the same length out, ``NaN`` where the history is too short. Row ``i`` is made of rows ``0..i``
only. TA-Lib is loaded at the first call, pandas where an indicator needs it: chat answers before that.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from inspect import signature
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from engine.analysis.talib_core import talib
from engine.domain.errors import ConfigError
from engine.domain.market import Candles, Timeframe

if TYPE_CHECKING:
    import pandas as pd

    from engine.domain.columns import Bools
    from engine.domain.market import Floats

_CANDLE_COLUMNS = ("open_", "high", "low", "close", "volume")
_ALWAYS = {"talib": True, "as_dataframe": True}
"""Arguments given to every indicator that takes them: TA-Lib's arithmetic is the fast one, tuples are deprecated."""
_NOT_FREE = frozenset({*_CANDLE_COLUMNS, *_ALWAYS, "offset", "kwargs"})
"""What is not for users to set; an offset could show an indicator the future."""
_TRIAL = 600
"""Candles of a trial run."""
_LONG_TRIAL = 12_000
"""The same where it is looked for how long something is remembered."""
_LOOKED_AT = (0, 1, 37, 211, 499)
"""How many candles before the end of the trial the values are compared."""
_COUNTS = (
    *range(50, 301, 50),
    *range(400, 1001, 100),
    *range(1250, 3001, 250),
    *range(4000, 10_001, 1000),
)
"""How many candles are tried."""
SETTLED = 1e-8
"""What is left of what older candles did, as a fraction: a hundredth of what live and a backtest may differ by."""
_AT_ONCE = 8192
"""Rows whose windows are looked through at a time."""
_OF_MEANS = 16_384
"""The same of means: what is made on the way stays in the cache."""

Parameter = int | float | bool | str


def rsi(close: Floats, length: int = 14) -> Floats:
    """Relative Strength Index, 0 to 100 (Wilder 1978: his smoothing of gains and losses).

    A market that has stood still for twice its length has none: what is left of its gains and losses are remains of
    another time, and TA-Lib calls one that never moved 0, which would read as oversold.
    """
    values = _floats(talib().RSI(close, length))
    rows = np.arange(len(close))
    moved = np.maximum.accumulate(np.where(np.diff(close, prepend=close[:1]) != 0, rows, -1)) if len(close) else rows
    values[(moved < 0) | (rows - moved >= 2 * length)] = np.nan
    return values


def macd(close: Floats, fast: int = 12, slow: int = 26, signal: int = 9) -> tuple[Floats, Floats, Floats]:
    """MACD line, its signal line, and the first less the second (Appel: ``EMA(fast) - EMA(slow)``)."""
    line, smoothed, histogram = talib().MACD(close, fast, slow, signal)
    return _floats(line), _floats(smoothed), _floats(histogram)


def bollinger(close: Floats, length: int = 20, deviations: float = 2.0) -> tuple[Floats, Floats, Floats]:
    """Lower, middle and upper band: the mean and so many population standard deviations around it (Bollinger).

    Each deviation is that of its own window: TA-Lib's running sum of squares keeps the rounding of prices long gone,
    which is more than all there is where a price has fallen a hundredfold.
    """
    middle = sma(close, length)
    deviation = np.full(len(close), np.nan)
    for first in range(length - 1, len(close), _AT_ONCE):
        stop = min(first + _AT_ONCE, len(close))
        away = sliding_window_view(close[first + 1 - length : stop], length) - middle[first:stop, np.newaxis]
        deviation[first:stop] = np.sqrt(np.einsum("ij,ij->i", away, away) / length)
    return middle - deviations * deviation, middle, middle + deviations * deviation


def sma(values: Floats, length: int) -> Floats:
    """Simple moving average of the newest ``length`` values.

    Nothing is taken away from a running sum, so no rounding of former values stays in it, and what a mean is hangs on
    its own window alone. The mean of values that are all the same is that value.
    """
    count, mean = len(values), np.empty(len(values))
    mean[: length - 1] = np.nan
    size = max(_OF_MEANS, 2 * length)
    for first in range(length - 1, count, size):
        stop = min(first + size, count)
        part = values[first + 1 - length : stop]
        np.divide(_sums(part, length), length, out=mean[first:stop])
        still = _still(part, length)
        mean[first:stop][still] = values[first:stop][still]
    return mean


def _sums(values: Floats, length: int) -> Floats:
    """The sum of each window: of windows of 1, 2, 4 ... values, those that make up the length, one after another."""
    wide, width, sums, summed = values, 1, values[:0], 0
    while True:
        if length & width:
            sums = sums[width:] + wide[: len(wide) - summed] if summed else wide
            summed += width
        if summed == length:
            return sums
        wide = wide[:-width] + wide[width:]
        width *= 2


def _still(values: Floats, length: int) -> Bools:
    """Where all values of a window are the same."""
    windows, wanted, known = len(values) - length + 1, length - 1, 1
    if not wanted:
        return np.ones(windows, dtype=np.bool_)
    still: Bools = values[1:] == values[:-1]
    while 2 * known <= wanted and still.any():
        still = still[:-known] & still[known:]
        known *= 2
    if not still.any():
        return np.zeros(windows, dtype=np.bool_)
    both: Bools = still[:windows] & still[wanted - known : wanted - known + windows]
    return both


def highest(values: Floats, length: int) -> Floats:
    """The highest of the newest ``length`` values, two at least."""
    return _floats(talib().MAX(values, length))


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


def extra_columns(candles: Candles, spec: IndicatorSpec) -> dict[str, Floats]:
    """Every column of an indicator, by the library's name of it: ``ADX_14``, ``DMP_14``.

    Where there are too few candles for any value there may be no column.

    Raises:
        ConfigError: There is no such indicator, or it cannot be computed with its parameters.
    """
    return {name: _floats(column.to_numpy()) for name, column in _columns(spec, _pandas_columns(candles)).items()}


def column_names(spec: IndicatorSpec) -> tuple[str, ...]:
    """The names of an indicator's columns, read off a trial run.

    Raises:
        ConfigError: There is no such indicator or parameter (the nearest one is named), or a value makes no sense.
    """
    return tuple(_columns(spec, _pandas_columns(_trial(_TRIAL))))


def memory(spec: IndicatorSpec) -> int | None:
    """How many candles it takes until older ones change its newest values by less than ``SETTLED`` of their size.

    Measured on a trial run. ``None`` for one that never forgets (it counts from where its candles begin: ``obv``), or
    that fills in the past later on (``dpo``, ``ichimoku``): it has no column that holds for every candle.

    Raises:
        ConfigError: As ``column_names``.
    """
    trial = _trial(_LONG_TRIAL)
    whole = extra_columns(trial, spec)
    sizes = {name: float(np.nanmedian(np.abs(column))) for name, column in whole.items() if np.isfinite(column).any()}
    ends = [_LONG_TRIAL - back for back in _LOOKED_AT]

    def agrees(count: int, end: int) -> bool:
        cut = extra_columns(trial.cut(end - count, end), spec)
        return all(
            name in cut and _is_close(float(cut[name][-1]), float(column[end - 1]), sizes.get(name, 0.0))
            for name, column in whole.items()
        )

    if not all(agrees(end, end) for end in ends):
        return None
    return next((count for count in _COUNTS if all(agrees(count, end) for end in ends)), None)


def smoothing_memory(keeps: float) -> int:
    """How many candles an exponential smoothing takes to forget its seed, which of a value keeps a share each time."""
    return math.ceil(math.log(SETTLED) / math.log(keeps))


def _is_close(value: float, wanted: float, size: float) -> bool:
    if math.isnan(value) or math.isnan(wanted):
        return math.isnan(value) and math.isnan(wanted)
    return abs(value - wanted) <= SETTLED * max(abs(wanted), size)


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


def _trial(count: int) -> Candles:
    """Candles that every indicator has a value for: rough waves of all lengths, over each other, an hour each.

    The long ones halve and double the price: what an indicator began with is then far from what it has come to.
    """
    steps = np.arange(count, dtype=np.float64)
    rough = np.sin(steps * steps / 11) + np.cos(steps**1.5)  # as good as noise, and always the same
    tides = 0.25 * np.sin(steps / 37) + 0.3 * np.sin(steps / 113) + 0.4 * np.sin(steps / 401)
    close = 100 * np.exp(tides) + 5 * np.sin(steps / 7) + 2 * np.sin(steps / 3) + rough
    opened = np.concatenate([close[:1], close[:-1]])
    return Candles(
        symbol="BTC/USDT",
        timeframe=Timeframe.H1,
        open_ms=(np.arange(count, dtype=np.int64) + 400_000) * Timeframe.H1.millis,
        open=opened,
        high=np.maximum(opened, close) + 1 + 0.5 * np.sin(steps / 2) ** 2,
        low=np.minimum(opened, close) - 1 - 0.5 * np.cos(steps / 5) ** 2,
        close=close,
        volume=1000 + 100 * np.cos(steps) + 50 * rough,
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
