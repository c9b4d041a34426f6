"""What is logged, how it looks, and that no secret is in it."""

import contextlib
import io
import json
import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import httpx2
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.logs import LONGEST_LINE, RECENT_KEPT, Mask, Recent, configure
from config.keeping import LogSettings
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


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "the openai SDK's"])
def test_what_asks_by_http_does_not_write_the_urls(library: Any):
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.handle_request).start()
        with logged(LogSettings(level="DEBUG")) as lines, library.Client() as client:
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


# What is kept for chat


@contextlib.contextmanager
def kept(**settings: object) -> Iterator[Recent]:
    """Configures logging, stderr aside."""
    with contextlib.redirect_stderr(io.StringIO()):
        yield configure(LogSettings(**settings), SECRETS)


def test_warnings_and_errors_are_kept_for_chat_and_nothing_else():
    with kept(level="DEBUG") as recent:
        log().debug("no")
        log().info("no")
        log().warning("telegram.trouble", detail="Conflict", tries=3)
        logging.getLogger("telegram.ext").error("cannot reach %s", "it")
    first, second = recent.lines(9)
    assert (first.level, first.logger, first.text) == (
        "warning",
        "greenlight.test",
        "telegram.trouble detail=Conflict tries=3",
    )
    assert (second.level, second.logger, second.text) == ("error", "telegram.ext", "cannot reach it")
    assert first.at.utcoffset() == timedelta(0)
    assert recent.lines(1) == (second,)


def test_what_is_kept_has_no_traceback_and_no_secret():
    with kept() as recent:
        try:
            int(f"cannot use {TOKEN}")
        except ValueError as error:
            log().exception("failed", url=f"https://api.telegram.org/bot{TOKEN}/getMe")
            log().error("failed", exc_info=error)
            logging.getLogger("asyncio").exception("failed")
    for line in recent.lines(3):
        assert line.text.endswith("raised=ValueError: invalid literal for int() with base 10: 'cannot use ********'")
        assert "Traceback" not in line.text
        assert TOKEN not in line.text


def test_what_strangers_call_themselves_stays_on_its_line_and_is_cut():
    with kept() as recent:
        log().warning("a stranger wrote", name="Eve\n01-03 12:00:00Z error\u202e bot\x00 " + "x" * 1000)
    (line,) = recent.lines(1)
    assert line.text.startswith("a stranger wrote name=Eve 01-03 12:00:00Z error bot xxx")
    assert len(line.text) == LONGEST_LINE
    assert line.text.isprintable()


def test_a_secret_is_masked_before_a_line_is_cut():
    with kept() as recent:
        log().warning("x" * (LONGEST_LINE - 10) + TOKEN)
    assert TOKEN[:8] not in recent.lines(1)[0].text


def test_only_the_last_are_kept():
    with kept() as recent:
        for number in range(RECENT_KEPT + 5):
            log().warning(f"line {number}")
    lines = recent.lines(10 * RECENT_KEPT)
    assert (len(lines), lines[0].text) == (RECENT_KEPT, "line 5")


def test_a_line_that_cannot_be_formatted_is_not_kept_and_ends_nothing():
    with kept() as recent:
        logging.getLogger("telegram").warning("%d updates", TOKEN)
        log().warning("after")
    assert [line.text for line in recent.lines(9)] == ["after"]
