"""arch's room for resampling alone.

The package begins with its models of volatility, which load statsmodels, and matplotlib where that is there: half a
second of CPU for what nobody here has. The package can still be imported beside this.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

_PACKAGE, _ROOM = "arch", "arch.bootstrap"


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
        return import_module(_ROOM)
    finally:
        del sys.modules[_PACKAGE]
