"""TA-Lib's functions as they are, arrays in and arrays out.

The package around them, and the part of them that nobody here uses, import pandas where it is there: 77 MB and most of
a second, for columns of a kind that nobody here has; and where it is loaded already, each call is looked through for
such columns, which takes longer than most of what is called. The package can still be imported beside this.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from types import ModuleType

_CORE = "talib._ta_lib"


@cache
def talib() -> ModuleType:
    """The compiled module with every function of TA-Lib, ready to be called.

    Raises:
        ImportError: TA-Lib is not installed.
    """
    if _CORE in sys.modules:
        return sys.modules[_CORE]
    package = find_spec("talib")
    spec = PathFinder.find_spec(_CORE, package.submodule_search_locations if package else None)
    if spec is None or spec.loader is None:
        raise ImportError("TA-Lib is not installed", name="talib")
    core = sys.modules[_CORE] = module_from_spec(spec)
    with _absent("pandas"):
        spec.loader.exec_module(core)
    core._ta_initialize()  # noqa: SLF001 - as the package itself begins
    return core


@contextmanager
def _absent(name: str) -> Iterator[None]:
    """Lets an import of a module fail as if it were not installed, also where it is loaded already."""
    loaded = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment] # what importlib takes for "there is no such module"
    try:
        yield
    finally:
        if loaded is None:
            del sys.modules[name]
        else:
            sys.modules[name] = loaded
