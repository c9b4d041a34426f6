"""The kinds of value a setting can have beyond plain text and numbers, and how each is written in a file."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, SecretStr, WithJsonSchema
from pydantic_core import PydanticCustomError

from engine.domain.errors import BadInput
from engine.domain.hours import DAYS, Hours
from engine.store.location import location

MASK = "********"
"""What is shown in place of a secret."""
UNREADABLE = "has letters that cannot be used here: write it as UTF-8, and set LC_ALL=C.UTF-8"
"""Of what is not UTF-8, or where the system's texts are not."""

_NUMBER = r"\d{1,12}(?:\.\d{1,6})?"
_DURATION = re.compile(rf"(?:({_NUMBER})d)?(?:({_NUMBER})h)?(?:({_NUMBER})m)?(?:({_NUMBER})s)?")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_HOURS = re.compile(rf"(?:((?:{'|'.join(DAYS)})(?:,(?:{'|'.join(DAYS)}))*) )?(\d?\d:\d\d)-(\d?\d:\d\d)")
_COIN = re.compile(r"[A-Z0-9]+")
_PASSWORDS = (
    re.compile(r"^([\w+.-]+://[^:/@]*:)(.+)(@)", re.DOTALL),
    re.compile(r"([?&]\w*password=)([^&]+)()", re.IGNORECASE),
)
_UNITS = {"d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000}
_LONGEST = timedelta(days=36_500)
_DURATION_WORDS = "must be seconds or a duration such as 90s, 15m, 2h, 1d or 1h30m"


def problem(message: str, *, at: str = "", other: str = "") -> PydanticCustomError:
    """A refusal by a rule of ours.

    Args:
        message: What is wrong, without the value: it may be a secret.
        at: Dotted path of the setting it is about, where that is not the one being validated.
        other: Dotted path of a second setting that takes part in it; its place is named too.
    """
    return PydanticCustomError("setting", "{text}", {"text": message, "at": at, "other": other})


def _check_coin(value: str) -> str:
    if not _COIN.fullmatch(value):
        raise problem("must be a coin by its ticker, in capitals, such as DOGE")
    return value


def parse_duration(value: object) -> timedelta:
    """Read seconds (a number, or text that is one) or a text such as ``15m``, ``2h``, ``1h30m``.

    Raises:
        PydanticCustomError: It is neither, or longer than a hundred years.
    """
    match value:
        case timedelta():
            return value
        case bool():
            raise problem(_DURATION_WORDS)
        case int() | float() | Decimal() | str():
            text = str(value).strip().lower()
        case _:
            raise problem(_DURATION_WORDS)
    found = _DURATION.fullmatch(f"{text}s" if re.fullmatch(_NUMBER, text) else text)
    if not text or not found:
        raise problem(_DURATION_WORDS)
    micros = sum(int(Decimal(part or 0) * unit) for part, unit in zip(found.groups(), _UNITS.values(), strict=True))
    if micros > _LONGEST / timedelta(microseconds=1):
        raise problem("must not be longer than a hundred years")
    return timedelta(microseconds=micros)


def format_duration(duration: timedelta) -> str:
    """Write a duration as ``parse_duration`` reads it, e.g. ``1h30m``."""
    rest = duration // timedelta(microseconds=1)
    parts = []
    for unit, micros in (("d", _UNITS["d"]), ("h", _UNITS["h"]), ("m", _UNITS["m"])):
        count, rest = divmod(rest, micros)
        parts += [f"{count}{unit}"] if count else []
    seconds = f"{Decimal(rest) / _UNITS['s']:f}"
    return "".join([*parts, f"{seconds}s"] if rest or not parts else parts)


class DurationEnds(NamedTuple):
    """The shortest and the longest of some lengths of time."""

    least: timedelta
    most: timedelta


def parse_range(value: object) -> DurationEnds:
    """Read a length of time, or a range of them such as ``1s-3s``; ``200ms`` is one as well.

    Raises:
        PydanticCustomError: It is neither, or the range is upside down.
    """
    if isinstance(value, tuple | list):
        ends = tuple(map(parse_duration, value))
    else:
        ends = tuple(map(_parse_short, str(value).split("-"))) if not isinstance(value, bool) else ()
    if len(ends) not in (1, 2) or ends[0] > ends[-1]:
        raise problem(f"{_DURATION_WORDS}, or a range with the shorter one first, such as 1s-3s")
    return DurationEnds(ends[0], ends[-1])


def _parse_short(text: str) -> timedelta:
    """As ``parse_duration``, and in milliseconds."""
    found = re.fullmatch(rf"({_NUMBER})ms", text.strip().lower())
    return parse_duration(text) if found is None else timedelta(milliseconds=float(found[1]))


def format_range(ends: DurationEnds) -> str:
    """Write a range as ``parse_range`` reads it; one whose ends are the same as one length."""
    return "-".join(dict.fromkeys(map(format_duration, ends)))


def passwords_in(url: str) -> tuple[str, ...]:
    """The passwords inside a database URL, as they are written there: before the ``@`` and among the parameters."""
    return tuple(found[2] for pattern in _PASSWORDS for found in pattern.finditer(url))


def mask_url(url: str) -> str:
    """The URL with its passwords masked."""
    for pattern in _PASSWORDS:
        url = pattern.sub(lambda found: f"{found[1]}{MASK}{found[3]}", url)
    return url


def _parse_clock(value: object) -> time:
    if isinstance(value, time):
        return value
    found = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        raise problem("must be a time of day between 00:00 and 23:59")
    return time(int(found[1]), int(found[2]))


def _parse_hours(value: object) -> Hours:
    """Read ``22:00-01:00``, or with the days on which it begins, ``sat,sun 00:00-00:00``."""
    if isinstance(value, Hours):
        return value
    found = _HOURS.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if not found:
        raise problem("must be hours such as 22:00-01:00, or with days, sat,sun 00:00-00:00")
    days = tuple(DAYS.index(day) for day in (found[1] or ",".join(DAYS)).split(","))
    return Hours(tuple(sorted(set(days))), _parse_clock(found[2]), _parse_clock(found[3]))


def _to_utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _refuse_numbers(value: object) -> object:
    if isinstance(value, int | float):
        raise problem("must be a date or time such as 2022-05-01 or 2022-05-01T12:00Z")
    return value


def _parse_speed(value: object) -> float | Literal["max"]:
    text = str(value).strip().lower()
    if text == "max":
        return "max"
    if not re.fullmatch(_NUMBER, text) or not float(text) > 0:
        raise problem("must be a number above 0 (market seconds in a wall second) or max")
    return float(text)


def _check_url(value: str) -> str:
    try:
        found = location(value)
    except BadInput as error:
        raise problem(error.message) from None
    _check_file(found)
    return value


def _check_file(value: object) -> object:
    """A name that is no UTF-8 stays as it is; one that this system has no letters for is refused."""
    file = Path(value) if isinstance(value, str) else value
    try:
        if isinstance(file, Path):
            os.fsencode(file)
    except UnicodeEncodeError:
        raise problem(UNREADABLE) from None
    return file


def _check_http(value: str) -> str:
    if not re.match(r"https?://[^/\s?#]+[^\s?#]*$", value):
        raise problem("must be a URL that begins with http:// or https://")
    return value.rstrip("/")


def _check_page(value: str) -> str:
    if not re.match(r"https?://[^/\s?#]+[^\s#]*$", value):
        raise problem("must be an address that begins with http:// or https://")
    return value


def _check_exchange(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9_]{1,40}", value):
        raise problem("must be a venue's id in ccxt, in small letters, e.g. binance")
    return value


def _check_network(value: str) -> str:
    try:
        ip_network(value, strict=False)
    except ValueError:
        raise problem("must be an IP address, or a network such as 10.0.0.0/8") from None
    return value


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "examples": ["90s", "1h30m"]}]}),
]
"""A length of time: seconds, or text such as ``15m``, ``2h``, ``1d``, ``1h30m``."""

