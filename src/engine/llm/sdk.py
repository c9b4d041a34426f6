"""What members over an official SDK share: a client made beside the loop, and its errors and figures in our words.

Both SDKs come of one generator, so their errors have the same names and attributes.
"""

from __future__ import annotations

import asyncio
import json
import math
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from types import ModuleType
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from engine.domain.errors import ModelError
from engine.domain.extras import install
from engine.domain.model_calls import ModelFault, ModelReply, ModelRequest, Usage

CONNECT_WITHIN = 5.0
"""Wall seconds for a connection, after which the next provider may be asked."""
SILENT_FOR = 600.0
"""Wall seconds without a byte after which a call is given up, as in the SDKs; callers have deadlines of their own."""
MOST_BYTES = 16 * 1024 * 1024
"""The longest answer that is taken, pieces with all that is around them; the longest models write are shorter."""
_MOST_WORDS = 240
"""The most letters of a provider's own words that an error repeats."""

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

M = TypeVar("M", bound=BaseModel)


class _Closing(Protocol):
    async def close(self) -> None: ...


class _Answer(Protocol):
    """An answer of either SDK that was not read yet."""

    def iter_bytes(self) -> AsyncIterator[bytes]: ...


class _Stream(Protocol):
    """A stream of either SDK."""

    @property
    def response(self) -> Any: ...

    def __aiter__(self) -> AsyncIterator[Any]: ...


C = TypeVar("C", bound=_Closing)


class SdkProvider(ABC, Generic[C]):
    """A member over an official SDK: one request on the wire a question, nothing is tried again unseen.

    Its client is made at the first question, on another thread: to import an SDK takes a second or two.

    Args:
        name: What it is called in the settings.
        api_key: The key; it stands in no error and no log.
        api_url: Where it is asked, as the SDK's base_url.
        streamed: Whether answers are taken in pieces, which some servers between here and there need.
        silent_for: Wall seconds without a byte after which a call is given up.
    """

    sdk: ClassVar[str]
    """The module of the SDK."""

    def __init__(
        self,
        *,
        name: str,
        api_key: SecretStr | None,
        api_url: str,
        streamed: bool = False,
        silent_for: float = SILENT_FOR,
    ) -> None:
        self._name = name
        self._key = api_key
        self._url = api_url
        self._streamed = streamed
        self._silent_for = silent_for
        self._made: C | None = None
        self._making = asyncio.Lock()

    @property
    def name(self) -> str:
        """What it is called in the settings."""
        return self._name

    async def ask(self, request: ModelRequest) -> ModelReply:
        """Ask a model once.

        Raises:
            ModelError: No answer.
        """
        client = await self._opened()
        async with translated(self.sdk, self._name, self._key):
            body, request_id = await (self._in_pieces if self._streamed else self._whole)(client, request)
        return self._reply(body, request_id)

    async def close(self) -> None:
        """Let go of every connection; a question after that makes new ones."""
        async with self._making:
            if self._made is not None:
                await self._made.close()
                self._made = None

    @abstractmethod
    def _make(self) -> C:
        """The SDK's client, with all imported that a question needs; called on another thread."""

    @abstractmethod
    async def _whole(self, client: C, request: ModelRequest) -> tuple[Any, str]:
        """Ask, and take the answer as one: its JSON, and what the provider calls the call."""

    @abstractmethod
    async def _in_pieces(self, client: C, request: ModelRequest) -> tuple[Any, str]:
        """Ask, take the answer in pieces, and put them together to the JSON that it would be as one."""

    @abstractmethod
    def _reply(self, body: Any, request_id: str) -> ModelReply:
        """What the JSON of an answer says."""

    @property
    def _secret(self) -> str:
        """The key; the SDKs insist on one also where the server wants none."""
        return self._key.get_secret_value().strip() if self._key else "none"

    async def _opened(self) -> C:
        async with self._making:
            if self._made is None:
                self._made = await asyncio.to_thread(self._named)
            return self._made

    def _named(self) -> C:
        try:
            import httpx2

            return self._make()
        except ImportError as missing:
            raise ModelError(
                f"{self._name} needs the package {missing.name or self.sdk}, which is not installed.",
                install("ai"),
                fault=ModelFault.REQUEST,
            ) from None
        except httpx2.InvalidURL as wrong:
            raise ModelError(
                f"{self._name} cannot be asked at {self._url}: {wrong}.",
                f"Correct llm.providers.{self._name}.api_url.",
                fault=ModelFault.REQUEST,
            ) from None


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
        raise _error(provider, ModelFault.REQUEST, "a letter of it, or of the key, cannot be sent") from None
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        # What the SDK trips over: bytes that are no JSON, events of no known shape.
        if isinstance(error, ValidationError):
            raise
        raise nonsense(provider, type(error).__name__) from None


