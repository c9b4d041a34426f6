"""What the official SDKs hand over of an answer: its JSON, of a narrow shape of ours, and the tokens it tells of."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from engine.domain.model_calls import Usage
from engine.llm.sdk_errors import nonsense

MOST_BYTES = 16 * 1024 * 1024
"""The longest answer that is taken, pieces with all that is around them; the longest models write are shorter."""

M = TypeVar("M", bound=BaseModel)


class _Answer(Protocol):
    """An answer of either SDK that was not read yet."""

    def iter_bytes(self) -> AsyncIterator[bytes]: ...


class _Stream(Protocol):
    """A stream of either SDK."""

    @property
    def response(self) -> Any: ...

    def __aiter__(self) -> AsyncIterator[Any]: ...


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
