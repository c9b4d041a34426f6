"""How the program itself is: its parts, platforms in trouble, the warnings of its log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

STORE = "store"
"""The part of the program that keeps everything."""
MARKET_DATA = "market data"
"""What a real venue's prices are called among the parts that can be in trouble; it is no platform, and told alike."""
CLOCK = "clock"
"""Whether this machine's clock agrees with a real venue's: a part as well, and told alike."""


MODELS = "models at "
"""How the part of each provider of language models begins; told alike."""
SENTIMENT = "sentiment from "
"""How the part of each source of sentiment begins; told alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformTrouble:
    """One time that a platform was not well; ``text`` says what was wrong, last of all."""

    id: str
    platform: str
    text: str
    since: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The health of one part of the program."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line of the log that was a warning or worse, on one line and with its secrets masked; the time is the wall's.

    Attributes:
        level: ``warning``, ``error`` or ``critical``.
        logger: Which part wrote it.
        text: What it says: any text, strangers' words among it.
    """

    at: datetime
    level: str
    logger: str
    text: str
