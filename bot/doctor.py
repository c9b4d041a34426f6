"""``bot doctor``: looks at every token, URL, file and clock that a run will need, and changes nothing.

A check is one function: it says what is well, or raises a ``GreenlightError`` with what is wrong and what to do.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from sqlalchemy import make_url

from bot.engine_room import owner_of
from bot.instance import note_file, read
from bot.lock import account_files, holder
from bot.logs import Mask
from bot.markets import source, strategy_of
from config.kinds import mask_url
from config.settings import Settings, secrets
from engine.domain.errors import ConfigError, GreenlightError, StoreError
from engine.exchanges.files import check_file
from engine.exchanges.paper_file import VenueFile
from engine.store import migrate
from engine.store.database import Database, stamp
from engine.store.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from handlers.telegram.checkup import Checkup

LEAST_FREE_BYTES = 200 * 1024 * 1024
LEAST_FREE_WORDS = "200 MB"
EARLIEST_NOW = datetime(2025, 1, 1, tzinfo=UTC)
"""A clock that shows an earlier time was never set."""
WATCHED = 0.2
"""Wall seconds in which the two clocks of this machine are compared."""
MOST_STEP = 1.0
"""Seconds by which they may part meanwhile."""
ANSWER_WITHIN = 2.0


class Verdict(StrEnum):
    """How a check came out."""

    OK = "ok"
    WRONG = "wrong"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one check found; secrets are masked."""

    name: str
    verdict: Verdict
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is looked at: the settings, and this machine's clock."""

    settings: Settings
    wall: Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing to look at.

    Attributes:
        needs: The checks without which looking makes no sense.
        asked: Whether there is anything to look at.
    """

    name: str
    look: Callable[[Case], str]
    needs: tuple[str, ...] = ()
    asked: Callable[[Settings], bool] = lambda _: True


def examine(case: Case, checks: Sequence[Check] | None = None) -> Iterator[Line]:
    """Make every check in turn, and give each line as soon as it is known."""
    mask = Mask(secrets(case.settings))
    well: set[str] = set()
    for check in (check for check in checks or CHECKS if check.asked(case.settings)):
        missing = [name for name in check.needs if name not in well]
        if missing:
            yield Line(name=check.name, verdict=Verdict.SKIPPED, text=f"first: {', '.join(missing)}")
            continue
        line = _made(check, case, mask)
        if line.verdict is Verdict.OK:
            well.add(check.name)
        yield line


def _made(check: Check, case: Case, mask: Mask) -> Line:
    try:
        return Line(name=check.name, verdict=Verdict.OK, text=mask.text(check.look(case)))
    except GreenlightError as error:
        text, remedy = error.message, error.remedy
    except OSError as error:
        text, remedy = f"{error.filename or 'The system'}: {error.strerror or error}.", "See that it is there and ours."
    return Line(name=check.name, verdict=Verdict.WRONG, text=mask.text(text), remedy=mask.text(remedy))


# This machine


def _clock(case: Case) -> str:
    """The wall clock must have been set, and go at the pace of the clock that nobody sets."""
    wall, steady = case.wall(), time.monotonic()
    if wall < EARLIEST_NOW:
        raise GreenlightError(f"The clock shows {wall:%Y-%m-%d %H:%M} UTC.", "Set it, best by NTP.")
    time.sleep(WATCHED)
    step = (case.wall() - wall).total_seconds() - (time.monotonic() - steady)
    if abs(step) > MOST_STEP:
        raise GreenlightError(f"The clock stepped by {step:.1f} s while it was watched.", "See who sets it, and how.")
    return f"{wall:%Y-%m-%d %H:%M:%S} UTC"


def _time_zone(case: Case) -> str:
    """The settings have found it; what it makes of now shows whether it is the one that was meant."""
    digest = case.settings.digest
    there = case.wall().astimezone(digest.zone)
    return f"{digest.timezone}, where it is {there:%H:%M}; the digest comes at {digest.at:%H:%M}"


def _folders(case: Case) -> str:
    """Every folder that is written to lets us write, and its disk has room."""
    log = case.settings.logs.file
    written = {file.absolute().parent for file in (*account_files(case.settings), *([log] if log else []))}
    for folder in sorted(written):
        there = next(each for each in (folder, *folder.parents) if each.exists())
        try:
            with tempfile.TemporaryFile(dir=there):
                pass
        except OSError as error:
            raise StoreError(
                f"{there} cannot be written to: {error.strerror}.", "Let this user write there, or set another place."
            ) from None
        if shutil.disk_usage(there).free < LEAST_FREE_BYTES:
            raise StoreError(f"The disk of {there} has less than {LEAST_FREE_WORDS} left.", "Make room on it.")
    return f"{', '.join(map(str, sorted(written)))}: writable, with more than {LEAST_FREE_WORDS} free"


def _instance(case: Case) -> str:
    found = [who for file in account_files(case.settings) if (who := holder(file))]
    return f"a bot is running on this account: {found[0]}" if found else "no bot is running on this account"


# What is traded


def _strategies(case: Case) -> str:
    contexts = case.settings.contexts
    for number, context in enumerate(contexts):
        strategy_of(context, f"contexts.{number}")
    return f"profile {case.settings.profile}; " + (", ".join(context.name for context in contexts) or "no contexts")


def _candle_files(case: Case) -> str:
    files = case.settings.replay.data
    return "; ".join(_candles(file) for file in files) or "none are asked for: the market is generated"


def _candles(file: Path) -> str:
    report = check_file(file)
    if report.first is None or report.last is None:
        raise ConfigError(f"{file} has no candles.", "Give a file with candles.")
    flaws = f", {len(report.findings)} findings: see bot data check {file}" if report.findings else ""
    return f"{file}: {report.rows} candles, {report.first:%Y-%m-%d %H:%M} to {report.last:%Y-%m-%d %H:%M} UTC{flaws}"


def _market(case: Case) -> str:
    market = source(case.settings)
    return " ".join((f"{market.label}, from {market.start:%Y-%m-%d %H:%M} UTC on.", *market.notes))


# What is kept


def _revision(case: Case) -> tuple[str, str]:
    """The database's revision and the program's; a file that is not there is not made by looking."""
    url = make_url(case.settings.database.url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return "", ""
    return migrate.versions(case.settings.database.url)


def _database(case: Case) -> str:
    url = case.settings.database.url
    found, wanted = _revision(case)
    if not found:
        return f"{mask_url(url)} is new: it is made at the start"
    if found != wanted:
        raise StoreError(f"{mask_url(url)} has revision {found}, the program {wanted}.", "Run bot db upgrade.")
    if damage := migrate.integrity(url):
        raise StoreError(f"{mask_url(url)} is damaged: {damage[0]}.", "Restore a backup.")
    return f"{mask_url(url)} is sound, revision {found}"


def _account(case: Case) -> str:
    """The database must be this profile's and this market's, and its past must be past."""
    owner = owner_of(case.settings, source(case.settings))
    if not _revision(case)[0]:
        return "new: it begins with " + _money(case)

    def work(uow: UnitOfWork) -> datetime | None:
        stamp(uow, owner)
        return uow.last_event_at()

    reached = asyncio.run(_looked_up(case.settings.database.url, work))
    if case.settings.market.clock == "wall" and reached and reached > case.wall() + timedelta(seconds=MOST_STEP):
        raise StoreError(
            f"The account's last event is of {reached:%Y-%m-%d %H:%M} UTC: that is yet to come.", "Set the clock."
        )
    return f"{owner['profile']}, {owner['market']}; " + (
        f"it has reached {reached:%Y-%m-%d %H:%M} UTC" if reached else "empty"
    )


async def _looked_up(url: str, work: Callable[[UnitOfWork], datetime | None]) -> datetime | None:
    store = Database(url)
    try:
        return await store.read(work)
    finally:
        await store.close()


def _venue_file(case: Case) -> str:
    file = case.settings.venue_file
    if not file.exists() or not file.stat().st_size:
        return f"{file} is new: it begins with {_money(case)}"
    venue = VenueFile(file, case.settings.venue.balances)
    try:
        reached = venue.advanced_to
    finally:
        venue.close()
    return f"{file} is sound, " + (
        f"it has reached {reached:%Y-%m-%d %H:%M} UTC" if reached else "nothing has happened"
    )


def _money(case: Case) -> str:
    return ", ".join(f"{amount} {currency}" for currency, amount in case.settings.venue.balances.items()) or "nothing"


# Who is talked to


def _people(case: Case) -> str:
    people, telegram = case.settings.people, case.settings.telegram
    if not people:
        raise ConfigError("Nobody may use the bot: all its questions would expire.", "List them in people.")
    if telegram.token and not any(person.telegram for person in people):
        raise ConfigError("Nobody in people has a telegram id: nobody could answer there.", "Give them theirs.")
    return ", ".join(f"{person.name} ({person.role})" for person in people)


def _web_port(case: Case) -> str:
    from handlers.web.server import listen

    web = case.settings.web
    if not web.enabled:
        return "off"
    try:
        listen(web.host, web.port).close()
    except ConfigError:
        if url := _our_own(case.settings):
            return f"our own bot answers at {url}"
        raise
    return f"{web.host}:{web.port} is free" if web.port else f"any free port of {web.host}"


def _our_own(settings: Settings) -> str:
    """Where the running bot of this account answers; empty where none does on the configured port."""
    note = read(note_file(settings))
    if note is None or not holder(settings.venue_file) or httpx.URL(note.url).port != settings.web.port:
        return ""
    try:
        return note.url if httpx.get(f"{note.url}/health", timeout=ANSWER_WITHIN).is_success else ""
    except httpx.HTTPError:
        return ""


def _has_telegram(settings: Settings) -> bool:
    return settings.telegram.token is not None


def _telegram_token(case: Case) -> str:
    return _on_telegram(case, lambda checkup: checkup.token())


def _telegram_chat(case: Case) -> str:
    chat_id = case.settings.telegram.chat_id
    if not chat_id:
        return "none is set: the bot answers there, its cards go elsewhere"
    return _on_telegram(case, lambda checkup: checkup.chat(chat_id))


def _telegram_updates(case: Case) -> str:
    from handlers.telegram.webhook import address

    asked = case.settings.telegram
    ours = address(asked.webhook_url) if asked.mode == "webhook" and asked.webhook_url else ""
    return _on_telegram(case, lambda checkup: checkup.updates(ours))


def _telegram_clock(case: Case) -> str:
    return _on_telegram(case, lambda checkup: checkup.clock())


def _on_telegram(case: Case, look: Callable[[Checkup], Coroutine[None, None, str]]) -> str:
    from handlers.telegram.checkup import Checkup

    asked = case.settings.telegram
    if asked.token is None:
        return "off: no token is set"
    return asyncio.run(look(Checkup(token=asked.token, api_url=asked.api_url, wall=case.wall)))


CHECKS = (
    Check(name="clock", look=_clock),
    Check(name="time zone", look=_time_zone),
    Check(name="folders", look=_folders),
    Check(name="instance", look=_instance),
    Check(name="strategies", look=_strategies),
    Check(name="candle files", look=_candle_files),
    Check(name="market", look=_market, needs=("strategies", "candle files")),
    Check(name="database", look=_database, needs=("folders",)),
    Check(name="account", look=_account, needs=("database", "market")),
    Check(name="venue file", look=_venue_file, needs=("folders",)),
    Check(name="people", look=_people),
    Check(name="web port", look=_web_port),
    Check(name="telegram token", look=_telegram_token),
    Check(name="telegram chat", look=_telegram_chat, needs=("telegram token",), asked=_has_telegram),
    Check(name="telegram updates", look=_telegram_updates, needs=("telegram token",), asked=_has_telegram),
    Check(name="telegram clock", look=_telegram_clock, needs=("telegram token",), asked=_has_telegram),
)
