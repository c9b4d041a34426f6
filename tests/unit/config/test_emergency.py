"""What calls for a stop by itself, as it is set."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from config.emergency import OnHalt
from config.loader import load
from config.settings import Settings
from engine.domain.errors import ConfigError
from engine.domain.triggers import Cause, LeadsTo


def settings(folder: Path, emergency: dict[str, object]) -> Settings:
    return load("paper", None, {"emergency": emergency}, environ={}, directory=folder).settings


def test_by_itself_nothing_ever_sells_and_what_is_about_prices_is_off(tmp_path: Path):
    found = settings(tmp_path, {}).emergency
    assert found.on_halt is OnHalt.SELL
    assert {cause: each.leads_to for cause, each in found.triggers.items()} == dict.fromkeys(
        (Cause.CONNECTIVITY, Cause.FAILING_API, Cause.MISMATCH), LeadsTo.REDUCING
    )


def test_each_trigger_has_its_own_threshold_and_end(tmp_path: Path):
    asked = {
        "connectivity": {"trips_at": "90m", "calm_for": "1h"},
        "drawdown": {"leads_to": "halted", "trips_at": 0.2, "ends_at": 0.15},
        "failing_api": {"leads_to": "off"},
    }
    found = settings(tmp_path, asked).emergency.triggers
    away, fallen = found[Cause.CONNECTIVITY], found[Cause.DRAWDOWN]
    assert (away.trips_at, away.ends_at, away.calm_for) == (Decimal("1.5"), 0, timedelta(hours=1))
    assert (fallen.leads_to, fallen.trips_at, fallen.ends_at) == (LeadsTo.HALTED, Decimal("0.2"), Decimal("0.15"))
    assert Cause.FAILING_API not in found


@pytest.mark.parametrize(
    "asked",
    [
        {"drawdown": {"trips_at": 0.2, "ends_at": 0.2}},
        {"connectivity": {"trips_at": "1m", "ends_at": "2m"}},
        {"failing_api": {"trips_at": 3, "ends_at": 3}},
    ],
)
def test_a_trigger_without_a_gap_between_its_ends_stops_the_start(tmp_path: Path, asked: dict[str, object]):
    with pytest.raises(ConfigError, match="ends_at must be below trips_at"):
        settings(tmp_path, asked)
