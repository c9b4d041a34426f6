"""What goes wrong at a provider, in our words: the errors of both official SDKs, and those inside of answers.

Both SDKs come of one generator, so their errors have the same names and attributes.
"""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from types import ModuleType
from typing import Any

from pydantic import SecretStr, ValidationError

from engine.domain.errors import ModelError
from engine.domain.model_calls import UNBILLED, ModelFault, Usage
from engine.support.retry_after import parse_date, seconds_to_wait

_MOST_WORDS = 240
"""The most letters of a provider's own words that an error repeats."""
_LEAST_KEY = 8
"""Letters of a key that is looked for in an answer: servers that want none are given any word."""

BY_STATUS = {
    401: ModelFault.KEY,
    402: ModelFault.RATE,
    403: ModelFault.KEY,
    408: ModelFault.TIME,
    409: ModelFault.BUSY,
    425: ModelFault.BUSY,
    429: ModelFault.RATE,
    504: ModelFault.TIME,
}
"""What a status says; of the others, 5xx are the provider's own trouble and the rest is the question's."""
NEVER_BILLED = frozenset({401, 402, 403, 404, 429})
"""What comes in the place of an answer before any model has run: nothing is charged for it."""
BY_NAME = {
    "api_error": ModelFault.BUSY,
    "authentication_error": ModelFault.KEY,
    "billing_error": ModelFault.RATE,
    "insufficient_quota": ModelFault.RATE,
    "invalid_api_key": ModelFault.KEY,
    "overloaded": ModelFault.BUSY,
    "overloaded_error": ModelFault.BUSY,
    "permission_error": ModelFault.KEY,
    "rate_limit_error": ModelFault.RATE,
    "rate_limit_exceeded": ModelFault.RATE,
    "server_error": ModelFault.BUSY,
    "timeout_error": ModelFault.TIME,
}
"""What the names of errors say that come inside of an answer, where the status is 200."""
WORDS = {
    ModelFault.KEY: ("does not take the key", "Check its api_key, and what the key may do."),
    ModelFault.RATE: ("takes no more calls for now", "Wait, or look at the limits and the credit of the account."),
    ModelFault.BUSY: ("is overloaded or out of order", ""),
    ModelFault.TIME: ("took too long", ""),
    ModelFault.UNREACHABLE: ("cannot be reached, or was cut off", "Check its api_url and the network."),
    ModelFault.REQUEST: ("does not take the question", "Check the model's name and what it can do."),
    ModelFault.NONSENSE: ("answers nonsense", "Check that its api_url speaks this interface."),
}


@asynccontextmanager
async def translated(sdk: str, provider: str, key: SecretStr | None) -> AsyncIterator[None]:
    """Have what an SDK raises inside be a ``ModelError``, without the key and without the SDK's own objects.

    Args:
        sdk: The SDK's module, which is imported already.
        provider: Whom the words are about.
        key: What they must not repeat.
    """
    from importlib import import_module

    import httpx2

    known = import_module(sdk)
    try:
        yield
    except (known.APIError, httpx2.HTTPError, httpx2.StreamError) as error:
        raise _model_error(known, provider, error, key) from None
    except UnicodeEncodeError:
        what = "a letter of it, or of the key, cannot be sent"
        raise _error(provider, ModelFault.REQUEST, what, usage=UNBILLED) from None
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        # What the SDK trips over: bytes that are no JSON, events of no known shape.
        if isinstance(error, ValidationError):
            raise
        raise nonsense(provider, type(error).__name__) from None


def nonsense(provider: str, what: str, *, usage: Usage | None = None) -> ModelError:
    """The error of an answer that is none, e.g. a page of HTML."""
    return _error(provider, ModelFault.NONSENSE, what, usage=usage)


def cut(provider: str) -> ModelError:
    """The error of a stream that ended before its end; what was used is not known then."""
    return _error(provider, ModelFault.UNREACHABLE, "the answer ends in the middle")


def told(provider: str, wrong: Any, key: SecretStr | None, *, usage: Usage | None = None) -> ModelError:
    """The error that stands inside of an answer."""
    fault = _named(wrong) or ModelFault.BUSY
    return _error(provider, fault, _said(wrong, key), usage=usage)


