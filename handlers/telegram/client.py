"""The library's client, set up so that it keeps the token to itself and survives what it cannot read."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import httpx
import structlog
from pydantic import SecretStr
from telegram import Bot, Update
from telegram.request import HTTPXRequest

log = structlog.get_logger(__name__)

_TALKATIVE = ("httpx", "telegram.Bot")
"""The libraries' loggers that write down addresses, of which the token is a part."""


Transport = Callable[[], httpx.AsyncBaseTransport]


@cache
def _trusted() -> ssl.SSLContext:
    """Whom to trust. To read that takes longer than all else here: once a process is enough."""
    return httpx.create_ssl_context()


async def _not_heard(_: httpx.Response) -> None:
    """Nobody wants to see the answers as they come."""


def make_client(
    token: SecretStr,
    api_url: str,
    answer_timeout: float,
    *,
    on_response: Callable[[httpx.Response], Awaitable[None]] = _not_heard,
    transport: Transport | None = None,
) -> Bot:
    """A client of the Bot API server.

    Args:
        token: The bot's token.
        api_url: The server's root.
        answer_timeout: How many seconds it waits for an answer.
        on_response: Sees each answer to anything but a poll, headers and all, before the library reads it.
        transport: Makes what carries the requests; ``None`` for the network.
    """
    timeouts: dict[str, Any] = dict.fromkeys(("read_timeout", "write_timeout", "connect_timeout"), answer_timeout)
    asks, polls = _options(transport), _options(transport)
    return Bot(
        token.get_secret_value(),
        base_url=f"{api_url.rstrip('/')}/bot",
        base_file_url=f"{api_url.rstrip('/')}/file/bot",
        request=HTTPXRequest(**timeouts, httpx_kwargs={**asks, "event_hooks": {"response": [on_response]}}),
        get_updates_request=_UpdatesRequest(**timeouts, httpx_kwargs=polls),
    )


def _options(transport: Transport | None) -> dict[str, Any]:
    return {"verify": True, "transport": transport()} if transport else {"verify": _trusted(), "transport": None}


class HideToken(logging.Filter):
    """Takes the token out of what the client libraries log, from :meth:`begin` to :meth:`end`."""

    def __init__(self, token: SecretStr) -> None:
        super().__init__()
        # Behind the colon: the number before it is the bot's public id, and addresses may have the colon quoted.
        self._secret = SecretStr(token.get_secret_value().rpartition(":")[2])

    def begin(self) -> None:
        """Listen to what they log."""
        for name in _TALKATIVE:
            logging.getLogger(name).addFilter(self)

    def end(self) -> None:
        """Let go of their loggers."""
        for name in _TALKATIVE:
            logging.getLogger(name).removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the token where a record has it; keep every record."""
        secret = self._secret.get_secret_value()
        if secret in (text := record.getMessage()):
            record.msg, record.args = text.replace(secret, "***"), ()
        return True


class _UpdatesRequest(HTTPXRequest):
    """Empties the updates that the library cannot read; as it is, one of them keeps it from reading any, for ever."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        data = HTTPXRequest.parse_json_payload(payload)
        if isinstance(updates := data.get("result"), list):
            data["result"] = [_readable(update) for update in updates]
        return data


def _readable(update: dict[str, Any]) -> dict[str, Any]:
    try:
        Update.de_json(update, None)
    except Exception as error:  # noqa: BLE001 - whatever a newer server's unknown shapes make the library raise
        log.warning("telegram.unreadable_update", update_id=update["update_id"], detail=repr(error))
        return {"update_id": update["update_id"]}
    return update
