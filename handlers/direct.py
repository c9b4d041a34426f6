"""Showing a card past the database: for when the database is what people must be told of."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace

import structlog

from engine.domain.messages import Card, CardKind, Destination, Lane, Ref
from engine.ports import Platform
from engine.support.faults import fault_id

WITHIN = 20.0
"""Wall seconds that a platform has to show it."""

_log = structlog.get_logger(__name__)


class DirectTeller:
    """Shows alerts at every place that is to have them.

    Args:
        platforms: Those that can be sent to, by name.
        places: Which kinds of cards each place is to have.
    """

    def __init__(
        self, *, platforms: Mapping[str, Platform], places: Mapping[Destination, Collection[CardKind]]
    ) -> None:
        self._platforms = platforms
        self._places = [place for place, kinds in places.items() if CardKind.ALERTS in kinds]

    async def show(self, card: Card) -> dict[Destination, Ref]:
        """Show a card everywhere at once, as what is urgent; the messages that show it, where it could be shown."""
        refs = await asyncio.gather(*(self._put(place, replace(card, lane=Lane.URGENT)) for place in self._places))
        return {place: ref for place, ref in zip(self._places, refs, strict=True) if ref is not None}

    async def _put(self, place: Destination, card: Card) -> Ref | None:
        try:
            async with asyncio.timeout(WITHIN):
                return await self._platforms[place.platform].put(place, card, None, None)
        except Exception:  # noqa: BLE001 - the boundary to platforms: one that fails must not silence the others
            _log.exception("an alert was not shown", platform=place.platform, reference=fault_id())
            return None
