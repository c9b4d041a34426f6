"""Asking a panel what it thinks of a proposal: for so long, and whatever happens to it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from engine.domain.decisions import Opinion
from engine.domain.errors import GreenlightError
from engine.domain.proposals import Proposal
from engine.ports import Panel
from engine.support.faults import fault_id

_log = structlog.get_logger(__name__)


ITS_OWN = 0.95
"""The part of the time that a panel knows of: what it has heard by then is not lost with who is late."""


class NoPanel:
    """Nobody: what the strategy wants is decided on at once."""

    patience = timedelta(0)

    async def opinions(self, proposal: Proposal, within: float) -> tuple[Opinion, ...]:
        """None."""
        del proposal, within
        return ()


NO_PANEL = NoPanel()


async def deliberate(panel: Panel, proposal: Proposal, within: float) -> tuple[Opinion, ...]:
    """What a panel says of a proposal within so many wall seconds; nothing where it is late, or fails.

    That it fails is logged, with an id where nobody has foreseen it: an error is no opinion.
    """
    try:
        async with asyncio.timeout(within):
            return await panel.opinions(proposal, within * ITS_OWN)
    except TimeoutError:
        _log.warning("the panel was late", context=proposal.context, symbol=proposal.symbol, seconds=round(within, 3))
    except GreenlightError as error:
        _log.warning("the panel failed", context=proposal.context, symbol=proposal.symbol, error=error.message)
    except Exception:  # noqa: BLE001 - whatever is wrong with a panel, what the strategy wants is decided on without it
        _log.exception("the panel failed", context=proposal.context, symbol=proposal.symbol, reference=fault_id())
    return ()
