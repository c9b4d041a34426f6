"""Who is talked to: the people, and the web server."""

from __future__ import annotations

import httpx

from bot.doctor.check import Case, Check
from bot.instance import local_url, note_file, parts_at, read
from bot.lock import account_files, holder
from config.identities import SLACK_CHANNEL_IS, SLACK_MEMBER_IS, TELEGRAM_CHAT_IS, TELEGRAM_USER_IS
from config.settings import PLATFORMS, Settings
from engine.domain.errors import ConfigError, StoreError
from engine.domain.health import STORE
from engine.domain.messages import Role


def _people(case: Case) -> str:
    people, telegram, slack = case.settings.people, case.settings.telegram, case.settings.slack
    if not people:
        raise ConfigError("Nobody may use the bot: all its approvals would expire.", "List them in people.")
    if telegram.token and not any(person.telegram for person in people):
        raise ConfigError(
            "Nobody in people has a telegram id: nobody could answer there.", f"Give them theirs: {TELEGRAM_USER_IS}."
        )
    if slack.bot_token and not any(person.slack for person in people):
        raise ConfigError(
            "Nobody in people has a slack id: nobody could answer there.", f"Give them theirs: {SLACK_MEMBER_IS}."
        )
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


def _telegram_ids(_: Case) -> str:
    """Where people and chats on Telegram have their ids."""
    return f"{TELEGRAM_USER_IS}; a chat with the bot alone has the person's id, {TELEGRAM_CHAT_IS}"


def _slack_ids(_: Case) -> str:
    """Where people and channels on Slack have theirs."""
    return f"of a person: {SLACK_MEMBER_IS}; of a channel: {SLACK_CHANNEL_IS}"


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
        _refuse_bot(local_url(web.host, web.port), web.port)
        raise
    return f"{web.host}:{web.port} is free" if web.port else f"any free port of {web.host}"


def _our_own(settings: Settings) -> str:
    """Where the running bot of this account answers; empty where none does on the configured port."""
    note = read(note_file(settings))
    if note is None or not holder(account_files(settings)[0]) or httpx.URL(note.url).port != settings.web.port:
        return ""
    return note.url if parts_at(note.url) is not None else ""


def _refuse_bot(url: str, port: int) -> None:
    """Say so where a bot has the port that is not one on these files, or is no more.

    Raises:
        StoreError: It cannot write: its files are perhaps those that should be here.
        ConfigError: It is at work on other files.
    """
    parts = parts_at(url)
    if parts is None:
        return
    if parts.get(STORE) == "failing":
        raise StoreError(
            f"The bot that answers at {url} can write nothing, and it does not run on the files that are here now.",
            "If its files were here: put them back as they were, or stop it. Its web page says what it misses.",
        )
    raise ConfigError(
        f"web.port {port} is in use by another bot, which runs on other files.",
        "Stop that bot, or set BOT_WEB__PORT to a free port.",
    )


CHECKS = (
    Check(name="people", look=_people),
    Check(name="telegram ids", look=_telegram_ids),
    Check(name="slack ids", look=_slack_ids),
    Check(name="web port", look=_web_port),
)