DurationRange = Annotated[
    DurationEnds,
    BeforeValidator(parse_range),
    PlainSerializer(format_range, return_type=str, when_used="json"),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "examples": ["2s", "1s-3s"]}]}),
]
"""A length of time, or a range of them: seconds, or text such as ``2s``, ``200ms``, ``1s-3s``."""

UtcTime = Annotated[datetime, BeforeValidator(_refuse_numbers), AfterValidator(_to_utc)]
"""A moment; a date alone is its midnight, and without an offset it is UTC."""

ClockTime = Annotated[
    time,
    BeforeValidator(_parse_clock),
    PlainSerializer(lambda at: f"{at:%H:%M}", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["00:00", "18:30"]}),
]
"""A time of day, hours and minutes."""

ClosedHours = Annotated[
    Hours,
    BeforeValidator(_parse_hours),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["22:00-01:00", "sat,sun 00:00-00:00"]}),
]
"""Hours of each day or of some: a span from one time of day to another."""

Coin = Annotated[str, AfterValidator(_check_coin), WithJsonSchema({"type": "string", "pattern": f"^{_COIN.pattern}$"})]
"""A coin by its ticker, in capitals."""

Speed = Annotated[
    float | Literal["max"],
    BeforeValidator(_parse_speed),
    WithJsonSchema({"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"const": "max"}]}),
]
"""Market seconds in a wall second, or ``max`` for as fast as it goes."""

Secret = Annotated[
    SecretStr,
    Field(min_length=1),
    PlainSerializer(lambda _: MASK, return_type=str, when_used="json-unless-none"),
]
"""A secret: masked wherever it is written out, and never read from a YAML file."""

DatabaseUrl = Annotated[
    str, AfterValidator(_check_url), PlainSerializer(mask_url, return_type=str, when_used="json-unless-none")
]
"""Where the database is; a password inside is masked wherever the URL is written out."""

File = Annotated[Path, BeforeValidator(_check_file)]
"""Where a file or a folder is."""

HttpUrl = Annotated[str, AfterValidator(_check_http)]
"""The root of a web service, without a slash at the end."""

PageUrl = Annotated[str, AfterValidator(_check_page)]
"""An address on the web as it stands, with a query or without."""

Network = Annotated[str, AfterValidator(_check_network)]
"""An IP address, or a network such as ``10.0.0.0/8``."""

ExchangeName = Annotated[str, AfterValidator(_check_exchange)]
"""A venue, by its id in ccxt."""

Fraction = Annotated[Decimal, Field(gt=0, le=1)]
"""A part of a whole, above 0 and up to 1."""

Symbol = Annotated[str, Field(pattern=r"^[A-Z0-9]+/[A-Z0-9]+$")]
"""A market, ``BASE/QUOTE``."""
