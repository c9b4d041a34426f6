"""``bot sweep`` as it is typed: every combination as a backtest has it, stopped and gone on with, and judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from bot.backtests.asked import Asked
from bot.backtests.sweeping import Plan, Swept, run_sweep
from bot.backtests.varying import Varied, varied
from bot.cli import app
from bot.strategies.registry import within
from config.loader import load
from engine.backtest.deflated import tried_with
from engine.backtest.grid import Axis, Grid
from engine.backtest.kept_sweep import Done
from engine.backtest.registry import TrialRegistry
from engine.data.files import write_candles
from tests.fakes.own_strategies import SLOWER
from tests.fakes.series import walk

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kernel"), pytest.mark.timeout(300)]
GRID = ("--grid", "fast=4:20:4", "--grid", "slow=12,30")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Candle files of two markets, in whose folder the command runs."""
    monkeypatch.chdir(tmp_path)
    for number, symbol in enumerate(("BTC/USDT", "ETH/USDT")):
        series = replace(walk(40 + number, 2_000, sigma=0.01), symbol=symbol)
        write_candles(tmp_path / f"{symbol.replace('/', '')}-1h.parquet", series)
    return sorted(str(each) for each in tmp_path.glob("*.parquet"))


def bot(*words: str) -> Result:
    return CliRunner().invoke(app, [*words])


def told(*words: str) -> dict:
    answer = bot("sweep", *words, "--json", "told.json")
    assert answer.exit_code == 0, answer.output
    return json.loads(Path("told.json").read_text())


def test_each_combination_is_what_a_backtest_of_it_comes_to(files: list[str]) -> None:
    words = ("--strategy", "sma_cross", "--fee", "0.002", "--data", *files)
    found = told(*words, *GRID)
    assert len(found["combinations"]) == 7
    assert [each["params"] for each in found["left_out"]] == [{"fast": fast, "slow": 12} for fast in (12, 16, 20)]
    sharpes = [each["sharpe"] for each in found["combinations"]]
    assert sharpes == sorted(sharpes, reverse=True)
    each = found["combinations"][3]
    params = [word for name, value in each["params"].items() for word in ("--set", f"{name}={value}")]
    assert bot("backtest", *words, *params, "--json", "one.json").exit_code == 0
    one = json.loads(Path("one.json").read_text())
    assert one["final_equity"] == pytest.approx(10_000 * (1 + each["gain"]))
    assert (len(one["trades"]), sum(trade["net"] > 0 for trade in one["trades"])) == (each["trades"], each["won"])
    assert one["fees"] == pytest.approx(each["fees"])


def test_a_sweep_is_one_row_of_the_register_with_its_count_and_the_best_is_judged_by_it(files: list[str]) -> None:
    words = ("--strategy", "rsi_bands", "--symbol", "BTC", "--data", *files)
    found = told(*words, "--grid", "rsi_low=25,30,35,40", "--grid", "stop_atr=1,2")
    [trial] = TrialRegistry(file=Path("var/trials.jsonl")).trials()
    assert (trial.command, trial.count, trial.symbols) == ("sweep", 8, ("BTC/USDT",))
    assert trial.settings["varied"] == {"rsi_low": [25, 30, 35, 40], "stop_atr": [1, 2]}
    assert found["trials"] == 8
    assert trial.sharpe == found["combinations"][0]["sharpe"]
    assert 0 <= found["probability_of_overfitting"] <= 1
    assert 0 <= found["deflated_sharpe"] <= 1
    assert len(found["cross_validation"]["paths"]) == 9
    said = bot("sweep", *words, "--grid", "rsi_low=20,22").output
    assert "the luckiest of 10 tried here" in said
    assert "elsewhere  Sharpe" in said


def stopped_after(
    varied_: Varied, plan: Plan, count: float, now: datetime = datetime(2026, 1, 2, tzinfo=UTC)
) -> tuple[Swept, int]:
    """A sweep that somebody stops once so many are done; how many were done in it."""
    seen: list[Done] = []
    before: list[int] = []

    def on_done(found: Sequence[Done]) -> None:
        seen.extend(found)
        before.append(len(found))

    swept = run_sweep(
        varied_,
        plan,
        TrialRegistry(file=Path("var/trials.jsonl")),
        lambda: now,
        is_stopped=lambda: len(seen) >= count,
        on_done=on_done,
    )
    return swept, sum(before[1:])


@pytest.fixture
def several(files: list[str]) -> Callable[[], Varied]:
    """Sixty combinations, made anew each time as a new start of the program does."""

    def make() -> Varied:
        asked = Asked(strategy="sma_cross", data=(Path(files[0]),), fee=None)
        return varied(asked, ("fast=2:11:1", "slow=20:70:10"), load(None, None, {}, {}, Path.cwd()).settings)

    return make


