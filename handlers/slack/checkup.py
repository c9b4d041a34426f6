"""What can be found out about a bot on Slack before it runs: its tokens, its scopes, its channel and the clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from engine.domain.errors import GreenlightError
from handlers.skew import agreed, ahead_of
from handlers.slack.client import FAILURES, HideTokens, make_client, make_session
from handlers.slack.health import explained

ANSWER_WITHIN = 5.0
"""Wall seconds the server has for one answer."""
SCOPES = frozenset(
    {
        "app_mentions:read",  # who writes to the bot in a channel
        "channels:read",  # whether it is in the channel of its cards
        "chat:write",  # cards and answers
        "commands",  # its slash command
        "files:write",  # pictures
        "groups:read",  # whether it is in a private one
        "im:history",  # who writes to it alone
        "pins:write",  # the welcome stays on top
    }
)
"""What the bot must be allowed, and no more than that."""

_INSTALL = "Install the app anew from handlers/slack/manifest.yaml."


class Checkup:
    """Looks, and changes nothing: a running bot on the same tokens does not notice.

    Every look says what is well, and raises a ``GreenlightError`` with what to do where something is not.

    Args:
        token: The bot's token; no text ever holds it.
        api_url: The root of the Web API.
        wall: This machine's clock.
    """

    def __init__(self, *, token: SecretStr, api_url: str, wall: Callable[[], datetime]) -> None:
        self._token = token
        self._api_url = api_url
        self._wall = wall

    async def token(self) -> str:
        """The bot that the token belongs to."""
        told = await self._told()
        return f"it is that of @{told['user']} in {told['team']}, at {self._api_url}"

    async def scopes(self) -> str:
        """What the app was allowed when it was installed."""
        told = await self._told()
        given = {scope.strip() for scope in str(told.headers.get("x-oauth-scopes", "")).split(",")}
        if missing := sorted(SCOPES - given):
            raise GreenlightError(f"The bot lacks the scopes {', '.join(missing)}.", _INSTALL)
        return ", ".join(sorted(SCOPES))

    async def channel(self, channel: str) -> str:
        """The channel where cards go, which the bot must be in."""
        async with self._client("Set BOT_SLACK__CHANNEL to the channel's id, and invite the bot there.") as client:
            found = (await client.conversations_info(channel=channel))["channel"]
        name = f"#{found['name']}" if found.get("name") else channel
        if found.get("is_archived"):
            raise GreenlightError(f"{name} is archived.", "Unarchive it, or set BOT_SLACK__CHANNEL to another.")
        if not (found.get("is_im") or found.get("is_member")):
            raise GreenlightError(f"The bot is not in {name}.", "Write /invite and its name there.")
        return f"cards go to {name}"

    async def socket(self, app_token: SecretStr) -> str:
        """Whether a socket can be opened; none is."""
        remedy = "Switch Socket Mode on, and take a token with connections:write to BOT_SLACK__APP_TOKEN."
        async with self._client(remedy, app_token) as client:
            await client.apps_connections_open(app_token=app_token.get_secret_value())
        return "a socket can be opened"

    async def clock(self) -> str:
        """Slack's time against this machine's; from five minutes on no signature holds."""
        told = await self._told()
        return agreed(ahead_of(told.headers.get("Date"), self._wall()), "Slack")

    async def _told(self) -> AsyncSlackResponse:
        """Who the bot is, as Slack says."""
        async with self._client("Take the bot token to BOT_SLACK__BOT_TOKEN; see that api_url is right.") as client:
            return await client.auth_test()

    @asynccontextmanager
    async def _client(self, remedy: str, *more: SecretStr) -> AsyncIterator[AsyncWebClient]:
        """The real client, for one look."""
        hide = HideTokens([self._token, *more])
        hide.begin()
        client = make_client(self._token, self._api_url)
        client.session = make_session(ANSWER_WITHIN)
        try:
            yield client
        except FAILURES as error:
            # Not as its cause: the library's text may hold a token.
            raise GreenlightError(explained(error), remedy) from None
        finally:
            await client.session.close()
            hide.end()
