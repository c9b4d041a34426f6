"""The whole program with a distinctive value for every secret: nothing it writes or says has one of them (fault 27)."""

from __future__ import annotations

import os
import signal
import subprocess
from functools import reduce
from pathlib import Path

import pytest

from config.loader import load
from config.shape import is_secret, leaves, variable
from engine.domain.errors import ConfigError
from tests.fakes.command_line import BOT, PATIENCE
from tests.fakes.program import CHAT, question, write_config
from tests.fakes.telegram import FakeTelegram

DEAD = "http://127.0.0.1:9"
"""Nobody listens there: every call ends in an error that names its address."""
SHAPES = {"BOT_SLACK__BOT_TOKEN": "xoxb-", "BOT_SLACK__APP_TOKEN": "xapp-"}


def every_secret(telegram: str) -> dict[str, str]:
    """A value for each secret there is, that could stand nowhere by chance."""
    names = [variable(leaf) for leaf in leaves() if is_secret(leaf)]
    made = {name: f"{SHAPES.get(name, '')}s3cr3t{number:02}-Qx7vJ2mWk9ZpT4" for number, name in enumerate(names)}
    return made | {"BOT_TELEGRAM__TOKEN": telegram}


def written_by(folder: Path) -> dict[str, bytes]:
    """Everything the program has written, by file. The note for ``bot status`` holds the API's token on purpose."""
    files = [file for file in folder.rglob("*") if file.is_file() and file.name != "instance.json"]
    return {file.name: file.read_bytes() for file in files}


@pytest.mark.slow
async def test_no_secret_comes_out_anywhere(tmp_path: Path):
    async with FakeTelegram(answer_within=PATIENCE) as fake:
        fake.chat(CHAT)
        secrets = every_secret(fake.token)
        slack = {"api_url": f"{DEAD}/api", "channel": "C0123456789"}
        config = write_config(tmp_path, fake.url, slack=slack, logs={"level": "DEBUG", "file": str(tmp_path / "log")})
        environ = {name: value for name, value in os.environ.items() if not name.startswith("BOT_")} | secrets
        environ["BOT_SENTIMENT__REDDIT__CLIENT_ID"] = "an app"  # without it its secret is refused
        with (tmp_path / "out").open("wb") as out:
            process = subprocess.Popen(  # noqa: ASYNC220 - it runs beside
                [BOT, "run", "--config", config], cwd=tmp_path, env=environ, stdout=out, stderr=out
            )
            try:
                await fake.wait_for(lambda: question(fake) or process.poll() is not None, PATIENCE)
                shown = question(fake)
                assert shown, (tmp_path / "out").read_text()
                for text in ("/health", "/status", "/why A1", "/nonsense", "/emergency"):
                    fake.type(CHAT, 1001, text)
                fake.press(CHAT, shown.message_id, 1001, "Approve")
                await fake.wait_for(lambda: not question(fake) and not fake.api.unconfirmed, PATIENCE)
            finally:
                process.send_signal(signal.SIGTERM)
                assert process.wait(PATIENCE) == 0
        said = {"chat": "\n".join(fake.texts(CHAT)).encode(), **written_by(tmp_path)}
    assert {"out", "log", "greenlight.sqlite", "venue.sqlite"} <= said.keys()
    assert b"slack" in said["log"].lower(), "what fails is logged"
    found = [(name, place) for name, value in secrets.items() for place, text in said.items() if value.encode() in text]
    assert found == []


@pytest.mark.parametrize("name", [variable(leaf) for leaf in leaves() if is_secret(leaf)])
def test_a_secret_in_a_yaml_file_stops_the_start_and_is_not_repeated(tmp_path: Path, name: str):
    section, *keys = name.removeprefix("BOT_").lower().split("__")
    value = f"{SHAPES.get(name, '')}s3cr3t-Qx7vJ2mWk9ZpT4"
    said_of = reduce(lambda inner, key: {key: inner}, reversed(keys), value)
    config = write_config(tmp_path, **{section: said_of})
    with pytest.raises(ConfigError) as refused:
        load(None, config, {}, {}, tmp_path)
    said = str(refused.value)
    assert (".".join((section, *keys)) in said, name in said, value in said) == (True, True, False)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"risk": {"max_position": "a lot"}}, "risk.max_position"),
        ({"rsik": {"max_position": 1}}, "rsik"),
        ({"approval": {"auto_abvoe": 1}}, "auto_above"),
    ],
)
def test_a_wrong_type_and_an_unknown_key_stop_the_start_and_are_named(tmp_path: Path, change, words):
    with pytest.raises(ConfigError) as refused:
        load(None, write_config(tmp_path, **change), {}, {}, tmp_path)
    assert words in str(refused.value)
    assert "greenlight.yaml" in str(refused.value)
