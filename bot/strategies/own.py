"""Loads strategies of somebody's own: a file or a module is carried out once, and what is wrong names file and line.

It is code that runs with the rights of the program: only settings files and the command line may name one.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from difflib import get_close_matches
from functools import cache
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from importlib.util import decode_source, module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import get_type_hints

from pydantic import ValidationError

from config.strategy_names import place_of
from engine.domain.errors import ConfigError, GreenlightError, StrategyError
from engine.strategies.base import StrategyBase
from engine.strategies.guarded import OWN_MODULE, GuardedStrategy, failure

_FILES = "A file is named by its path, relative to the settings file or to where a command runs."
_MODULES = "Install it, or put its folder on PYTHONPATH; a file is named ./strategies/breakout.py:Breakout."


def own_kind(name: str) -> type[StrategyBase]:
    """The class that a name like ``./strategies/breakout.py:Breakout`` means; one file, one class.

    Raises:
        ConfigError: There is no such file, module or class, it cannot be carried out, or it is no strategy.
    """
    place, wanted = place_of(name)
    module = _of_file(place) if isinstance(place, Path) else _of_module(place)
    known: dict[str, type[StrategyBase]] = {each: kind for each, kind in vars(module).items() if _is_strategy(kind)}
    kind: object = vars(module).get(wanted)
    if kind is None:
        own = [each for each, found in known.items() if found.__module__ == module.__name__]
        near = get_close_matches(wanted, own, n=1)
        there = f"There are {', '.join(own)}." if own else "There is no strategy in it."
        raise ConfigError(f"{_shown(module)} has no {wanted}.", f"Did you mean {near[0]}?" if near else there)
    if wanted not in known:
        raise ConfigError(f"{_place(module, kind)}: {wanted} is no strategy.", "A strategy is a class on StrategyBase.")
    found = known[wanted]
    for wrong, remedy in _faults(found):
        raise ConfigError(f"{_place(module, found)}: {wanted} {wrong}.", remedy)
    return found


def guarded(strategy: StrategyBase) -> GuardedStrategy:
    """A strategy of somebody's own, as it is put to work."""
    module = sys.modules[type(strategy).__module__]
    return GuardedStrategy(strategy, file=_file(module), shown=_shown(module))


@contextmanager
def building(kind: type[StrategyBase]) -> Iterator[None]:
    """Tell what goes wrong in somebody's class while one is made of it.

    Raises:
        ConfigError: Something does, that is not about one of its parameters.
    """
    module = sys.modules[kind.__module__]
    try:
        yield
    except (ValidationError, GreenlightError):
        raise
    except (Exception, SystemExit) as error:
        raise _told(failure(error, f"{kind.__name__} cannot be made", _file(module), _shown(module))) from error


def _of_file(path: Path) -> ModuleType:
    file = path.resolve()
    if not file.is_file():
        near = get_close_matches(file.name, [each.name for each in file.parent.glob("*.py")], n=1)
        raise ConfigError(f"There is no file {shown(file)}.", f"Did you mean {near[0]}?" if near else _FILES)
    try:
        return _carried_out(file, file.read_bytes())
    except OSError as error:
        raise ConfigError(f"{shown(file)} cannot be read: {error.strerror}.", "See that it is ours to read.") from None


@cache
def _carried_out(file: Path, source: bytes) -> ModuleType:
    """The module of a file with this source; a failure is not kept, so that the file can be mended."""
    name = f"{OWN_MODULE}{sha256(bytes(file) + source).hexdigest()[:16]}"
    loader = _Source(name, str(file), source)
    spec = spec_from_file_location(name, file, loader=loader)
    module = module_from_spec(spec) if spec else ModuleType(name)
    sys.modules[name] = module  # dataclasses and pydantic look up there what annotations mean
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _told(failure(error, "It cannot be loaded", str(file), shown(file))) from error
    return module


def _of_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise ConfigError(f"The module {name} cannot be loaded: {error}.", "Install what it needs.") from error
        raise ConfigError(f"There is no module {error.name}.", _MODULES) from None
    except (Exception, SystemExit) as error:
        found = importlib.util.find_spec(name)
        file = found.origin if found and found.origin else ""
        raise _told(failure(error, "It cannot be loaded", file, shown(Path(file)) if file else name)) from error


class _Source(SourceFileLoader):
    """A file's source as it was read, and nothing that was compiled of it before: that may be older than it looks."""

    def __init__(self, name: str, path: str, source: bytes) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, _: str) -> CodeType:
        return self.source_to_code(self._source, self.path)

    def get_source(self, _: str) -> str:
        return decode_source(self._source)


def _faults(kind: type[StrategyBase]) -> Iterator[tuple[str, str]]:
    """What keeps a class from being put to work."""
    if missing := sorted(getattr(kind, "__abstractmethods__", ())):
        yield f"lacks {', '.join(missing)}", "`bot strategy new NAME` writes one that has all of them."
    if not isinstance(getattr(kind, "name", None), str):
        yield "has no name", f'Write in it: name: ClassVar[str] = "{kind.__name__.lower()}"'
    known = {field.name for field in fields(kind)}
    own = inspect.get_annotations(kind)
    plain = [each for each, said in own.items() if each not in known and "ClassVar" not in str(said)]
    try:
        get_type_hints(kind)
    except NameError as error:
        yield f"has a parameter of an unknown type: {error}", "Import it at the top of the file."
    if plain:
        yield f"has no parameter {plain[0]}", "Write @dataclass(frozen=True, kw_only=True) above the class."


def _is_strategy(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, StrategyBase) and kind is not StrategyBase


def _told(error: StrategyError) -> ConfigError:
    return ConfigError(error.message, "Mend it there.")


def _place(module: ModuleType, kind: object) -> str:
    """The file and line where a class stands; the file alone where that is not there."""
    if getattr(kind, "__module__", None) != module.__name__:
        return _shown(module)
    try:
        _, line = inspect.getsourcelines(kind)  # type: ignore[arg-type] # of what has no source, it says so
    except (TypeError, OSError):
        return _shown(module)
    return f"{_shown(module)}, line {line}"


def _file(module: ModuleType) -> str:
    return getattr(module, "__file__", None) or module.__name__


def _shown(module: ModuleType) -> str:
    return shown(Path(_file(module)))


def shown(file: Path) -> str:
    """A file as people know it: relative to where the program runs, where it is below."""
    here = Path.cwd()
    return str(file.relative_to(here) if file.is_relative_to(here) else file)
