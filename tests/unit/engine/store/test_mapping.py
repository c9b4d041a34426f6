"""Rows to frozen objects and back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import pytest
from sqlalchemy import Column, String, Table, create_engine, insert, select
from sqlmodel import MetaData

from engine.store.columns import ExactDecimal, UtcTime
from engine.store.mapping import RowMapping
from tests.fakes.reports import NOON


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paint:
    colour: Colour
    price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wall:
    id: str
    at: datetime
    paint: Paint
    unkept: int = 7


TABLE = Table(
    "walls",
    MetaData(),
    Column("id", String, primary_key=True),
    Column("number", String, default="9"),
    Column("at", UtcTime),
    Column("colour", String),
    Column("price", ExactDecimal),
)
WALL = Wall(id="W1", at=NOON, paint=Paint(colour=Colour.RED, price=Decimal("0.10")))


@pytest.mark.parametrize("wall", [WALL, Wall(id="W2", at=NOON, paint=Paint(colour=Colour.RED, price=None))])
def test_what_was_kept_comes_back_as_it_was(wall: Wall):
    walls = RowMapping(Wall, TABLE)
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        TABLE.create(connection)
        connection.execute(insert(TABLE), walls.to_row(wall))
        (row,) = connection.execute(select(TABLE))
    assert walls.from_row(row) == wall
    assert type(walls.from_row(row).paint.colour) is Colour


def test_a_field_without_a_column_must_have_a_default():
    @dataclass(frozen=True, kw_only=True)
    class Door:
        id: str
        width: Decimal

    with pytest.raises(TypeError, match="Door has no column in walls for width"):
        RowMapping(Door, TABLE)
