"""Files that are this user's alone, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import pytest

from engine.support import private_files


def test_a_file_takes_the_place_of_another_whole_and_private(tmp_path: Path) -> None:
    file = tmp_path / "new" / "kept.bin"
    for words in (b"first", b"second"):
        private_files.write_whole(file, lambda whole, words=words: whole.write(words))
        assert file.read_bytes() == words
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert list(file.parent.iterdir()) == [file]


def test_where_writing_fails_what_was_there_is_there(tmp_path: Path) -> None:
    file = tmp_path / "kept.bin"
    file.write_bytes(b"first")

    def fail(whole: BinaryIO) -> None:
        whole.write(b"sec")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        private_files.write_whole(file, fail)
    assert file.read_bytes() == b"first"
