"""Indicators over whole columns, by TA-Lib; any other by its name in pandas-ta-classic.

Arrays in, arrays of the same length out, ``NaN`` where the history is too short. Row ``i`` is made of rows ``0..i``
only. TA-Lib is loaded at the first call, pandas where an indicator needs it: chat answers before that.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from inspect import Parameter, signature
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.analysis.talib_core import talib
from engine.domain.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

    from engine.domain.market import Candles, Floats

_CANDLE_COLUMNS = ("open_", "high", "low", "close", "volume")
_ALWAYS = {"talib": True, "as_dataframe": True}
"""Arguments given to every indicator that takes them: TA-Lib's arithmetic is the fast one, tuples are deprecated."""
_NAME = re.compile(r"(?P<kind>[a-z][a-z0-9_]*?)(?P<numbers>(_\d+(\.\d+)?)*)")


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


def extra(candles: Candles, names: Sequence[str]) -> dict[str, float]:
    """The newest value of any indicator of pandas-ta-classic, by name.

    A name is the indicator and, if wanted, its numbers in the library's order: ``cmf``, ``adx_14``, ``macd_12_26_9``.
    One with a single line answers under the name asked for; one with several gives each under the library's own name
    in lower case (``adx_14``, ``dmp_14``, ``dmn_14``). Whatever has no value yet is left out.

    Raises:
        ConfigError: There is no such indicator, or it does not take these numbers.
    """
    if not names:
        return {}
    columns = _pandas_columns(candles)
    values: dict[str, float] = {}
    for name in names:
        values |= _newest(name, _call(name, columns))
    return {name: value for name, value in values.items() if math.isfinite(value)}


def check_names(names: Sequence[str]) -> None:
    """Check the names of extra indicators, as ``indicators.extra`` lists them, without any candles.

    Raises:
        ConfigError: There is no such indicator, or it takes fewer numbers.
    """
    for name in names:
        try:
            _resolve(name)
        except ConfigError as error:
            raise ConfigError(error.message, error.remedy, key="indicators.extra") from None


def _call(name: str, columns: Mapping[str, pd.Series[float]]) -> pd.Series[float] | pd.DataFrame | None:
    function, numbers = _resolve(name)
    parameters = signature(function).parameters
    wanted = {key: columns[key] for key in _required(function)}
    always = {key: value for key, value in _ALWAYS.items() if key in parameters}
    try:
        result: pd.Series[float] | pd.DataFrame | None = function(**wanted, **numbers, **always)
    except Exception as error:  # any of 200 foreign functions may raise anything on numbers it was not made for
        raise ConfigError(f"The indicator {name!r} cannot be read: {error}.", "Check its numbers.") from error
    return result


def _newest(name: str, result: pd.Series[float] | pd.DataFrame | None) -> dict[str, float]:
    import pandas as pd

    if result is None or not len(result):
        return {}
    if isinstance(result, pd.DataFrame):
        newest = result.iloc[-1].to_dict()
        return {str(column).lower(): float(value) for column, value in newest.items()}
    return {name: float(result.to_numpy()[-1])}


def _resolve(name: str) -> tuple[Callable[..., Any], dict[str, float]]:
    """The library's function behind a name, and the numbers in the name by the parameters they stand for."""
    ta = _library()
    known = {kind for kinds in ta.Category.values() for kind in kinds if _required(getattr(ta, kind))}
    match = _NAME.fullmatch(name)
    kind = match["kind"] if match else name
    if match is None or kind not in known:
        nearest = get_close_matches(kind.lower(), sorted(known), n=1, cutoff=0)
        raise ConfigError(f"There is no indicator {name!r}.", f"Did you mean {nearest[0]!r}?")
    function: Callable[..., Any] = getattr(ta, kind)
    numbers = [float(text) if "." in text else int(text) for text in match["numbers"].split("_")[1:]]
    return function, _by_parameter(name, function, numbers)


def _library() -> ModuleType:
    """pandas-ta-classic, whose import still uses a name that pandas 3 has deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import pandas_ta_classic
    library: ModuleType = pandas_ta_classic
    return library


def _by_parameter(name: str, function: Callable[..., Any], numbers: Sequence[float]) -> dict[str, float]:
    reserved = {*_CANDLE_COLUMNS, *_ALWAYS, "offset", "kwargs"}
    free = [key for key in signature(function).parameters if key not in reserved]
    if len(numbers) > len(free):
        raise ConfigError(f"The indicator {name!r} takes at most {len(free)} numbers.", f"They are: {', '.join(free)}.")
    return dict(zip(free, numbers, strict=False))


def _required(function: Callable[..., Any]) -> tuple[str, ...]:
    """The candle columns a function needs; none where it cannot be fed with candles alone."""
    needed = [p.name for p in signature(function).parameters.values() if p.default is Parameter.empty]
    columns = tuple(name for name in needed if name != "kwargs")
    return columns if set(columns) <= set(_CANDLE_COLUMNS) else ()


def _pandas_columns(candles: Candles) -> dict[str, pd.Series[float]]:
    frame = candles.frame().tz_localize(None)  # the library's periods know no time zones; these times are UTC
    return {name: frame[name.rstrip("_")] for name in _CANDLE_COLUMNS}


def _floats(column: Any) -> Floats:
    return np.asarray(column, dtype=np.float64)
