"""Asks the running instance of this machine, over its API, and says in text what it has answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import httpx

from bot.instance import Instance, local_url, note_file, parts_at, read
from config.settings import Settings
from engine.domain.errors import GreenlightError
from handlers.cards import account, wording
from handlers.web.account_rows import StatusRow
from handlers.web.emergency_rows import EmergencyRow, ExposedRow, PreviewRow

T = TypeVar("T")

ASK_WITHIN = 5.0
"""Wall seconds a running instance has to answer."""


def status(settings: Settings, *, as_json: bool) -> str:
    """How it is: as the chat says it, or all of it as JSON.

    Raises:
        GreenlightError: Nobody answers, or nobody who is understood.
    """
    row = _asked(settings, "GET", "/api/status", StatusRow.model_validate_json)
    if as_json:
        return row.model_dump_json(indent=2)
    return wording.lines(account.status(row.report(), hints=False).plain, f"Version: {row.version}")


def exposed(settings: Settings) -> str:
    """What its emergency stop would end, or how far the one is that stands.

    Raises:
        GreenlightError: Nobody answers, or nobody who is understood.
    """
    found = _asked(settings, "GET", "/api/emergency", PreviewRow.model_validate_json)
    if stop := found.standing:
        called = f"The emergency stop {stop.id} stands since {wording.moment(stop.since)}, called by {stop.by}."
        ends = "An admin's /resume with a reason ends it."
        return wording.lines(*_ended(found), called, f"State: {stop.note}", ends)
    return wording.lines(*_ended(found), f"Nothing was done. bot emergency --now {_does(found)}.")


def stop_everything(settings: Settings) -> str:
    """Call its emergency stop; what is left to end.

    Raises:
        GreenlightError: Nobody answers, or nobody who is understood.
    """
    stop = _asked(settings, "POST", "/api/emergency", EmergencyRow.model_validate_json)
    ends = "an admin's /resume with a reason ends it"
    stands = f"The emergency stop {stop.id} stands and goes on until nothing is left; {ends}."
    return wording.lines(*_ended(stop.left), stands)


def _does(row: ExposedRow) -> str:
    return "halts entries; what is held keeps its stops" if row.keeps_stops else "halts entries and sells everything"


def _ended(row: ExposedRow) -> Iterator[str]:
    for order in row.entries:
        yield f"To cancel: {order.id}, {order.side} {wording.quantity(order.quantity)} {order.symbol}"
    for held in row.positions:
        worth = f", now {wording.money(held.value, wording.quote(held.symbol))}" if held.value is not None else ""
        does = "Keeps its stop" if row.keeps_stops else "To sell"
        yield f"{does}: {held.id}, {wording.quantity(held.quantity)} {held.symbol}{worth}"
    yield f"Open approvals: {row.approvals}"


def _asked(settings: Settings, method: str, path: str, understood: Callable[[bytes], T]) -> T:
    """What the running instance answers; ``understood`` raises a ``ValueError`` for what is no such answer."""
    instance = _running(settings)
    bearer = {"Authorization": f"Bearer {instance.token.get_secret_value()}"}
    try:
        # It is on this machine: a proxy of the environment's is asked for nothing, least of all with the token.
        answer = httpx.request(method, f"{instance.url}{path}", headers=bearer, timeout=ASK_WITHIN, trust_env=False)
        answer.raise_for_status()
        return understood(answer.content)
    except httpx.HTTPStatusError as error:
        raise _refusal(instance, error.response) from None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise GreenlightError(
            f"No bot answers at {instance.url}.", f"Start it with: bot run --profile {settings.profile}"
        ) from None
    except ValueError:
        raise GreenlightError(
            f"What answers at {instance.url} is no Greenlight of this version.", "Set BOT_WEB__PORT to the bot's."
        ) from None


def _refusal(instance: Instance, answer: httpx.Response) -> GreenlightError:
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return GreenlightError(f"{instance.url} refuses: {answer.status_code}.", "Set BOT_WEB__TOKEN as it has it.")
    return GreenlightError(
        f"{instance.url} cannot answer: {answer.status_code}.",
        _detail(answer) or "See the bot's log, and whether it is the bot there.",
    )


def _detail(answer: httpx.Response) -> str:
    """Why the bot could not answer, in its own words; empty where it gives none, or is none."""
    try:
        found = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return ""
    return found if isinstance(found, str) else ""


def _running(settings: Settings) -> Instance:
    """Where the instance of these settings answers: as its note says, else as configured."""
    note = read(note_file(settings))
    if note is not None:
        return note
    url = local_url(settings.web.host, settings.web.port)
    if settings.web.token is not None:
        return Instance(url=url, token=settings.web.token)
    if parts_at(url) is not None:
        raise GreenlightError(
            f"The bot that answers at {url} has left no note at {note_file(settings)}: it runs on other files, or "
            "these were deleted or moved.",
            "Put them back as they were, or set BOT_WEB__TOKEN as it has it.",
        )
    raise GreenlightError(
        f"No bot of profile {settings.profile} is running here.",
        "Start it with: bot run. One on candle files or another seed is found with its --data or --seed.",
    )
