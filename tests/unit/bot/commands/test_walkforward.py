"""``bot walkforward`` as it is typed: nothing is chosen by what came later, and the parts make one account."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from bot.backtests.asked import Asked
from bot.backtests.sweeping import Plan
from bot.backtests.varying import varied
from bot.backtests.walking import Walk, walk
from bot.cli import app
from config.loader import load
from engine.backtest.registry import TrialRegistry
from engine.backtest.windows import windows
from engine.data.files import write_candles
from tests.fakes.series import walk as random_walk

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kernel"), pytest.mark.timeout(300)]
WORDS = ("--strategy", "sma_cross", "--grid", "fast=3,6,12", "--grid", "slow=20,40", "--data", "SOLUSDT-1h.parquet")
SERIES = replace(random_walk(61, 3_000, sigma=0.01), symbol="SOL/USDT")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_candles(tmp_path / "SOLUSDT-1h.parquet", SERIES)


def bot(*words: str) -> Result:
    return CliRunner().invoke(app, [*words])


def told(*words: str, command: str = "walkforward") -> dict:
    answer = bot(command, *words, "--json", "told.json")
    assert answer.exit_code == 0, answer.output
    return json.loads(Path("told.json").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("kind", [(), ("--anchored",)])
def test_each_window_is_a_sweep_and_the_backtest_of_its_best_after_it(kind: tuple[str, ...]) -> None:
    found = told(*WORDS, "--train", "40d", "--test", "30d", *kind)
    assert len(found["windows"]) == 3
    one = found["windows"][1]
    begins, splits, ends = (one[name][:19] for name in ("begins", "splits", "ends"))
    assert begins[:10] == ("2024-01-01" if kind else "2024-01-31")
    inside = told(*WORDS, "--start", begins, "--end", splits, command="sweep")
    assert inside["combinations"][0]["params"] == one["params"]
    assert inside["combinations"][0]["sharpe"] == one["sharpe_in"]
    params = [word for name, value in one["params"].items() for word in ("--set", f"{name}={value}")]
    after = told(*WORDS[:2], *params, "--start", splits, "--end", ends, *WORDS[-2:], command="backtest")
    assert len(after["trades"]) == one["trades_out"]
    held = sum(each["quantity"] * each["price"] for each in after["held"])
    assert (after["final_equity"] - 0.001 * held) / 10_000 - 1 == pytest.approx(one["gain_out"])


def test_the_parts_make_one_account_and_one_row_of_the_register() -> None:
    found = told(*WORDS, "--train", "40d", "--test", "30d")
    gains = np.prod([1 + each["gain_out"] for each in found["windows"]])
    assert found["account"]["gain"] == pytest.approx(gains - 1)
    assert found["equity"][-1]["equity"] == pytest.approx(10_000 * gains)
    at = [datetime.fromisoformat(each["at"]) for each in found["equity"]]
    assert at == sorted(set(at))
    [trial] = TrialRegistry(file=Path("var/trials.jsonl")).trials()
    assert (trial.command, trial.count) == ("walkforward", 3 * 6 + 1)


def walked(plan: Plan, stop_after: float = np.inf) -> tuple[Walk, int]:
    """A walk that somebody stops once so many combinations are done; how many were."""
    seen: list[int] = []
    settings = load(None, None, {}, {}, Path.cwd()).settings
    what = varied(Asked(strategy="sma_cross", data=(Path("SOLUSDT-1h.parquet"),)), ("fast=2:9", "slow=20,40"), settings)
    found = walk(
        what,
        windows(datetime(2024, 1, 1, tzinfo=UTC), SERIES.closed_at),
        plan,
        TrialRegistry(file=Path("var/trials.jsonl")),
        lambda: datetime(2026, 1, 2, tzinfo=UTC),
        is_stopped=lambda: sum(seen) >= stop_after,
        on_done=lambda _, done: seen.append(len(done)),
    )
    return found, sum(seen)


@pytest.mark.slow
def test_what_was_stopped_goes_on_and_comes_to_the_same() -> None:
    whole, _ = walked(Plan(workers=2))
    part, _ = walked(Plan(workers=2), 40)
    assert (len(whole.steps), len(part.steps), part.stopped) == (5, 2, True)
    assert list(Path("var/sweeps").glob("*"))
    rest, _ = walked(Plan(workers=2, resume=True))
    np.testing.assert_array_equal(rest.curve.equity, whole.curve.equity)
    assert not list(Path("var/sweeps").glob("*"))


def test_where_nothing_was_traded_nothing_is_bought() -> None:
    found = told(*WORDS[:2], "--grid", "slow=900,950", *WORDS[-2:], "--train", "20d", "--test", "60d")
    assert [each["params"] for each in found["windows"]] == [None, None]
    assert [each["equity"] for each in found["equity"]] == [10_000] * 3


@pytest.mark.parametrize(
    ("words", "said"),
    [(("--train", "x"), "--train x is no length"), (("--train", "400d"), "none is left after --train 400d")],
)
def test_what_cannot_be_walked_is_said(words: tuple[str, ...], said: str) -> None:
    answer = bot("walkforward", *WORDS, *words)
    assert answer.exit_code == 2
    assert said in answer.stderr
