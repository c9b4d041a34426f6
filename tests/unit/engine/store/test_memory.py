"""What is taken along from one transaction into the next."""

from __future__ import annotations

import pytest

from engine.store.memory import MOST, Memory


def _read_again(memory: Memory, what: int = 0) -> bool:
    read: list[int] = []
    memory.get_or_load("halts", what, lambda: read.append(what))
    return bool(read)


@pytest.mark.parametrize(("versions", "again"), [((1, 1), False), ((1, 2), True), ((None, None), True)])
def test_what_was_read_is_known_in_the_next_transaction_of_the_same_version(
    versions: tuple[int | None, int | None], *, again: bool
):
    memory = Memory()
    memory.begin(versions[0])
    assert _read_again(memory)
    assert not _read_again(memory)
    memory.begin(versions[1])
    assert _read_again(memory) is again


def test_it_does_not_grow_for_ever():
    memory = Memory()
    memory.begin(1)
    for what in range(MOST + 1):
        assert _read_again(memory, what)
    assert not _read_again(memory)
    memory.begin(1)
    assert _read_again(memory)
