"""Secrets as Docker and Kubernetes mount them: a file for each, in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from config.loader import Loaded, load
from config.settings import secrets
from engine.domain.errors import ConfigError

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1"
PEOPLE = '[{"name": "Ada", "role": "admin", "telegram": 7}]'

Read = Callable[..., Loaded]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads a folder of secrets beside an environment."""
    (tmp_path / "secrets").mkdir()

    def read_files(files: dict[str, str | bytes], dotenv: str = "", **environ: str) -> Loaded:
        for name, text in files.items():
            (tmp_path / "secrets" / name).write_bytes(text.encode() if isinstance(text, str) else text)
        (tmp_path / ".env").write_text(dotenv)
        return load(None, None, {}, {"BOT_SECRETS_DIR": "secrets", "BOT_PEOPLE": PEOPLE, **environ}, tmp_path)

    return read_files


def refusal(read: Read, files: dict[str, str | bytes], **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        read(files, **environ)
    return [line.strip() for line in str(refused.value).splitlines()[1:]]


def test_a_file_is_a_secret_without_its_last_line_end_and_its_place_is_told(read: Read):
    loaded = read({"bot_telegram__token": f"{TOKEN}\n", "BOT_WEB__TOKEN": "web-token\r\n"})
    assert {secret.get_secret_value() for secret in secrets(loaded.settings)} == {TOKEN, "web-token"}
    assert loaded.place(("telegram", "token")) == "secrets (bot_telegram__token)"
    assert TOKEN not in repr(loaded.settings)


def test_every_setting_can_be_a_file(read: Read):
    settings = read({"bot_web__port": "81\n", "bot_people": f"{PEOPLE}\n", "bot_venue__balances__EUR": "5"}).settings
    assert (settings.web.port, settings.people[0].name, settings.venue.balances["EUR"]) == (81, "Ada", 5)


def test_null_is_none_as_in_a_profile_wherever_a_setting_may_be_none(read: Read):
    files = {"bot_logs__file": "null\n", "bot_approval__two_people_above": "5000"}
    settings = read(
        files, "BOT_RETENTION__HELD=null", BOT_RETENTION__CHAT="null", BOT_APPROVAL__TWO_PEOPLE_ABOVE="null"
    ).settings
    assert (settings.logs.file, settings.approval.two_people_above) == (None, None)
    assert (settings.retention.held, settings.retention.chat) == (None, None)


def test_null_is_no_value_where_there_must_be_one(read: Read):
    assert refusal(read, {}, BOT_WEB__PORT="null") == ["environment (BOT_WEB__PORT): web.port: must be a whole number"]


def test_the_environment_and_dotenv_are_over_files_and_files_over_profiles(read: Read):
    files = {"bot_web__port": "1", "bot_web__host": "file", "bot_digest__at": "12:00"}
    settings = read(files, "BOT_WEB__HOST=dotenv\nBOT_WEB__PORT=2", BOT_WEB__PORT="3").settings
    assert (settings.web.port, settings.web.host, f"{settings.digest.at:%H}") == (3, "dotenv", "12")


def test_files_of_other_programs_are_left_alone(read: Read, tmp_path: Path):
    (tmp_path / "secrets" / "..data").mkdir()
    assert secrets(read({"postgres_password": "hunter2", "robot": "\0", "telegram__token": TOKEN}).settings) == ()


def test_links_are_followed_as_kubernetes_makes_them(read: Read, tmp_path: Path):
    version = tmp_path / "secrets" / "..2026_01_01"
    version.mkdir()
    (version / "bot_web__token").write_text("mounted")
    (tmp_path / "secrets" / "..data").symlink_to(version.name)
    (tmp_path / "secrets" / "bot_web__token").symlink_to("..data/bot_web__token")
    assert [secret.get_secret_value() for secret in secrets(read({}).settings)] == ["mounted"]


def test_an_empty_file_sets_nothing(read: Read):
    assert read({"bot_telegram__token": "\n"}).settings.telegram.token is None


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        (
            "bot_telegram__tokn",
            TOKEN,
            "secrets (bot_telegram__tokn): there is no such setting; did you mean BOT_TELEGRAM__TOKEN?",
        ),
        ("bot_web__port", TOKEN, "secrets (bot_web__port): web.port: must be a whole number"),
        ("bot_web__token", b"caf\xe9", "secrets (bot_web__token): this is not a UTF-8 text file"),
        (
            "bot_people",
            "[",
            "secrets (bot_people): people: is not valid JSON, which a list or a mapping must be here",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_named_and_not_repeated(read: Read, name: str, content: str | bytes, line: str):
    assert refusal(read, {name: content}) == [line]


def test_a_folder_in_the_place_of_a_file_is_named(read: Read, tmp_path: Path):
    (tmp_path / "secrets" / "bot_web__token").mkdir()
    assert refusal(read, {}) == ["secrets (bot_web__token): cannot be read: Is a directory"]


def test_a_token_as_the_name_of_a_file_is_not_repeated(read: Read):
    assert TOKEN not in refusal(read, {f"bot_{TOKEN}": "1"})[0]


def test_a_folder_that_is_not_there_is_refused_where_it_was_named(read: Read):
    assert refusal(read, {}, BOT_SECRETS_DIR="sercets") == [
        "environment (BOT_SECRETS_DIR): secrets_dir: cannot be read: No such file or directory"
    ]


def test_a_link_that_leads_nowhere_is_named(read: Read, tmp_path: Path):
    (tmp_path / "secrets" / "bot_web__token").symlink_to("bot_web__token")
    assert refusal(read, {}) == ["secrets (bot_web__token): cannot be read: Too many levels of symbolic links"]


def test_a_profile_may_name_the_folder(tmp_path: Path):
    (tmp_path / "mounted").mkdir()
    (tmp_path / "mounted" / "bot_web__token").write_text("mounted")
    (tmp_path / "my.yaml").write_text("extends: demo\nsecrets_dir: mounted")
    loaded = load(None, tmp_path / "my.yaml", {}, {}, tmp_path)
    assert loaded.place(("web", "token")) == "mounted (bot_web__token)"
