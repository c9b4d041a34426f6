"""The bot on Slack."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

from bot.doctor.check import Case, Check
from config.settings import Settings
from engine.domain.errors import GreenlightError

if TYPE_CHECKING:
    from handlers.slack.checkup import Checkup


def _has_slack(settings: Settings) -> bool:
    return settings.slack.bot_token is not None


def _token(case: Case) -> str:
    return _looked(case, lambda checkup: checkup.token())


def _scopes(case: Case) -> str:
    return _looked(case, lambda checkup: checkup.scopes())


def _channel(case: Case) -> str:
    channel = case.settings.slack.channel or ""
    return _looked(case, lambda checkup: checkup.channel(channel))


def _way_in(case: Case) -> str:
    asked = case.settings.slack
    if asked.mode == "http" or asked.app_token is None:
        if not case.settings.web.allowed_hosts:
            raise GreenlightError(
                "Slack calls the web server by a public name, and web.allowed_hosts lists none: it would be refused.",
                "Set BOT_WEB__ALLOWED_HOSTS to the name in the app's request URLs.",
            )
        return "Slack calls the web server at /hooks/slack; who calls must be let through to it"
    app_token = asked.app_token
    return _looked(case, lambda checkup: checkup.socket(app_token))


def _clock(case: Case) -> str:
    return _looked(case, lambda checkup: checkup.clock())


def _looked(case: Case, look: Callable[[Checkup], Coroutine[None, None, str]]) -> str:
    from handlers.slack.checkup import Checkup

    asked = case.settings.slack
    if asked.bot_token is None:
        return "off: no token is set"
    return asyncio.run(look(Checkup(token=asked.bot_token, api_url=asked.api_url, wall=case.wall)))


CHECKS = (
    Check(name="slack token", look=_token),
    Check(name="slack scopes", look=_scopes, needs=("slack token",), asked=_has_slack),
    Check(name="slack channel", look=_channel, needs=("slack token", "slack scopes"), asked=_has_slack),
    Check(name="slack way in", look=_way_in, needs=("slack token",), asked=_has_slack),
    Check(name="slack clock", look=_clock, needs=("slack token",), asked=_has_slack),
)
