"""The table of figures that ``make bench`` ends with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.bench.peer_environments import PEERS, python_of

has_peers = any(python_of(peer) for peer in PEERS)
collect_ignore = [] if has_peers else ["test_peers.py"]
Tell = Callable[[str, float, str, str], None]
ROWS = pytest.StashKey[list[tuple[str, float, str, str]]]()


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    """Put a figure into the table: its name, its value, its unit, and what was aimed at."""
    rows = request.config.stash.setdefault(ROWS, [])
    return lambda name, value, unit, aim: rows.append((name, value, unit, aim))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table."""
    rows = config.stash.get(ROWS, [])
    if rows:
        terminalreporter.section("figures")
    if rows and not has_peers:
        terminalreporter.write_line("Others are not measured: python -m tests.bench.peer_environments makes theirs.")
    for name, value, unit, aim in rows:
        terminalreporter.write_line(f"{name:<58} {value:>9,.1f} {unit:<12} {f'aim {aim}' if aim else ''}".rstrip())