@pytest.mark.parametrize("trials", [None, pytest.param(40, marks=pytest.mark.slow)])
def test_what_was_stopped_goes_on_and_comes_to_the_same(several: Callable[[], Varied], trials: int | None) -> None:
    plan = Plan(trials=trials, workers=2, seed=3)
    whole, count = stopped_after(several(), plan, np.inf)
    assert not whole.sweep.stopped
    assert count == len(whole.sweep.combinations)
    assert not list(Path("var/sweeps").glob("*"))
    part, begun = stopped_after(several(), plan, 10)
    assert part.sweep.stopped
    assert 10 <= begun < count
    [kept] = Path("var/sweeps").glob("*")
    assert kept.stat().st_mode & 0o077 == 0
    with kept.open("a") as file:
        file.write('{"params": {"fast": 2')  # the power went
    rest, further = stopped_after(several(), replace(plan, resume=True), np.inf)
    assert begun + further == count
    assert [each.params for each in rest.sweep.combinations] == [each.params for each in whole.sweep.combinations]
    assert rest.overfitting == whole.overfitting
    assert not list(Path("var/sweeps").glob("*"))


def test_what_was_stopped_and_gone_on_with_is_counted_once(several: Callable[[], Varied]) -> None:
    register = TrialRegistry(file=Path("var/trials.jsonl"))
    part, _ = stopped_after(several(), Plan(workers=2), 10)
    again, _ = stopped_after(several(), Plan(workers=2, resume=True), 30)
    rest, _ = stopped_after(several(), Plan(workers=2, resume=True), np.inf)
    rows = register.trials()
    counts = [len(each.sweep.combinations) for each in (part, again, rest)]
    assert [each.count for each in rows] == counts
    assert 10 <= counts[0] < counts[1] < counts[2] == 60
    assert rest.tried == tried_with(rows[2], [])
    later = datetime(2026, 1, 3, tzinfo=UTC)
    narrow = replace(several(), grid=Grid(axes=(Axis(name="fast", values=(12, 13)), Axis(name="slow", values=(20,)))))
    other, _ = stopped_after(narrow, Plan(), np.inf, later)
    assert other.tried is not None
    assert other.tried.count == 62


def test_of_another_grid_that_goes_on_from_what_is_kept_all_is_counted(several: Callable[[], Varied]) -> None:
    part, _ = stopped_after(several(), Plan(workers=2), 10)
    narrow = replace(several(), grid=Grid(axes=(Axis(name="fast", values=(12, 13)), Axis(name="slow", values=(20,)))))
    rest, _ = stopped_after(narrow, Plan(resume=True), np.inf)
    assert len(rest.sweep.combinations) == 2
    assert rest.tried is not None
    assert rest.tried.count == len(part.sweep.combinations) + 2


def test_other_candles_and_terms_do_not_go_on_from_it(several: Callable[[], Varied], files: list[str]) -> None:
    stopped_after(several(), Plan(), 10)
    settings = load(None, None, {}, {}, Path.cwd()).settings
    other = Asked(strategy="sma_cross", data=(Path(files[0]),), size=0.5)
    _, count = stopped_after(varied(other, ("fast=2,3", "slow=20"), settings), Plan(resume=True), np.inf)
    assert count == 2


def test_optuna_finds_what_is_good_without_trying_all(files: list[str]) -> None:
    words = ("--strategy", "sma_cross", "--data", files[0], "--grid", "fast=2:30", "--grid", "slow=31:90")
    found = told(*words, "--trials", "24", "--by", "gain")
    assert 12 < len(found["combinations"]) <= 24
    assert found == {**told(*words, "--trials", "24", "--by", "gain"), "seconds": found["seconds"]}


def test_a_strategy_of_ones_own(files: list[str], tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(SLOWER)
    found = told("--strategy", "./own.py:Slower", "--data", files[1], "--grid", "lag=2:40:2", "--by", "drawdown")
    assert len(found["combinations"]) == 20
    assert len({each["gain"] for each in found["combinations"]}) > 10
    falls = [each["drawdown"] for each in found["combinations"]]
    assert falls == sorted(falls)


def test_what_is_written_into_its_file_meanwhile_is_not_for_this_sweep(files: list[str], tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(SLOWER)
    asked = Asked(strategy="./own.py:Slower", data=(Path(files[1]),))
    what = varied(asked, ("lag=2,3",), load(None, None, {}, {}, tmp_path).settings)
    file.write_text("no strategy")
    [context] = what({"lag": 3}).contexts
    assert within(context.strategy).lag == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Nothing is varied"),
        (("--grid", "fasst=2:9"), "--grid fasst: sma_cross has no such parameter. Did you mean fast?"),
        (("--grid", "fast=2,x"), "--grid fast: must be a valid integer"),
        (("--grid", "fast=60,70"), "None of the combinations can be traded: The strategy SMA cross cannot work"),
        (("--grid", "fast=2:5", "--risk", "on"), "sma_cross gives no stop"),
        (("--grid", "fast=2:5", "--start", "2030-01-01"), "no candles within --start and --end"),
    ],
)
def test_what_cannot_be_swept_is_said(files: list[str], words: tuple[str, ...], said: str) -> None:
    answer = bot("sweep", "--strategy", "sma_cross", "--data", files[0], *words)
    assert answer.exit_code == 2
    assert said in answer.stderr
