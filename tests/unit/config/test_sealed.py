"""Keys at rest: sealed with a passphrase, for this user alone, and never anywhere else."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from config import sealed
from config.loader import load
from engine.domain.errors import ConfigError
from tests.fakes.told import BOT, quiet

PASSPHRASE = "five words nobody would guess"
KEYS = {"binance": {"api_key": "c4n4ry-key-AbCdEfGh-wXyZ", "secret": "c4n4ry-s3cret-QqQqQqQq"}}
CANARIES = ("c4n4ry", PASSPHRASE)


def test_what_was_sealed_is_read_with_the_passphrase_alone(tmp_path: Path) -> None:
    file = tmp_path / "var" / "keys.sealed"
    assert sealed.read(file, PASSPHRASE) == {}
    sealed.write(file, KEYS, PASSPHRASE)
    assert sealed.read(file, PASSPHRASE) == KEYS
    assert file.stat().st_mode & 0o777 == 0o600
    assert not any(canary in file.read_text() for canary in CANARIES)
    with pytest.raises(ConfigError, match="the passphrase is another one") as refused:
        sealed.read(file, "another passphrase")
    assert refused.value.__cause__ is None
    assert "another passphrase" not in str(refused.value)


def test_the_same_keys_are_sealed_in_another_way_each_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        sealed.write(tmp_path / name, KEYS, PASSPHRASE)
    first, second = (json.loads((tmp_path / name).read_text()) for name in ("a", "b"))
    assert first["salt"] != second["salt"]
    assert first["token"] != second["token"]


@pytest.mark.parametrize("contents", ["", "{}", "[1]", '{"version": 2, "salt": "", "token": ""}', '{"salt": 7}'])
def test_a_file_that_is_none_of_ours_is_refused_in_words(tmp_path: Path, contents: str) -> None:
    (tmp_path / "keys").write_text(contents)
    with pytest.raises(ConfigError, match="holds no sealed keys"):
        sealed.read(tmp_path / "keys", PASSPHRASE)


def test_a_damaged_file_does_not_open(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    sealed.write(file, KEYS, PASSPHRASE)
    kept = json.loads(file.read_text())
    file.write_text(json.dumps(kept | {"token": kept["token"][:-8] + "AAAAAAA="}))
    with pytest.raises(ConfigError, match="does not open"):
        sealed.read(file, PASSPHRASE)


def test_settings_take_sealed_keys_and_the_environment_is_over_them(tmp_path: Path) -> None:
    sealed.write(tmp_path / "keys", KEYS, PASSPHRASE)
    environ = {"BOT_KEYS_FILE": "keys", "BOT_KEYS_PASSPHRASE": PASSPHRASE}
    loaded = load("paper", None, {}, environ, tmp_path)
    binance = loaded.settings.exchanges["binance"]
    assert binance.api_key.get_secret_value() == KEYS["binance"]["api_key"]
    assert loaded.place(("exchanges", "binance", "secret")) == "keys"
    assert not any(canary in repr(loaded.settings) for canary in CANARIES)
    over = environ | {"BOT_EXCHANGES__BINANCE__API_KEY": "mine"}
    mine = load("paper", None, {}, over, tmp_path).settings.exchanges["binance"].api_key
    assert mine.get_secret_value() == "mine"


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"BOT_KEYS_FILE": "keys"}, "keys_file: is sealed: set BOT_KEYS_PASSPHRASE"),
        ({"BOT_KEYS_FILE": "keys", "BOT_KEYS_PASSPHRASE": "wrong"}, "keys_file: .*the passphrase is another one"),
        ({"BOT_KEYS_FILE": "gone", "BOT_KEYS_PASSPHRASE": PASSPHRASE}, "keys_file: is not there: bot keys set"),
    ],
)
def test_what_does_not_open_is_a_line_among_what_is_wrong(tmp_path: Path, environ: dict[str, str], words: str) -> None:
    sealed.write(tmp_path / "keys", KEYS, PASSPHRASE)
    with pytest.raises(ConfigError, match=words) as refused:
        load("paper", None, {}, environ, tmp_path)
    assert not any(canary in str(refused.value) for canary in CANARIES)


def run(folder: Path, *words: str, said: str = "") -> subprocess.CompletedProcess[str]:
    environ = quiet() | {"BOT_KEYS_PASSPHRASE": PASSPHRASE, "PATH": os.environ["PATH"]}
    return subprocess.run(
        [BOT, "keys", *words], cwd=folder, env=environ, input=said, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_keys_are_typed_listed_by_their_end_and_forgotten(tmp_path: Path) -> None:
    typed = "\n".join((KEYS["binance"]["api_key"], KEYS["binance"]["secret"], "")) + "\n"
    done = run(tmp_path, "set", "binance", said=typed)
    assert done.returncode == 0, done.stderr
    assert "binance, key ends in wXyZ" in done.stdout
    assert sealed.read(tmp_path / "var" / "keys.sealed", PASSPHRASE) == KEYS
    listed = run(tmp_path, "list")
    assert listed.stdout == "binance: key ends in wXyZ\n"
    refused = run(tmp_path, "set", "kraken", said="only-a-key-that-has-no-secret\n\n\n")
    assert (refused.returncode, "belong together" in refused.stderr) == (2, True)
    assert run(tmp_path, "forget", "okx").returncode == 2
    assert run(tmp_path, "forget", "binance").returncode == 0
    assert run(tmp_path, "list").stdout == "var/keys.sealed keeps no keys.\n"
    said = "".join(each.stdout + each.stderr for each in (done, listed, refused))
    assert not any(canary in said for canary in CANARIES)
