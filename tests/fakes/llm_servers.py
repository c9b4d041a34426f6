"""A server on loopback that speaks the interfaces of three kinds of provider, as strictly as they do, and keeps a bill.

What it does next is told by turns; without one it says what it always says. A question that the real ones would refuse
(wrong key, wrong version, fields or schemas that they do not know) it refuses in their words.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

Json = dict[str, Any]
RESPONSES, MESSAGES, CHAT = "/v1/responses", "/v1/messages", "/v1/chat/completions"
KEY = "sk-test-0123456789abcdef"
MODELS = ("gpt-5-mini", "claude-haiku-4-5", "qwen3-8b")
VERSIONS = ("2023-06-01", "2026-10-21")
SAID = '{"stance": "hold", "confidence": 0.4}'
STRICT = frozenset({"type", "description", "enum", "const", "anyOf", "items", "properties", "required"})
BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems", "pattern"})
KNOWN = {
    RESPONSES: {"model", "instructions", "input", "max_output_tokens", "store", "service_tier", "text", "stream"},
    MESSAGES: {"model", "messages", "system", "max_tokens", "service_tier", "output_config", "stream"},
    CHAT: {"model", "messages", "max_tokens", "response_format", "stream", "stream_options", "logprobs"},
}


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What comes in place of the usual answer."""

    text: str = SAID
    stop: str = "end"
    """``end``, ``length``, ``refused`` or ``tool``."""
    status: int = 200
    error: str = ""
    """The name of an error that stands inside of the answer."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    wait: float = 0.0
    after: asyncio.Event | None = None
    """It comes once this is set."""
    cut: bool = False
    """The connection is cut in the middle of the answer."""
    counted: bool = True
    """Whether it tells what was used."""
    tokens: tuple[tuple[str, float], ...] = ()
    """The tokens of the text with their log-probabilities, which are told to those who ask for them."""


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What one answer is charged for."""

    path: str
    model: str
    input_tokens: int
    cached_tokens: int
    output_tokens: int


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question as it came in."""

    path: str
    headers: Mapping[str, str]
    body: Json


class Refusal(Exception):
    def __init__(self, status: int, kind: str, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.kind, self.message, self.code = status, kind, message, code


@dataclass
class LlmServer:
    """What a test says to the server, and sees of it."""

    url: str
    turns: deque[Turn] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)
    bills: list[Bill] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody has asked."""
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody went away before the answer."""
    next: Callable[[Asked], Turn] | None = None
    """Makes a turn of a question where none was told."""

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"


@asynccontextmanager
async def serving() -> AsyncIterator[LlmServer]:
    app = web.Application(client_max_size=8 * 1024 * 1024)
    server = LlmServer(url="")

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await _answer(server, request)
        except Refusal as refused:
            return web.json_response(_wrong(request.path, refused), status=refused.status)
        except asyncio.CancelledError:
            server.left.set()
            raise

    for path in (RESPONSES, MESSAGES, CHAT):
        app.router.add_post(path, answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


async def _answer(server: LlmServer, request: web.Request) -> web.StreamResponse:
    _check_headers(request)
    try:
        body = await request.json()
    except ValueError:
        raise Refusal(400, "invalid_request_error", "We could not parse the JSON body of your request.") from None
    asked = Asked(path=request.path, headers=dict(request.headers), body=body)
    server.asked.append(asked)
    server.came.set()
    turn = server.turns.popleft() if server.turns else server.next(asked) if server.next else Turn()
    if turn.wait:
        await asyncio.sleep(turn.wait)
    if turn.after is not None:
        await turn.after.wait()
    if turn.body is not None:
        return web.Response(
            status=turn.status, body=turn.body, headers={"Content-Type": "application/json", **turn.headers}
        )
    if turn.status != 200:
        kind = turn.error or _kind(turn.status)
        wrong = _wrong(request.path, Refusal(turn.status, kind, f"told to say {turn.status} about {KEY}"))
        return web.json_response(wrong, status=turn.status, headers=turn.headers)
    _check_body(request.path, body)
    turn = turn if body.get("logprobs") else replace(turn, tokens=())
    bill = _bill(request.path, body, turn)
    server.bills.append(bill)
    whole = _wrong(request.path, Refusal(200, turn.error, "inside")) if turn.error else SAYS[request.path](turn, bill)
    if body.get("stream"):
        return await _stream(request, turn, whole, bill)
    return await _send(request, turn, json.dumps(whole).encode(), "application/json")


async def _send(request: web.Request, turn: Turn, body: bytes, kind: str) -> web.StreamResponse:
    names = {"request-id": "req_7", "x-request-id": "req_7"}
    response = web.StreamResponse(headers={"Content-Type": kind, **names, **turn.headers})
    if not turn.cut:
        response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2] if turn.cut else body)
    if turn.cut:
        assert request.transport is not None
        request.transport.close()
    else:
        await response.write_eof()
    return response


async def _stream(request: web.Request, turn: Turn, whole: Json, bill: Bill) -> web.StreamResponse:
    if turn.error:
        events = [{"type": "error", **whole}] if request.path != CHAT else [whole]
    else:
        events = PIECES[request.path](turn, whole, bill)
    lines = []
    for event in events:
        name = f"event: {event['type']}\n" if request.path != CHAT else ""
        lines.append(f"{name}data: {json.dumps(event)}\n\n")
    if request.path == CHAT:
        lines.append("data: [DONE]\n\n")
    return await _send(request, turn, "".join(lines).encode(), "text/event-stream")


def _check_headers(request: web.Request) -> None:
    if request.path == MESSAGES:
        if KEY not in {request.headers.get("x-api-key"), request.headers.get("Authorization", "")[len("Bearer ") :]}:
            raise Refusal(401, "authentication_error", "invalid x-api-key")
        if request.headers.get("anthropic-version") not in VERSIONS:
            raise Refusal(400, "invalid_request_error", "anthropic-version: header is required")
    elif request.headers.get("Authorization") != f"Bearer {KEY}":
        got = request.headers.get("Authorization", "")
        raise Refusal(401, "invalid_request_error", f"Incorrect API key provided: {got}.", "invalid_api_key")
    if request.content_type != "application/json":
        raise Refusal(415, "invalid_request_error", "Unsupported content type")


def _check_body(path: str, body: Json) -> None:
    if strange := sorted(set(body) - KNOWN[path]):
        raise Refusal(400, "invalid_request_error", f"{strange[0]}: Extra inputs are not permitted")
    if body.get("model") not in MODELS:
        raise Refusal(404, "not_found_error", f"The model `{body.get('model')}` does not exist.", "model_not_found")
    most = body.get("max_output_tokens" if path == RESPONSES else "max_tokens")
    if not isinstance(most, int) or most < (16 if path == RESPONSES else 1):
        raise Refusal(400, "invalid_request_error", f"max tokens: {most!r} is too few")
    schema: Any = None
    if path == RESPONSES:
        if not isinstance(body.get("input"), str) or not body["input"]:
            raise Refusal(400, "invalid_request_error", "Missing required parameter: 'input'.")
        schema = _format(body.get("text", {}).get("format"), STRICT | BOUNDS, named=True)
    else:
        roles = [message["role"] for message in body["messages"]]
        if roles != (["user"] if path == MESSAGES else [*roles[:-1], "user"]) or not body["messages"][-1]["content"]:
            raise Refusal(400, "invalid_request_error", "messages: unexpected role, or no content")
        if path == MESSAGES:
            schema = _format(body.get("output_config", {}).get("format"), STRICT | {"format", "minItems"}, named=False)
        elif (wanted := body.get("response_format")) is not None:
            schema = _format({"type": wanted["type"], **wanted["json_schema"]}, STRICT | BOUNDS, named=True)
    assert schema is None or schema["type"] == "object"


def _format(wanted: Json | None, known: frozenset[str], *, named: bool) -> Json | None:
    if wanted is None:
        return None
    if set(wanted) != ({"type", "name", "schema", "strict"} if named else {"type", "schema"}):
        raise Refusal(400, "invalid_request_error", f"format: unexpected fields {sorted(wanted)}")
    if wanted["type"] != "json_schema" or (named and (wanted["strict"] is not True or not wanted["name"])):
        raise Refusal(400, "invalid_request_error", "format: a strict json_schema with a name is expected")
    _check_schema(wanted["schema"], known)
    return wanted["schema"]


def _check_schema(part: Any, known: frozenset[str]) -> None:
    if strange := sorted(set(part) - known - {"additionalProperties"}):
        raise Refusal(400, "invalid_request_error", f"Invalid schema: '{strange[0]}' is not permitted.")
    if part.get("type") == "object":
        if part.get("additionalProperties") is not False:
            raise Refusal(400, "invalid_request_error", "Invalid schema: 'additionalProperties' must be false.")
        if sorted(part.get("required", ())) != sorted(part["properties"]):
            raise Refusal(400, "invalid_request_error", "Invalid schema: 'required' must have every property.")
    inside = [*part.get("properties", {}).values(), *part.get("anyOf", ())]
    for each in [*inside, part["items"]] if "items" in part else inside:
        _check_schema(each, known)


def _kind(status: int) -> str:
    kinds = {401: "authentication_error", 429: "rate_limit_error", 529: "overloaded_error"}
    return kinds.get(status, "api_error" if status >= 500 else "invalid_request_error")


def _wrong(path: str, refused: Refusal) -> Json:
    if path == MESSAGES:
        return {"type": "error", "error": {"type": refused.kind, "message": refused.message}, "request_id": "req_7"}
    return {"error": {"type": refused.kind, "message": refused.message, "code": refused.code, "param": None}}


def _bill(path: str, body: Json, turn: Turn) -> Bill:
    """Four letters are a token; one of each ten read was known before; nothing more is written than may be."""
    said = json.dumps([body.get(name) for name in ("instructions", "input", "system", "messages")])
    most = body["max_output_tokens" if path == RESPONSES else "max_tokens"]
    entered = len(said) // 4 + 3
    written = most if turn.stop == "length" else min(len(turn.text) // 4 + 1, most)
    return Bill(
        path=path,
        model=f"{body['model']}-2026-01-01",
        input_tokens=entered,
        cached_tokens=entered // 10,
        output_tokens=written,
    )


def _response(turn: Turn, bill: Bill) -> Json:
    refused = turn.stop == "refused"
    part = {"type": "refusal", "refusal": turn.text} if refused else {"type": "output_text", "text": turn.text}
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}
    call = {"type": "function_call", "id": "fc_1", "call_id": "1", "name": "look", "arguments": "{}"}
    usage = {
        "input_tokens": bill.input_tokens,
        "input_tokens_details": {"cached_tokens": bill.cached_tokens},
        "output_tokens": bill.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": bill.input_tokens + bill.output_tokens,
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_790_000_000,
        "model": bill.model,
        "status": "incomplete" if turn.stop == "length" else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if turn.stop == "length" else None,
        "error": None,
        "output": [thought, call if turn.stop == "tool" else message],
        "service_tier": "default",
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": usage if turn.counted else None,
    }


def _message(turn: Turn, bill: Bill) -> Json:
    stops = {"end": "end_turn", "length": "max_tokens", "refused": "refusal", "tool": "tool_use"}
    thought = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    call = {"type": "tool_use", "id": "tu_1", "name": "look", "input": {}}
    usage = {
        "input_tokens": bill.input_tokens - bill.cached_tokens,
        "cache_read_input_tokens": bill.cached_tokens,
        "cache_creation_input_tokens": 0,
        "output_tokens": bill.output_tokens,
        "service_tier": "standard",
    }
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": bill.model,
        "content": [thought, call if turn.stop == "tool" else {"type": "text", "text": turn.text}],
        "stop_reason": stops[turn.stop],
        "stop_sequence": None,
    } | ({"usage": usage} if turn.counted else {})


def _completion(turn: Turn, bill: Bill) -> Json:
    stops = {"end": "stop", "length": "length", "refused": "stop", "tool": "tool_calls"}
    said: Json = {"role": "assistant", "content": turn.text}
    if turn.stop == "refused":
        said = {"role": "assistant", "content": None, "refusal": turn.text}
    elif turn.stop == "tool":
        call = {"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
        said = {"role": "assistant", "content": None, "tool_calls": [call]}
    usage = {
        "prompt_tokens": bill.input_tokens,
        "prompt_tokens_details": {"cached_tokens": bill.cached_tokens},
        "completion_tokens": bill.output_tokens,
        "total_tokens": bill.input_tokens + bill.output_tokens,
    }
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": bill.model,
        "choices": [{"index": 0, "message": said, "finish_reason": stops[turn.stop], "logprobs": _logprobs(turn)}],
    } | ({"usage": usage} if turn.counted else {})


def _logprobs(turn: Turn) -> Json | None:
    told = [
        {"token": text, "logprob": logprob, "bytes": list(text.encode()), "top_logprobs": []}
        for text, logprob in turn.tokens
    ]
    return {"content": told, "refusal": None} if told else None


def _response_pieces(turn: Turn, whole: Json, _: Bill) -> list[Json]:
    """Only the last event has all of it, as with the real one."""
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    pieces = [turn.text[at : at + 7] for at in range(0, len(turn.text), 7)]
    of = {"item_id": "msg_1", "output_index": 1, "content_index": 0}
    deltas = [
        {"type": "response.output_text.delta", "delta": piece, "sequence_number": at, "logprobs": [], **of}
        for at, piece in enumerate(pieces)
    ]
    return [
        {"type": "response.created", "response": begun, "sequence_number": 0},
        *deltas,
        {"type": f"response.{whole['status']}", "response": whole, "sequence_number": 99},
    ]


def _message_pieces(turn: Turn, whole: Json, bill: Bill) -> list[Json]:
    usage = whole.get("usage")
    begun = {**whole, "content": [], "stop_reason": None} | ({"usage": {**usage, "output_tokens": 1}} if usage else {})
    events: list[Json] = [{"type": "message_start", "message": begun}, {"type": "ping"}]
    for at, block in enumerate(whole["content"]):
        empty = {**block, "text": ""} if block["type"] == "text" else block
        events.append({"type": "content_block_start", "index": at, "content_block": empty})
        if block["type"] == "text":
            deltas = [turn.text[from_ : from_ + 7] for from_ in range(0, len(turn.text), 7)]
            events += [
                {"type": "content_block_delta", "index": at, "delta": {"type": "text_delta", "text": piece}}
                for piece in deltas
            ]
        events.append({"type": "content_block_stop", "index": at})
    ended = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    counted = {"usage": {"output_tokens": bill.output_tokens}} if usage else {}
    return [*events, {"type": "message_delta", "delta": ended, **counted}, {"type": "message_stop"}]


def _completion_pieces(turn: Turn, whole: Json, _: Bill) -> list[Json]:
    about = {name: whole[name] for name in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    said = dict(whole["choices"][0]["message"])
    spoken = "refusal" if said.get("refusal") else "content"
    text = said.pop(spoken, None) or ""
    deltas: list[Json] = [{**said, spoken: ""}]
    deltas += [{spoken: text[at : at + 7]} for at in range(0, len(text), 7)]
    for delta in deltas:
        for at, call in enumerate(delta.get("tool_calls", ())):
            call["index"] = at
    stop = whole["choices"][0]["finish_reason"]
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    told = whole["choices"][0]["logprobs"]
    for at, each in enumerate(told["content"] if told else ()):
        choice = choices[min(at + 1, len(choices) - 1)]
        choice.setdefault("logprobs", {"content": []})["content"].append(each)
    choices.append({"index": 0, "delta": {}, "finish_reason": stop})
    pieces = [{**about, "choices": [choice], "usage": None} for choice in choices]
    return [*pieces, {**about, "choices": [], "usage": whole["usage"]}] if "usage" in whole else pieces


SAYS = {RESPONSES: _response, MESSAGES: _message, CHAT: _completion}
PIECES = {RESPONSES: _response_pieces, MESSAGES: _message_pieces, CHAT: _completion_pieces}
