"""The whole program as a user has it: a process, real ports, real files."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.fakes.command_line import PATIENCE, begin, bot


@contextmanager
def running(folder: Path, *words: str, stop: signal.Signals = signal.SIGTERM, **more: str) -> Iterator[str]:
    """The program in a folder; gives the address its web listens on."""
    out = folder / "out.txt"
    out.unlink(missing_ok=True)
    process = begin(folder, out, folder / "err.txt", "run", *words, **({"BOT_WEB__PORT": "0"} | more))
    try:
        yield wait_until(lambda: address_in(out), "its address")
    finally:
        os.kill(process.pid or 0, stop)
        began = time.monotonic()
        process.join(PATIENCE)
        took = time.monotonic() - began
    assert process.exitcode == 0
    assert took < 10, "a stop must not take longer than that"


def address_in(out: Path) -> str | None:
    found = out.exists() and re.search(r"(http://\S+)/enter/\S+\n", out.read_text())
    return found[1] if found else None


def api(url: str, folder: Path, path: str) -> httpx.Response:
    token = json.loads((folder / "var/demo/instance.json").read_text())["token"]
    return httpx.get(f"{url}{path}", headers={"Authorization": f"Bearer {token}"}, timeout=60)


def wait_until(check, what: str):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := check():
            return found
        time.sleep(0.05)
    raise AssertionError(f"never saw {what}")


def market_time(folder: Path) -> str:
    with sqlite3.connect(folder / "var/demo/greenlight.sqlite") as database:
        return database.execute("SELECT max(at) FROM equity").fetchone()[0]


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"BOT_WEB__PRT": "1"}, ("BOT_WEB__PRT", "did you mean BOT_WEB__PORT")),
        ({"BOT_WEB__PORT": "many"}, ("BOT_WEB__PORT", "whole number")),
        ({"BOT_TELEGRAM__TOKEN": "123:not-so-secret-at-all", "BOT_PEOPLE": "[]"}, ("people", "chat token")),
        ({"BOT_PROFILE": "dmo"}, ("BOT_PROFILE", "did you mean demo")),
        ({"BOT_APPROVAL__EXPIRES_AFTER": "soon"}, ("BOT_APPROVAL__EXPIRES_AFTER", "15m")),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_a_mistake_stops_the_start_and_is_named(tmp_path, variables, named):
    ran = bot(tmp_path, "run", **variables)
    assert ran.returncode == 2
    assert all(word in ran.stderr for word in named), ran.stderr
    assert "Traceback" not in ran.stderr
    assert "not-so-secret" not in ran.stderr + ran.stdout
    assert not (tmp_path / "var").exists()


def test_a_secret_in_a_yaml_file_stops_the_start_and_is_not_repeated(tmp_path):
    (tmp_path / "mine.yaml").write_text("extends: demo\n\ntelegram:\n  token: 987654:do-not-show-me\n")
    ran = bot(tmp_path, "run", "--config", "mine.yaml")
    assert ran.returncode == 2
    assert "mine.yaml, line 4" in ran.stderr
    assert "telegram.token" in ran.stderr
    assert "BOT_TELEGRAM__TOKEN" in ran.stderr
    assert "do-not-show-me" not in ran.stderr + ran.stdout


def test_a_strategys_parameter_that_does_not_exist_is_named_with_the_nearest(tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "extends: demo\ncontexts:\n"
        "  - {name: quick, strategy: momentum, markets: [BTC/USDT], params: {stop_attr: 1.5}}\n"
    )
    for command in (["run"], ["config", "validate"]):
        ran = bot(tmp_path, *command, "--config", "mine.yaml")
        assert ran.returncode == 2
        assert "mine.yaml, line 3: contexts.0.params.stop_attr" in ran.stderr
        assert "stop_atr" in ran.stderr


def test_a_busy_port_is_named_with_its_setting(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = bot(tmp_path, "run", BOT_WEB__PORT=str(taken.getsockname()[1]))
    assert ran.returncode == 2
    assert "BOT_WEB__PORT" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_second_instance_on_the_same_account_is_refused_and_leaves_the_first_alone(tmp_path):
    with running(tmp_path) as url:
        note = (tmp_path / "var/demo/instance.json").read_text()
        ran = bot(tmp_path, "run", BOT_WEB__PORT="0")
        assert ran.returncode == 2
        assert re.search(r"another bot \(pid \d+ on \S+\) is running", ran.stderr), ran.stderr
        assert "Traceback" not in ran.stderr
        elsewhere = bot(
            tmp_path,
            "run",
            BOT_WEB__PORT="0",
            BOT_DATABASE__URL="sqlite:///other/greenlight.sqlite",
            BOT_VENUE__FILE="var/demo/venue.sqlite",
        )
        assert elsewhere.returncode == 2
        assert "venue.sqlite is in use" in elsewhere.stderr
        assert not (tmp_path / "other").exists(), "nothing is written before the lock is held"
        assert (tmp_path / "var/demo/instance.json").read_text() == note
        assert httpx.get(f"{url}/ready").status_code == 200


def test_a_killed_instance_leaves_no_lock_behind(tmp_path):
    with pytest.raises(AssertionError), running(tmp_path, stop=signal.SIGKILL):
        pass
    assert (tmp_path / "var/demo/venue.sqlite.lock").read_text(), "it held the lock when it died"
    with running(tmp_path) as url:
        assert httpx.get(f"{url}/ready").status_code == 200


def test_a_file_that_no_context_trades_is_said_so(tmp_path):
    made = bot(tmp_path, "data", "generate", "candles", "--length", "30d", "--seed", "3")
    assert made.returncode == 0, made.stderr
    (tmp_path / "candles/SOLUSDT-1h.parquet").rename(tmp_path / "candles/DOGEUSDT-1h.parquet")
    files = ["candles/BTCUSDT-1h.parquet", "candles/DOGEUSDT-1h.parquet"]
    span = ("--start", "2026-01-29", "--speed", "max", "--until-end")
    ran = bot(tmp_path, "run", "--data", *files, *span, BOT_WEB__PORT="0")
    assert ran.returncode == 0, ran.stderr
    assert "No context trades DOGE/USDT" in ran.stdout
    assert re.search(r"candles +\d+ in .* a second", ran.stdout)
    assert "fingerprint" in ran.stdout
    alone = bot(tmp_path, "run", "--data", files[1], "--until-end", BOT_WEB__PORT="0")
    assert alone.returncode == 2
    assert "No context trades DOGE/USDT" in alone.stderr


def test_generated_files_are_good_and_a_damaged_one_is_found_out(tmp_path):
    made = bot(tmp_path, "data", "generate", "candles", "--length", "10d", "--kind", "csv")
    assert made.returncode == 0, made.stderr
    assert bot(tmp_path, "data", "check", "candles/BTCUSDT-1h.csv").returncode == 0
    file = tmp_path / "candles/BTCUSDT-1h.csv"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:50], *lines[55:]]) + "\n")
    ran = bot(tmp_path, "data", "check", "candles/BTCUSDT-1h.csv")
    assert ran.returncode == 1
    assert "gap" in ran.stdout


def test_the_running_instance_is_asked_for_its_status_and_the_next_start_goes_on(tmp_path):
    assert bot(tmp_path, "status").returncode == 1
    with running(tmp_path, stop=signal.SIGINT) as url:
        wait_until(lambda: api(url, tmp_path, "/api/approvals").json(), "a question")
        said = bot(tmp_path, "status", "--json")
        assert said.returncode == 0, said.stderr
        assert json.loads(said.stdout)["profile"] == "demo"
        text = bot(tmp_path, "status").stdout
        assert re.search(r"^Equity: 10,000\.00 USDT$", text, re.MULTILINE), text
        assert not set("[]{}'") & set(text), text
        assert httpx.get(f"{url}/ready").status_code == 200
        first = api(url, tmp_path, "/api/approvals").json()[0]
    reached = market_time(tmp_path)
    with running(tmp_path) as url:
        again = {row["id"]: row for row in api(url, tmp_path, "/api/approvals").json()}
        assert again[first["id"]]["decision_id"] == first["decision_id"]
        assert api(url, tmp_path, "/api/status").json()["now"] >= reached[:19]
    assert "job failed" not in (tmp_path / "err.txt").read_text()
    assert bot(tmp_path, "db", "check").returncode == 0


README = Path(__file__).parents[2] / "README.md"


def test_the_replay_of_the_readme_works_after_the_demo_and_beside_it(tmp_path):
    """As it stands there, on candles of a few of its days: with everything set as somebody has it who ran the demo."""
    market = {"BOT_MARKET__START": "2022-04-25"}
    assert bot(tmp_path, "data", "generate", ".", "--length", "8d", **market).returncode == 0
    [block] = re.findall(r"^```sh\n(BOT_[^`]*--data[^`]*)^```$", README.read_text(), flags=re.MULTILINE)
    words = shlex.split(block.replace("\\\n", " "))
    program = words.index(".venv/bin/bot")
    said = dict(word.split("=", 1) for word in words[:program])
    used = {"BOT_DATABASE__URL": f"sqlite:///{tmp_path}/var/demo/greenlight.sqlite"}
    with running(tmp_path, **used) as url:
        port = {"BOT_WEB__PORT": url.rpartition(":")[2]}
        ran = bot(tmp_path, *words[program + 1 :], **(used | port | said))
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"^candles +\d{2,} in", ran.stdout, flags=re.MULTILINE), ran.stdout


def test_a_database_of_another_market_is_refused_and_left_alone(tmp_path):
    with running(tmp_path):
        pass
    before = market_time(tmp_path)
    ran = bot(tmp_path, "run", BOT_MARKET__SEED="4", BOT_WEB__PORT="0")
    assert ran.returncode == 2
    assert "BOT_DATABASE__URL" in ran.stderr
    assert market_time(tmp_path) == before


@pytest.mark.slow
def test_the_market_can_follow_the_wall_clock(tmp_path):
    """Live, the wall clock drives the same jobs: the account is marked at the close of a one-minute candle."""
    (tmp_path / "live.yaml").write_text(
        "extends: demo\nmarket:\n  clock: wall\n  timeframe: 1m\n  history: 2d\ncontexts:\n"
        "  - {name: quick, strategy: momentum, markets: [BTC/USDT], timeframe: 1m, higher: [5m, 15m]}\n"
    )
    with running(tmp_path, "--config", "live.yaml") as url:
        status = api(url, tmp_path, "/api/status").json()
        assert (
            abs(time.time() - time.mktime(time.strptime(status["now"][:19], "%Y-%m-%dT%H:%M:%S")) + time.timezone) < 30
        )


def test_the_doctor_says_what_is_wrong_and_what_to_do(tmp_path):
    well = bot(tmp_path, "doctor", BOT_WEB__PORT="0")
    assert well.returncode == 0, well.stdout + well.stderr
    assert "All is well." in well.stdout
    assert not (tmp_path / "var").exists()
    with running(tmp_path) as url:
        ill = bot(tmp_path, "doctor", BOT_WEB__PORT=url.rpartition(":")[2], BOT_MARKET__SEED="4")
    assert ill.returncode == 1
    assert re.search(r"^wrong +account: .+\n +.*BOT_DATABASE__URL", ill.stdout, re.MULTILINE), ill.stdout
    assert re.search(r"^ok +web port: our own bot answers", ill.stdout, re.MULTILINE), ill.stdout
    assert "To put right: 1." in ill.stdout
    bad = bot(tmp_path, "doctor", BOT_WEB__PRT="1")
    assert bad.returncode == 1
    assert "BOT_WEB__PRT" in bad.stdout
