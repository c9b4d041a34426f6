"""Whether an answer of a model is believed: one object of the wanted shape, about this market, at the prices of now.

What an answer is held against stands in the types of its shape: a ``Symbol``, a ``StopPrice`` below the book, a
``FieldId`` of the brief, a ``Figure`` that repeats one. Prose is not searched for numbers: what people are shown and
what is reckoned with are the brief's own figures, by the ids that the answer cites. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, Field, ValidationError, ValidationInfo, model_validator

from engine.domain.figures import plain
from engine.domain.market import Book

MOST_LETTERS = 32 * 1024
"""An answer longer than this is not read."""
_MOST_OFF = Decimal("0.01")
"""How far a repeated figure may be off, as a share: it may be rounded to three places that count, or cut there."""
_MOST_BELOW = Decimal("0.6")
"""How far the stop of what is bought now may be below the best bid, as a share of that: a model that confuses two
markets, or a place of the point, is seldom nearer."""
_MOST_OF_A_NAME = 40
_FENCES = ("```", "```json")

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """An answer is not what was asked for."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an answer is held against.

    Attributes:
        symbol: The market that was asked about.
        book: Its order book of now; ``None`` where there is none: then no price is believed.
        figures: The brief's figures by the ids of their fields; ``None`` for what has no figure, e.g. a headline.
    """

    symbol: str
    book: Book | None
    figures: Mapping[str, Decimal | None]


def _same_symbol(value: str, info: ValidationInfo) -> str:
    facts = info.context
    if isinstance(facts, Facts) and value != facts.symbol:
        raise ValueError(f"the answer is about {_cut(value)!r} and not about {facts.symbol}")
    return value


def _known_field(value: str, info: ValidationInfo) -> str:
    facts = info.context
    if isinstance(facts, Facts) and value not in facts.figures:
        raise ValueError(f"the brief has no field {_cut(value)!r}")
    return value


def _below_the_book(value: Decimal, info: ValidationInfo) -> Decimal:
    """Hold the stop of what is bought now against the order book."""
    facts = info.context
    if not isinstance(facts, Facts):
        return value
    if facts.book is None:
        raise ValueError("there is no order book to hold a price against")
    bid = facts.book.bid
    if value >= bid:
        raise ValueError(f"{_short(value)} is not below the best bid, {plain(bid)}")
    if value < bid * (1 - _MOST_BELOW):
        most = plain(_MOST_BELOW * 100, 4)
        raise ValueError(f"{_short(value)} is more than {most} % below the best bid, {plain(bid)}")
    return value


Symbol = Annotated[str, AfterValidator(_same_symbol)]
"""The market that was asked about, to the letter."""
FieldId = Annotated[str, AfterValidator(_known_field)]
"""The id of a field of the brief."""
StopPrice = Annotated[Decimal, Field(gt=0), AfterValidator(_below_the_book)]
"""Where a loss is cut."""


class Figure(BaseModel):
    """A figure of the brief, repeated."""

    id: FieldId
    value: Decimal

    @model_validator(mode="after")
    def _as_told(self, info: ValidationInfo) -> Figure:
        facts = info.context
        if not isinstance(facts, Facts):
            return self
        told = facts.figures[self.id]
        if told is None:
            raise ValueError(f"the field {self.id!r} has no figure")
        off = abs(told) * _MOST_OFF
        if not told - off <= self.value <= told + off:
            raise ValueError(f"{self.id} is {plain(told)} and not {_short(self.value)}")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Validator(Generic[T]):
    """Makes the wanted object of what a model wrote, or says why it is not believed.

    Attributes:
        shape: What is wanted.
        facts: What it is held against. A shape that is made without any, by code of ours, is not held against anything.
    """

    shape: type[T]
    facts: Facts

    def __call__(self, text: str) -> T | Unfit:
        """The object, or why there is none. Nothing is raised, whatever the text."""
        found = only_object(text)
        if isinstance(found, Unfit):
            return found
        try:
            return self.shape.model_validate(found, context=self.facts)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where, why = ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
            return Unfit(reason=f"{where}: {why}" if where else why)


def only_object(text: str) -> dict[str, Any] | Unfit:
    """The one JSON object of a text, with words or a fence around it where the model could not do without.

    Nothing is mended: an object that is cut, has a name twice or is one of two is refused.
    """
    if len(text) > MOST_LETTERS:
        return Unfit(reason=f"the answer has {len(text)} letters; {MOST_LETTERS} are read at most")
    begin = len(text) - len(text.lstrip())
    if text.startswith("[", begin):
        return Unfit(reason="the answer is a list, and one object was asked for")
    found: list[dict[str, Any]] = []
    at = text.find("{")
    while at >= 0:
        end = at + 1
        try:
            value, end = _DECODER.raw_decode(text, at)
            found.append(value)
        except RecursionError:
            return Unfit(reason="the answer is no JSON: too deep")
        except (ValueError, ArithmeticError) as error:
            if at == begin or _is_begun(text, at):
                return Unfit(reason=f"the answer is no JSON: {_why(error)}")
        at = text.find("{", end)
    match found:
        case [only]:
            return only
        case []:
            return Unfit(reason="the answer has no object" if text.strip() else "the answer is empty")
        case _:
            return Unfit(reason=f"the answer has {len(found)} objects, and one was asked for")


def _is_begun(text: str, at: int) -> bool:
    """Whether a brace begins an object, and does not stand in prose."""
    return text[max(at - 16, 0) : at].rstrip().endswith(_FENCES) or text[at + 1 : at + 80].lstrip()[:1] in {
        '"',
        "}",
        "",
    }


def _why(error: Exception) -> str:
    return f"{error.msg} at letter {error.pos}" if isinstance(error, json.JSONDecodeError) else str(error)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{_cut(next(name for name in names if names.count(name) > 1))!r} stands there twice")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_float=Decimal, parse_constant=_no_number)


def _cut(text: str) -> str:
    """A name that somebody else wrote: it may be of any length."""
    return text if len(text) <= _MOST_OF_A_NAME else text[:_MOST_OF_A_NAME] + "…"


def _short(value: Decimal) -> str:
    """A number that somebody else wrote: it may have any exponent."""
    return plain(value, 8) if -20 < value.adjusted() < 20 else f"{value:.3e}"  # noqa: PLR2004
