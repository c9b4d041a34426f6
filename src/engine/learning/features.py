"""What a policy sees of an entry: figures of the market, of the account and of the decision, in one fixed order.

The same functions make the observation live and in training: ``market_figures`` of the risk figures that risk is
judged by, ``observations`` of these together with how the account stands. Pure numpy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.domain.risk_stats import RiskStats
from engine.risk.metrics import CVaRCalculator, VaRCalculator

if TYPE_CHECKING:
    from engine.domain.market import Floats

FEATURES: dict[str, str] = {
    "var_95": "value at risk of one candle at 95 %, by history, as a fraction",
    "cvar_95": "what lies beyond it on average, as a fraction",
    "var_used": "the loss of all that is held in such a candle, over what one trade may lose",
    "cvar_used": "the same of cvar_95",
    "volatility": "natural logarithm of the realised volatility of a day, as a fraction",
    "volatility_regime": "natural logarithm of the deviation of the newest 24 returns over that of all of them",
    "drawdown": "how far equity is below its peak, as a fraction",
    "exposure": "what is held of the coin or being bought, over what one coin may be worth",
    "leverage": "all that is held or being bought, over equity",
    "correlation": "the highest one with a market that is held; 0 where nothing is, 1 where it is the same coin",
    "streak": "trades won in a row in this market, below 0 lost ones; 5 at most either way",
    "confidence": "that of the decision, in [0, 1]",
    "sentiment": "what is said of the market, in [-1, 1]; 0 where nothing is",
    "outlook": "how far predictions agree, in [-1, 1]; 0 where there is none",
    "trend": "how far the close is above its mean of 50 candles, in ATRs; 10 at most either way",
    "atr": "the average true range, as a fraction of the close",
    "idle": "natural logarithm of 1 + the candles since the last trade in this market was closed, 500 at most",
}
"""The features and what each is, in the order in which a policy sees them."""

LONGEST_STREAK, LONGEST_IDLE = 5, 500
_NEWEST = 24
_FAR = 10.0
MARKET = ("var_95", "cvar_95", "volatility", "volatility_regime", "trend", "atr")
"""The figures of the market alone, as ``market_figures`` has them."""
_VAR, _CVAR, _VOLATILITY, _REGIME, _TREND, _ATR = range(len(MARKET))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AccountFigures:
    """How the account stood at each of ``n`` entries: arrays of ``float64[n]``.

    Attributes:
        drawdown: As a fraction of the peak.
        coin: What is held of the coin or being bought, as a fraction of equity.
        gross: The same of everything.
        correlation, streak: As the features.
        idle: Candles since the last trade in the market was closed.
    """

    drawdown: Floats
    coin: Floats
    gross: Floats
    correlation: Floats
    streak: Floats
    idle: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Voices:
    """How sure everybody was of each of ``n`` entries: arrays of ``float64[n]``, as the features."""

    confidence: Floats
    sentiment: Floats
    outlook: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """The limits that the account's figures are held against, as fractions of equity."""

    risk_per_trade: float = 0.01
    max_position: float = 0.25


def market_figures(stats: RiskStats, close: float, ma_50: float | None) -> Floats:
    """``float64[6]``, the figures of ``MARKET``; ``NaN`` where the history is too short for one.

    Args:
        stats: Of the market's closed candles.
        close: The newest close, in the quote currency.
        ma_50: The mean of the last 50 closes.
    """
    found = np.full(len(MARKET), np.nan)
    at_risk, beyond = VaRCalculator().historical(stats.returns), CVaRCalculator().historical(stats.returns)
    found[_VAR], found[_CVAR] = _number(at_risk), _number(beyond)
    found[_VOLATILITY] = _logarithm(_number(stats.volatility))
    found[_REGIME] = _regime(stats.returns)
    atr = _number(stats.atr)
    if atr > 0 and close > 0:
        found[_TREND] = min(_FAR, max(-_FAR, (close - _number(ma_50)) / atr)) if ma_50 is not None else np.nan
        found[_ATR] = atr / close
    return found


def observations(market: Floats, account: AccountFigures, voices: Voices, shares: Shares) -> Floats:
    """``float64[n, 17]``: what a policy sees of ``n`` entries, in the order of ``FEATURES``.

    Args:
        market: ``float64[n, 6]``, see ``market_figures``.
        account: How the account stood.
        voices: How sure everybody was.
        shares: The limits.
    """
    at_risk, beyond = market[:, _VAR], market[:, _CVAR]
    return np.stack(
        [
            at_risk,
            beyond,
            at_risk * account.gross / shares.risk_per_trade,
            beyond * account.gross / shares.risk_per_trade,
            market[:, _VOLATILITY],
            market[:, _REGIME],
            account.drawdown,
            account.coin / shares.max_position,
            account.gross,
            account.correlation,
            account.streak,
            voices.confidence,
            voices.sentiment,
            voices.outlook,
            market[:, _TREND],
            market[:, _ATR],
            np.log1p(np.minimum(account.idle, LONGEST_IDLE)),
        ],
        axis=1,
    )


def streak_of(won: list[bool]) -> int:
    """Trades won in a row, below 0 lost ones; the newest trade is the first."""
    count = 0
    for each in won[:LONGEST_STREAK]:
        if each is not won[0]:
            break
        count += 1
    return count if won and won[0] else -count


def _regime(returns: Floats) -> float:
    if len(returns) <= _NEWEST:
        return math.nan
    newest, usual = float(np.std(returns[-_NEWEST:])), float(np.std(returns))
    return _logarithm(newest / usual) if usual > 0 else math.nan


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _logarithm(value: float) -> float:
    return math.log(value) if value > 0 else math.nan
