"""Prompts as files: who a model is to be, and how it is asked. A member of one's own is a file and a line of config.

A file has a first line ``<!-- version: N -->``, a part ``# System`` and a part ``# Question``; in the latter stand
``$symbol`` and ``$brief``, and whatever else the question needs.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from string import Template

from engine.domain.errors import DataError

_FORM = re.compile(
    r"\A\s*<!-- version: (?P<version>\d{1,6}) -->\s*^# System\s*$(?P<system>.+?)^# Question\s*$(?P<question>.+)\Z",
    re.DOTALL | re.MULTILINE,
)
NEEDED = ("symbol", "brief")
"""The places of a question about a proposal."""
_SHOWN_OF_HASH = 8
MOST_BYTES = 64 * 1024
"""A larger file is no prompt: each call would pay for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt file.

    Attributes:
        name: What people are told that it is: whose it is, or the name of the file of one's own.
        version: The number in its first line; answers are kept with it.
        system: Who the model is to be.
        question: How it is asked, with the places for what it is asked about.
    """

    name: str
    version: int
    system: str
    question: str

    @property
    def label(self) -> str:
        """Which one it is, as people are told: ``macro.md version 3``."""
        return f"{self.name} version {self.version}"

    @property
    def key(self) -> str:
        """What tells its answers from those of another one: the label, and the first of the hash of its text."""
        digest = sha256(f"{self.system}\0{self.question}".encode()).hexdigest()
        return f"{self.label} ({digest[:_SHOWN_OF_HASH]})"

    def asked(self, **about: str) -> str:
        """The question about something. What is put in is put in as it is: nothing in it is a place for anything."""
        return Template(self.question).substitute(about)


def shipped_prompt(name: str, needed: Collection[str] = NEEDED) -> Prompt:
    """A prompt that comes with the program, with the places that it needs."""
    return parsed(name, (files("engine.ai") / "prompts" / f"{name}.md").read_text(encoding="utf-8"), name, needed)


def prompt_from(path: Path, needed: Collection[str] = NEEDED) -> Prompt:
    """A prompt of one's own.

    Args:
        path: Its file.
        needed: The places that its question has: all of them, and no others.

    Raises:
        DataError: It cannot be read, or lacks a part.
    """
    try:
        if not path.is_file() and path.exists():
            raise DataError(f"The prompt {path} cannot be read: it is no file.")
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"The prompt {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise DataError(f"The prompt {path} cannot be read: it is no UTF-8 text.") from None
    if len(raw) > MOST_BYTES:
        raise DataError(f"The prompt {path} is longer than {MOST_BYTES // 1024} KiB.", "Each call would pay for it.")
    return parsed(path.name, text.replace("\r\n", "\n"), str(path), needed)


def parsed(name: str, text: str, place: str, needed: Collection[str] = NEEDED) -> Prompt:
    """A prompt out of its text.

    Raises:
        DataError: A part or a place is missing, or there is a place for something that nobody knows.
    """
    found = _FORM.match(text)
    if found is None:
        remedy = "It begins with <!-- version: 1 -->, and has the parts # System and # Question."
        raise DataError(f"{place} is no prompt.", remedy)
    question = found["question"].strip()
    template = Template(question)
    if not template.is_valid():
        raise DataError(f"{place}: a $ of the question stands for nothing.", "Write $$ for a dollar sign.")
    places = set(template.get_identifiers())
    if missing := [each for each in needed if each not in places]:
        raise DataError(f"{place}: the question has no ${missing[0]}.", "Put it where that is to stand.")
    if unknown := sorted(places - set(needed)):
        raise DataError(f"{place}: nobody knows ${unknown[0]}.", "Write $$ for a dollar sign.")
    return Prompt(name=name, version=int(found["version"]), system=found["system"].strip(), question=question)
