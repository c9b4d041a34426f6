"""Who is talked to: the people, and the web server."""

from __future__ import annotations

import httpx

from bot.doctor.check import Case, Check
from bot.instance import note_file, read
from bot.lock import holder
from config.settings import PLATFORMS, Settings
from engine.domain.errors import ConfigError
from engine.domain.messages import Role

ANSWER_WITHIN = 2.0
"""Wall seconds that a running bot has to say that it is one."""


def _people(case: Case) -> str:
    people, telegram, slack = case.settings.people, case.settings.telegram, case.settings.slack
    if not people:
        raise ConfigError("Nobody may use the bot: all its questions would expire.", "List them in people.")
    if telegram.token and not any(person.telegram for person in people):
        raise ConfigError("Nobody in people has a telegram id: nobody could answer there.", "Give them theirs.")
    if slack.bot_token and not any(person.slack for person in people):
        raise ConfigError("Nobody in people has a slack id: nobody could answer there.", "Give them theirs.")
    for person in people:
        if not any(getattr(person, platform) for platform in PLATFORMS):
            raise ConfigError(
                f"{person.name} has no id on any platform: nobody would be taken for them.",
                f"Give them theirs: {', '.join(PLATFORMS)}.",
            )
    two_above = case.settings.approval.two_people_above
    approvers = sum(person.role.includes(Role.TRADER) for person in people)
    if two_above is not None and approvers < 2:  # noqa: PLR2004 - as the setting says
        raise ConfigError(
            f"Orders above {two_above} need two people, and fewer than two may approve: those would all expire.",
            "Make another person a trader, or unset approval.two_people_above.",
        )
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


CHECKS = (
    Check(name="people", look=_people),
    Check(name="web port", look=_web_port),
)
