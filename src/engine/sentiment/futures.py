"""What the futures of a market tell of the mood: who pays whom to hold them, and on which side most are."""

from __future__ import annotations

from datetime import datetime

import structlog

from engine.domain.derivatives import FundingRate, LongShort, OpenInterest
from engine.domain.errors import NoData, VenueError
from engine.domain.sentiment import OPEN_INTEREST, Reading
from engine.ports import DerivativesData

FULL_RATE = 0.0005
"""A funding rate, by payment, that is as bullish as can be said: Binance's usual one is a fifth of it."""

_log = structlog.get_logger(__name__)


async def readings_of(source: DerivativesData, symbol: str, now: datetime) -> tuple[Reading, ...]:
    """What a market's futures tell now; what cannot be had is left out, and logged.

    High funding and many longs are bullish. Open interest takes no side: it is kept for later.
    """
    found: list[Reading] = []
    for ask in (source.funding, source.long_short, source.open_interest):
        try:
            answer: FundingRate | LongShort | OpenInterest | None = await ask(symbol)
        except NoData:
            continue
        except VenueError as error:
            _log.info("futures are not read", symbol=symbol, detail=error.message)
            continue
        if answer is not None:
            name, value, score = _read(answer)
            at = min(answer.at, now)  # a clock that is ahead of ours
            found.append(Reading(source=name, subject=symbol, at=at, known_at=now, value=value, score=score))
    return tuple(found)


def _read(answer: FundingRate | LongShort | OpenInterest) -> tuple[str, float, float | None]:
    match answer:
        case FundingRate(rate=rate):
            return "funding", float(rate), max(-1.0, min(1.0, float(rate) / FULL_RATE))
        case LongShort(long=long, short=short):
            return "long_short", float(long), max(-1.0, min(1.0, float(long - short)))
        case OpenInterest(quantity=quantity):
            return OPEN_INTEREST, float(quantity), None
