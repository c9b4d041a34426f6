"""Anthropic's models by its Messages interface and its own SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from engine.domain.model_calls import ModelReply, ModelRequest, StopReason
from engine.llm.sdk import SdkProvider
from engine.llm.sdk_answers import pieces, shaped, usage_of, whole
from engine.llm.sdk_errors import cut, told

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

API_URL = "https://api.anthropic.com"
_STOPS = {
    "end_turn": StopReason.END,
    "stop_sequence": StopReason.END,
    "max_tokens": StopReason.LENGTH,
    "model_context_window_exceeded": StopReason.LENGTH,
    "refusal": StopReason.REFUSED,
    "tool_use": StopReason.TOOL,
}


class _Block(BaseModel):
    type: str
    text: str | None = None


class _Message(BaseModel):
    id: str = ""
    model: str
    content: list[_Block]
    stop_reason: str | None = None
    usage: dict[str, Any] | None = None


class AnthropicProvider(SdkProvider["AsyncAnthropic"]):
    """A member of the family that asks Anthropic."""

    sdk = "anthropic"
    kind = "anthropic"
    home = API_URL

    def _make(self) -> AsyncAnthropic:
        import anthropic

        client = anthropic.AsyncAnthropic(**self._options(anthropic))
        _ = client.messages.with_streaming_response  # its half of the import
        return client

    async def _whole(self, client: AsyncAnthropic, request: ModelRequest) -> tuple[Any, str]:
        async with client.messages.with_streaming_response.create(**_asked(request)) as answer:
            return await whole(answer, self._name), answer.headers.get("request-id", "")

    async def _in_pieces(self, client: AsyncAnthropic, request: ModelRequest) -> tuple[Any, str]:
        """The message that the events amount to; its usage is counted up in the last of them."""
        message: dict[str, Any] = {}
        texts: list[str] = []
        async with await client.messages.create(**_asked(request), stream=True) as stream:
            request_id = stream.response.headers.get("request-id", "")
            async for said in pieces(stream, self._name):
                match said:
                    case {"type": "message_start", "message": dict(begun)}:
                        message = begun
                    case {"type": "content_block_start", "content_block": {"type": "text", "text": str(text)}}:
                        texts.append(text)
                    case {"type": "content_block_delta", "delta": {"type": "text_delta", "text": str(text)}}:
                        texts.append(text)
                    case {"type": "message_delta", "delta": dict(delta)}:
                        counted = {
                            name: value for name, value in (said.get("usage") or {}).items() if value is not None
                        }
                        message = {**message, **delta, "usage": {**(message.get("usage") or {}), **counted}}
                    case {"type": "message_stop"} if message:
                        return {**message, "content": [{"type": "text", "text": "".join(texts)}]}, request_id
        raise cut(self._name)

    def _reply(self, body: Any, request_id: str, request: ModelRequest) -> ModelReply:
        del request
        if isinstance(body, Mapping) and body.get("type") == "error":
            raise told(self._name, body, self._key)
        found = shaped(_Message, body, self._name)
        tier = (found.usage or {}).get("service_tier")
        return ModelReply(
            text="".join(block.text or "" for block in found.content if block.type == "text"),
            stop=_STOPS.get(found.stop_reason or "", StopReason.OTHER),
            usage=usage_of(found.usage, source="anthropic", flavor="default", tier=tier),
            model=found.model,
            request_id=request_id or found.id,
        )


def _asked(request: ModelRequest) -> dict[str, Any]:
    """The question in the interface's words, at the plain tier: its price is the one that was reserved."""
    asked: dict[str, Any] = {
        "model": request.model,
        "messages": [{"role": "user", "content": request.prompt}],
        "max_tokens": request.max_tokens,
        "service_tier": "standard_only",
    }
    if request.system_message:
        asked["system"] = request.system_message
    if request.schema is not None:
        from anthropic import transform_schema

        # What its schema mode does not know it puts into the descriptions.
        schema = transform_schema(dict(request.schema))
        asked["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    return asked
