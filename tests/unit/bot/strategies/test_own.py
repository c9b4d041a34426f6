"""Strategies of one's own are loaded once, checked, and what is wrong with them names file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.strategies.own import own_kind
from bot.strategies.registry import faults, higher_of, strategy_of, within
from config.contexts import ContextSettings
from engine.domain.errors import ConfigError
from engine.domain.market import Timeframe
from engine.strategies.guarded import GuardedStrategy
from tests.fakes.own_strategies import KIND, line_of, written


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which commands run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def context(strategy: str, **params: object) -> ContextSettings:
    return ContextSettings(name="own", strategy=strategy, markets=("BTC/USDT",), timeframe=Timeframe.M15, params=params)


def refusal(strategy: str, **params: object) -> str:
    return "; ".join(str(fault) for fault in faults(context(strategy, **params), "contexts.0"))


def test_it_is_made_with_its_parameters_and_put_to_work_guarded(here: Path) -> None:
    written(here)
    made = strategy_of(context("breakout.py:Breakout", length=7, stop_atr=1.5), "contexts.0")
    assert isinstance(made, GuardedStrategy)
    inner = within(made)
    assert inner is not None
    assert (inner.stop_atr, vars(inner)["length"], made.shown) == (1.5, 7, "breakout.py")
    assert (made.name, made.warmup, made.timeframes) == ("breakout", 9, (Timeframe.M15, Timeframe.D1))


def test_a_file_is_carried_out_once_and_anew_when_it_was_changed(here: Path) -> None:
    file = written(here, ("import annotations\n", "import annotations\nfrom pathlib import Path\n"))
    with file.open("a") as more:
        more.write("\nwith Path('ran').open('a') as ran:\n    ran.write('x')\n")
    kinds = {own_kind(name) for name in ("breakout.py:Breakout", f"./{KIND.lower()}.py:{KIND}", f"{file}:{KIND}")}
    assert len(kinds) == 1
    assert (here / "ran").read_text() == "x"
    written(here, ("length: int = 20", "length: int = 30"))
    changed = own_kind("breakout.py:Breakout")
    assert vars(changed())["length"] == 30
    assert (here / "ran").read_text() == "xx"
    assert not list(here.glob("**/*.pyc"))


def test_a_module_is_found_where_python_finds_it(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "path" / "my_own_package").mkdir(parents=True)
    written(here / "path" / "my_own_package")
    monkeypatch.syspath_prepend(here / "path")
    assert strategy_of(context("my_own_package.breakout:Breakout"), "c").name == "breakout"
    assert refusal("my_own_package.brekout:Breakout").startswith(
        "contexts.0.strategy: There is no module my_own_package.brekout. Install it"
    )
    (here / "path" / "my_own_package" / "bad.py").write_text("\nimport not_there_at_all\n")
    assert "cannot be loaded: No module named 'not_there_at_all'" in refusal("my_own_package.bad:Breakout")
    (here / "path" / "my_own_package" / "worse.py").write_text("\n1 / 0\n")
    assert "path/my_own_package/worse.py, line 2: ZeroDivisionError" in refusal("my_own_package.worse:Breakout")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("return self.length + 2", "return self.length +", "cannot be loaded: breakout.py, line LINE: SyntaxError"),
        ("import annotations", "import annotations;import gone", "line LINE: ModuleNotFoundError: No module named"),
        ("import annotations", "import annotations;raise SystemExit(3)", "line LINE: SystemExit: 3."),
        ("class Breakout(", "class Breakuot(", "breakout.py has no Breakout. Did you mean Breakuot?"),
        (
            "@dataclass(frozen=True, kw_only=True)\nclass Breakout(StrategyBase)",
            "class Breakout",
            "LINE: Breakout is no",
        ),
        ("def reversals", "def revresals", "breakout.py, line 20: Breakout lacks reversals."),
        (
            'name: ClassVar[str] = "breakout"',
            "",
            "breakout.py, line 20: Breakout has no name. Write in it: name: ClassVar",
        ),
        ("@dataclass(frozen=True, kw_only=True)\n", "", "Breakout has no parameter length. Write @dataclass(frozen"),
        ("@dataclass(frozen=True, kw_only=True)", "@dataclass", "line LINE: TypeError: cannot inherit non-frozen"),
        (
            "length: int = 20",
            "length: Nothing = 20",
            "Breakout has a parameter of an unknown type: name 'Nothing' is",
        ),
        ("super().__post_init__()", "self.nothing", "line LINE: AttributeError: 'Breakout' object has no attribute"),
        ("super().__post_init__()", "raise ValueError('not so')", "contexts.0.params: not so. Check its params."),
    ],
)
def test_what_is_wrong_with_it_names_file_and_line(here: Path, old: str, new: str, said: str) -> None:
    file = written(here, (old, new))
    line = line_of(file, new.splitlines()[0]) if new else 0
    assert said.replace("LINE", str(line)) in refusal("breakout.py:Breakout")


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        ("brekout.py:Breakout", "There is no file brekout.py. Did you mean breakout.py?"),
        ("nowhere/x.py:X", "There is no file nowhere/x.py. A file is named by its path"),
        ("breakout.py:StrategyBase", "StrategyBase is no strategy"),
        ("breakout.py:look", "look is no strategy"),
        ("json:loads", "loads is no strategy"),
        ("folder.py:X", "There is no file folder.py."),
    ],
)
def test_what_is_not_there_is_told_with_the_nearest(here: Path, strategy: str, said: str) -> None:
    written(here)
    (here / "folder.py").mkdir()
    assert said in refusal(strategy)
    assert higher_of(context(strategy)) == ()
    with pytest.raises(ConfigError, match=r"contexts\.0\.strategy"):
        strategy_of(context(strategy), "contexts.0")


def test_parameters_are_checked_by_its_fields(here: Path) -> None:
    written(here, ("length: int = 20", "length: int = 20\n    must: float"))
    assert refusal("breakout.py:Breakout", lenght=3) == (
        "contexts.0.params.lenght: Breakout has no such parameter. Did you mean length?; "
        "contexts.0.params.must: must be given. Breakout has none by itself."
    )
    assert "params.length: must be a valid integer" in refusal("breakout.py:Breakout", length="x", must=1)
    assert "length must be above 1" in refusal("breakout.py:Breakout", length=1, must=1)
    assert refusal("breakout.py:Breakout", length=2, must=1) == ""
