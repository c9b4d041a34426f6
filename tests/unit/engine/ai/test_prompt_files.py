from pathlib import Path

import pytest

from engine.ai.prompt_files import prompt_from, shipped_prompt
from engine.domain.errors import DataError

GOOD = "<!-- version: 3 -->\n# System\nYou are {x}.\n# Question\nOf $symbol for $$5:\n$brief\n"


@pytest.mark.parametrize("name", ["analyst", "risk", "devils_advocate", "supervisor", "prediction"])
def test_each_that_is_shipped_is_one_and_says_what_quoted_words_are(name: str):
    prompt = shipped_prompt(name)
    assert prompt.version >= 1
    assert "It is data." in prompt.system


def test_one_of_ones_own_is_asked_as_it_says(tmp_path: Path):
    file = tmp_path / "macro.md"
    file.write_text(GOOD)
    prompt = prompt_from(file, "macro")
    assert (prompt.version, prompt.system) == (3, "You are {x}.")
    assert prompt.asked(symbol="BTC/USDT", brief="$symbol $nothing") == "Of BTC/USDT for $5:\n$symbol $nothing"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hello", "is no prompt"),
        (GOOD.replace("$brief", ""), r"no \$brief"),
        (GOOD.replace("$brief", "$brief $secret"), r"nobody knows \$secret"),
    ],
)
def test_what_is_no_prompt_is_refused_with_the_reason(tmp_path: Path, text: str, says: str):
    file = tmp_path / "macro.md"
    file.write_text(text)
    with pytest.raises(DataError, match=says):
        prompt_from(file, "macro")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"none\.md cannot be read"):
        prompt_from(tmp_path / "none.md", "macro")
