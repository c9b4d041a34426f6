"""``bot strategy new``: a strategy of somebody's own that works, its test, and the lines for a profile."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from pathlib import Path
from string import Template

from config.strategy_names import NAMES
from engine.domain.errors import BadInput

_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStrategy:
    """A strategy that is to be written.

    Attributes:
        name: As a module has it: ``my_idea``.
        folder: Where its files go.
    """

    name: str
    folder: Path

    @classmethod
    def of(cls, said: str, folder: Path) -> NewStrategy:
        """The one that somebody means: ``my_idea``, ``my-idea`` or ``MyIdea``.

        Raises:
            BadInput: No file and class can be called so.
        """
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", said.strip()).replace("-", "_").replace(" ", "_").lower()
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name) or keyword.iskeyword(name):
            raise BadInput(f"No strategy can be called {said}.", "Write a name like my_idea: letters, digits and _.")
        if name in NAMES:
            raise BadInput(f"{name} is a strategy of the house.", "Choose another name.")
        return cls(name=name, folder=folder)

    @property
    def kind(self) -> str:
        """The name of its class."""
        return class_name(self.name)

    @property
    def file(self) -> Path:
        """Where it is written."""
        return self.folder / f"{self.name}.py"

    @property
    def test(self) -> Path:
        """Where its test is written."""
        return self.folder / f"test_{self.name}.py"

    def write(self) -> None:
        """Write both files.

        Raises:
            BadInput: One is there already, or cannot be written.
        """
        if there := [each for each in (self.file, self.test) if each.exists()]:
            raise BadInput(f"{there[0]} is there already.", "Choose another name, or another --folder.")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for file, template in ((self.file, "strategy.py.txt"), (self.test, "test_strategy.py.txt")):
                file.write_text(self._filled(template), encoding="utf-8")
        except OSError as error:
            raise BadInput(f"{error.filename} cannot be written: {error.strerror}.", "Name another --folder.") from None

    def _filled(self, template: str) -> str:
        text = Template((_TEMPLATES / template).read_text(encoding="utf-8"))
        words = self.name.replace("_", " ")
        return text.substitute(name=self.name, kind=self.kind, words=words, file=self.file.as_posix())

    @property
    def told(self) -> str:
        """What to do with it, for the terminal."""
        path = f"{self.file.as_posix()}:{self.kind}"
        beside = path if self.file.is_absolute() else f"./{path}"
        return f"""\
Wrote {self.file} and {self.test}.

Check it, and try it on candles:

  bot strategy check {path}
  bot backtest --strategy {path} --data FILE

To trade it, in a settings file in this folder (bot run --config my.yaml):

extends: demo
contexts:
  - name: {self.name}
    strategy: {beside}
    markets: [BTC/USDT]
    timeframe: 1h
    params: {{length: 20}}"""


def class_name(name: str) -> str:
    """What the class in a module is called: ``MyIdea`` in ``my_idea``."""
    return "".join(part.capitalize() for part in name.split("_"))
