"""The register of trials: lines that are added, by whomever, and survive what happens to a file."""

from __future__ import annotations

import multiprocessing
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.analysis.indicators import IndicatorSpec
from engine.analysis.technical import TechnicalAnalyzer
from engine.backtest.registry import TrialRegistry
from engine.backtest.setup import FeeCurrency, LiveTerms
from engine.backtest.trials import Trial, fingerprint, trial_of
from engine.data.book_batches import stored
from engine.data.book_files import RecordedBook
from engine.data.recorded_books import RecordedBooks
from engine.domain.errors import StoreError
from engine.simulation.fills import FillModel
from engine.simulation.latency import Latency
from engine.strategies.sma_cross import SmaCross
from tests.fakes import backtests
from tests.fakes.series import walk

AT = datetime(2026, 3, 1, 12, 30, 0, 250, tzinfo=UTC)
SPAN = (AT - timedelta(days=30), AT)


def a_trial(number: int = 0, *, note: str = "") -> Trial:
    setup = backtests.setup(SmaCross(fast=5, slow=15 + number), walk(20, 300))
    found = trial_of(setup, [1.5 - number], command="backtest", at=AT, span=SPAN)
    return replace(found, settings={**found.settings, "note": note})


def add_many(file: Path, number: int) -> None:
    for _ in range(20):
        TrialRegistry(file=file).add(a_trial(number, note="x" * 5_000))


def test_what_is_added_is_read_again_as_it_was(tmp_path: Path) -> None:
    registry = TrialRegistry(file=tmp_path / "new" / "trials.jsonl")
    assert registry.trials() == ()
    swept = replace(a_trial(), command="sweep", count=200, sharpe=None, mean=0.1, variance=0.4)
    for each in (a_trial(), a_trial(3), swept):
        registry.add(each)
    assert registry.trials() == (a_trial(), a_trial(3), swept)
    assert stat.S_IMODE(registry.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(registry.file.parent.stat().st_mode) == 0o700


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "trials.jsonl"
    forks = multiprocessing.get_context("fork")
    at_work = [forks.Process(target=add_many, args=(file, number)) for number in range(3)]
    for each in at_work:
        each.start()
    for each in at_work:
        each.join(60)
    assert (
        sorted(each.sharpe or 0 for each in TrialRegistry(file=file).trials()) == [-0.5] * 20 + [0.5] * 20 + [1.5] * 20
    )


@pytest.mark.parametrize("length", [1, 40, 70_000])
def test_half_a_line_was_never_added(tmp_path: Path, length: int) -> None:
    registry = TrialRegistry(file=tmp_path / "trials.jsonl")
    registry.add(a_trial(1))
    with registry.file.open("a") as file:
        file.write("{" + "x" * (length - 1))
    assert registry.trials() == (a_trial(1),)
    registry.add(a_trial(2))
    assert registry.trials() == (a_trial(1), a_trial(2))


@pytest.mark.parametrize("line", ["{}", "[1]", "17", "mended", '{"at": "soon"}'])
def test_a_line_that_is_no_trial_is_named(tmp_path: Path, line: str) -> None:
    registry = TrialRegistry(file=tmp_path / "trials.jsonl")
    registry.add(a_trial())
    with registry.file.open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(StoreError, match=r"trials\.jsonl, line 2 is no trial\. Mend it"):
        registry.trials()


def test_a_file_that_cannot_be_used_is_named_with_its_setting(tmp_path: Path) -> None:
    for act in (TrialRegistry(file=tmp_path).trials, lambda: TrialRegistry(file=tmp_path).add(a_trial())):
        with pytest.raises(StoreError, match=r"cannot be used: Is a directory\. Set BOT_BACKTEST__TRIALS"):
            act()


def test_the_same_run_once_more_is_no_new_trial_and_anything_else_is_one() -> None:
    series, strategy = walk(20, 300), SmaCross(fast=5, slow=15)
    own = backtests.setup(strategy, series)
    others = (
        backtests.setup(SmaCross(fast=5, slow=16), series),
        backtests.setup(strategy, walk(21, 300)),
        backtests.setup(strategy, series, model=FillModel(fee=own.model.fee * 2)),
        replace(own, analyzer=TechnicalAnalyzer(indicators=(IndicatorSpec(name="cci", parameters={"length": 9}),))),
        replace(own, cash=own.cash + 1),
        replace(own, end=SPAN[1]),
    )

    def tried(setup: backtests.BacktestSetup) -> Trial:
        return trial_of(setup, [1.0], command="backtest", at=AT, span=SPAN)

    assert replace(tried(own), at=AT + timedelta(days=1), sharpe=None).repeats(tried(own))
    [context] = own.contexts
    renamed = replace(own, contexts=replace(own.contexts, contexts=(replace(context, name="other"),)))
    assert tried(renamed).repeats(tried(own))
    assert not any(tried(each).repeats(tried(own)) for each in others[:5])
    second = timedelta(seconds=1)
    book = RecordedBook("BTCUSDT", 0, [(1, 1)], [(2, 1)])
    books = RecordedBooks(symbol="BTC/USDT", max_age=second, books=stored("BTC/USDT", [book]))
    lives = [
        LiveTerms(latency=Latency(most=second)),
        LiveTerms(latency=Latency(most=2 * second)),
        LiveTerms(shorter={"BTC/USDT": walk(21, 50)}),
        LiveTerms(shorter={"BTC/USDT": walk(22, 50)}),
        LiveTerms(books={"BTC/USDT": books}),
        LiveTerms(books={"BTC/USDT": replace(books, max_age=2 * second)}),
        LiveTerms(fee_currency=FeeCurrency(name="BNB", amount=Decimal(1))),
    ]
    known = [tried(own), *(tried(replace(own, live=each)) for each in lives)]
    assert [sum(each.repeats(other) for other in known) for each in known] == [1] * len(known)
    assert fingerprint(others[5]) == fingerprint(own)  # all of its candles lie before that end


def test_a_sweep_is_one_trial_with_its_count() -> None:
    setup = backtests.setup(SmaCross(fast=5, slow=15), walk(20, 300))
    found = trial_of(
        setup, [1.0, None, -0.5, 4.0], command="sweep", at=AT, span=SPAN, varied={"fast": (2, 3), "slow": (5, 6)}
    )
    assert (found.count, found.sharpe, found.mean) == (4, 4.0, 1.5)
    assert found.variance == pytest.approx((0.25 + 4 + 6.25) / 2)
    assert found.settings["varied"] == {"fast": [2, 3], "slow": [5, 6]}
    assert found.settings["contexts"][0]["params"]["slow"] == 15
