"""The followers' bot, where one is asked for."""

from __future__ import annotations

import asyncio

from bot.doctor.check import Case, Check
from bot.viewer import followers_of, refuse_absent_extra, subscribers_file
from config.settings import Settings
from engine.domain.errors import ConfigError


def _has_viewer(settings: Settings) -> bool:
    return settings.viewer.token is not None


def _viewer(case: Case) -> str:
    """The extra is installed, and somebody may look."""
    refuse_absent_extra()
    followers = followers_of(case.settings)
    if not followers:
        raise ConfigError("Nobody may look.", "Set viewer.followers to the Telegram ids of those who may.")
    return f"{len(followers)} may look; who is subscribed is kept in {subscribers_file(case.settings)}"


def _viewer_token(case: Case) -> str:
    from handlers.telegram.checkup import Checkup

    asked = case.settings.viewer
    if asked.token is None:
        return "off: no token is set"
    checkup = Checkup(token=asked.token, api_url=asked.api_url, wall=case.wall, key="viewer.token")
    return asyncio.run(checkup.token())


CHECKS = (
    Check(name="viewer", look=_viewer, asked=_has_viewer),
    Check(name="viewer token", look=_viewer_token, asked=_has_viewer),
)
