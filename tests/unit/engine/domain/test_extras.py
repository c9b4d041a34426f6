"""What says that something is missing names the command that installs it, with an extra that there is."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from engine.domain.extras import Extra, install

ROOT = Path(__file__).parents[4]
PROGRAM = ("bot", "config", "handlers", "migrations", "src/engine")


def texts() -> Iterator[tuple[str, str]]:
    """Every text in the program's code, with the file that it stands in."""
    for file in (file for part in PROGRAM for file in (ROOT / part).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield str(file.relative_to(ROOT)), node.value


def test_a_remedy_installs_into_this_checkout_in_the_versions_that_were_tried() -> None:
    assert install("ai") == "Install it: .venv/bin/pip install -c constraints.txt -e '.[ai]'"


def test_every_remedy_that_installs_something_is_made_in_one_place() -> None:
    said = {file for file, text in texts() if "pip install" in text}
    assert said == {"src/engine/domain/extras.py"}


def test_the_extras_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert sorted(get_args(Extra)) == sorted(project["optional-dependencies"])
