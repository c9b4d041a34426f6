"""A panel of a run: what it says and how long it thinks follow from the seed and from what it is asked about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from random import Random

from engine.domain.decisions import Opinion, Verdict
from engine.domain.errors import GreenlightError
from engine.domain.proposals import Proposal

SLOW = 0.35
"""The share of the seeds in which somebody is asked before anything is entered."""


class SlowPanel:
    """One that approves as often as not, forbids, doubts, is late, or breaks.

    Args:
        happened: Called with what it did, to be counted.
    """

    patience = timedelta(seconds=2)

    def __init__(self, seed: int, happened: Callable[[str], None]) -> None:
        self._seed = seed
        self._happened = happened

    async def opinions(self, proposal: Proposal, within: float) -> tuple[Opinion, ...]:  # noqa: ARG002 - a port
        asked = f"{self._seed}/panel/{proposal.context}/{proposal.symbol}/{proposal.candle_at.isoformat()}"
        chance = Random(asked)
        says = chance.choice(("approve", "approve", "veto", "doubt", "smaller", "abstain", "late", "break"))
        self._happened(f"panel: {says}")
        await asyncio.sleep(5.0 if says == "late" else chance.choice((0.0, 0.05, 0.3, 1.5)))
        match says:
            case "veto":
                return (Opinion(agent="advocate", verdict=Verdict.VETO, reasons=("<b>no</b>",)),)
            case "doubt":
                return (Opinion(agent="analyst", verdict=Verdict.APPROVE, confidence=chance.random()),)
            case "smaller":
                return (Opinion(agent="risk", verdict=Verdict.APPROVE, share=chance.choice((0.05, 0.3, 0.7))),)
            case "abstain":
                return (Opinion(agent="risk", verdict=Verdict.ABSTAIN),)
            case "break":
                raise GreenlightError("The model is away.")
            case _:
                return (Opinion(agent="analyst", verdict=Verdict.APPROVE),)


def is_asked(seed: int) -> bool:
    """Whether a seed has a panel."""
    return Random(f"{seed}/asked").random() < SLOW
