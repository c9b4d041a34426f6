"""The sections about the platforms where people are. The text under a field is its documentation: unit and meaning."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from config.identities import SlackChannel, TelegramChat, TelegramUser
from config.kinds import Duration, File, HttpUrl, Network, Secret, problem
from config.section import Section
from engine.domain.messages import CardKind

EVERY_KIND = tuple(CardKind)

_PREFIXES = {"bot_token": "xoxb-", "app_token": "xapp-"}
_KEYS = {"socket": "app_token", "http": "signing_secret"}
"""What each way in to Slack needs."""


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


class WebSettings(Section):
    """The web chat and the API."""

    enabled: bool = True
    """Whether they are served at all."""
    host: str = "127.0.0.1"
    """The address to listen on; 0.0.0.0 lets other machines in."""
    port: int = Field(default=8080, ge=0, le=65535)
    """The TCP port to listen on; 0 takes any that is free."""
    token: Secret | None = None
    """The bearer token of the API; without one, one is made at every start."""
    allowed_hosts: tuple[str, ...] = ()
    """Further names under which browsers may ask for it, such as a proxy's, beside the host above and localhost."""
    trusted_proxies: tuple[Network, ...] = ("127.0.0.1", "::1")
    """Addresses or networks of proxies that are believed in X-Forwarded-For and X-Forwarded-Proto."""
    cards: tuple[CardKind, ...] = EVERY_KIND
    """What is shown there: approvals, trades, alerts, digests."""


class TelegramSettings(Section):
    """The operators' bot on Telegram."""

    token: Secret | None = None
    """The bot's token from BotFather; without one Telegram stays off."""
    api_url: HttpUrl = "https://api.telegram.org"
    """The root of the Bot API server."""
    mode: Literal["polling", "webhook"] = "polling"
    """polling: the bot asks Telegram; webhook: Telegram calls the web server of the bot, at /hooks/telegram."""
    webhook_url: HttpUrl | None = None
    """The public https address of the bot's web server; mode webhook needs it."""
    webhook_secret: Secret | None = None
    """What Telegram shows when it calls: letters, digits, - and _; without one, one is made at every start."""
    chat_id: TelegramChat | None = None
    """The chat where cards go; groups have negative numbers, and -100123/45 is the topic 45 of a group."""
    messages_per_second: float = Field(default=1.0, gt=0, le=30)
    """How fast one chat is written to, in messages a second."""
    poll_timeout: Duration = timedelta(seconds=30)
    """How long one request for updates stays open."""
    cards: tuple[CardKind, ...] = EVERY_KIND
    """What is shown in the chat: approvals, trades, alerts, digests."""

    @field_validator("webhook_url")
    @classmethod
    def _webhook_can_be(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is None and info.data.get("mode") == "webhook":
            raise problem("must be set: telegram.mode webhook needs it", other="telegram.mode")
        if url and not url.startswith("https://") and not _is_loopback(info.data.get("api_url", "")):
            raise problem("must begin with https://: Telegram calls nothing else")
        return url

    @field_validator("webhook_secret")
    @classmethod
    def _secret_fits_a_header(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret and not re.fullmatch(r"[A-Za-z0-9_-]{16,256}", secret.get_secret_value()):
            raise problem("must be 16 to 256 letters, digits, - or _")
        return secret


class SlackSettings(Section):
    """The operators' bot on Slack."""

    mode: Literal["socket", "http"] = "socket"
    """socket: the bot calls Slack; http: Slack calls the web server of the bot, at /hooks/slack."""
    bot_token: Secret | None = None
    """The app's bot token (xoxb-); without one Slack stays off."""
    app_token: Secret | None = None
    """The app-level token (xapp-) that opens a socket; mode socket needs it."""
    signing_secret: Secret | None = None
    """What Slack signs its requests with; mode http needs it."""
    api_url: HttpUrl = "https://slack.com/api"
    """The root of the Web API."""
    channel: SlackChannel | None = None
    """The id of the channel where cards go, e.g. C0123456789."""
    command: str = "/bot"
    """The app's slash command, as its manifest names it."""
    messages_per_second: float = Field(default=1.0, gt=0, le=20)
    """How fast one channel is written to, in messages a second."""
    ping_interval: Duration = timedelta(seconds=10)
    """How often the socket is looked after."""
    cards: tuple[CardKind, ...] = EVERY_KIND
    """What is shown in the channel: approvals, trades, alerts, digests."""

    @field_validator("bot_token", "app_token")
    @classmethod
    def _right_kind(cls, token: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        prefix = _PREFIXES[info.field_name or ""]
        if token and not token.get_secret_value().startswith(prefix):
            raise problem(f"must begin with {prefix}: this is another kind of token")
        return token

    @field_validator("app_token", "signing_secret")
    @classmethod
    def _key_of_the_mode(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        mode, is_on = info.data.get("mode"), info.data.get("bot_token") is not None
        if is_on and key is None and info.field_name == _KEYS.get(mode or ""):
            raise problem(f"must be set: slack.mode {mode} needs it", other="slack.bot_token")
        if key is not None and not is_on and "bot_token" in info.data:
            raise problem("is set without slack.bot_token: Slack would stay off")
        return key

    @field_validator("channel")
    @classmethod
    def _somewhere(cls, channel: str | None, info: ValidationInfo) -> str | None:
        if channel is None and info.data.get("bot_token"):
            raise problem("must be set: it is where cards go", other="slack.bot_token")
        return channel

    @field_validator("command")
    @classmethod
    def _one_word(cls, command: str) -> str:
        if not re.fullmatch(r"/[a-z0-9_-]{1,31}", command):
            raise problem("must be a slash and up to 31 small letters, digits, - or _, such as /bot")
        return command

    @field_validator("ping_interval")
    @classmethod
    def _some_time(cls, interval: timedelta) -> timedelta:
        if not interval:
            raise problem("must be above 0")
        return interval


class FailoverSettings(Section):
    """What happens when a platform cannot show what must be seen soon."""

    after: Duration = timedelta(seconds=10)
    """How long (wall time) an approval or an alert may wait for its platform before the others show it too."""


class ViewerSettings(Section):
    """The followers' bot on Telegram: a process of its own that can only look."""

    token: Secret | None = None
    """Its token from BotFather, not that of the operators' bot."""
    api_url: HttpUrl = "https://api.telegram.org"
    """The root of the Bot API server."""
    followers: tuple[TelegramUser, ...] = ()
    """Telegram's ids of those who may look, beside everybody in people."""
    file: File | None = None
    """Where it keeps who is subscribed; nothing for viewer.sqlite beside the venue's file."""
