"""An emergency stop that a drawdown calls for, in a backtest through the live cycle."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bot.backtests.full import full_backtest
from config.loader import load
from engine.backtest.setup import RiskTerms
from engine.domain.backtests import BacktestResult
from engine.risk.limits import RiskLimits
from engine.strategies.rsi_bands import RsiBands
from tests.fakes.backtests import jumpy, setup
from tests.fakes.database import rows_of_file

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
ASKED = setup(RsiBands(rsi_low=45.0, rsi_high=60.0), jumpy(11, 900), terms=RiskTerms(limits=RiskLimits()))


def run(folder: Path, leads_to: str) -> tuple[BacktestResult, list[dict[str, Any]]]:
    """A run, and the halts of it."""
    folder.mkdir()
    drawdown = {"leads_to": leads_to, "trips_at": 0.02, "ends_at": 0.01}
    asked = {"emergency": {"drawdown": drawdown}, "quality": {"max_move": 10}}
    result = full_backtest(ASKED, load("demo", None, asked, {}, folder).settings, folder=folder)
    halts = rows_of_file(folder / "greenlight.sqlite", "SELECT kind, reason, by, since FROM halts WHERE kind != 'data'")
    return result, halts


def test_it_sells_what_is_held_and_nothing_is_entered_afterwards_the_same_each_time(tmp_path: Path) -> None:
    free, none = run(tmp_path / "off", "off")
    stopped, halts = run(tmp_path / "halted", "halted")
    again, _ = run(tmp_path / "again", "halted")
    assert none == []
    ((kind, by),) = [(each["kind"], each["by"]) for each in halts]
    assert (kind, by) == ("emergency", "the trigger drawdown")
    since = datetime.fromisoformat(str(halts[0]["since"]))
    assert stopped.held == ()
    assert 0 < len(stopped.trades) < len(free.trades)
    assert all(each.opened_at <= since for each in stopped.trades)
    before = [each for each in free.trades if each.closed_at < since]
    assert list(stopped.trades)[: len(before)] == before
    assert again.trades == stopped.trades


def test_where_it_only_ends_entries_what_is_held_is_left_to_its_strategy(tmp_path: Path) -> None:
    reduced, halts = run(tmp_path / "reducing", "reducing")
    assert {(each["kind"], each["by"]) for each in halts} == {("trigger", "drawdown")}
    assert "emergency" not in {each.reason for each in reduced.trades}
