"""How a strategy is named, and where the file of one's own is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.strategies.registry import STRATEGIES
from config.loader import load
from config.strategy_names import NAMES, beside, is_own, place_of, short, what_is_wrong


def test_those_of_the_house_are_the_ones_that_can_be_made() -> None:
    assert set(NAMES) == set(STRATEGIES)


@pytest.mark.parametrize(
    ("name", "place", "kind"),
    [
        ("./strategies/breakout.py:Breakout", Path("strategies/breakout.py"), "Breakout"),
        ("/a b/c:d.py:_X1", Path("/a b/c:d.py"), "_X1"),
        ("my_package.module:Breakout", "my_package.module", "Breakout"),
        ("ünder.py:Ärger", Path("ünder.py"), "Ärger"),
    ],
)
def test_one_of_ones_own_is_a_file_or_a_module_and_a_class(name: str, place: object, kind: str) -> None:
    assert is_own(name)
    assert place_of(name) == (place, kind)
    assert short(name) == kind
    assert what_is_wrong(name) == ""


@pytest.mark.parametrize("name", ["", "breakout", "breakout.py", "a-b:C", "a.py:", "a.py:B.C", "a..b:C", "a.py:B\nC"])
def test_anything_else_is_none(name: str) -> None:
    assert not is_own(name)
    assert what_is_wrong(name)


def test_a_file_is_relative_to_the_settings_file_and_a_module_to_nothing(tmp_path: Path) -> None:
    assert beside("./s/b.py:B", tmp_path) == f"{tmp_path}/s/b.py:B"
    assert beside("/elsewhere/b.py:B", tmp_path) == "/elsewhere/b.py:B"
    assert (beside("a.b:B", tmp_path), beside("momentum", tmp_path)) == ("a.b:B", "momentum")


def test_each_settings_file_of_a_chain_has_its_own_folder(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    context = "contexts: [{name: a, strategy: ../own/b.py:B, markets: [BTC/USDT]}]\n"
    (tmp_path / "base" / "base.yaml").write_text(f"extends: demo\n{context}")
    (tmp_path / "my.yaml").write_text("extends: base/base.yaml\n")
    settings = load(None, tmp_path / "my.yaml", {}, {}, tmp_path).settings
    assert settings.contexts[0].strategy == f"{tmp_path}/own/b.py:B"
    (tmp_path / "my.yaml").write_text(f"extends: base/base.yaml\n{context}")
    settings = load(None, tmp_path / "my.yaml", {}, {}, tmp_path).settings
    assert settings.contexts[0].strategy == f"{tmp_path.parent}/own/b.py:B"
