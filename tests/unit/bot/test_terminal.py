"""The program starts whatever it is started at, and no command shows Python to the person at the terminal."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.fakes.command_line import BOT, PATIENCE, bot

SHORT = "run --speed max --end 2026-01-01T01:00 --until-end"
JUERGEN = json.dumps([{"name": "Jürgen 🙂", "role": "admin", "web": "j"}], ensure_ascii=False)


def shell(folder: Path, line: str, **more: str) -> subprocess.CompletedProcess[bytes]:
    """What a shell makes of a line in which ``bot`` is the script."""
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("BOT_")}
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line.replace("bot ", f"{BOT} ", 1)],
        cwd=folder,
        env=quiet | {"BOT_WEB__PORT": "0", "BOT_LOGS__LEVEL": "WARNING"} | more,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )


OTHERS = ("| head -c 1", "<&- >&- 2>&-", "2>/dev/full")


@pytest.mark.slow
@pytest.mark.parametrize("where", [">/dev/full", *OTHERS])
def test_the_bot_starts_and_runs_to_its_end_whatever_reads_its_output(tmp_path: Path, where: str):
    ran = shell(tmp_path, f"bot {SHORT} {where}")
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert (tmp_path / "var/demo/greenlight.sqlite").stat().st_size > 0


@pytest.mark.slow
def test_a_letter_that_the_terminal_has_not_is_no_reason_to_stop(tmp_path: Path):
    ran = shell(tmp_path, f"bot {SHORT}", BOT_PEOPLE=JUERGEN, PYTHONIOENCODING="latin-1")
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert "Web chat for Jürgen ?: http".encode("latin-1") in ran.stdout


def test_another_command_says_that_its_output_cannot_be_written(tmp_path: Path):
    ran = shell(tmp_path, "bot config show >/dev/full")
    assert ran.returncode == 1
    assert ran.stderr == b"What was to be shown cannot be written: No space left on device.\n"


@pytest.mark.slow
@pytest.mark.parametrize("signals", [[signal.SIGHUP], [signal.SIGINT, signal.SIGINT]])
def test_a_hang_up_and_an_impatient_interrupt_end_it_in_order(tmp_path: Path, signals: list[signal.Signals]):
    with started(tmp_path) as process:
        for number in signals:
            process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, ""), out
    assert not (tmp_path / "var/demo/instance.json").exists(), "it tidied up"


@pytest.mark.slow
def test_whoever_asked_for_hang_ups_to_be_ignored_is_obeyed(tmp_path: Path):
    with started(tmp_path, "nohup") as process:
        process.send_signal(signal.SIGHUP)
        ran = bot(tmp_path, "status")
        assert ran.returncode == 0, ran.stderr
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def _hear_interrupts() -> None:
    """As a terminal starts programs: what runs the tests may ignore interrupts, and that is inherited."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupt_while_it_loads_ends_it_without_a_word(tmp_path: Path):
    """What it loads waits here for somebody who reads: it is a library of that name, found before the real one."""
    os.mkfifo(tmp_path / "loading")
    held = "import time\nheld = open('loading', 'w')\ntime.sleep(60)\n"  # closing it could swallow the interrupt
    (tmp_path / "typer.py").write_text(held)
    process = subprocess.Popen(
        [BOT, "status"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_hear_interrupts,  # noqa: PLW1509 - nothing has threads here but the runner
    )
    with (tmp_path / "loading").open():
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (-signal.SIGINT, "", "")


def test_an_interrupt_while_the_command_line_is_put_together_ends_it_without_a_word(tmp_path: Path):
    put_together = """
import os, signal, sys, typer.main as typer
made = typer.get_group
typer.get_group = lambda *given, **named: os.kill(os.getpid(), signal.SIGINT) or made(*given, **named)
sys.argv = ["bot", "status"]
from bot.main import main
main()
"""
    process = subprocess.run(
        [sys.executable, "-c", put_together],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        preexec_fn=_hear_interrupts,
    )
    assert (process.returncode, process.stdout, process.stderr) == (-signal.SIGINT, "", "")


def test_an_interrupt_while_a_command_is_at_work_ends_it_without_a_word(tmp_path: Path):
    """Its configuration is where it waits: a pipe to which nobody writes."""
    os.mkfifo(tmp_path / ".env")
    process = subprocess.Popen(
        [BOT, "config", "validate"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_hear_interrupts,  # noqa: PLW1509 - nothing has threads here but the runner
    )
    with (tmp_path / ".env").open("w"):  # it has come so far
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (130, "", "")


@contextmanager
def started(folder: Path, *before: str) -> Iterator[subprocess.Popen[str]]:
    """The bot as a process of its own, once it has said where it is."""
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("BOT_")}
    process = subprocess.Popen(
        [*before, str(BOT), "run"],
        cwd=folder,
        env=quiet | {"BOT_WEB__PORT": "0", "BOT_LOGS__LEVEL": "WARNING"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        while "The link works once" not in process.stdout.readline():
            assert process.poll() is None
        yield process
    finally:
        process.kill()
        process.communicate()


class Stranger(BaseHTTPRequestHandler):
    """Something else that answers on the port."""

    def do_GET(self) -> None:
        status, body = self.server.answer  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def stranger(status: int, body: bytes) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Stranger)
    server.answer = (status, body)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield str(server.server_port)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("command", [["status"], ["emergency"]])
@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b"<html>hello</html>", "is no Greenlight"),
        (200, b"\xff\xfe", "is no Greenlight"),
        (200, b"[1, 2]", "is no Greenlight"),
        (200, b"null", "is no Greenlight"),
        (302, b"", "cannot answer: 302"),
        (401, b"{}", "refuses: 401. Set BOT_WEB__TOKEN"),
        (503, b"no", "cannot answer: 503"),
    ],
)
def test_what_is_no_bot_is_told_in_words(tmp_path: Path, command: list[str], status: int, body: bytes, words: str):
    with stranger(status, body) as port:
        ran = bot(tmp_path, *command, BOT_WEB__PORT=port, BOT_WEB__TOKEN="a-token-for-tests")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert words in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def test_an_answer_that_lacks_what_is_asked_for_is_no_answer(tmp_path: Path):
    with stranger(200, b'{"entries": []}') as port:
        ran = bot(tmp_path, "emergency", BOT_WEB__PORT=port, BOT_WEB__TOKEN="a-token-for-tests")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "is no Greenlight" in ran.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0", "::", "no.such.host.invalid"])  # noqa: S104
def test_where_nobody_answers_that_is_said_and_no_proxy_is_asked(tmp_path: Path, host: str):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        variables = {"BOT_WEB__HOST": host, "BOT_WEB__PORT": str(unused.getsockname()[1])}
        ran = bot(tmp_path, "status", **variables, BOT_WEB__TOKEN="a-token-for-tests", HTTP_PROXY="http://127.0.0.1:1")
    assert ran.returncode == 1
    assert ran.stderr.startswith("No bot answers at http://")
