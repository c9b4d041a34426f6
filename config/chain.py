"""From the name of a profile to its files: who extends whom."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from config.places import COMMAND_LINE, DEFAULT, did_you_mean, problem_line
from config.sources import Source, everywhere
from config.yamlfile import read_yaml

PROFILES = Path(__file__).parent / "profiles"
DEFAULT_PROFILE = "demo"
_A_NAME = re.compile(r"(?=(?:\D*\d){0,3}\D*$)[a-z][a-z0-9_.-]{0,23}")
"""What profiles are called; secrets are longer, and have capitals, signs or many digits."""

Named = tuple[str, str]
"""The name of a profile or a file, and where it was written."""


def profiles() -> tuple[str, ...]:
    """The built-in profiles by name."""
    return tuple(sorted(file.stem for file in PROFILES.glob("*.yaml")))


def shown(file: Path, directory: Path) -> str:
    """A file as people know it: relative to where the program runs, where it is below."""
    resolved, here = file.resolve(), directory.resolve()
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
        here = shown(path, directory)
        if problem := _unusable(path, named, here, sources):
            return [*sources.values(), Source({}, {}, [problem], readable=False)]
        source = sources[here] = read_yaml(path, here)
        names += [path.stem] if path.parent == PROFILES else []
        named = source.take("extends") or (wanted if path is file and source.readable else None)
        path = _file_of(named, path.parent) if named else path
    profile = {"profile": names[0]} if names else {}
    last = Source(profile, everywhere(profile, wanted[1]))
    if file and asked and asked[0] not in names and source.readable:
        message = f"is not the one that {shown(file, directory)} extends: that is {' and '.join(names) or 'no profile'}"
        last.problems = [problem_line(asked[1], ("profile",), message)]
    return [*sources.values(), last]


def _file_of(named: Named, beside: Path) -> Path:
    """The file of a built-in profile, or one relative to what names it."""
    name, _ = named
    return beside / name if name.endswith((".yaml", ".yml")) else PROFILES / f"{name}.yaml"


def _unusable(file: Path, named: Named, here: str, seen: Collection[str]) -> str:
    """Why the reading stops at a file; empty where it does not."""
    name, place = named
    if here in seen:
        return problem_line(place, ("extends",), f"extends itself: {' -> '.join([*seen, here])}")
    typed = (name if name.isprintable() else repr(name)) if place == COMMAND_LINE else ""
    if file == PROFILES / f"{name}.yaml" and name not in profiles():
        told = typed or (name if _A_NAME.fullmatch(name) else "")
        which, near = f"profile {told}" if told else "such profile", did_you_mean(name, profiles())
        return problem_line(place, (), f"there is no {which}{near} (built in: {', '.join(profiles())})")
    if not file.is_file():
        near = did_you_mean(file.name, [each.name for each in file.parent.glob("*.y*ml")])
        return problem_line(place, (), f"there is no file {typed or here}{near}")
    return ""
