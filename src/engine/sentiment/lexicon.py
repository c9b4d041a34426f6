"""VADER with words of crypto: the scorer where the classifier is not wanted, and whence that knows single words."""

from __future__ import annotations

from typing import Any

from engine.domain.errors import GreenlightError
from engine.domain.extras import install

CRYPTO = {
    "bullish": 2.5, "bull": 1.5, "bulls": 1.5, "moon": 2.0, "mooning": 2.5, "hodl": 1.5, "rally": 2.0, "rallies": 2.0,
    "rallied": 2.0, "surge": 2.0, "surges": 2.0, "surged": 2.0, "soar": 2.2, "soars": 2.2, "soared": 2.2, "pump": 1.2,
    "pumps": 1.2, "breakout": 1.8, "ath": 2.2, "inflow": 1.5, "inflows": 1.5, "adoption": 1.5, "approval": 1.6,
    "approved": 1.8, "approves": 1.8, "accumulate": 1.2, "accumulates": 1.2, "accumulation": 1.2, "undervalued": 1.6,
    "rebound": 1.5, "rebounds": 1.5, "outperform": 1.6, "outperforms": 1.6, "upgrade": 1.2, "listing": 0.8,
    "bearish": -2.5, "bear": -1.5, "bears": -1.5, "dump": -2.0, "dumps": -2.0, "dumped": -2.0, "dumping": -2.2,
    "crash": -2.8, "crashes": -2.8, "crashed": -2.8, "plunge": -2.5, "plunges": -2.5, "plunged": -2.5, "slump": -2.0,
    "slumps": -2.0, "tumble": -2.0, "tumbles": -2.0, "tumbled": -2.0, "rekt": -2.8, "rug": -2.5, "rugged": -2.8,
    "rugpull": -3.2, "scam": -3.0, "scams": -3.0, "ponzi": -3.2, "hack": -2.8, "hacked": -3.0, "hacker": -2.2,
    "exploit": -2.2, "exploited": -2.5, "drained": -2.6, "outflow": -1.5, "outflows": -1.5, "liquidation": -1.8,
    "liquidations": -1.8, "liquidated": -2.2, "delist": -2.2, "delists": -2.2, "delisted": -2.2, "depeg": -2.8,
    "depegs": -2.8, "bankrupt": -3.0, "bankruptcy": -3.0, "insolvent": -3.0, "lawsuit": -1.8, "sues": -1.8,
    "sec": -0.4, "ban": -2.0, "bans": -2.0, "banned": -2.2, "fud": -1.5, "capitulation": -2.2, "selloff": -2.2,
    "overvalued": -1.6, "bagholder": -2.0, "bagholders": -2.0, "shitcoin": -2.4, "shitcoins": -2.4, "breach": -2.2,
    "outage": -1.8, "halts": -1.2, "halted": -1.2, "downgrade": -1.6, "fraud": -3.0, "laundering": -2.4,
    "diamond": 0.5, "crypto": 0.0, "token": 0.0, "gross": 0.0, "share": 0.0, "shares": 0.0, "gas": 0.0,
}  # fmt: skip
"""What words of crypto are worth, in VADER's [-4, 4], by our own judgement."""


def analyzer() -> Any:
    """VADER, with the words of crypto.

    Raises:
        GreenlightError: It is not installed.
    """
    made = plain_analyzer()
    made.lexicon.update(CRYPTO)
    return made


def plain_analyzer() -> Any:
    """VADER as it comes.

    Raises:
        GreenlightError: It is not installed.
    """
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    except ImportError:
        raise GreenlightError("VADER is not installed.", install("sentiment")) from None
    return SentimentIntensityAnalyzer()
