from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ai.autonomy import calibrated_route
from engine.domain.autonomy import AskHuman, Execute, Refuse, route
from engine.domain.decisions import Decision
from engine.domain.judging import Allowed
from engine.domain.outcomes import Calibrated
from tests.fakes import reports
from tests.fakes.engine import ASKS_AND_TRADES

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ALLOWED = Allowed(plan=reports.plan(), clamps=())
ALONE = {Execute: 2, AskHuman: 1, Refuse: 0}
"""How much of it the bot does alone."""
SHARES = st.floats(min_value=0, max_value=1)


def decided(measured: float, value: float, *, is_wide: bool = False) -> Decision:
    found = Calibrated(measured=measured, value=value, low=0.0, high=1.0, outcomes=200, is_wide=is_wide)
    return reports.decision(confidence=min(measured, value), calibration=found)


@pytest.mark.parametrize(
    ("decision", "ruling"),
    [
        (decided(0.9, 0.85), Execute),
        (decided(0.9, 0.7), AskHuman),
        (decided(0.9, 0.85, is_wide=True), AskHuman),
        (decided(0.9, 0.3), AskHuman),
        (decided(0.4, 0.9), Refuse),
        (decided(0.4, 0.9, is_wide=True), Refuse),
        (decided(0.6, 0.9), AskHuman),
    ],
)
def test_earlier_trades_make_the_bot_ask_and_refuse_nothing_by_themselves(decision: Decision, ruling: type):
    assert isinstance(calibrated_route(decision, ALLOWED, ASKS_AND_TRADES, NOW), ruling)


@given(measured=SHARES, value=SHARES, is_wide=st.booleans(), auto_above=SHARES, ask_above=SHARES)
def test_earlier_trades_never_let_the_bot_do_more_alone(
    *, measured: float, value: float, is_wide: bool, auto_above: float, ask_above: float
):
    autonomy = replace(ASKS_AND_TRADES, auto_above=auto_above, ask_above=ask_above)
    with_them = calibrated_route(decided(measured, value, is_wide=is_wide), ALLOWED, autonomy, NOW)
    without = route(measured, ALLOWED, autonomy, NOW)
    assert ALONE[type(with_them)] <= ALONE[type(without)]


def test_where_people_are_never_asked_it_refuses_what_it_would_not_do_alone():
    never_asks = replace(ASKS_AND_TRADES, auto_above=0.5, ask_above=0.5)
    assert isinstance(calibrated_route(decided(0.9, 0.3), ALLOWED, never_asks, NOW), Refuse)
