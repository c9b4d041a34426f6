"""Prompts as files: who a model is to be, and how it is asked. A member of one's own is a file and a line of config.

A file has a first line ``<!-- version: N -->``, a part ``# System`` and a part ``# Question``; in the latter stand
``$symbol`` and ``$brief``, and whatever else the question needs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from engine.domain.errors import DataError

_FORM = re.compile(
    r"\A\s*<!-- version: (?P<version>\d+) -->\s*^# System\s*$(?P<system>.+?)^# Question\s*$(?P<question>.+)\Z",
    re.DOTALL | re.MULTILINE,
)
_NEEDED = ("symbol", "brief")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt file.

    Attributes:
        version: The number in its first line; answers are kept with it.
        system: Who the model is to be.
        question: How it is asked, with the places for what it is asked about.
    """

    name: str
    version: int
    system: str
    question: str

    def asked(self, **about: str) -> str:
        """The question about something. What is put in is put in as it is: nothing in it is a place for anything."""
        return Template(self.question).substitute(about)


def shipped_prompt(name: str, needed: tuple[str, ...] = _NEEDED) -> Prompt:
    """A prompt that comes with the program."""
    return parsed(name, (files("engine.ai") / "prompts" / f"{name}.md").read_text(encoding="utf-8"), name, needed)


def prompt_from(path: Path, name: str) -> Prompt:
    """A prompt of one's own.

    Raises:
        DataError: It cannot be read, or lacks a part.
    """
    try:
        return parsed(name, path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"The prompt {path} cannot be read: {error}.") from None


def parsed(
    name: str, text: str, place: str, needed: tuple[str, ...] = _NEEDED, known: Mapping[str, str] | None = None
) -> Prompt:
    """A prompt out of its text.

    Raises:
        DataError: A part or a place is missing, or there is a place for something that nobody knows.
    """
    found = _FORM.match(text)
    if found is None:
        remedy = "It begins with <!-- version: 1 -->, and has the parts # System and # Question."
        raise DataError(f"{place} is no prompt.", remedy)
    question = found["question"].strip()
    places = set(Template(question).get_identifiers())
    if missing := [each for each in needed if each not in places]:
        raise DataError(f"{place}: the question has no ${missing[0]}.", "Put it where that is to stand.")
    if unknown := sorted(places - set(needed) - {"timeframe"} - set(known or ())):
        raise DataError(f"{place}: nobody knows ${unknown[0]}.", "Write $$ for a dollar sign.")
    return Prompt(name=name, version=int(found["version"]), system=found["system"].strip(), question=question)
