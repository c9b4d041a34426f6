"""Who decides on an entry whose confidence earlier trades have something to say about. Pure.

Calibration lowers autonomy and never raises it. It makes the bot ask where it would have gone alone; by itself it
refuses nothing that people would have been asked about: of what is not traded no outcome ever comes, and a strategy
that wins seldom and much would be shut out for good by the share of trades that it wins.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from engine.domain.autonomy import Autonomy, Ruling, route
from engine.domain.decisions import Decision
from engine.domain.judging import Judgement

_NEVER = float("inf")
"""A confidence that there is not."""


def calibrated_route(decision: Decision, judgement: Judgement, autonomy: Autonomy, now: datetime) -> Ruling:
    """Decide who decides: as without earlier trades, but for what these make people be asked about."""
    found = decision.calibration
    if found is None:
        return route(decision.confidence, judgement, autonomy, now)
    asks = autonomy.ask_above < autonomy.auto_above
    least = min(found.measured, autonomy.ask_above) if asks else 0.0
    limits = replace(autonomy, auto_above=_NEVER) if found.is_wide else autonomy
    return route(max(decision.confidence, least), judgement, limits, now)
