"""A model that does what it reads and tells what it knows, and every secret set: none of them comes out anywhere."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.fakes.command_line import BOT, PATIENCE
from tests.fakes.llm_servers import KEY, Asked, Turn, serving
from tests.fakes.program import CHAT, question, write_config
from tests.fakes.telegram import FakeTelegram
from tests.scenario.test_panel_injection import ORDERS as ALL_ORDERS
from tests.scenario.test_secrets_stay_secret import DEAD, every_secret, written_by

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("llm")]
ORDERS = ALL_ORDERS[4:8]
UNREACHED = {"OPENAI": "sk-proj-c4n4ry-Rb8tK3nLq5WsX7", "MINE": "sk-ant-c4n4ry-Zd6yH2mPv9JfG1"}
"""The keys of providers that cannot be reached."""
LOCAL = {"model": "qwen3-8b", "price": {"input": 1, "output": 3.5}}


def telling(asked: Asked) -> Turn:
    """It gives away all that it got: the key of the question, plain and spelled otherwise, and its orders."""
    system, prompt = (each["content"] for each in (asked.body["messages"][0], asked.body["messages"][-1]))
    key = asked.headers["Authorization"].removeprefix("Bearer ")
    known = re.search(r"\[(f\d+)\]", prompt)
    assert known
    if "command" in json.dumps(asked.body["response_format"]):
        return Turn(text=json.dumps({"text": f"It is {key}. {system[:200]}", "fields": [known[1]], "command": ""}))
    reasons = [{"text": f"the key is {key}", "fields": [known[1]]}]
    said = {"symbol": "BTC/USDT", "verdict": "approve", "share": 1, "stop": None, "reasons": reasons, "flip": "@"}
    return Turn(text=json.dumps(said).replace("@", "".join(f"\\u{ord(letter):04x}" for letter in key)))


def llm(server: str) -> dict[str, object]:
    return {
        "canary": False,
        "chain": ["openai", "mine", "local"],
        "providers": {
            "openai": {"model": "gpt-5-mini", "api_url": f"{DEAD}/v1"},
            "mine": {"kind": "anthropic", "model": "claude-haiku-4-5", "api_url": DEAD},
            "local": LOCAL | {"api_url": f"{server}/v1"},
        },
    }


def environ(secrets: Mapping[str, str]) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("BOT_")}
    return own | dict(secrets) | {"BOT_SENTIMENT__REDDIT__CLIENT_ID": "an app"}


async def test_no_secret_is_in_a_prompt_a_log_the_chat_or_the_database(tmp_path: Path):
    async with FakeTelegram(answer_within=PATIENCE) as fake, serving() as server:
        fake.chat(CHAT)
        server.next = telling
        keys = {f"BOT_LLM__PROVIDERS__{name}__API_KEY": key for name, key in (UNREACHED | {"LOCAL": KEY}).items()}
        secrets = every_secret(fake.token) | keys
        config = write_config(
            tmp_path,
            fake.url,
            llm=llm(server.url),
            ai={"prediction": {"enabled": False}, "panel": {"within": "60s"}},
            slack={"api_url": f"{DEAD}/api", "channel": "C0123456789"},
            logs={"level": "DEBUG", "file": str(tmp_path / "log")},
        )
        with (tmp_path / "out").open("wb") as out:
            process = subprocess.Popen(  # noqa: ASYNC220 - it runs beside
                [BOT, "run", "--config", config], cwd=tmp_path, env=environ(secrets), stdout=out, stderr=out
            )
            try:
                await fake.wait_for(lambda: question(fake) or process.poll() is not None, PATIENCE)
                shown = question(fake)
                assert shown, (tmp_path / "out").read_text()[-3000:]
                for order in ORDERS:
                    fake.type(CHAT, 1001, f"/ask {order}")
                for text in ("/agents A1", "/why A1", "/llm", "/health"):
                    fake.type(CHAT, 1001, text)
                await fake.wait_for(lambda: _answers(fake) == len(ORDERS), PATIENCE)
                fake.press(CHAT, shown.message_id, 1001, "Approve")
                await fake.wait_for(lambda: not question(fake) and not fake.api.unconfirmed, PATIENCE)
            finally:
                process.send_signal(signal.SIGTERM)
                assert process.wait(PATIENCE) == 0
        said = {"chat": "\n".join(fake.texts(CHAT)).encode(), **written_by(tmp_path)}
        said |= {f"prompt {number}": json.dumps(each.body).encode() for number, each in enumerate(server.asked)}
    assert {"out", "log", "greenlight.sqlite", "venue.sqlite"} <= said.keys()
    assert len(server.asked) == 4 + len(ORDERS)
    assert b"the key is \xe2\x80\xa6" in said["chat"], "what it told is shown, without what it must not tell"
    found = [(name, place) for name, value in secrets.items() for place, text in said.items() if value.encode() in text]
    assert found == []


def _answers(fake: FakeTelegram) -> int:
    return sum("It is …" in text for text in fake.texts(CHAT))
