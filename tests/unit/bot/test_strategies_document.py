"""What ``docs/strategies.md`` says is so: its strategy works as it is written, and its tables are right."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from bot.backtests.asked import Asked
from bot.backtests.setups import setup_of
from bot.cli import app
from bot.markets import source
from bot.run_rules import RULES
from bot.strategies.own import guarded, own_kind
from bot.strategies.registry import STRATEGIES
from config.loader import load
from engine.backtest.look_ahead import LookAhead, refuse_peeking
from engine.backtest.strategy_contract import Bench, demand, made_up
from engine.domain.market import Timeframe
from engine.strategies import conditions
from engine.strategies.base import StrategyBase

TEXT = (Path(__file__).parents[3] / "docs" / "strategies.md").read_text()
BENCH = Bench(series=made_up(Timeframe.H1, seed=3, count=500))


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where somebody has done what the document says."""
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["strategy", "new", "pullback"]).exit_code == 0
    (code,) = blocks("python")
    (tmp_path / "strategies" / "pullback.py").write_text(code)
    (tmp_path / "my.yaml").write_text(blocks("yaml")[-1])
    return tmp_path


def test_its_strategy_keeps_what_every_strategy_keeps_and_enters(here: Path) -> None:
    strategy = guarded(own_kind("strategies/pullback.py:Pullback")(dip=45.0))
    demand(strategy, [BENCH])
    assert strategy.columns(BENCH.whole(strategy)).entry.any()


def test_its_profile_can_be_run_and_tested(here: Path) -> None:
    settings = load(None, here / "my.yaml", {}, {}, here, RULES).settings
    (context,) = source(settings).contexts
    assert (context.strategy.name, context.markets) == ("pullback", ("BTC/USDT", "SOL/USDT"))
    end = settings.market.start
    refuse_peeking(setup_of(Asked(symbols=("BTC",), end=end), settings))


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_parameters_of_the_house_are_what_they_are_by_themselves(name: str) -> None:
    section = TEXT.partition(f"### {name}\n")[2].partition("\n#")[0]
    told = dict(re.findall(r"^\| `(\w+)` \| (\S+) \|", section, flags=re.MULTILINE))
    own = {each.name: each.default for each in fields(STRATEGIES[name])}
    for each in ("timeframe", "higher", "further"):
        del own[each]
    assert {each: yaml.safe_load(value) for each, value in told.items()} == own


def test_the_readings_and_methods_that_it_names_are_there() -> None:
    listed = TEXT.partition('`sight.reading("rsi")`:')[2].partition("`ma_N`")[0]
    for reading in re.findall(r"`(\w+)`", listed):
        assert reading in (*conditions.READINGS, "support")
    assert all(hasattr(conditions, name) for name in re.findall(r"`look\.(\w+)`", TEXT))
    table = TEXT.partition("## What it is made of")[2].partition("\n\nEverything")[0]
    methods = re.findall(r"`(\w+)`", " ".join(line.split("|")[1] for line in table.splitlines()[3:]))
    assert {"warmup", "triggers", "stops", "history"} <= set(methods)
    assert all(hasattr(StrategyBase, name) for name in methods)


@pytest.mark.slow
def test_what_it_says_looks_ahead_does_and_what_does_not_does_not(here: Path) -> None:
    table = TEXT.partition("| Looks ahead | Does not |")[2].partition("\n\n")[0]
    rows = [[re.findall(r"`([^`]+)`", cell) for cell in line.split("|")[1:3]] for line in table.splitlines()[2:-1]]
    ahead, honest = (
        [formula for row in rows for formula in row[column] if "sight" not in formula] for column in (0, 1)
    )
    assert len(ahead) >= 6
    for formula in ahead:
        assert _looks_ahead(here, formula), formula
    for formula in honest:
        assert not _looks_ahead(here, formula), formula


def _looks_ahead(folder: Path, formula: str) -> bool:
    """Whether one that enters where the close is above a formula looks ahead."""
    shows = "values > 1" if "std" in formula else "close > values * 0.97"
    (code,) = blocks("python")
    old = next(line for line in code.splitlines() if "Sign(shows=crossed_above" in line)
    new = f"""\
        import numpy as np
        candles = sight.frame()
        close, high = candles.close, candles.high
        levels = close.where(close > close.shift(1) * 1.005)
        values = {formula}
        return (Sign(shows={shows}, words=lambda row: "now"),)"""
    file = folder / "strategies" / "tried.py"
    file.write_text(code.replace(old, new))
    strategy = guarded(own_kind(f"{file}:Pullback")())
    look = LookAhead(strategy, BENCH.whole(strategy))
    return any(look.at(row) is not None for row in look.sample())
