"""What an answer must look like: one shape for every opinion on a proposal, and one for a prediction."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from engine.llm.validating import FieldId, Figure, StopPrice, Symbol

Share = Annotated[Decimal, Field(ge=Decimal("0.05"), le=1)]
"""A part of the whole."""
_MOST_NEUTRAL = 2
"""The largest move, in per cent, that is still called neutral; a week's is often that large."""


class ReasonShape(BaseModel):
    """A reason, with the fields of the brief that it rests on, and those of their figures that it repeats."""

    text: Annotated[str, Field(min_length=3, max_length=240)]
    fields: Annotated[list[FieldId], Field(min_length=1, max_length=4)]
    figures: Annotated[list[Figure], Field(max_length=4)] = []


class OpinionShape(BaseModel):
    """What is thought of a proposal: the strongest reason first, and what would change that mind."""

    symbol: Symbol
    verdict: Literal["approve", "veto", "abstain"]
    share: Share
    stop: StopPrice | None = None
    reasons: Annotated[list[ReasonShape], Field(min_length=1, max_length=4)]
    flip: Annotated[str, Field(max_length=200)]


class PredictionShape(BaseModel):
    """Where a price is expected to go, from the close, within so many candles."""

    symbol: Symbol
    direction: Literal["bullish", "bearish", "neutral"]
    expected_move_percent: Annotated[Decimal, Field(ge=-50, le=50)]
    horizon_candles: Annotated[int, Field(ge=1, le=60)]
    reasons: Annotated[list[ReasonShape], Field(min_length=1, max_length=4)]

    @model_validator(mode="after")
    def _one_way(self) -> PredictionShape:
        move = self.expected_move_percent
        against = {"bullish": move <= 0, "bearish": move >= 0, "neutral": abs(move) > _MOST_NEUTRAL}
        if against[self.direction]:
            raise ValueError(f"it is {self.direction}, and the expected move is {move} %")
        return self
