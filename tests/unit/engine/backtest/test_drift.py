"""An account against a backtest: what is the same, what is not, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.backtest.drift import Drift, Key, Kind, Traded, compared, of_backtest
from engine.domain.backtests import BacktestTrade, HeldAtEnd

AT = datetime(2026, 3, 1, 5, tzinfo=UTC)
KEY = Key("trend", "BTC/EUR", AT)
THEIRS = Traded(
    key=KEY, id="", opened_at=AT, quantity=2.0, entry_price=100.0, exit_price=110.0, closed_by="target", net=19.5
)
OURS = replace(THEIRS, id="T7")


def drift(account: list[Traded], backtest: list[Traded], because: str = "") -> list[Drift]:
    return [*compared(account, backtest, lambda key: f"not at {key.decided_at:%H}", lambda _: because, lambda _: "")]


def test_what_differs_by_less_than_floats_do_is_the_same():
    (found,) = drift([replace(OURS, quantity=2.0000000001, entry_price=99.9999999)], [THEIRS])
    assert (found.kind, found.cause, found.account is not None) == (Kind.SAME, "", True)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"entry_price": 100.1}, "bought at 100.1, not 100 (+10.0 bp)"),
        (
            {"entry_price": 99.0, "opened_at": AT + timedelta(minutes=7)},
            "bought at 99, not 100 (-100.0 bp, 7 min after the close)",
        ),
        ({"quantity": 1.5}, "bought 1.5, not 2: another equity, price or limit"),
        ({"closed_by": "close"}, "closed by close, not closed by target"),
        ({"exit_price": None, "closed_by": ""}, "still held, not closed by target"),
        ({"exit_price": 109.0}, "sold at 109, not 110 (-90.9 bp)"),
        ({"quantity": 1.0, "exit_price": 111.1}, "bought 1, not 2: another equity, price or limit; sold at 111.1, not"),
    ],
)
def test_what_differs_is_told_with_how_far(changes: dict[str, object], cause: str):
    (found,) = drift([replace(OURS, **changes)], [THEIRS])  # type: ignore[arg-type]
    assert found.kind is Kind.DIFFERENT
    assert found.cause.startswith(cause)


def test_the_cause_of_what_one_side_has_not_comes_from_the_records():
    later = replace(OURS, key=KEY._replace(decided_at=AT + timedelta(hours=3)), opened_at=AT + timedelta(hours=3))
    missing, extra = drift([later], [THEIRS], "Tom approved it")
    assert (missing.kind, missing.cause, missing.account) == (Kind.MISSING, "not at 05", None)
    assert (extra.kind, extra.cause, extra.backtest) == (Kind.EXTRA, "Tom approved it", None)
    _, parted = drift([later], [THEIRS])
    assert "still held what it had bought at 2026-03-01 05:00" in parted.cause
    (alone,) = drift([later], [])
    assert alone.cause.startswith("the backtest made no entry there: ")


def test_two_of_one_candle_are_two_on_either_side():
    first, second = OURS, replace(OURS, id="T8", closed_by="close")
    same, extra = drift([first, second], [THEIRS], "Tom approved it")
    assert (same.kind, extra.kind, extra.account) == (Kind.SAME, Kind.EXTRA, second)
    same, missing = drift([first], [THEIRS, replace(THEIRS, quantity=3.0)])
    assert (same.kind, missing.kind, missing.backtest and missing.backtest.quantity) == (Kind.SAME, Kind.MISSING, 3.0)


def test_a_backtests_trades_are_of_the_candle_that_closed_where_they_were_bought():
    common = {"context": "trend", "symbol": "BTC/EUR", "opened_at": AT, "quantity": 2.0, "entry_price": 100.0}
    trade = BacktestTrade(**common, closed_at=AT, exit_price=110.0, fees=0.5, slippage=None, reason="target")  # type: ignore[arg-type]
    assert of_backtest(trade) == THEIRS
    held = of_backtest(HeldAtEnd(**common, price=90.0))  # type: ignore[arg-type]
    assert (held.key, held.is_open, held.net) == (KEY, True, -20.0)
