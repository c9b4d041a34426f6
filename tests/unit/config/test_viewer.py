"""The followers' bot is another bot than the operators'."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.loader import load
from engine.domain.errors import ConfigError

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1"
PEOPLE = {"people": [{"name": "Ada", "role": "trader", "telegram": "7"}]}


def test_one_token_for_both_bots_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load(None, None, PEOPLE, {"BOT_TELEGRAM__TOKEN": TOKEN, "BOT_VIEWER__TOKEN": TOKEN}, tmp_path)
    assert "viewer.token" in str(refused.value)
    assert TOKEN not in str(refused.value)


def test_two_tokens_are_two_bots(tmp_path: Path) -> None:
    settings = load(
        None, None, PEOPLE, {"BOT_TELEGRAM__TOKEN": TOKEN, "BOT_VIEWER__TOKEN": f"9{TOKEN}"}, tmp_path
    ).settings
    assert settings.viewer.token
