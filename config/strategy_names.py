"""How a strategy is named: one of the house by its name, one of somebody's own by its file or module and its class.

momentum
./strategies/breakout.py:Breakout     a file, relative to the settings file that names it
my_package.module:Breakout            a module that Python finds: installed, or on PYTHONPATH
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from config.kinds import problem
from config.naming import nearest

NAMES = ("ma_cross", "momentum", "mean_reversion", "sma_cross", "rsi_bands", "ai_trend")
"""Those of the house."""
_OWN = re.compile(r"(?:(?P<file>[^\n]*\.py)|(?P<module>[^\W\d]\w*(?:\.[^\W\d]\w*)*)):(?P<kind>[^\W\d]\w*)")


def is_own(name: str) -> bool:
    """Whether it names a strategy of somebody's own: a file or a module, and a class."""
    return bool(_OWN.fullmatch(name))


def place_of(name: str) -> tuple[Path | str, str]:
    """The file (a path) or module (a text) of a strategy of somebody's own, and its class.

    Raises:
        ValueError: It is no such name.
    """
    found = _OWN.fullmatch(name)
    if found is None:
        raise ValueError(name)
    return Path(found["file"]).expanduser() if found["file"] else found["module"], found["kind"]


def beside(name: str, folder: Path) -> str:
    """The same name, a file of somebody's own by its whole path: it was written relative to a folder."""
    if not is_own(name):
        return name
    place, kind = place_of(name)
    return f"{(folder / place).resolve()}:{kind}" if isinstance(place, Path) else name


def short(name: str) -> str:
    """What people read: the name of one of the house, the class of one of somebody's own."""
    return name.rpartition(":")[2]


def what_is_wrong(name: str) -> str:
    """Why a name names no strategy, without repeating it; empty where it does."""
    if name in NAMES or is_own(name):
        return ""
    if name.endswith(".py"):
        return "must name the class as well: ./strategies/breakout.py:Breakout"
    near = nearest(name, NAMES)
    hint = f"; did you mean {near}?" if near else ""
    return f"must be {', '.join(NAMES)}, or one of your own: ./strategies/breakout.py:Breakout{hint}"


def _check(name: str) -> str:
    if wrong := what_is_wrong(name):
        raise problem(wrong)
    return name


StrategyName = Annotated[
    str,
    AfterValidator(_check),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(NAMES)},
                {"type": "string", "pattern": r"^.+:\w+$"},
            ]
        }
    ),
]
"""A strategy, as this module has it."""
