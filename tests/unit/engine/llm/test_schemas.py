"""A schema is strict and flat, and what it cannot say stands in words."""

from __future__ import annotations

import json
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from engine.llm.schemas import for_openai, schema_of


class Side(StrEnum):
    UP = "up"
    DOWN = "down"


class Level(BaseModel):
    price: Annotated[Decimal, Field(gt=0, le=Decimal("1e9"))]
    side: Side


class Buys(BaseModel):
    kind: Literal["buys"]
    levels: Annotated[list[Level], Field(min_length=1, max_length=3)]


class Waits(BaseModel):
    kind: Literal["waits"]


class Plan(BaseModel):
    """What to do."""

    note: Annotated[str, Field(max_length=80, description="One line.")] = ""
    target: Level | None = None
    act: Annotated[Buys | Waits, Field(discriminator="kind")]


class Tree(BaseModel):
    below: list[Tree]


class Loose(BaseModel):
    figures: dict[str, float]


def parts(of: Any) -> list[dict[str, Any]]:
    if isinstance(of, list):
        return [each for part in of for each in parts(part)]
    if not isinstance(of, dict):
        return []
    inside = [*of.get("properties", {}).values(), *of.get("anyOf", ()), *([of["items"]] if "items" in of else [])]
    return [of, *parts(inside)]


def test_nothing_is_left_out_or_put_in_and_nothing_refers() -> None:
    schema = schema_of(Plan)
    assert "$" not in json.dumps(schema)
    objects = [part for part in parts(dict(schema)) if part.get("type") == "object"]
    assert len(objects) == 5
    for each in objects:
        assert each["additionalProperties"] is False
        assert each["required"] == list(each["properties"])
    assert not any({"title", "default", "oneOf", "discriminator"} & set(part) for part in parts(dict(schema)))


def test_a_decimal_is_a_number_within_its_bounds() -> None:
    price = schema_of(Level)["properties"]["price"]
    assert price == {"type": "number", "exclusiveMinimum": 0.0, "maximum": 1e9}


def test_what_openai_does_not_know_stands_in_words() -> None:
    note = for_openai(schema_of(Plan))["properties"]["note"]
    assert note == {"type": "string", "description": "One line. (80 characters at most)"}
    buys = for_openai(schema_of(Plan))["properties"]["act"]["anyOf"][0]
    assert (buys["properties"]["levels"]["minItems"], buys["properties"]["levels"]["maxItems"]) == (1, 3)


def test_a_field_may_have_the_name_of_a_keyword() -> None:
    class Odd(BaseModel):
        title: str
        default: int
        minLength: str  # noqa: N815

    assert list(for_openai(schema_of(Odd))["properties"]) == ["title", "default", "minLength"]


@pytest.mark.parametrize(("shape", "why"), [(Tree, "Tree contains itself"), (Loose, "Fields of any name")])
def test_a_shape_that_no_provider_takes_is_refused(shape: type[BaseModel], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        schema_of(shape)
