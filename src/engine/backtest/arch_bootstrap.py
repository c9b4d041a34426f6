"""arch's room for resampling alone.

The package begins with its models of volatility, which load statsmodels, and matplotlib where that is there: half a
second of CPU for what nobody here has. The package can still be imported beside this. Its room needs scipy.stats, a
third of a second more, for intervals by the normal distribution alone: it is loaded when one of these is asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

_PACKAGE, _ROOM, _STATS = "arch", "arch.bootstrap", "scipy.stats"


@cache
def arch_bootstrap() -> ModuleType:
    """The module with ``StationaryBootstrap``, ``SPA`` and ``optimal_block_length``.

    Raises:
        ImportError: arch is not installed.
    """
    if _PACKAGE in sys.modules:
        return import_module(_ROOM)
    spec = find_spec(_PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError("arch is not installed", name=_PACKAGE)
    empty = sys.modules[_PACKAGE] = ModuleType(_PACKAGE)
    empty.__path__ = list(spec.submodule_search_locations)
    try:
        with _stats_on_demand():
            return import_module(_ROOM)
    finally:
        del sys.modules[_PACKAGE]


class _OnDemand(ModuleType):
    """A module that is imported once something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.__name__), name)


@contextmanager
def _stats_on_demand() -> Iterator[None]:
    """Have what is imported meanwhile find ``scipy.stats`` without loading it."""
    scipy = import_module("scipy")
    if _STATS in sys.modules:
        yield
        return
    scipy.stats = _OnDemand(_STATS)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del scipy.stats
