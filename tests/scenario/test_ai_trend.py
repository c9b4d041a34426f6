"""A strategy that trades on predictions: in the demo, with models off, and in a backtest by a tape."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.wiring import build
from config.loader import load
from engine.llm.tape import HEAD
from engine.store import migrate
from tests.fakes.command_line import bot
from tests.fakes.database import rows_of

pytestmark = pytest.mark.slow

CONTEXT = {
    "name": "expected",
    "strategy": "ai_trend",
    "markets": ["BTC/USDT", "ETH/USDT", "SOL/USDT"],
    "timeframe": "1h",
    "params": {"stop_atr": 6, "target_atr": 12, "max_candles": 400},
}
"""Stops so far away that what it leaves, it leaves for what is expected."""


async def replayed(folder: Path, days: float, **changes: Any) -> list[dict[str, Any]]:
    """The decisions of so many days of the demo with that strategy alone, as they are kept."""
    url = f"sqlite:///{folder / 'account.sqlite'}"
    over = {"database": {"url": url}, "replay": {"speed": "max"}, "web": {"enabled": False}, "contexts": [CONTEXT]}
    settings = load(
        "demo", None, over | {"approval": {"auto_above": 0.3, "ask_above": 0.3}} | changes, {}, folder
    ).settings
    migrate.upgrade(url)
    program = await build(settings)
    engine = program.engine
    await program.driver.run(settings.market.start + timedelta(days=days))  # type: ignore[union-attr]
    if engine.predictions is not None:
        await engine.predictions.stop()
    await engine.store.close()
    for venue in engine.venues.values():
        venue.close()
    kept = rows_of(url, "SELECT * FROM decisions ORDER BY at")
    return [json.loads(row["record"]) | {"stance": row["stance"]} for row in kept]


async def test_the_demo_buys_and_leaves_what_its_predictions_say(tmp_path: Path):
    decisions = await replayed(tmp_path, 8, market={"seed": 7}, ai={"panel": {"enabled": False}})
    entered = [each["decision"] for each in decisions if each["stance"] == "enter"]
    assert 1 <= len(entered) < len(decisions) / 10, "a rise is bought when it begins to be expected"
    assert all(each["trigger"].startswith("a rise is expected: +") for each in entered)
    left = [each["decision"]["reasons"][0] for each in decisions if each["stance"] == "exit"]
    assert any(reason.startswith("a fall is expected: -") for reason in left)
    held = [each["decision"]["reasons"] for each in decisions if each["stance"] == "hold"]
    assert ["the AI trend set-up has not appeared"] in held


async def test_with_models_off_it_holds_and_says_so(tmp_path: Path):
    decisions = await replayed(tmp_path, 1, ai={"enabled": False})
    assert {each["stance"] for each in decisions} == {"hold"}
    reasons = {reason for each in decisions for reason in each["decision"]["reasons"]}
    assert reasons == {"nothing is predicted: ai.enabled and ai.prediction say whether anything is"}


def test_a_backtest_reads_the_tape_and_says_who_has_predicted(tmp_path: Path):
    assert bot(tmp_path, "data", "generate", "candles", "--length", "30d").returncode == 0
    (tmp_path / "calls.tape").write_text(f"{HEAD}\n")
    words = ("backtest", "--full", "--strategy", "ai_trend", "--data", "candles/SOLUSDT-1h.parquet")
    more = {"BOT_AI__ENABLED": "true", "BOT_AI__PANEL__ENABLED": "false", "BOT_LLM__TAPE": "calls.tape"}
    model = {"BOT_LLM__PROVIDERS__LOCAL__MODEL": "m1", "BOT_LLM__PROVIDERS__LOCAL__API_URL": "http://127.0.0.1:9/v1"}
    told = [
        bot(tmp_path, *words, "--approve", "all", "--json", f"{name}.json", **more, **changes)
        for name, changes in (("rules", {}), ("nobody", model | {"BOT_LLM__CHAIN": '["local"]'}))
    ]
    assert [each.returncode for each in told] == [0, 0], told
    rules, nobody = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("rules", "nobody"))
    assert rules["trades"]
    assert rules["predicted"].keys() == {"offline analyst"}
    assert rules["short_entries"] is None
    assert f"predicted  {sum(rules['predicted'].values()):,}: " in told[0].stdout
    assert (nobody["trades"], nobody["predicted"]) == ([], {})
    assert "none were made, and so nothing was entered on them" in told[1].stdout
