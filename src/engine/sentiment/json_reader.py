"""Asks programs on the web that answer in JSON: with a deadline and a cap, and nowhere else than where people said."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from engine.domain.errors import DataError, SourceError
from engine.domain.figures import plain
from engine.sentiment.fetching import Validators, conditions, validators_of
from engine.support.capped_body import ACCEPTED, read_capped
from engine.support.retry_after import seconds_to_wait
from engine.timing.clocks import wall

M = TypeVar("M", bound=BaseModel)
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_RATE = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """The last answer of an address, and what its server said of it."""

    params: Mapping[str, str]
    validators: Validators
    answer: Any


class JsonReader:
    """Asks for one source; connections are made with the first question. Redirects are not followed.

    Where a server says by what its answer is known, it is asked only whether there is another one by now.

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
        self._known: dict[str, _Known] = {}

    async def get(
        self, url: str, shape: type[M], params: Mapping[str, str], headers: Mapping[str, str] = _NO_HEADERS
    ) -> M:
        """What is answered, where it has the shape that is expected.

        Raises:
            SourceError: There is no answer, it comes too late, is too long, or is something else.
        """
        if self._client is None:
            given = {"user-agent": self._agent, "accept-encoding": ACCEPTED}
            self._client = httpx.AsyncClient(
                headers=given, timeout=self._within, follow_redirects=False, trust_env=False
            )
        known = self._known.get(url)
        if known is not None and (known.params != params or not isinstance(known.answer, shape)):
            known = None
        sent = [*_encoded(headers), *(conditions(known.validators) if known else ())]
        try:
            asked = self._client.stream("GET", url, params=dict(params), headers=sent)
            async with asyncio.timeout(self._within), asked as response:
                if known is not None and response.status_code == httpx.codes.NOT_MODIFIED:
                    return known.answer  # type: ignore[no-any-return] # it is of the shape
                body = await self._read(response)
        except (TimeoutError, httpx.TimeoutException):
            raise SourceError(f"{self._name} does not answer within {plain(self._within, 6)} s.") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SourceError(f"{self._name} cannot be reached ({type(error).__name__}).") from None
        try:
            answer = shape.model_validate_json(body)
        except ValidationError:
            raise SourceError(f"{self._name} answers nonsense.") from None
        self._keep(url, params, validators_of(response), answer)
        return answer

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
        try:
            return await read_capped(response, self._most_bytes)
        except DataError as error:
            raise SourceError(f"{self._name}: {error.message}.") from None

    def _keep(self, url: str, params: Mapping[str, str], validators: Validators, answer: BaseModel) -> None:
        self._known.pop(url, None)
        if validators != Validators():
            self._known[url] = _Known(params=dict(params), validators=validators, answer=answer)


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]
