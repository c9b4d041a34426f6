"""TA-Lib's functions as they are, arrays in and arrays out.

The package around them, and the part of them that nobody here uses, import pandas where it is there: 77 MB and most of
a second, for columns of a kind that nobody here has. The package can still be imported beside this.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec, module_from_spec
from types import ModuleType

_CORE = "talib._ta_lib"


class _WithoutPandas(MetaPathFinder):
    """Lets an import of pandas fail as if it were not installed."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - importlib's signature
        target: ModuleType | None = None,  # noqa: ARG002 - importlib's signature
    ) -> ModuleSpec | None:
        if fullname == "pandas":
            raise ModuleNotFoundError(name=fullname)
        return None


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
    blind = _WithoutPandas()
    sys.meta_path.insert(0, blind)
    try:
        spec.loader.exec_module(core)
    finally:
        sys.meta_path.remove(blind)
    core._ta_initialize()  # noqa: SLF001 - as the package itself begins
    return core