def _model_error(sdk: ModuleType, provider: str, error: Exception, key: SecretStr | None) -> ModelError:
    import httpx2

    if isinstance(error, sdk.APIStatusError):
        inside = _named(error.body) if error.status_code < 300 else None  # noqa: PLR2004
        fault = inside or _by_status(error.status_code)
        said = f"{error.status_code}" if fault is ModelFault.KEY else f"{error.status_code} {_said(error.body, key)}"
        usage = UNBILLED if error.status_code in NEVER_BILLED else None
        return _error(provider, fault, said.strip(), retry_after=_retry_after(error.response.headers), usage=usage)
    cause = error.__cause__ or error
    if isinstance(cause, httpx2.ConnectTimeout):
        return _error(provider, ModelFault.UNREACHABLE, usage=UNBILLED)
    if isinstance(error, sdk.APITimeoutError | httpx2.TimeoutException):
        return _error(provider, ModelFault.TIME, "no answer")
    if isinstance(error, sdk.APIConnectionError | httpx2.HTTPError | httpx2.StreamError):
        left = not isinstance(cause, httpx2.ConnectError | httpx2.UnsupportedProtocol)
        return _error(provider, ModelFault.UNREACHABLE, type(cause).__name__, usage=None if left else UNBILLED)
    if isinstance(error, sdk.APIResponseValidationError):
        return nonsense(provider, "no JSON")
    return told(provider, getattr(error, "body", None), key)


def _error(
    provider: str, fault: ModelFault, said: str = "", *, retry_after: float | None = None, usage: Usage | None = None
) -> ModelError:
    what, remedy = WORDS[fault]
    words = f"{provider} {what} ({said})." if said else f"{provider} {what}."
    return ModelError(words, remedy, fault=fault, retry_after=retry_after, usage=usage)


def _by_status(status: int) -> ModelFault:
    return BY_STATUS.get(status) or (ModelFault.BUSY if status >= 500 else ModelFault.REQUEST)  # noqa: PLR2004


def _named(body: Any) -> ModelFault | None:
    """What the name of an error says, wherever the provider puts it."""
    if not isinstance(body, Mapping):
        return None
    inner = body.get("error")
    if isinstance(inner, Mapping):
        return _named(inner)
    names = (body.get("code"), body.get("type"))
    status = next((name for name in names if isinstance(name, int)), None)
    return next((BY_NAME[name] for name in names if isinstance(name, str) and name in BY_NAME), None) or (
        _by_status(status) if status is not None else None
    )


def _said(body: Any, key: SecretStr | None) -> str:
    """The provider's own words, on one line, cut and without the key."""
    found = body
    for name in ("error", "message"):
        if isinstance(found, Mapping) and name in found:
            found = found[name]
    words = " ".join(str(found).split()) if isinstance(found, str) else ""
    words = without_key(words, key, least=1)
    return words if len(words) <= _MOST_WORDS else words[: _MOST_WORDS - 1] + "…"


def without_key(text: str, key: SecretStr | None, *, least: int = _LEAST_KEY) -> str:
    """A text of a provider without the key, which it knows from the question; also where JSON spells it otherwise.

    Args:
        text: What it wrote.
        key: The key.
        least: How long a key must be to be looked for: what is shorter may be a word.
    """
    secret = key.get_secret_value().strip() if key is not None else ""
    if len(secret) < least:
        return text
    if "\\u" in text:
        with suppress(ValueError):
            spelled = json.dumps(json.loads(text), ensure_ascii=False)
            text = spelled if secret in spelled else text
    return text.replace(secret, "…")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait; a time of day is read against the provider's own clock, so ours does not matter."""
    in_ms, asked = _number(headers.get("retry-after-ms", "")), headers.get("retry-after", "")
    if in_ms is not None:
        return in_ms / 1000
    if (seconds := _number(asked)) is not None:
        return seconds
    now = parse_date(headers.get("date", ""))
    return seconds_to_wait(asked, now) if now else None


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) and found >= 0 else None
