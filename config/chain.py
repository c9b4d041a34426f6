"""From the name of a profile to its layers: who extends whom, lowest first."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from config.nodes import Node, Place, Problem, did_you_mean, grow, merge
from config.yamlfile import YamlFile, read_yaml

COMMAND_LINE = Place("command line")
PROFILES = Path(__file__).parent / "profiles"
DEFAULT_PROFILE = "demo"
_A_NAME = re.compile(r"(?=(?:\D*\d){0,3}\D*$)[a-z][a-z0-9_.-]{0,23}")
"""What profiles are called; secrets are longer, and have capitals, signs or many digits."""


@dataclass(slots=True)
class Layers:
    """What a profile and all that it extends say together.

    Attributes:
        names: The built-in profiles among them, the one nearest to the user first.
        readable: Whether every file could be read; otherwise no verdict on the values is possible.
    """

    root: Node
    names: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    readable: bool = True


def profiles() -> tuple[str, ...]:
    """The built-in profiles by name."""
    return tuple(sorted(file.stem for file in PROFILES.glob("*.yaml")))


def read_layers(profile: Node | None, file: Path | None, directory: Path) -> Layers:
    """Read a file or a profile, and what it extends, down to the last.

    Args:
        profile: The profile asked for, with the place of the request; ``None`` where nobody asked.
        file: A file of the user's own. One without ``extends`` builds on the profile asked for.
        directory: Where the program runs; files are shown relative to it.
    """
    wanted = profile or Node(DEFAULT_PROFILE, Place("default"))
    reader = _Chain(directory=directory, otherwise=wanted if file else None)
    if file:
        reader.follow(file, Node(str(file), COMMAND_LINE))
    else:
        reader.extend(wanted, Path())
    layers = reader.layers
    if profile and layers.readable and str(profile.value) not in layers.names:
        extended = " and ".join(layers.names) or "no profile"
        message = f"is not the one that {reader.shown(file or Path())} extends: that is {extended}"
        layers.problems.append(Problem("profile", message, str(profile.place)))
    if layers.names:
        layers.root = merge(grow({"profile": layers.names[0]}, wanted.place), layers.root)
    return layers


def _repeated(name: Node) -> str:
    """A profile's name as it was given; from elsewhere than the command line not where it could be a secret."""
    text = str(name.value)
    return _typed(name) or (text if _A_NAME.fullmatch(text) else "")


def _typed(name: Node) -> str:
    """What was given on the command line, where its user has just read it; empty for what is from elsewhere."""
    text = str(name.value)
    if name.place != COMMAND_LINE:
        return ""
    return text if text.isprintable() else repr(text)


@dataclass(slots=True)
class _Chain:
    directory: Path
    otherwise: Node | None
    layers: Layers = field(default_factory=lambda: Layers(Node({}, Place("default"))))
    seen: list[Path] = field(default_factory=list)

    def extend(self, name: Node, beside: Path) -> None:
        """Go on to what ``extends`` names: a built-in profile, or a file relative to the one that names it."""
        text = str(name.value)
        if text.endswith((".yaml", ".yml")):
            self.follow(beside / text, name)
        elif text in profiles():
            self.layers.names.append(text)
            self.follow(PROFILES / f"{text}.yaml", name)
        else:
            built_in = ", ".join(profiles())
            near = did_you_mean(text, profiles())
            asked = _repeated(name)
            which = f"profile {asked}" if asked else "such profile"
            self._stop(f"there is no {which}{near} (built in: {built_in})", name.place)

    def follow(self, file: Path, named: Node) -> None:
        """Read a file, lay what was read so far over it, and go on to what it extends."""
        if not file.is_file():
            asked = _typed(named) or self.shown(file)
            near = did_you_mean(file.name, [each.name for each in file.parent.glob("*.y*ml")])
            self._stop(f"there is no file {asked}{near}", named.place)
        elif file.resolve() in self.seen:
            chain = " -> ".join(self.shown(each) for each in [*self.seen, file.resolve()])
            self._stop(f"extends itself: {chain}", named.place, key="extends")
        else:
            self.seen.append(file.resolve())
            self._add(read_yaml(file, self.shown(file)), file)

    def _add(self, said: YamlFile, file: Path) -> None:
        self.layers.root = merge(said.root, self.layers.root)
        self.layers.problems += said.problems
        self.layers.readable &= said.readable
        onward = said.extends or (self.otherwise if said.readable else None)
        self.otherwise = None
        if onward:
            self.extend(onward, file.parent)

    def _stop(self, message: str, place: Place, key: str = "") -> None:
        self.layers.problems.append(Problem(key, message, str(place)))
        self.layers.readable = False

    def shown(self, file: Path) -> str:
        """A file as people know it: relative to where the program runs, where it is below."""
        resolved = file.resolve()
        inside = resolved.is_relative_to(self.directory.resolve())
        return str(resolved.relative_to(self.directory.resolve()) if inside else resolved)
