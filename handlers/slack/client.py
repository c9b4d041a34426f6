"""The library's client, set up so that it keeps secrets to itself and does each call once."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import aiohttp
from pydantic import SecretStr
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

FAILURES = (SlackClientError, aiohttp.ClientError, TimeoutError, OSError)
"""What a call raises where it did not go well."""
SDK_LOG = logging.getLogger("slack")
"""Where slack_sdk and slack_bolt log; at its own level, for below it they write down what they send."""


def make_client(token: SecretStr, api_url: str) -> AsyncWebClient:
    """A client of the Web API, without a session: that of :func:`make_session` is put in while it is used.

    The library's own retries are off: after a lost answer they would post the same message twice.
    """
    SDK_LOG.setLevel(logging.WARNING)
    return AsyncWebClient(
        token.get_secret_value(), base_url=f"{api_url.rstrip('/')}/", logger=SDK_LOG, retry_handlers=[]
    )


def make_session(answer_timeout: float) -> aiohttp.ClientSession:
    """The connections of a client.

    Args:
        answer_timeout: How many seconds it waits for an answer.
    """
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=answer_timeout), trust_env=True)


class HideTokens(logging.Filter):
    """Takes the tokens out of what the libraries log, from :meth:`begin` to :meth:`end`."""

    def __init__(self, tokens: Sequence[SecretStr]) -> None:
        super().__init__()
        self._tokens = tokens

    def begin(self) -> None:
        """Listen to what they log."""
        SDK_LOG.addFilter(self)

    def end(self) -> None:
        """Let go of their logger."""
        SDK_LOG.removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the tokens where a record has them; keep every record."""
        for token in self._tokens:
            secret = token.get_secret_value()
            if secret in (text := record.getMessage()):
                record.msg, record.args = text.replace(secret, "***"), ()
        return True
