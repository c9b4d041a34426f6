"""Secrets never come out: not in a refusal, not in what is shown, not in the schema."""

import json
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.loader import load
from config.settings import Settings, secrets
from config.shape import is_secret, leaves, variable
from config.sources import flat
from engine.domain.errors import ConfigError
from tests.fakes.examples import examples

WORD = string.ascii_letters + string.digits + "_-"
SIGNS = "!$%&/()=?+*#.,;:<>|@ äß€"
bot_tokens = st.builds("{}:{}".format, st.integers(10**7, 10**10), st.text(WORD, min_size=30, max_size=40))
passwords = st.text(WORD + SIGNS, min_size=6).map(lambda text: f"Zq{text.strip()}").filter(lambda text: len(text) > 6)
tokens = bot_tokens | passwords

SECRET_VARIABLES = [variable(leaf) for leaf in leaves() if is_secret(leaf)]


some = examples(25)


@pytest.fixture(scope="session")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config")


def test_the_tokens_are_secrets():
    assert SECRET_VARIABLES == [
        "BOT_KEYS_PASSPHRASE",
        "BOT_WEB__TOKEN",
        "BOT_TELEGRAM__TOKEN",
        "BOT_TELEGRAM__WEBHOOK_SECRET",
        "BOT_SLACK__BOT_TOKEN",
        "BOT_SLACK__APP_TOKEN",
        "BOT_SLACK__SIGNING_SECRET",
        "BOT_VIEWER__TOKEN",
        "BOT_SENTIMENT__REDDIT__CLIENT_SECRET",
        "BOT_SENTIMENT__X__BEARER_TOKEN",
    ]


@some
@given(token=tokens, other=tokens)
def test_a_secret_is_masked_in_all_that_is_shown(room: Path, token: str, other: str):
    environ = {"BOT_TELEGRAM__TOKEN": token, "BOT_WEB__TOKEN": other}
    loaded = load(None, None, {}, environ, room)
    places = [loaded.place(path) for path, _ in flat(loaded.settings.model_dump(mode="json"))]
    shown = [
        json.dumps(loaded.settings.model_dump(mode="json"), ensure_ascii=False),
        repr(loaded.settings),
        str(loaded.settings),
        *places,
    ]
    assert not any(
        secret in text for secret in (token, other) for text in [*shown, json.dumps(Settings.model_json_schema())]
    )
    assert loaded.settings.model_dump(mode="json")["telegram"]["token"] == "********"
    assert {secret.get_secret_value() for secret in secrets(loaded.settings)} == {token, other}


def refused(room: Path, environ: dict[str, str], yaml: str | None = None) -> str:
    file = room / "my.yaml"
    file.write_text(yaml or "", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(None, file if yaml else None, {}, environ, room)
    return str(caught.value)


@some
@given(token=tokens)
def test_a_secret_put_anywhere_in_the_environment_is_not_repeated(room: Path, token: str):
    everywhere = {variable(leaf): token for leaf in leaves() if leaf not in (("web", "host"), ("profile",))}
    for environ in (everywhere, {"BOT_TELEGRAM__TOKN": token}, {"BOT_PROFILE": token}):
        assert token not in refused(room, environ)


@some
@given(token=tokens)
def test_a_secret_in_a_yaml_file_is_not_repeated(room: Path, token: str):
    quoted = json.dumps(token)
    for yaml in (
        f"telegram: {{token: {quoted}, tokn: {quoted}}}\nweb: {{port: {quoted}, token: [{quoted}]}}\npeople: {quoted}",
        f"telegram: {{token: {token}\n",
        f"database: {{url: {json.dumps(f'postgresql://bot:{token}@db/green')}}}",
        f"extends: {quoted}",
    ):
        assert token not in refused(room, {}, yaml)


@some
@given(token=bot_tokens)
def test_a_token_written_in_place_of_a_name_is_not_repeated(room: Path, token: str):
    quoted = json.dumps(token)
    assert token not in refused(room, {"BOT_PEOPLE": f"[{{{quoted}: 1}}]", f"BOT_{token}": "1"})
    assert token not in refused(room, {}, f"{quoted}: 1\ntelegram: {{{quoted}: {quoted}}}")


@some
@given(token=tokens)
def test_a_secret_in_a_broken_dotenv_is_not_repeated(tmp_path_factory: pytest.TempPathFactory, token: str):
    room = tmp_path_factory.getbasetemp()
    (room / ".env").write_text(f"BOT_WEB__TOKEN '{token}\nBOT_WEB__PORT='{token}'\nBOT_WEB__PORT\n", encoding="utf-8")
    assert token not in refused(room, {})


def test_the_password_of_the_database_is_masked_and_known_as_a_secret(room: Path):
    url = "postgresql://bot:hunter2@db/green"
    loaded = load(None, None, {}, {"BOT_DATABASE__URL": url}, room)
    assert loaded.settings.database.url == url
    assert loaded.settings.model_dump(mode="json")["database"]["url"] == "postgresql://bot:********@db/green"
    assert [secret.get_secret_value() for secret in secrets(loaded.settings)] == ["hunter2"]
