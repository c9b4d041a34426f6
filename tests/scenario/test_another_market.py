"""A start with the wrong market, by a forgotten option: refused, and nothing was traded at that market's prices."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.command_line import bot
from tests.fakes.database import rows_of_file

ENVIRON = {
    "BOT_DATABASE__URL": "sqlite:///x.sqlite",
    "BOT_WEB__ENABLED": "false",
    "BOT_APPROVAL__AUTO_ABOVE": "0",
    "BOT_APPROVAL__ASK_ABOVE": "0",
}
RUN = ("run", "--profile", "demo", "--speed", "max", "--until-end")


@pytest.mark.slow
def test_a_start_that_is_refused_leaves_the_venue_as_it_was(tmp_path: Path):
    """Seen: what was held had been sold at the other market's price by the time the start was refused."""
    first = bot(tmp_path, *RUN, "--end", "2026-01-05T12:00", **ENVIRON)
    assert first.returncode == 0, first.stderr
    before = kept(tmp_path)
    assert any(name != "USDT" and float(amount) > 0 for name, amount in before[0]), "something is held"
    refused = bot(tmp_path, *RUN, "--seed", "3", "--start", "2026-03-01", "--end", "2026-03-12", **ENVIRON)
    assert (refused.returncode, "belongs to market" in refused.stderr) == (2, True)
    assert kept(tmp_path) == before


def kept(folder: Path) -> tuple[list[tuple[str, str]], int]:
    balances = rows_of_file(folder / "venue.sqlite", "SELECT currency, current FROM balances ORDER BY currency")
    (fills,) = rows_of_file(folder / "venue.sqlite", "SELECT count(*) AS n FROM fills")
    return [(row["currency"], row["current"]) for row in balances], fills["n"]
