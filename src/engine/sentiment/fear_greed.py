"""The Fear & Greed index of the whole market, from alternative.me or a server that speaks as it does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, Field

from engine.domain.sentiment import IndexReading, fear_greed_score
from engine.sentiment.json_reader import JsonReader

_MOST_BYTES = 64 * 1024


class _Value(BaseModel):
    """A day's value; all of it comes as text."""

    value: Annotated[int, Field(ge=0, le=100)]
    timestamp: Annotated[int, Field(ge=0, le=2**40)]


class _Answer(BaseModel):
    data: Annotated[list[_Value], Field(min_length=1)]


class FearGreed:
    """Asks for the newest value.

    Args:
        url: Where it stands.
        within: Wall seconds for an answer.
        agent: How the bot introduces itself.
    """

    name = "fear_greed"

    def __init__(self, *, url: str, within: float, agent: str) -> None:
        self._url = url
        self._reader = JsonReader(name="Fear & Greed", within=within, most_bytes=_MOST_BYTES, agent=agent)

    async def reading(self) -> IndexReading:
        """The newest value: 0, extreme fear, is -1; 100, extreme greed, is 1."""
        answer = await self._reader.get(self._url, _Answer, {"limit": "1"})
        newest = max(answer.data, key=lambda each: each.timestamp)
        at = datetime.fromtimestamp(newest.timestamp, UTC)
        return IndexReading(source=self.name, score=fear_greed_score(newest.value), at=at)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._reader.close()
