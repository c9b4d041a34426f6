"""OpenAI's models by its Responses interface and its own SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from engine.domain.model_calls import ModelReply, ModelRequest, StopReason
from engine.llm.schemas import for_openai
from engine.llm.sdk import SdkProvider
from engine.llm.sdk_answers import pieces, shaped, usage_of, whole
from engine.llm.sdk_errors import cut, nonsense, told

if TYPE_CHECKING:
    from openai import AsyncOpenAI

API_URL = "https://api.openai.com/v1"
_ENDS = ("response.completed", "response.incomplete", "response.failed")
_STATES = {"completed": StopReason.END, "complete": StopReason.END}
"""Some proxies say complete."""
_CUTS = {"max_output_tokens": StopReason.LENGTH, "content_filter": StopReason.REFUSED}


class _Part(BaseModel):
    type: str
    text: str | None = None
    refusal: str | None = None


class _Item(BaseModel):
    type: str
    content: list[_Part] | None = None


class _Details(BaseModel):
    reason: str | None = None


class _Response(BaseModel):
    id: str = ""
    model: str
    status: str
    output: list[_Item]
    incomplete_details: _Details | None = None
    service_tier: str | None = None
    usage: dict[str, Any] | None = None


class OpenAIProvider(SdkProvider["AsyncOpenAI"]):
    """A member of the family that asks OpenAI, where nothing of it is stored."""

    sdk = "openai"
    kind = "openai"
    home = API_URL

    def _make(self) -> AsyncOpenAI:
        import openai

        client = openai.AsyncOpenAI(**self._options(openai))
        _ = client.responses.with_streaming_response  # its half of the import
        return client

    async def _whole(self, client: AsyncOpenAI, request: ModelRequest) -> tuple[Any, str]:
        async with client.responses.with_streaming_response.create(**_asked(request)) as answer:
            return await whole(answer, self._name), answer.headers.get("x-request-id", "")

    async def _in_pieces(self, client: AsyncOpenAI, request: ModelRequest) -> tuple[Any, str]:
        """The response that the last event has whole."""
        async with await client.responses.create(**_asked(request), stream=True) as stream:
            request_id = stream.response.headers.get("x-request-id", "")
            async for said in pieces(stream, self._name):
                if said.get("type") in _ENDS:
                    return said["response"], request_id
                if said.get("type") == "error":
                    return {"error": said}, request_id
        raise cut(self._name)

    def _reply(self, body: Any, request_id: str, request: ModelRequest) -> ModelReply:
        del request
        wrong = body.get("error") if isinstance(body, Mapping) else None
        if wrong:
            usage = usage_of(body.get("usage"), source="openai", flavor="responses", tier=body.get("service_tier"))
            raise told(self._name, wrong, self._key, usage=usage)
        found = shaped(_Response, body, self._name)
        usage = usage_of(found.usage, source="openai", flavor="responses", tier=found.service_tier)
        if found.status == "failed":
            raise nonsense(self._name, "failed, and does not say why", usage=usage)
        parts = [part for item in found.output if item.type == "message" for part in item.content or ()]
        text = "".join(part.text or "" for part in parts if part.type == "output_text")
        refusal = "".join(part.refusal or "" for part in parts if part.type == "refusal")
        return ModelReply(
            text=text or refusal,
            stop=StopReason.REFUSED if refusal else _stop(found),
            usage=usage,
            model=found.model,
            request_id=request_id or found.id,
        )


def _asked(request: ModelRequest) -> dict[str, Any]:
    """The question in the interface's words, at the plain tier: its price is the one that was reserved."""
    asked: dict[str, Any] = {
        "model": request.model,
        "instructions": request.system_message,
        "input": request.prompt,
        "max_output_tokens": request.max_tokens,
        "store": False,
        "service_tier": "default",
    }
    if request.schema is not None:
        schema = for_openai(request.schema)
        asked["text"] = {
            "format": {"type": "json_schema", "name": request.schema_name, "schema": schema, "strict": True}
        }
    return asked


def _stop(found: _Response) -> StopReason:
    if found.status == "incomplete":
        reason = found.incomplete_details.reason if found.incomplete_details else None
        return _CUTS.get(reason or "", StopReason.OTHER)
    if any(item.type in {"function_call", "custom_tool_call"} for item in found.output):
        return StopReason.TOOL
    return _STATES.get(found.status, StopReason.OTHER)
