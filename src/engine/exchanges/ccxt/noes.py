"""Which errors of ccxt's are a no of the venue's own: all others prove nothing, and what was asked may have been done.

Only words of the venue's own are a no: its code and message in an answer that arrived whole. Pure.
"""

from __future__ import annotations

import json
from typing import Any

from engine.domain.errors import VenueError
from engine.exchanges.ccxt.client import answer_of, words_of
from engine.exchanges.ccxt.refusals import in_words


class Rejected(VenueError):
    """The venue said no in words of its own: nothing was done."""


class Missing(VenueError):
    """The venue said in words of its own that it does not know such an order."""


class Duplicate(VenueError):
    """The venue said that it has an order under this client id already."""


class ClockRefused(VenueError):
    """The venue did not carry a request out, because its time was not the venue's."""


def no_of(error: Exception, exchange: str, name: str) -> VenueError | None:
    """The venue's no, in words; ``None`` where an error is none.

    Args:
        error: What ccxt raised.
        exchange: As ccxt calls the venue.
        name: As people call it.
    """
    from ccxt.base import errors

    words = words_of(error, exchange)
    if isinstance(error, errors.OrderNotFound):
        return Missing(words)
    if isinstance(error, errors.DuplicateOrderId) or "duplicate" in words.lower():
        return Duplicate(words)
    if isinstance(error, errors.InvalidNonce):
        return ClockRefused(f"{name} refuses a request for its time: {words}")
    if isinstance(error, _noes(errors)) or (isinstance(error, errors.ExchangeError) and _says_something(error)):
        return Rejected(in_words(exchange, answer_of(error, exchange), words))
    return None


def is_one_too_many(error: Exception) -> bool:
    """Whether the venue says that it is asked too often."""
    from ccxt.base import errors

    return isinstance(error, (errors.DDoSProtection, errors.RateLimitExceeded))


def _noes(errors: Any) -> tuple[type[Exception], ...]:
    """The errors that are an explicit refusal."""
    return (
        errors.InsufficientFunds,
        errors.InvalidOrder,
        errors.BadRequest,
        errors.AuthenticationError,
        errors.OperationRejected,
        errors.NotSupported,
        errors.ArgumentsRequired,
    )


def _says_something(error: Exception) -> bool:
    """Whether an error without a kind of its own holds an answer of the venue's that arrived whole."""
    text = str(error)
    try:
        return bool(json.loads(text[text.index("{") : text.rindex("}") + 1]))
    except ValueError:
        return False
