"""What a generated answer of a language model is, and what is needed to judge it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

OPINION = "opinion"

PREDICTION = "prediction"

BOTH = (OPINION, PREDICTION)

MAX_TEXT = 240

MAX_FLIP = 200

MAX_LIST = 4


@dataclass(frozen=True, kw_only=True)
class Case:
    """One answer, with what is needed to judge it."""

    text: str
    shape: str
    kind: str
    symbol: str
    bid: Decimal
    ask: Decimal
    figures: Mapping[str, Decimal | None]
