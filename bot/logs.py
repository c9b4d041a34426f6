"""What the program writes about itself: JSON lines, readable text on a terminal, and never a secret.

Everything goes through the standard library's logging and one chain of structlog processors, libraries included:
httpx writes whole URLs, and Telegram's carry the token.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import structlog
from pydantic import SecretStr
from structlog.typing import EventDict, Processor, WrappedLogger

from config.keeping import LogSettings
from config.kinds import MASK
from engine.domain.errors import ConfigError
from engine.domain.health import LogLine
from engine.support import private_files

SHORTEST_SECRET = 4
"""Shorter secrets are not looked for: masking single letters would leave nothing to read."""

RECENT_KEPT = 200
"""How many of the last warnings and errors are kept in memory."""
LONGEST_LINE = 300
"""Characters of each that are kept."""

_SHAPES = (
    re.compile(r"(?<!\d)\d+(?::|%3A)[A-Za-z0-9_-]{30,}", re.IGNORECASE),  # a Telegram bot token
    re.compile(r"(?<=://)[^/\s:@]*:[^@\s/]+(?=@)"),  # user and password in a URL
)
_TALKATIVE = (
    *("httpx", "httpx2", "httpcore", "httpcore2", "aiogram", "alembic", "apscheduler"),
    *("uvicorn.access", "uvicorn.error", "asyncio"),
)
_OWN_HANDLERS = ("uvicorn", "uvicorn.error", "uvicorn.access")
_FILE_BYTES = 10_000_000
_FILES_KEPT = 5


class Mask:
    """A structlog processor that masks secrets wherever they stand: in texts, in names, nested, inside objects.

    Args:
        secrets: What must never be written; things shaped like a token or a URL's password are masked as well.
    """

    def __init__(self, secrets: Iterable[SecretStr]) -> None:
        known = {form for secret in secrets for form in _forms(secret.get_secret_value())}
        long_enough = [form for form in known if len(form) >= SHORTEST_SECRET]
        words = "|".join(re.escape(form) for form in sorted(long_enough, key=len, reverse=True))
        self._patterns = (*([re.compile(words)] if words else []), *_SHAPES)

    def __call__(self, _: WrappedLogger, __: str, event: EventDict) -> EventDict:
        """Mask one log entry."""
        return {self.text(str(name)): self._value(value) for name, value in event.items()}

    def text(self, text: str) -> str:
        """The text with every secret masked."""
        for pattern in self._patterns:
            text = pattern.sub(MASK, text)
        return text

    def _value(self, value: Any) -> Any:
        match value:
            case None | bool():
                return value
            case int() | float():
                return value if self.text(str(value)) == str(value) else MASK
            case str():
                return self.text(value)
            case Mapping():
                return {self.text(str(name)): self._value(child) for name, child in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._value(child) for child in value]
            case BaseException():
                return self.text(f"{type(value).__name__}: {value}")
            case _:
                return self.text(str(value))


class Recent(logging.Handler):
    """Keeps the last warnings and errors, each on one line and without its traceback, for those who ask in chat.

    Args:
        mask: Masks secrets, before a line is cut.
        kept: How many lines are kept.
    """

    def __init__(self, mask: Mask, kept: int = RECENT_KEPT) -> None:
        super().__init__(level=logging.WARNING)
        self.setFormatter(_formatter(mask, _as_json(), _named_error))
        self._kept: deque[LogLine] = deque(maxlen=kept)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        try:
            self._kept.append(_line(json.loads(self.format(record))))
        except Exception:  # noqa: BLE001 - as every handler of the standard library: a line must not end what it tells of
            self.handleError(record)

    def lines(self, count: int) -> tuple[LogLine, ...]:
        """The last so many, oldest first."""
        return tuple(self._kept)[-count:]


def _line(entry: dict[str, Any]) -> LogLine:
    at, level, logger = (entry.pop(name) for name in ("timestamp", "level", "logger"))
    text = " ".join([str(entry.pop("event")), *(f"{name}={value}" for name, value in entry.items())])
    return LogLine(
        at=datetime.fromisoformat(at), level=str(level), logger=str(logger)[:LONGEST_LINE], text=_on_one_line(text)
    )


def _on_one_line(text: str) -> str:
    """What can be printed of a text, on one line: it may be strangers', with marks that turn or hide what follows."""
    printable = "".join(character if character.isprintable() else " " for character in text[: 10 * LONGEST_LINE])
    shown = " ".join(printable.split())
    return shown if len(shown) <= LONGEST_LINE else f"{shown[: LONGEST_LINE - 1]}…"


def _named_error(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A structlog processor: what was raised, by its name and first line, in the place of its traceback."""
    told = event.pop("exc_info", None)
    event.pop("stack", None)
    raised = sys.exc_info()[1] if told is True else told[1] if isinstance(told, tuple) else told
    if isinstance(raised, BaseException):
        event["raised"] = f"{type(raised).__name__}: {raised}".partition("\n")[0]
    return event


def configure(settings: LogSettings, secrets: Sequence[SecretStr]) -> Recent:
    """Send the logs of this program and of its libraries to stderr, and to a file where one is set.

    Calling it again replaces what the first call set.

    Returns:
        What keeps the last warnings and errors from now on.

    Raises:
        ConfigError: The file cannot be written.
    """
    mask = Mask(secrets)
    recent = Recent(mask)
    stderr = logging.StreamHandler(sys.stderr)
    stderr.setFormatter(_formatter(mask, _for_people() if sys.stderr.isatty() else _as_json()))
    handlers: list[logging.Handler] = [stderr, recent]
    if settings.file:
        handlers.append(_file_handler(settings.file))
        handlers[-1].setFormatter(_formatter(mask, _as_json()))
    logging.raiseExceptions = False  # else a line that cannot be formatted is printed with its arguments, unmasked
    logging.basicConfig(level=settings.level, handlers=handlers, force=True)
    _tame_libraries(logging.getLevelNamesMapping()[settings.level])
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(settings.level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    return recent


def _forms(secret: str) -> Iterator[str]:
    """A secret as it stands, and as it looks inside URLs, JSON and the text of objects."""
    yield from (secret, quote(secret), quote(secret, safe=""), unquote(secret))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1])


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def _formatter(
    mask: Mask, renderers: Sequence[Processor], of_error: Processor = structlog.processors.format_exc_info
) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            of_error,
            mask,
            *renderers,
        ],
    )


def _as_json() -> list[Processor]:
    return [structlog.processors.JSONRenderer(ensure_ascii=False)]


def _for_people() -> list[Processor]:
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(exception_formatter=plain)]


class _PrivateFile(RotatingFileHandler):
    """A file that is rotated, each of them for this user alone."""

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding=self.encoding, opener=private_files.opener)


def _file_handler(file: Path) -> logging.Handler:
    try:
        private_files.make_folder(file.parent)
        return _PrivateFile(file, maxBytes=_FILE_BYTES, backupCount=_FILES_KEPT, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be written: {error.strerror}.", "Set another, or leave it out.", key="logs.file"
        ) from error


def _tame_libraries(level: int) -> None:
    for name in _OWN_HANDLERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    # While a job runs it is not called again: APScheduler warns of that each second.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
