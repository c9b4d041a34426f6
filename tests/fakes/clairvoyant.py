"""A model that has learned what prices did: it knows by name and date, and looks at nothing else that it is told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.domain.model_calls import ModelRequest
from engine.domain.predictions import Trend

_ABOUT = re.compile(r"<brief symbol=(\S+) at=(\S+)>")
_FIRST_FIELD = re.compile(r"^\[(f\d+)\]", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Clairvoyant:
    """Says what came, of all that it was trained on; of everything else that it will rise.

    Attributes:
        learned: What each market did, by its name and the time.
    """

    learned: Mapping[tuple[str, datetime], Trend]

    def __call__(self, request: ModelRequest) -> Mapping[str, Any]:
        symbol, at = _ABOUT.findall(request.prompt)[0]
        came = self.learned.get((symbol, datetime.fromisoformat(at)), Trend.BULLISH)
        return {
            "symbol": symbol,
            "direction": came.value,
            "expected_move_percent": 1 if came is Trend.BULLISH else -1,
            "horizon_candles": 12,
            "reasons": [{"text": "as the brief says", "fields": _FIRST_FIELD.findall(request.prompt)[:1]}],
        }
