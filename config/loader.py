"""From files, environment and command line to settings; everything that is wrong is said at once.

The layers, each over the one before: the fields' defaults, the YAML profile and what it ``extends``, files of secrets,
``.env``, the environment's ``BOT_*``, the command line. Mappings merge; a list replaces the list below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.chain import PROFILES, read_chain, shown
from config.places import COMMAND_LINE, DEFAULT, KeyPath
from config.problems import problems_of, sections_of
from config.rules import Rule, broken, placed
from config.settings import Settings
from config.sources import Source, everywhere, find
from config.variables import MOUNTED, dotenv, environment, secret_files
from engine.domain.errors import ConfigError, GreenlightError


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Settings, and the sources of their values, the strongest first.

    Attributes:
        built_in: The profiles that came with the program among the sources' files, as people know them.
    """

    settings: Settings
    sources: Sequence[Source]
    built_in: Sequence[str] = ()

    def is_built_in(self, path: KeyPath) -> bool:
        """Whether nobody set the value at a path: it is a default, or a built-in profile's."""
        place = self.place(path)
        return place == DEFAULT or place.partition(", line ")[0] in self.built_in

    def place(self, path: KeyPath) -> str:
        """Where the value at a path was written; ``default`` where it was not."""
        known, place = find(self.sources, path)
        return place if known == path else DEFAULT

    def told(self, error: GreenlightError) -> str:
        """What is wrong, for people; where it is with a setting, with its place, as ``load`` says it."""
        if isinstance(error, ConfigError) and error.key:
            return _told([placed(error, self.sources)])
        return str(error)


def load(
    profile: str | None, file: Path | None, overrides: Mapping[str, Any], environ: Mapping[str, str], directory: Path
) -> Settings:
    """The settings of ``load_with_places`` alone.

    Raises:
        ConfigError: See there.
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
    """Read the configuration, and keep where each value was written.

    Args:
        profile: A built-in profile by name; ``None`` for ``BOT_PROFILE``, else ``demo``.
        file: A YAML file of the user's own, which extends a profile.
        overrides: What the command line says, nested; ``None`` means it does not say.
        environ: The environment.
        directory: Where ``.env`` is looked for; also what shown paths are relative to.
        rules: What must hold beyond the form of the settings.

    Raises:
        ConfigError: Something is wrong; one line for each thing, none with a value in it.
    """
    given = _given(overrides)
    over = [Source(given, everywhere(given, COMMAND_LINE)), environment(environ), dotenv(directory / ".env", ".env")]
    profiles = [(profile, COMMAND_LINE)] if profile else []
    profiles += [taken for source in over[1:] if (taken := source.take("profile"))]
    files = read_chain(next(iter(profiles), None), file, directory)
    sources = [*over, _secret_files([*over, *files], directory), *files]
    problems = [each for source in reversed(sources) for each in source.problems]
    settings, refused = _validate(sources, rules) if all(each.readable for each in files) else (None, [])
    if problems or refused or not settings:
        raise ConfigError(_told([*problems, *refused]))
    built_in = [shown(each, directory) for each in PROFILES.glob("*.yaml")]
    return Loaded(settings=settings, sources=sources, built_in=built_in)


def flat(described: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every single value of dumped settings with its path; empty lists and mappings count as values."""
    within = (
        described.items()
        if isinstance(described, dict)
        else enumerate(described)
        if isinstance(described, list)
        else ()
    )
    for name, value in within:
        yield from flat(value, (*path, name))
    if not within:
        yield path, described


def _told(problems: Iterable[str]) -> str:
    return "\n".join(["The configuration cannot be used:", *(f"  {each}" for each in problems)])


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given."""
    given = {name: _given(value) if isinstance(value, Mapping) else value for name, value in options.items()}
    return {name: value for name, value in given.items() if value is not None and (value != {} or not options[name])}


def _secret_files(sources: Sequence[Source], directory: Path) -> Source:
    """The files of the folder that the strongest source names, else of where containers mount them."""
    for source in sources:
        if isinstance(named := source.values.get("secrets_dir"), str):
            folder = directory / Path(named).expanduser()
            return secret_files(folder, shown(folder, directory), source.places["secrets_dir",])
    return secret_files(MOUNTED, str(MOUNTED), "")


def _validate(sources: Sequence[Source], rules: Sequence[Rule]) -> tuple[Settings | None, list[str]]:
    """The settings, and what is wrong with them: what is by itself, then what the rules say of the rest."""
    refused: list[str] = []
    wrong: set[str] = set()
    while True:
        try:
            settings = Settings(_build_sources=(tuple(source.without(wrong) for source in sources), {}))
        except ValidationError as error:
            refused = refused or problems_of(error, sources)
            more = sections_of(error, wrong)
            if not more:
                return None, refused
            wrong |= more
        else:
            return settings, [*refused, *broken(rules, settings, wrong, sources)]
