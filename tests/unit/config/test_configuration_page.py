"""What docs/configuration.md says of settings is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from config.loader import load
from config.naming import undotted
from config.shape import kind_at, names_at

PAGE = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
ROWS = re.findall(r"^\| (`.+?`)(?: of a context)? \| ", PAGE, flags=re.MULTILINE)
OF_A_VENUE, OF_A_CONTEXT = ("exchanges", "binance"), ("contexts", 0)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_a_block_is_a_file_that_is_taken_as_it_stands(block: str, tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(block)
    assert load(None, file, {}, {}, tmp_path).settings


def test_each_setting_of_its_tables_is_there() -> None:
    named = [name for row in ROWS for name in re.findall(r"`([\w.]+)`", row)]
    roots = (), OF_A_VENUE, OF_A_CONTEXT
    assert len(named) > 20
    assert [name for name in named if not any(is_setting((*root, *undotted(name))) for root in roots)] == []


def is_setting(path: tuple[str | int, ...]) -> bool:
    """Whether there is one at a path, as it is spelled."""
    return kind_at(path) is not None and path[-1] in (*names_at(path[:-1]),)
