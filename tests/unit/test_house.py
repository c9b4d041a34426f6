"""The floors hold: what import-linter is told in pyproject.toml, tried on a copy of the house with walls broken."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("bot", "handlers", "config", "migrations", "src")
PURE = ("domain", "analysis", "strategies", "risk", "simulation")
LINTER = Path(sys.executable).with_name("lint-imports")

BREAKS = {
    "a pure floor that waits": (
        "src/engine/domain/__init__.py",
        "import asyncio",
        "engine.domain is not allowed to import asyncio",
    ),
    "a pure floor that reads the clock": (
        "src/engine/risk/__init__.py",
        "from time import monotonic",
        "engine.risk is not allowed to import time",
    ),
    "a pure floor that knows the database": (
        "src/engine/strategies/__init__.py",
        "from sqlmodel import Session",
        "engine.strategies is not allowed to import sqlmodel",
    ),
    "a floor that looks up": (
        "src/engine/domain/__init__.py",
        "import engine.store",
        "engine.domain is not allowed to import engine.store",
    ),
    "rooms side by side": (
        "src/engine/risk/__init__.py",
        "import engine.strategies",
        "engine.risk is not allowed to import engine.strategies",
    ),
    "an engine that knows who talks": (
        "src/engine/execution/__init__.py",
        "import handlers.web",
        "engine is not allowed to import handlers",
    ),
    "configuration that knows the handlers": (
        "config/__init__.py",
        "import handlers",
        "config is not allowed to import handlers",
    ),
    "a room on no floor of the engine": ("src/engine/stray.py", "", "- engine.stray"),
    "a room on no floor of the handlers": ("handlers/stray.py", "", "- handlers.stray"),
    "a platform that knows another": (
        "handlers/web/__init__.py",
        "import handlers.telegram",
        "handlers.web is not allowed to import handlers.telegram",
    ),
    "followers who see more than the account": (
        "handlers/viewer/__init__.py",
        "import engine.views.trading",
        "handlers.viewer -> engine.views.trading",
    ),
    "a venue chosen outside the wiring": (
        "handlers/__init__.py",
        "import engine.exchanges.paper",
        "handlers -> engine.exchanges.paper",
    ),
    "a provider of language models chosen outside the wiring": (
        "bot/__init__.py",
        "import engine.llm.openai",
        "bot -> engine.llm.openai",
    ),
    "a strategy chosen outside the wiring": (
        "bot/__init__.py",
        "import engine.strategies.momentum",
        "bot -> engine.strategies.momentum",
    ),
}


def test_every_broken_wall_is_seen(tmp_path: Path) -> None:
    for room in ROOMS:
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for file, line, _ in BREAKS.values():
        with (tmp_path / file).open("a") as broken:
            broken.write(f"\n{line}\n")

    linted = subprocess.run(
        [LINTER, "--no-logo", "--no-cache"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "src")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert linted.returncode == 1, linted.stdout + linted.stderr
    assert [name for name, (*_, complaint) in BREAKS.items() if complaint not in linted.stdout] == []


@pytest.mark.parametrize("floor", PURE)
def test_a_pure_floor_takes_time_and_chance_as_arguments(floor: str) -> None:
    files = sorted((ROOT / "src" / "engine" / floor).rglob("*.py"))
    assert files
    assert [f"{file.name}:{line}" for file in files for line in impure_calls(file.read_text())] == []


@pytest.mark.slow
def test_neither_chat_nor_live_loads_what_backtests_need() -> None:
    code = "import sys, bot.cli, bot.wiring, bot.app; print({'numba', 'scipy', 'arch'} & set(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


@pytest.mark.slow
def test_a_backtest_loads_neither_a_database_nor_the_way_to_a_venue() -> None:
    code = (
        "import sys, bot.backtests.setups, engine.backtest.report; print({'sqlalchemy', 'aiohttp'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


def test_calls_of_clocks_and_of_unseeded_chance_are_found() -> None:
    assert impure_calls("now = datetime.now(UTC)\nday = date.today()\nrng = np.random.default_rng()") == [1, 2, 3]
    assert impure_calls("def step(now, rng):\n    return now + rng.normal()\nrng = default_rng(7)") == []


def impure_calls(source: str) -> list[int]:
    """The lines that ask a clock, or make a random generator without a seed."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return sorted(call.lineno for call in calls if _is_impure(call))


def _is_impure(call: ast.Call) -> bool:
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return called in {"now", "utcnow", "today"} or (called == "default_rng" and not call.args and not call.keywords)
