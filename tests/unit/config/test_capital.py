"""Stages of capital in the settings: rising, and one of them to begin with."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from config.capital import CapitalSettings


def test_there_are_none_by_themselves():
    assert CapitalSettings().plan.first is None


def test_an_account_begins_at_the_stage_that_is_set():
    assert CapitalSettings(stages=(100, 500, 2500), stage=2).plan.first == Decimal(500)


@pytest.mark.parametrize("stages", [(0, 100), (100, 100), (500, 100), (-5,), ("NaN",)])
def test_stages_rise_from_above_nothing(stages: tuple[object, ...]):
    with pytest.raises(ValidationError):
        CapitalSettings(stages=stages)


def test_the_first_stage_is_one_of_them():
    with pytest.raises(ValidationError, match="must be at most 2, the last of"):
        CapitalSettings(stages=(100, 500), stage=3)
