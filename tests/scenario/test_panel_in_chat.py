"""One trade in chat, from the question with what a panel of models says of it to what the trade was graded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from config.loader import load
from engine.ai.rules import RULES
from engine.domain.model_calls import ModelRequest
from tests.fakes.command_line import PATIENCE
from tests.fakes.database import new_file
from tests.fakes.llm_servers import KEY, Asked, Turn, serving
from tests.fakes.program import BEGIN, CHAT, FALLEN, Files, environ, question, running, write_config
from tests.fakes.telegram import FakeTelegram

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("llm")]
MEMBERS = {"analyst of": "analyst", "risk": "risk", "devil": "devils_advocate", "supervis": "supervisor"}
OBJECTION = "one candle rose out of a range that was never left before"
FLIP = "a second close above the range"


def desk(asked: Asked) -> Turn:
    """Who answers as the rules do, but for the advocate, who has an objection, and risk, who makes half of it."""
    system, prompt = (each["content"] for each in (asked.body["messages"][0], asked.body["messages"][-1]))
    name = next(name for words, name in MEMBERS.items() if words in system.lower())
    request = ModelRequest(purpose=name, model="m", system_message=system, prompt=prompt, max_tokens=1)
    said: dict[str, Any] = dict(RULES[name](request) or {})
    if name == "devils_advocate":
        said |= {"share": 0.4, "reasons": [{"text": OBJECTION, "fields": ["f1"]}], "flip": FLIP}
    if name == "risk":
        said |= {"share": 0.5, "reasons": [{"text": "half of it is risk enough", "fields": ["f2"]}]}
    return Turn(text=json.dumps(said))


async def test_a_trade_is_asked_about_with_its_objection_and_graded_once_it_has_closed(tmp_path: Path):
    new_file(tmp_path)
    files = Files(folder=tmp_path)
    async with FakeTelegram(answer_within=PATIENCE) as fake, serving() as server:
        fake.chat(CHAT)
        server.next = desk
        local = {"model": "qwen3-8b", "api_url": f"{server.url}/v1", "price": {"input": 1, "output": 3.5}}
        config = write_config(
            tmp_path,
            fake.url,
            ai={"prediction": {"enabled": False}},
            llm={"canary": False, "chain": ["local"], "providers": {"local": local}},
            replay={"end": FALLEN.isoformat(), "speed": 36000},
            digest={"at": "12:30", "timezone": "Europe/Berlin"},
            people=[{"name": "Ann", "role": "trader", "telegram": 1001}],
        )
        keys = {"BOT_LLM__PROVIDERS__LOCAL__API_KEY": KEY}
        async with running(load(None, config, {}, environ(fake) | keys, tmp_path).settings):

            async def says(text: str, *words: str) -> str:
                """What is answered to something that was typed: the newest message with these words."""
                fake.type(CHAT, 1001, text)
                found = lambda: [each for each in fake.texts(CHAT) if all(word in each for word in words)]  # noqa: E731
                await fake.wait_for(found, PATIENCE)
                return found()[-1]

            await fake.wait_for(lambda: question(fake), PATIENCE)
            asked = question(fake)
            assert asked is not None
            assert "risk approves 50% of it" in " ".join(asked.text.split())
            assert f"Objection: {OBJECTION} Would change it: {FLIP}" in " ".join(asked.text.split())
            whole = await says("/agents A1", "The panel on D1", "Supervisor")
            assert all(words in whole.replace("\n", " ") for words in ("by: local qwen3-8b", "prompt: risk version 2"))
            assert OBJECTION in " ".join(whole.split())
            assert FLIP in " ".join(whole.split())
            fake.press(CHAT, asked.message_id, 1001, "Approve half")
            await fake.wait_for(lambda: files.rows("SELECT id FROM positions WHERE status = 'closed'"), PATIENCE)
            story = await says("/why T1", "Graded")
            (grade,) = [part for part in story.split("\n\n") if part.startswith("Graded")]
            assert "expected: confidence" in grade
            assert "came to: not won" in grade
            (closed,) = files.rows("SELECT realised, fees FROM positions")
            assert float(closed["realised"]) < float(closed["fees"]), "and so it was"
            await fake.wait_for(lambda: [each for each in fake.texts(CHAT) if "Brier score" in each], PATIENCE)
            digest = next(each for each in fake.texts(CHAT) if "Brier score" in each)
            assert digest.startswith(f"{BEGIN:%Y-%m}-06")
            assert "(1 trade; 0 is best)" in digest
            models = await says("/llm", "Language models: all is well", "Brier score")
            assert "supervisor $0.00" in models
        assert len(server.asked) == 4
    assert files.complaints() == []
