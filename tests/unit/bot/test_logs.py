"""What is logged, how it looks, and that no secret is in it."""

import contextlib
import io
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.logs import Mask, configure
from config.sections import LogSettings
from engine.domain.errors import ConfigError

TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1"
WEB = 'we"b\\token/ä'
SECRETS = (SecretStr(TOKEN), SecretStr(WEB))

Lines = list[dict[str, object]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    """Leaves logging as it was found."""
    root = logging.getLogger()
    before, level, raising = list(root.handlers), root.level, logging.raiseExceptions
    yield
    for handler in root.handlers:
        if handler not in before:
            handler.close()
    root.handlers[:] = before
    root.setLevel(level)
    logging.raiseExceptions = raising
    structlog.reset_defaults()


@contextlib.contextmanager
def logged(settings: LogSettings | None = None) -> Iterator[Lines]:
    """Configures logging and collects the lines written to stderr."""
    lines: Lines = []
    with contextlib.redirect_stderr(io.StringIO()) as stderr:
        configure(settings or LogSettings(), SECRETS)
        yield lines
    lines += [json.loads(line) for line in stderr.getvalue().splitlines()]


def log() -> structlog.typing.FilteringBoundLogger:
    return structlog.get_logger("greenlight.test")


def test_a_line_is_json_with_time_level_logger_and_facts():
    with logged() as lines:
        log().info("order filled", order="O7", quantity=2)
    (line,) = lines
    assert str(line.pop("timestamp")).endswith("Z")
    assert line == {"event": "order filled", "level": "info", "logger": "greenlight.test", "order": "O7", "quantity": 2}


def test_a_terminal_gets_text_for_people():
    with contextlib.redirect_stderr(Terminal()) as stderr:
        configure(LogSettings(), SECRETS)
        log().info("order filled", token=TOKEN)
    assert "order filled" in stderr.getvalue()
    assert not stderr.getvalue().startswith("{")
    assert TOKEN not in stderr.getvalue()


def test_the_standard_librarys_logs_take_the_same_way():
    with logged() as lines:
        logging.getLogger("telegram.ext").warning("cannot reach %s", f"https://api.telegram.org/bot{TOKEN}/getMe")
    assert lines[0]["event"] == "cannot reach https://api.telegram.org/bot********/getMe"
    assert (lines[0]["level"], lines[0]["logger"]) == ("warning", "telegram.ext")


def test_a_secret_is_masked_wherever_it_stands():
    class Holder:
        def __repr__(self) -> str:
            return f"Holder({WEB!r})"

    with logged() as lines:
        log().info(
            f"hello {TOKEN}",
            plain=WEB,
            nested={"a": [TOKEN, {WEB: (TOKEN,)}]},
            holder=Holder(),
            quoted=f"/login?token={quote(WEB, safe='')}",
            body=json.dumps({"token": WEB}),
            number=5,
            nothing=None,
        )
    text = json.dumps(lines, ensure_ascii=False)
    assert TOKEN not in text
    assert "token/" not in text
    (line,) = lines
    assert (line["event"], line["plain"]) == ("hello ********", "********")
    assert line["nested"] == {"a": ["********", {"********": ["********"]}]}
    assert (line["holder"], line["quoted"]) == ("Holder('********')", "/login?token=********")
    assert (line["number"], line["nothing"]) == (5, None)


def test_a_secret_in_a_traceback_is_masked():
    with logged() as lines:
        try:
            int(f"cannot use {TOKEN}")
        except ValueError:
            log().exception("failed")
    assert "cannot use ********" in str(lines[0]["exception"])
    assert TOKEN not in json.dumps(lines)


def test_a_token_that_is_not_ours_is_masked_by_its_shape():
    with logged() as lines:
        log().info(
            "see", url=f"https://api.telegram.org/bot987654321:{'x' * 35}/getMe", db="postgresql://bot:pw@db/green"
        )
    assert lines[0]["url"] == "https://api.telegram.org/bot********/getMe"
    assert lines[0]["db"] == "postgresql://********@db/green"


@given(
    st.text(st.characters(exclude_categories=("Cs",)), min_size=4).filter(lambda text: not set(text) <= {"*"}),
    st.text(max_size=5),
)
def test_no_text_keeps_a_secret(secret: str, around: str):
    mask = Mask([SecretStr(secret)])
    said = mask(None, "info", {"a": f"{around}{secret}{around}", "b": {"c": [secret]}, "d": ValueError(secret)})
    assert said["a"] == mask.text(f"{around}{secret}{around}")
    assert said["b"] == {"c": ["********"]}
    assert said["d"] == "ValueError: ********"
    assert secret not in said["a"].replace("********", "")


def test_a_number_that_is_a_secret_is_masked():
    assert Mask([SecretStr("8675309")])(None, "info", {"pin": 8675309, "other": 42}) == {"pin": "********", "other": 42}


def test_httpx_does_not_write_the_urls_it_asks():
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.handle_request).start()
        with logged(LogSettings(level="DEBUG")) as lines, httpx.Client() as client:
            assert client.get(f"http://127.0.0.1:{server.server_port}/bot{TOKEN}/getMe").status_code == 200
    assert lines == []


def test_what_is_below_the_level_is_not_written():
    with logged(LogSettings(level="WARNING")) as lines:
        log().info("quiet")
        logging.getLogger("telegram").info("quiet")
        log().warning("loud")
    assert [line["event"] for line in lines] == ["loud"]


def test_a_line_that_cannot_be_formatted_does_not_print_its_arguments():
    with contextlib.redirect_stderr(io.StringIO()) as stderr:
        configure(LogSettings(), SECRETS)
        logging.getLogger("telegram").warning("%d updates", TOKEN)
    assert TOKEN not in stderr.getvalue()


def test_a_file_gets_the_lines_too(tmp_path: Path):
    file = tmp_path / "logs" / "bot.jsonl"
    with logged(LogSettings(file=file)) as lines:
        log().info("started", token=TOKEN)
    assert [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] == lines
    assert lines[0]["token"] == "********"


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(ConfigError, match=r"logs\.file: .* cannot be written"):
        configure(LogSettings(file=tmp_path / "taken" / "bot.jsonl"), ())


def test_configuring_twice_does_not_write_twice():
    with contextlib.redirect_stderr(io.StringIO()) as stderr:
        configure(LogSettings(), ())
        configure(LogSettings(), ())
        log().info("once")
    assert len(stderr.getvalue().splitlines()) == 1
