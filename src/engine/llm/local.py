"""Models of any server that speaks OpenAI's chat.completions: llama.cpp, Ollama, vLLM."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from engine.domain.model_calls import ModelReply, ModelRequest, StopReason
from engine.llm.logprobs import probability_of
from engine.llm.schemas import for_openai
from engine.llm.sdk import SdkProvider
from engine.llm.sdk_answers import pieces, shaped, usage_of, whole
from engine.llm.sdk_errors import cut, told

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_STOPS = {
    "stop": StopReason.END,
    "length": StopReason.LENGTH,
    "content_filter": StopReason.REFUSED,
    "tool_calls": StopReason.TOOL,
    "function_call": StopReason.TOOL,
}
_THINKING = ("<think>", "</think>")


class _Said(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    finish_reason: str | None = None
    message: _Said
    logprobs: Any = None
    """Servers tell them in several ways: what cannot be read is as good as untold."""


class _Completion(BaseModel):
    id: str = ""
    model: str = ""
    choices: list[_Choice] = Field(min_length=1)
    service_tier: str | None = None
    usage: dict[str, Any] | None = None


class LocalProvider(SdkProvider["AsyncOpenAI"]):
    """A member of the family that asks a server of one's own, e.g. ``http://127.0.0.1:8080/v1``.

    Such a server may ignore the schema, or keep it from its model: it stands in the question too.

    Args:
        logprobs: Whether it is asked how sure its model is, where a question wants to know.
    """

    sdk = "openai"
    kind = "local"
    home = ""

    def __init__(self, *, logprobs: bool = True, **options: Any) -> None:
        super().__init__(**options)
        self._logprobs = logprobs

    def _make(self) -> AsyncOpenAI:
        import openai

        client = openai.AsyncOpenAI(**self._options(openai, trust_env=False))  # a proxy leads out of the house
        _ = client.chat.completions.with_streaming_response  # its half of the import
        return client

    async def _whole(self, client: AsyncOpenAI, request: ModelRequest) -> tuple[Any, str]:
        async with client.chat.completions.with_streaming_response.create(**self._asked(request)) as answer:
            return await whole(answer, self._name), answer.headers.get("x-request-id", "")

    async def _in_pieces(self, client: AsyncOpenAI, request: ModelRequest) -> tuple[Any, str]:
        """The completion that the pieces amount to; what was used comes in a last one without a choice."""
        about: dict[str, Any] = {}
        texts: dict[str, str] = {"content": "", "refusal": ""}
        tokens: list[Any] = []
        stop: str | None = None
        stream = await client.chat.completions.create(
            **self._asked(request), stream=True, stream_options={"include_usage": True}
        )
        async with stream:
            request_id = stream.response.headers.get("x-request-id", "")
            async for said in pieces(stream, self._name):
                about |= {name: value for name, value in said.items() if name != "choices" and value is not None}
                for choice in said.get("choices") or ():
                    stop = choice.get("finish_reason") or stop
                    tokens += _tokens(choice.get("logprobs"))
                    delta = choice.get("delta") or {}
                    for name in texts:
                        texts[name] += delta.get(name) or ""
        if stop is None:
            raise cut(self._name)
        told = {"finish_reason": stop, "message": texts, "logprobs": {"content": tokens}}
        return {**about, "choices": [told]}, request_id

    def _reply(self, body: Any, request_id: str, request: ModelRequest) -> ModelReply:
        wrong = body.get("error") if isinstance(body, Mapping) else None
        if wrong:
            usage = usage_of(body.get("usage"), source="openai", flavor="chat", tier=body.get("service_tier"))
            raise told(self._name, wrong, self._key, usage=usage)
        found = shaped(_Completion, body, self._name)
        choice = found.choices[0]
        return ModelReply(
            text=_without_thinking(choice.message.content or choice.message.refusal or ""),
            stop=StopReason.REFUSED
            if choice.message.refusal
            else _STOPS.get(choice.finish_reason or "", StopReason.OTHER),
            usage=usage_of(found.usage, source="openai", flavor="chat", tier=found.service_tier),
            model=found.model,
            request_id=request_id or found.id,
            probability=probability_of(request.probability_of, _tokens(choice.logprobs))
            if request.probability_of
            else None,
        )

    def _asked(self, request: ModelRequest) -> dict[str, Any]:
        asked = _asked(request)
        return {**asked, "logprobs": True} if request.probability_of and self._logprobs else asked


def _tokens(logprobs: Any) -> list[Any]:
    """The tokens of an answer, or of a piece of one; none where they are not told in this way."""
    found = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    return found if isinstance(found, list) else []


def _asked(request: ModelRequest) -> dict[str, Any]:
    system = request.system_message
    asked: dict[str, Any] = {"model": request.model, "max_tokens": request.max_tokens}
    if request.schema is not None:
        schema = for_openai(request.schema)
        asked["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": request.schema_name, "schema": schema, "strict": True},
        }
        wanted = "Answer with one JSON object of this JSON schema, and with nothing else:"
        system = f"{system}\n\n{wanted}\n{json.dumps(schema, ensure_ascii=False)}".strip()
    messages = [{"role": "user", "content": request.prompt}]
    asked["messages"] = [{"role": "system", "content": system}, *messages] if system else messages
    return asked


def _without_thinking(text: str) -> str:
    """What stands after the thoughts that some servers leave in the answer."""
    begin, end = _THINKING
    if not text.lstrip().startswith(begin) or end not in text:
        return text
    return text.split(end, 1)[1].lstrip()
