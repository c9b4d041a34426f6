"""Sources with a name for each setting: the environment, ``.env``, and files of secrets as containers mount them.

Values are taken as they stand: ``.env`` expands no ``$``, because secrets may contain it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from dotenv.parser import Binding, parse_stream
from pydantic_settings import EnvSettingsSource

from config.places import KeyPath, did_you_mean, place, problem_line
from config.settings import Settings
from config.shape import PREFIX, SEPARATOR, is_structured, leaves, may_be_null, moved, path_of, variable
from config.sources import Source, everywhere

MOUNTED = Path("/run/secrets")
"""Where Docker mounts secrets."""
NULL = "null"
"""What turns off a setting that may be none, as in YAML."""
_LARGEST = 1_000_000
"""Bytes of a file; secrets of Docker and Kubernetes are smaller."""


def environment(environ: Mapping[str, str]) -> Source:
    """Every ``BOT_`` variable of an environment."""
    return _read((name, text, place("environment", name=name)) for name, text in environ.items())


def dotenv(file: Path, shown: str) -> Source:
    """Every ``BOT_`` line of a ``.env`` file, as people know it; one that does not exist says nothing."""
    try:
        bindings = list(parse_stream(io.StringIO(_text(file) if file.exists() else "")))
    except ValueError as error:
        return _read((), [problem_line(shown, (), str(error))])
    broken = [
        problem_line(place(shown, _line(each)), (), "this line is not NAME=value")
        for each in bindings
        if each.error or (each.value is None and (each.key or "").startswith(PREFIX))
    ]
    return _read(
        ((each.key or "", each.value or "", place(shown, _line(each), each.key or "")) for each in bindings), broken
    )


def secret_files(folder: Path, shown: str, asked: str) -> Source:
    """Every file of a folder that is named as a setting, such as ``bot_telegram__token``; others are somebody else's.

    What Docker and Kubernetes mount, links and modes included, is taken as it is.

    Args:
        folder: The folder.
        shown: The folder as people know it.
        asked: Where it was named; empty where nobody did, and it need not be there.
    """
    said, broken = [], []
    try:
        files = ours(folder)
    except OSError as error:
        return _read((), [problem_line(asked, ("secrets_dir",), f"cannot be read: {error.strerror}")] if asked else [])
    for file in files:
        at = place(shown, name=file.name)
        try:
            said.append((PREFIX + file.name[len(PREFIX) :], _text(file, _LARGEST), at))
        except ValueError as error:
            broken.append(problem_line(at, (), str(error)))
    return _read(said, broken)


def ours(folder: Path) -> list[Path]:
    """The files of a folder that are named as settings are.

    Raises:
        OSError: The folder cannot be read.
    """
    return sorted(file for file in folder.iterdir() if file.name.upper().startswith(PREFIX))


def _read(said: Iterable[tuple[str, str, str]], broken: Iterable[str] = ()) -> Source:
    """A source of texts, each with the variable of its setting and its place; what is empty is not set.

    pydantic-settings reads the JSON among them, and lays single settings over their sections.
    """
    named = [(name, text.strip(), at) for name, text, at in said if name.startswith(PREFIX) and text.strip()]
    problems, places = list(broken), dict[KeyPath, str]()
    source = EnvSettingsSource(Settings, case_sensitive=True, env_prefix=PREFIX, env_nested_delimiter=SEPARATOR)
    texts: dict[str, str | None] = {}
    for name, text, at in sorted(named, key=lambda each: each[0].count(SEPARATOR)):
        if (path := path_of(name)) is None:
            old = tuple(name.removeprefix(PREFIX).lower().split(SEPARATOR))
            wrong = moved(old) or f"there is no such setting{did_you_mean(name, map(variable, leaves()))}"
            problems.append(problem_line(at, old if moved(old) else (), wrong))
        elif is_structured(path) and (value := _json(text)) is None:
            problems.append(problem_line(at, path, "is not valid JSON, which a list or a mapping must be here"))
        else:
            is_null = text == NULL and may_be_null(path)
            texts[PREFIX + SEPARATOR.join(path)] = None if is_null else text
            places |= {path[:depth]: at for depth in range(len(path))}
            places |= everywhere(value if is_structured(path) else text, at, path)
    source.env_vars = texts
    return Source(source(), places, problems)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _text(file: Path, largest: int = 0) -> str:
    """What stands in a file; where it has a largest size, it may be nothing else, such as a pipe.

    Raises:
        ValueError: It cannot be read; with what people read about it.
    """
    try:
        if largest and not (file.is_file() and file.stat().st_size <= largest):
            raise ValueError("this is not a file, or too large")
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("this is not a UTF-8 text file") from None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None


def _line(binding: Binding) -> int:
    """The line where it begins; the parser counts from the blank lines before it."""
    string = binding.original.string
    return binding.original.line + string[: len(string) - len(string.lstrip())].count("\n")
