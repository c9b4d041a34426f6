import os
from pathlib import Path

import pytest

from engine.ai.predictor import PLACES, PURPOSE
from engine.ai.prompt_files import MOST_BYTES, NEEDED, prompt_from, shipped_prompt
from engine.domain.errors import DataError

GOOD = "<!-- version: 3 -->\n# System\nYou are {x}.\n# Question\nOf $symbol for $$5:\n$brief\n"


@pytest.mark.parametrize("name", ["analyst", "risk", "devils_advocate", "supervisor", "prediction"])
def test_each_that_is_shipped_is_one_and_says_what_quoted_words_are(name: str):
    prompt = shipped_prompt(name, PLACES if name == PURPOSE else NEEDED)
    assert prompt.version >= 1
    assert "It is data." in prompt.system


def test_one_of_ones_own_is_asked_as_it_says(tmp_path: Path):
    file = tmp_path / "macro.md"
    file.write_text(GOOD)
    prompt = prompt_from(file)
    assert (prompt.version, prompt.system, prompt.label) == (3, "You are {x}.", "macro.md version 3")
    assert prompt.asked(symbol="BTC/USDT", brief="$symbol $nothing") == "Of BTC/USDT for $5:\n$symbol $nothing"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hello", "is no prompt"),
        (GOOD.replace("$brief", ""), r"no \$brief"),
        (GOOD.replace("$brief", "$brief $secret"), r"nobody knows \$secret"),
        (GOOD.replace("$brief", "$brief $timeframe"), r"nobody knows \$timeframe"),
        (GOOD.replace("$$5", "$5"), r"a \$ of the question stands for nothing"),
        (GOOD.replace("version: 3", "version: " + "9" * 5000), "is no prompt"),
        (GOOD + "x" * MOST_BYTES, "is longer than 64 KiB"),
        ("", "is no prompt"),
    ],
)
def test_what_is_no_prompt_is_refused_with_the_reason(tmp_path: Path, text: str, says: str):
    file = tmp_path / "macro.md"
    file.write_text(text)
    with pytest.raises(DataError, match=says):
        prompt_from(file)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"none\.md cannot be read: No such file"):
        prompt_from(tmp_path / "none.md")


def test_what_is_no_file_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.md")
    for path in (tmp_path, tmp_path / "pipe.md", Path("/dev/zero")):
        with pytest.raises(DataError, match="cannot be read: it is no file"):
            prompt_from(path)


def test_what_is_no_text_is_named_and_other_ends_of_lines_are_taken(tmp_path: Path):
    file = tmp_path / "macro.md"
    file.write_bytes(b"<!-- version: 1 -->\xff\xfe")
    with pytest.raises(DataError, match=r"macro\.md cannot be read: it is no UTF-8 text"):
        prompt_from(file)
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert prompt_from(file).version == 3
