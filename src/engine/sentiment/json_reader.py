"""Asks programs on the web that answer in JSON: with a deadline and a cap, and nowhere else than where people said."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from engine.clocks import wall
from engine.domain.errors import SourceError
from engine.domain.figures import plain
from engine.retry_after import seconds_to_wait

M = TypeVar("M", bound=BaseModel)
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_RATE = 429


class JsonReader:
    """Asks for one source; connections are made with the first question. Redirects are not followed.

    Args:
        name: The source, for people.
        within: Wall seconds for one answer, to its last byte.
        most_bytes: The longest answer that is read, unpacked.
        agent: How it introduces itself.
    """

    def __init__(self, *, name: str, within: float, most_bytes: int, agent: str) -> None:
        self._name = name
        self._within = within
        self._most_bytes = most_bytes
        self._agent = agent
        self._client: httpx.AsyncClient | None = None

    async def get(
        self, url: str, shape: type[M], params: Mapping[str, str], headers: Mapping[str, str] = _NO_HEADERS
    ) -> M:
        """What is answered, where it has the shape that is expected.

        Raises:
            SourceError: There is no answer, it comes too late, is too long, or is something else.
        """
        if self._client is None:
            self._client = httpx.AsyncClient(
                headers={"user-agent": self._agent}, timeout=self._within, follow_redirects=False, trust_env=False
            )
        try:
            asked = self._client.stream("GET", url, params=dict(params), headers=dict(headers))
            async with asyncio.timeout(self._within), asked as response:
                body = await self._read(response)
        except (TimeoutError, httpx.TimeoutException):
            raise SourceError(f"{self._name} does not answer within {plain(self._within, 6)} s.") from None
        except httpx.HTTPError as error:
            raise SourceError(f"{self._name} cannot be reached ({type(error).__name__}).") from None
        try:
            return shape.model_validate_json(body)
        except ValidationError:
            raise SourceError(f"{self._name} answers nonsense.") from None

    async def close(self) -> None:
        """Let go of every connection."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _read(self, response: httpx.Response) -> bytes:
        status = response.status_code
        if not response.is_success:
            again = seconds_to_wait(response.headers.get("retry-after", ""), wall())
            words = "asks for less" if status == _RATE else f"answers with status {status}"
            raise SourceError(f"{self._name} {words}.", again_after=again)
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self._most_bytes:
                raise SourceError(f"{self._name} answers with more than {self._most_bytes} bytes.")
        return bytes(body)