async def whole(answer: _Answer, provider: str) -> Any:
    """The JSON of an answer.

    Raises:
        ModelError: It is too long.
    """
    taken = bytearray()
    async for some in answer.iter_bytes():
        taken += some
        if len(taken) > MOST_BYTES:
            raise nonsense(provider, f"more than {MOST_BYTES} bytes")
    return json.loads(taken)


async def pieces(stream: _Stream, provider: str) -> AsyncIterator[dict[str, Any]]:
    """The events of a stream, as their JSON.

    Raises:
        ModelError: They are too long.
    """
    async for event in stream:
        if stream.response.num_bytes_downloaded > MOST_BYTES:
            raise nonsense(provider, f"more than {MOST_BYTES} bytes")
        yield event.to_dict(mode="json", warnings=False)


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


def shaped(shape: type[M], body: Any, provider: str) -> M:
    """An answer as the shape it should have.

    Raises:
        ModelError: It has another one.
    """
    try:
        return shape.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "the answer"
        raise nonsense(provider, f"{where}: {first['msg']}") from None


def usage_of(found: Mapping[str, Any] | None, *, source: str, flavor: str, tier: str | None) -> Usage | None:
    """The tokens that an answer tells of; ``None`` where it does not, or where they cannot be.

    Args:
        found: What the answer calls ``usage``.
        source: Whose words these are, as genai-prices calls them.
        flavor: The interface, as it calls that.
        tier: The tier of service it was served at.
    """
    import genai_prices

    if not found:
        return None
    try:
        read = genai_prices.extract_usage({"usage": found}, provider_id=source, api_flavor=flavor).usage
        counted = {
            name: int(getattr(read, name) or 0)
            for name in ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
        }
    except (ValueError, TypeError, AttributeError, LookupError):
        return None
    entered, cached, written = counted["input_tokens"], counted["cache_read_tokens"], counted["cache_write_tokens"]
    if min(counted.values()) < 0 or cached + written > entered:
        return None
    return Usage(
        input_tokens=entered,
        output_tokens=counted["output_tokens"],
        cached_tokens=cached,
        cache_write_tokens=written,
        tier=tier or "",
    )


def _model_error(sdk: ModuleType, provider: str, error: Exception, key: SecretStr | None) -> ModelError:
    import httpx2

    if isinstance(error, sdk.APIStatusError):
        inside = _named(error.body) if error.status_code < 300 else None  # noqa: PLR2004
        fault = inside or _by_status(error.status_code)
        said = f"{error.status_code}" if fault is ModelFault.KEY else f"{error.status_code} {_said(error.body, key)}"
        return _error(provider, fault, said.strip(), retry_after=_retry_after(error.response.headers))
    if isinstance(error, sdk.APITimeoutError | httpx2.TimeoutException):
        waited = not isinstance(error.__cause__ or error, httpx2.ConnectTimeout)
        return _error(provider, ModelFault.TIME if waited else ModelFault.UNREACHABLE, "no answer" if waited else "")
    if isinstance(error, sdk.APIConnectionError | httpx2.HTTPError | httpx2.StreamError):
        return _error(provider, ModelFault.UNREACHABLE, type(error.__cause__ or error).__name__)
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
    if key is not None and key.get_secret_value():
        words = words.replace(key.get_secret_value(), "…")
    return words if len(words) <= _MOST_WORDS else words[: _MOST_WORDS - 1] + "…"


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait; a time of day is read against the provider's own clock, so ours does not matter."""
    in_ms, asked = _number(headers.get("retry-after-ms", "")), headers.get("retry-after", "")
    if in_ms is not None:
        return in_ms / 1000
    if (seconds := _number(asked)) is not None:
        return seconds
    try:
        until = parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return max(until.total_seconds(), 0.0)


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) and found >= 0 else None
