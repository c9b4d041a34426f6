"""What ``docs/ai.md`` says is so: its settings are taken, and its figures are those of the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.model_chains import faults
from config.loader import load
from config.models import ROLES
from config.settings import Settings
from engine.domain.model_ledger import SHORT, TOLD_AT
from engine.llm.breakers import LEAVE_ALONE, THRESHOLD

TEXT = (Path(__file__).parents[3] / "docs" / "ai.md").read_text()
KEY = {"BOT_LLM__PROVIDERS__OPENAI__API_KEY": "sk-a"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", blocks("ini"), ids=lambda block: block.split("=")[0].rpartition("PROVIDERS__")[2])
def test_what_stands_for_env_is_taken_and_nothing_is_missing(tmp_path: Path, block: str):
    (tmp_path / ".env").write_text(block)
    settings = load(None, None, {}, {}, tmp_path).settings
    assert settings.asks_models
    wrong = [fault.message for fault in faults(settings, has=lambda _: True)]
    assert wrong == (
        [] if "__PATH=" not in block else ["llm.providers.local.path: there is no file models/qwen3-8b.gguf."]
    )


@pytest.mark.parametrize("block", blocks("yaml"))
def test_what_stands_for_a_profile_is_taken(tmp_path: Path, block: str):
    file = tmp_path / "my.yaml"
    file.write_text(f"extends: demo\n{block}")
    assert list(faults(load(None, file, {}, KEY, tmp_path).settings, has=lambda _: True)) == []


def test_its_figures_are_the_programs(tmp_path: Path):
    settings: Settings = load(None, None, {}, {}, tmp_path).settings
    llm = settings.llm
    assert f"| `llm.max_monthly_cost_usd` | {llm.max_monthly_cost_usd} |" in TEXT
    assert llm.max_daily_cost_usd is None
    assert f"`llm.cache_ttl` ({llm.cache_ttl.seconds // 60} minutes)" in TEXT
    assert f"for {settings.retention.model_calls.days} days" in TEXT
    assert re.findall(r"^\| (\d+) % \|", TEXT, flags=re.MULTILINE) == [str(part) for part in TOLD_AT]
    assert (THRESHOLD, LEAVE_ALONE, SHORT) == (5, 60, 80)
    assert all(f"`{role}`" in TEXT for role in ROLES)
    assert not load("base", None, {}, {}, tmp_path).settings.asks_models, "without a key nobody is asked"
