"""What members over an official SDK share: a client that is made beside the loop, and one request a question."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import SecretStr

from engine.domain.errors import ModelError
from engine.domain.extras import install
from engine.domain.model_calls import UNBILLED, ModelFault, ModelReply, ModelRequest
from engine.llm.sdk_errors import translated, without_key

CONNECT_WITHIN = 5.0
"""Wall seconds for a connection, after which the next provider may be asked."""
SILENT_FOR = 600.0
"""Wall seconds without a byte after which a call is given up, as in the SDKs; callers have deadlines of their own."""


class _Closing(Protocol):
    async def close(self) -> None: ...


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
    kind: ClassVar[str]
    """The interface, after which a member is called where the settings do not say."""
    home: ClassVar[str]
    """Where it is asked where the settings do not say."""

    def __init__(
        self,
        *,
        name: str = "",
        api_key: SecretStr | None = None,
        api_url: str = "",
        streamed: bool = False,
        silent_for: float = SILENT_FOR,
    ) -> None:
        self._name = name or self.kind
        self._key = api_key
        self._url = api_url or self.home
        self._streamed = streamed
        self._silent_for = silent_for
        self._made: C | None = None
        self._making = asyncio.Lock()

    @property
    def name(self) -> str:
        """What it is called in the settings."""
        return self._name

    async def open(self) -> None:
        """Make the client, on another thread.

        Raises:
            ModelError: Its package is missing, or its address is none.
        """
        await self._opened()

    async def ask(self, request: ModelRequest) -> ModelReply:
        """Ask a model once.

        Raises:
            ModelError: No answer.
        """
        client = await self._opened()
        async with translated(self.sdk, self._name, self._key):
            body, request_id = await (self._in_pieces if self._streamed else self._whole)(client, request)
        reply = self._reply(body, request_id, request)
        return replace(reply, text=without_key(reply.text, self._key))

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
    def _reply(self, body: Any, request_id: str, request: ModelRequest) -> ModelReply:
        """What the JSON of an answer to a question says."""

    def _options(self, sdk: Any, **more: Any) -> dict[str, Any]:
        """What the client of either SDK is made with; the SDKs insist on a key also where the server wants none.

        Args:
            sdk: The SDK's module.
            more: What its connections are made with beside.
        """
        import genai_prices  # noqa: F401, here and not at the first answer, on the loop

        timeout = sdk.Timeout(self._silent_for, connect=CONNECT_WITHIN)
        return {
            "api_key": self._key.get_secret_value().strip() if self._key else "none",
            "base_url": self._url,
            "max_retries": 0,
            "http_client": sdk.DefaultAsyncHttpxClient(follow_redirects=False, timeout=timeout, **more),
        }

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
                f"{self._name} needs the package {missing.name or self.kind}, which is not installed.",
                install("ai"),
                fault=ModelFault.REQUEST,
                usage=UNBILLED,
            ) from None
        except httpx2.InvalidURL as wrong:
            raise ModelError(
                f"{self._name} cannot be asked at {self._url}: {wrong}.",
                f"Correct llm.providers.{self._name}.api_url.",
                fault=ModelFault.REQUEST,
                usage=UNBILLED,
            ) from None
