"""From the name of a profile to its files: who extends whom."""

from __future__ import annotations

from pathlib import Path

from config.naming import COMMAND_LINE, DEFAULT, did_you_mean
from config.sources import Source
from config.yamlfile import read_yaml

PROFILES = Path(__file__).resolve().parent / "profiles"
DEFAULT_PROFILE = "demo"

Named = tuple[str, str]
"""The name of a profile or a file, and where it was written."""


def profiles() -> tuple[str, ...]:
    """The built-in profiles by name."""
    return tuple(sorted(file.stem for file in PROFILES.glob("*.yaml")))


def built_in(profile: str) -> str:
    """A built-in profile, as people know it."""
    return f"profile {profile}"


def shown(file: Path, directory: Path) -> str:
    """A file as people know it: a built-in profile, or relative to where the program runs, where it is below."""
    resolved, here = file.resolve(), directory.resolve()
    if resolved.parent == PROFILES:
        return built_in(file.stem)
    return str(resolved.relative_to(here) if resolved.is_relative_to(here) else resolved)


def read_chain(asked: Named | None, file: Path | None, directory: Path) -> list[Source]:
    """Read a file or a profile, and what it extends, down to the last; what goes wrong is a problem of the last source.

    Args:
        asked: The profile asked for; ``None`` where nobody asked.
        file: A file of the user's own. One without ``extends`` builds on the profile asked for.
        directory: Where the program runs; files are shown relative to it.
    """
    wanted = asked or (DEFAULT_PROFILE, DEFAULT)
    named: Named | None = (str(file), COMMAND_LINE) if file else wanted
    path = file or _file_of(wanted, Path())
    sources: dict[str, Source] = {}
    names: list[str] = []
    while named:
        here, (_, place) = shown(path, directory), named
        if here in sources:
            circle = f"extends itself: {' -> '.join([*sources, here])}"
            return [*sources.values(), Source.wrong(place, ("extends",), circle, readable=False)]
        if missing := _missing(named, path, here):
            return [*sources.values(), Source.wrong(place, (), missing, readable=False)]
        source = sources[here] = read_yaml(path, here)
        names += [path.stem] if path.parent == PROFILES else []
        named = source.take("extends") or (wanted if path is file and source.readable else None)
        path = _file_of(named, path.parent) if named else path
    last = Source.at(wanted[1], {"profile": names[0]} if names else {})
    if file and asked and asked[0] not in names and source.readable:
        message = f"is not the one that {shown(file, directory)} extends: that is {' and '.join(names) or 'no profile'}"
        return [*sources.values(), last, Source.wrong(asked[1], ("profile",), message)]
    return [*sources.values(), last]


def _file_of(named: Named, beside: Path) -> Path:
    """The file of a built-in profile, or one relative to what names it."""
    name, _ = named
    return beside / name if name.endswith((".yaml", ".yml")) else PROFILES / f"{name}.yaml"


def _missing(named: Named, file: Path, here: str) -> str:
    """What people read where a file is not there."""
    name, place = named
    if file == PROFILES / f"{name}.yaml":
        near = f"{did_you_mean(name, profiles())} (built in: {', '.join(profiles())})"
        return "" if name in profiles() else f"there is no {_which(name, place)}{near}"
    near = did_you_mean(file.name, [each.name for each in file.parent.glob("*.y*ml")])
    return "" if file.is_file() else f"there is no file {here}{near}"


def _which(name: str, place: str) -> str:
    """A profile by its name where it was typed as one; from elsewhere it may be a secret in the wrong place."""
    if place != COMMAND_LINE:
        return "such profile"
    return f"profile {name if name.isprintable() else ascii(name)}"
