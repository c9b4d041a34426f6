"""From files, environment and command line to settings; everything that is wrong is said at once.

The layers, each over the one before: the fields' defaults, the YAML profile and what it ``extends``, ``.env``,
the environment's ``BOT_*``, the command line. Mappings merge; a list replaces the list below it.

The sources of pydantic-settings are not used: they keep no places, stop at the first error and repeat values in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.chain import COMMAND_LINE, PROFILES, Layers, read_layers
from config.environment import read_dotenv, read_environment
from config.nodes import KeyPath, Node, Problem, find, grow, merge, plain, plant
from config.problems import problems_of
from config.rules import Rule, broken, placed
from config.settings import Settings
from engine.domain.errors import ConfigError, GreenlightError


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Settings, and where their values were written."""

    settings: Settings
    tree: Node

    def is_built_in(self, path: KeyPath) -> bool:
        """Whether nobody set the value at a path: it is a default, or a built-in profile's."""
        known, place = find(self.tree, path)
        return known != path or Path(place.source).parent == PROFILES

    def place(self, path: KeyPath) -> str:
        """Where the value at a path was written; ``default`` where it was not."""
        known, place = find(self.tree, path)
        return str(place) if known == path else "default"

    def told(self, error: GreenlightError) -> str:
        """What is wrong, for people; where it is with a setting, with its place, as ``load`` says it."""
        if isinstance(error, ConfigError) and error.key:
            return _told([placed(error, self.tree)])
        return str(error)


def load(
    profile: str | None,
    file: Path | None,
    overrides: Mapping[str, Any],
    environ: Mapping[str, str],
    directory: Path,
) -> Settings:
    """Read the configuration.

    Args:
        profile: A built-in profile by name; ``None`` for ``BOT_PROFILE``, else ``demo``.
        file: A YAML file of the user's own, which extends a profile.
        overrides: What the command line says, nested or with dotted names; ``None`` means it does not say.
        environ: The environment.
        directory: Where ``.env`` is looked for; also what shown paths are relative to.

    Raises:
        ConfigError: Something is wrong; one line for each thing, none with a value in it.
    """
    return load_with_places(profile, file, overrides, environ, directory).settings


def load_with_places(
    profile: str | None,
    file: Path | None,
    overrides: Mapping[str, Any],
    environ: Mapping[str, str],
    directory: Path,
    rules: Sequence[Rule] = (),
) -> Loaded:
    """Read the configuration as ``load`` does, and keep where each value was written.

    Args:
        profile: As those below, see ``load``.
        file: See there.
        overrides: See there.
        environ: See there.
        directory: See there.
        rules: What must hold beside.

    Raises:
        ConfigError: As ``load``; what breaks a rule is in it as well.
    """
    dotenv = read_dotenv(directory / ".env", ".env")
    variables = read_environment(environ)
    over = merge(merge(dotenv.root, variables.root), _command_line(overrides))
    asked = Node(profile, COMMAND_LINE) if profile else over.value.get("profile")
    layers = read_layers(asked, file, directory)
    tree = merge(layers.root, Node({name: node for name, node in over.value.items() if name != "profile"}, over.place))
    settings, refused = _validate(tree, layers, rules)
    problems = [*layers.problems, *dotenv.problems, *variables.problems, *refused]
    if problems or settings is None:
        raise ConfigError(_told(problems))
    return Loaded(settings=settings, tree=tree)


def describe(settings: Settings) -> dict[str, Any]:
    """The settings as plain values for people and JSON, secrets masked."""
    return settings.model_dump(mode="json")


def flat(described: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every single value of ``describe`` with its path; empty lists and mappings count as values."""
    match described:
        case dict() if described:
            for name, value in described.items():
                yield from flat(value, (*path, name))
        case list() if described:
            for number, value in enumerate(described):
                yield from flat(value, (*path, number))
        case _:
            yield path, described


def schema() -> dict[str, Any]:
    """The JSON schema of the configuration, for editors."""
    return Settings.model_json_schema()


def _told(problems: Iterable[Problem]) -> str:
    return "\n".join(["The configuration cannot be used:", *(f"  {each}" for each in problems)])


def _command_line(overrides: Mapping[str, Any]) -> Node:
    root = Node({}, COMMAND_LINE)
    for name, value in overrides.items():
        said = _said(value)
        if said is not None:
            root = merge(root, plant(tuple(name.split(".")), grow(said, COMMAND_LINE)))
    return root


def _said(value: Any) -> Any:
    """A value without the options that were not given; ``None`` where none was."""
    if not isinstance(value, Mapping):
        return value
    said = {name: _said(child) for name, child in value.items()}
    return {name: child for name, child in said.items() if child is not None} or None


def _validate(tree: Node, layers: Layers, rules: Sequence[Rule]) -> tuple[Settings | None, list[Problem]]:
    """The settings, and what is wrong with them; neither where a file could not be read."""
    if not layers.readable:
        return None, []
    sections: dict[str, Any] = {}
    settings, refused = None, []
    try:
        settings = Settings.model_validate(plain(tree), context=sections)
    except ValidationError as error:
        refused = problems_of(error, tree)
    return settings, [*refused, *broken(rules, sections, tree)]
