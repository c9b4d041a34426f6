"""A run with a model, its tape, and ``bot compare --layers`` by it: the whole way that somebody goes."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.ai.rules import RULES
from engine.data.files import write_candles
from engine.domain.model_calls import ModelRequest
from engine.llm.tape import HEAD
from tests.fakes.command_line import bot
from tests.fakes.llm_servers import KEY, Asked, Turn, serving
from tests.fakes.series import walk

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("kernel"), pytest.mark.timeout(300)]
CANDLES = 1_000
CONFIG = """\
extends: demo
contexts:
  - {{name: fast, strategy: ma_cross, markets: [ETH/EUR], timeframe: 1h, params: {{fast: 5, slow: 15}}}}
approval: {{auto_above: 0.4, ask_above: 0.4}}
venue: {{balances: {{EUR: 20000}}}}
ai: {{prediction: {{enabled: false}}}}
llm:
  canary: false
  chain: [local]
  providers:
    local: {{model: qwen3-8b, api_url: "{url}/v1", price: {{input: 1, output: 3.5}}{cut_off}}}
"""
MEMBERS = {"the analyst": "analyst", "the risk": "risk", "devil": "devils_advocate", "supervis": "supervisor"}


def against_even_days(asked: Asked) -> Turn:
    """Every member is for a trade on days with an odd number, and against it on the others."""
    system, prompt = (each["content"] for each in (asked.body["messages"][0], asked.body["messages"][-1]))
    purpose = next(name for words, name in MEMBERS.items() if words in system.lower())
    request = ModelRequest(purpose=purpose, model="m", system_message=system, prompt=prompt, max_tokens=1)
    day = re.search(r" at=\d+-\d+-(\d+)T", prompt)
    assert day
    verdict = "approve" if int(day[1]) % 2 else "veto"
    return Turn(text=json.dumps({**(RULES["devils_advocate"](request) or {}), "verdict": verdict}))


def tells_what_models_cost(models: dict[str, Any], table: str) -> None:
    """With an interval, and what that is more than the layer before it, which asked nobody."""
    cost = models["cost"]
    assert cost["value"] == pytest.approx(float(models["cost_usd"]))
    assert 0 < cost["interval"]["low"] < cost["value"] < cost["interval"]["high"]
    assert models["cost_added"]["value"] == pytest.approx(cost["value"])
    assert re.search(r"qwen3-8b.*\$[\d.]+ \(\$[\d.]+ to \$[\d.]+\)", table)


async def test_a_panel_on_a_tape_has_a_row_with_what_it_cost_before_and_after_the_training_ended(tmp_path: Path):
    write_candles(tmp_path / "ETHEUR-1h.parquet", replace(walk(51, CANDLES, sigma=0.01), symbol="ETH/EUR"))
    data, config = ("--data", "ETHEUR-1h.parquet"), ("--config", "c.yaml")
    span = ("--start", "2024-01-20", "--end", "2024-02-10")
    compare = ("compare", "--layers", *config, *data, *span, "--json")
    own = {"BOT_LLM__PROVIDERS__LOCAL__API_KEY": KEY, "BOT_WEB__PORT": "0"}
    own["BOT_DATABASE__URL"] = "sqlite:///run/g.sqlite"
    own["BOT_REPLAY__SENTIMENT"] = '["fear.csv"]'
    days = "".join(f"{date(2024, 1, 15) + timedelta(days=number)},{number}\n" for number in range(30))
    (tmp_path / "fear.csv").write_text(f"date,value\n{days}")
    async with serving() as server:
        server.next = against_even_days
        (tmp_path / "c.yaml").write_text(CONFIG.format(url=server.url, cut_off=""))
        run = ("run", *config, *data, *span, "--speed", "max", "--until-end")
        ended = await asyncio.to_thread(bot, tmp_path, *run, **own)
        assert ended.returncode == 0, ended.stderr
        asked = len(server.asked)
        said = [each.body["messages"][-1]["content"] for each in server.asked]
        assert all("sentiment.fear_greed" in text for text in said), "what was said then is told"
        assert asked > 20
        assert bot(tmp_path, "llm", "tape", "export", "own.tape", *config, *data, **own).returncode == 0
        own["BOT_LLM__TAPE"] = "own.tape"
        compared = await asyncio.to_thread(bot, tmp_path, *compare, "1", **own)
        assert compared.returncode == 0, compared.stderr
        assert len(server.asked) == asked, "a tape answers for nothing"
    found = json.loads((tmp_path / "1").read_text())
    rules, sentiment, prediction, panel, *_ = found["layers"]
    assert prediction["missing"] == "off (ai.prediction.enabled)"
    assert (sentiment["missing"], panel["against"]) == (None, "+ sentiment")
    assert panel["models"]["answered"] == {"local qwen3-8b": asked}
    tells_what_models_cost(panel["models"], compared.stdout)
    (before,), (after,) = rules["parts"], panel["parts"]
    assert before["figures"]["trades"] > 3
    assert 0 < after["figures"]["trades"] < before["figures"]["trades"]
    assert after["added"]["fees"]["value"] == pytest.approx(
        after["figures"]["fees"]["value"] - before["figures"]["fees"]["value"]
    )
    assert "when its training ended is not known (llm.providers.local.cut_off)" in compared.stdout
    first, last = (date.fromisoformat(found[each][:10]) for each in ("begins", "ends"))
    halfway = first + (last - first) / 2
    (tmp_path / "c.yaml").write_text(CONFIG.format(url=server.url, cut_off=f", cut_off: {halfway}"))
    compared = await asyncio.to_thread(bot, tmp_path, *compare, "2", **own)
    parts = json.loads((tmp_path / "2").read_text())["layers"][3]["parts"]
    assert [each["when"] for each in parts] == [None, f"before {halfway}", f"from {halfway}"]
    whole, *sides = (each["figures"]["trades"] for each in parts)
    assert whole == sum(sides)
    assert "training" not in compared.stdout
    (tmp_path / "own.tape").write_text(f"{HEAD}\n")
    compared = await asyncio.to_thread(bot, tmp_path, *compare, "3", **own)
    assert re.search(
        r"^\+ panel +no row: the tape has no answer to any of \d+ questions$", compared.stdout, re.MULTILINE
    )
