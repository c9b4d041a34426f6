"""Any value of a domain type, for what must hold for all of them."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

MONEY = st.decimals("-1e18", "1e18", allow_nan=False, allow_infinity=False, places=12)
TIMES = st.datetimes(datetime(1980, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - as hypothesis wants them

_LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=12),
    int: st.integers(-1000, 1000),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    Decimal: MONEY,
    datetime: TIMES,
    timedelta: st.timedeltas(timedelta(0), timedelta(days=1000)),
    type(None): st.none(),
}


def anything(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type: what its dataclasses, unions, tuples and enums may hold."""
    origin, args = get_origin(kind), get_args(kind)
    if kind in _LEAVES:
        return _LEAVES[kind]
    if origin in (Union, types.UnionType):
        return st.one_of(*(anything(arg) for arg in args))
    if origin is tuple:
        return st.lists(anything(args[0]), max_size=2).map(tuple)
    if origin in (dict, Mapping):
        return st.dictionaries(anything(args[0]), anything(args[1]), max_size=2)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(kind)
    assert is_dataclass(kind), kind
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: anything(hints[field.name]) for field in fields(kind)})
