"""From files, environment and command line to settings; everything that is wrong is said at once.

The layers, each over the one before: the fields' defaults, the YAML profile and what it ``extends``, files of secrets,
``.env``, the environment's ``BOT_*``, the command line. Mappings merge; a list replaces the list below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config import sealed
from config.chain import built_in, profiles, read_chain, shown
from config.naming import COMMAND_LINE, DEFAULT, KeyPath, undotted
from config.problems import problems_of
from config.rules import Rule, broken, placed
from config.settings import Settings
from config.shape import variable
from config.sources import Source, dotenv, environment, find, places, secret_files
from engine.domain.errors import ConfigError, GreenlightError

MOUNTED = Path("/run/secrets")
"""Where Docker mounts secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Settings, and the sources of their values, the strongest first."""

    settings: Settings
    sources: Sequence[Source]

    def is_built_in(self, path: KeyPath) -> bool:
        """Whether nobody set the value at a path: it is a default, or a built-in profile's."""
        place = self.place(path)
        return place == DEFAULT or place.partition(", line ")[0] in map(built_in, profiles())

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
        overrides: What the command line says, nested.
        environ: The environment.
        directory: Where ``.env`` is looked for; also what shown paths are relative to.
        rules: What must hold beyond the form of the settings.

    Raises:
        ConfigError: Something is wrong; one line for each thing, none with a value in it.
    """
    over = [Source.at(COMMAND_LINE, dict(overrides)), *environment(environ), *dotenv(directory / ".env", ".env")]
    asked = [(profile, COMMAND_LINE)] if profile else []
    asked += [taken for source in over[1:] if (taken := source.take("profile"))]
    files = read_chain(next(iter(asked), None), file, directory)
    above = [*over, *_secret_files([*over, *files], directory)]
    sources = [*above, *_sealed_keys([*above, *files], directory), *files]
    problems = [each for source in reversed(sources) for each in source.problems]
    settings, refused = _validate(sources, rules) if all(each.readable for each in files) else (None, [])
    if problems or refused or not settings:
        raise ConfigError(_told([*problems, *refused]))
    return Loaded(settings=settings, sources=sources)


def _told(problems: Iterable[str]) -> str:
    return "\n".join(["The configuration cannot be used:", *(f"  {each}" for each in problems)])


def _secret_files(sources: Sequence[Source], directory: Path) -> list[Source]:
    """The files of the folder that the strongest source names, else of where containers mount them."""
    named = next((taken for source in sources if (taken := source.values.get("secrets_dir"))), None)
    folder = directory / Path(str(named)).expanduser() if named else MOUNTED
    try:
        return secret_files(folder, shown(folder, directory))
    except OSError as error:
        path = ("secrets_dir",)
        return [Source.wrong(places(sources, path), path, f"cannot be read: {error.strerror}")] if named else []


def _sealed_keys(sources: Sequence[Source], directory: Path) -> list[Source]:
    """What the sealed file keeps that the strongest source names, by the passphrase that one of them says."""
    file, passphrase = (
        next((taken for source in sources if (taken := source.values.get(name))), None)
        for name in ("keys_file", "keys_passphrase")
    )
    if not file:
        return []
    path, place = ("keys_file",), directory / Path(str(file)).expanduser()
    at = places(sources, path)
    if not place.exists():
        return [Source.wrong(at, path, "is not there: bot keys set VENUE makes it")]
    if not passphrase:
        return [Source.wrong(at, path, f"is sealed: set {variable(('keys_passphrase',))} to its passphrase")]
    try:
        kept = sealed.read(place, str(passphrase))
    except ConfigError as error:
        return [Source.wrong(at, path, str(error))]
    return [Source.at(shown(place, directory), {"exchanges": kept})] if kept else []


def _validate(sources: Sequence[Source], rules: Sequence[Rule]) -> tuple[Settings | None, list[str]]:
    """The settings, and what is wrong with them: what is by itself, then what the rules say of the rest."""
    refused: list[str] = []
    wrong: set[str] = set()
    while True:
        try:
            settings = Settings(_build_sources=(tuple(source.without(wrong) for source in sources), {}))
        except ValidationError as error:
            refused = refused or problems_of(error, sources)
            details = error.errors(include_url=False)
            others = {str(undotted(str(each.get("ctx", {}).get("other", "")))[0]) for each in details} - {""}
            more = {str(each["loc"][0]) for each in details} - wrong or others - wrong
            if not more:
                return None, refused
            wrong |= more
        else:
            return settings, [*refused, *broken(rules, settings, wrong, sources)]
