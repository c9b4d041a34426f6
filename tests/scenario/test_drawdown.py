"""A market that takes back what it gave: pauses at each step down, the total limit, and an older account."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from itertools import accumulate
from pathlib import Path

import pytest

from tests.fakes.command_line import bot
from tests.fakes.database import execute, rows_of_file

# What was played is played once, not once a worker; that takes a replay of two years.
pytestmark = [pytest.mark.xdist_group("drawdown"), pytest.mark.slow]

STEP, TOTAL = Decimal("0.005"), Decimal("0.015")
CONTEXTS = [
    {"name": name, "strategy": name, "markets": ["BTC/USDT", "ETH/USDT"], "higher": ["4h"]}
    for name in ("momentum", "ma_cross")
]
SETTINGS = {
    "BOT_APPROVAL__AUTO_ABOVE": "0",
    "BOT_APPROVAL__ASK_ABOVE": "0",
    "BOT_CONTEXTS": json.dumps(CONTEXTS),
    "BOT_DATABASE__URL": "sqlite:///greenlight.sqlite",
    "BOT_RISK__DRAWDOWN_PAUSE": "6h",
    "BOT_RISK__MAX_DRAWDOWN": str(STEP),
    "BOT_RISK__MAX_TOTAL_DRAWDOWN": str(TOTAL),
    "BOT_WEB__ENABLED": "false",
}


def until(folder: Path, end: str) -> str:
    """Play the demo's market up to a day, everything it wishes done at once; what it printed."""
    days = ("--start", "2026-01-01", "--end", end, "--speed", "max", "--until-end")
    ran = bot(folder, "run", "--profile", "demo", *days, **SETTINGS)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def curve(folder: Path) -> tuple[list[Decimal], list[Decimal]]:
    """The equity at each candle, and the drawdown that was written down with it."""
    rows = rows_of_file(folder / "greenlight.sqlite", "SELECT equity, drawdown FROM equity ORDER BY at")
    return [Decimal(row["equity"]) for row in rows], [Decimal(row["drawdown"]) for row in rows]


def from_the_peak(equity: list[Decimal]) -> list[Decimal]:
    """Each value's fall from the highest before it, counted without the engine."""
    return [(peak - value) / peak for peak, value in zip(accumulate(equity, max), equity, strict=True)]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("drawdown")
    return folder, until(folder, "2026-01-11")


def test_every_pause_is_a_step_further_down_and_the_total_limit_is_the_last(played: tuple[Path, str]):
    folder, _ = played
    halts = rows_of_file(folder / "greenlight.sqlite", "SELECT reason, until, ended_at FROM halts ORDER BY number")
    assert len(halts) > 2
    assert [halt["ended_at"] is None for halt in halts] == [halt["until"] is None for halt in halts]
    assert [halt["until"] is None for halt in halts] == [False] * (len(halts) - 1) + [True]
    assert "total limit of 1.5%" in halts[-1]["reason"]


def test_equity_never_falls_further_than_one_trade_below_the_total_limit(played: tuple[Path, str]):
    folder, printed = played
    equity, drawdowns = curve(folder)
    assert drawdowns == from_the_peak(equity)
    assert TOTAL <= max(drawdowns) < TOTAL + Decimal("0.005")
    told = re.search(r"^drawdown +([\d.]+)%, the largest ([\d.]+)%$", printed, re.MULTILINE)
    assert told
    assert told[2] == f"{100 * max(drawdowns):.2f}"
    assert abs(Decimal(told[1]) - 100 * drawdowns[-1]) < Decimal("0.1"), "that of now is at the price of now"


def test_after_a_pause_entries_are_smaller_and_say_so(played: tuple[Path, str]):
    folder, _ = played
    rows = rows_of_file(folder / "greenlight.sqlite", "SELECT record FROM decisions WHERE status = 'executed'")
    clamps = [clamp for row in rows for clamp in json.loads(row["record"])["clamps"]]
    assert any("0.5% of equity (1% without the drawdown of" in clamp["reason"] for clamp in clamps)


def test_an_account_whose_peak_was_let_go_of_gets_it_back_and_stays_halted(played: tuple[Path, str]):
    """As an older version left it: the peak is the equity at the end of the last pause."""
    folder, _ = played
    url, (equity, drawdowns) = f"sqlite:///{folder}/greenlight.sqlite", curve(folder)
    orders = rows_of_file(folder / "greenlight.sqlite", "SELECT count(*) AS n FROM orders WHERE purpose = 'entry'")
    for statement in (
        f"UPDATE account SET peak = '{equity[-1]}'",  # noqa: S608 - a number of our own
        "UPDATE equity SET drawdown = '0'",
        "DELETE FROM settings WHERE key = 'account.drawdown'",
    ):
        execute(url, statement)
    until(folder, "2026-01-12")
    longer, recounted = curve(folder)
    assert recounted == from_the_peak(longer)
    assert recounted[: len(drawdowns)] == drawdowns
    assert len(longer) > len(equity)
    peak = rows_of_file(folder / "greenlight.sqlite", "SELECT peak FROM account")
    assert Decimal(peak[0]["peak"]) == max(longer)
    assert orders == rows_of_file(
        folder / "greenlight.sqlite", "SELECT count(*) AS n FROM orders WHERE purpose = 'entry'"
    )
