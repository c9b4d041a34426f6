"""Before any route: requests that another site made are refused, and every answer carries the security headers."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STREAM_PATH = "/stream"
HOOKS_PATH = "/hooks/"
MOST_BODY_BYTES = 256 * 1024
"""Two of Telegram's longest messages in one update, every character escaped, fit in."""
STATIC_PATH = "/static/"
CONTENT_POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
FOREIGN = "This request comes from another site."
TOO_LONG = "This request is too long, or does not say how long it is."


def is_unsafe(method: str) -> bool:
    """Whether a request with this method may change something."""
    return method not in ("GET", "HEAD", "OPTIONS")


def is_same_origin(headers: Headers) -> bool:
    """Whether the browser says that a page of this very host and port made the request."""
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


def is_foreign(headers: Headers) -> bool:
    """Whether the browser says that somebody else's page made the request. Programs say neither."""
    if "origin" in headers:
        return not is_same_origin(headers)
    return headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")


def is_short(headers: Headers) -> bool:
    """Whether a request says that its body is short enough to be read."""
    length = headers.get("content-length", "")
    return length.isdecimal() and int(length) <= MOST_BODY_BYTES


class Guard:
    """The ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what another site made, or too long a call of a hook; else pass on, adding headers to the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(MutableHeaders(scope=message), scope["path"])
            await send(message)

        guarded = is_unsafe(scope["method"]) or scope["path"] == STREAM_PATH
        headers = Headers(scope=scope)
        if guarded and is_foreign(headers):
            await JSONResponse({"detail": FOREIGN}, status_code=403)(scope, receive, send_with_headers)
        elif (
            scope["method"] == "POST" and scope["path"].startswith(HOOKS_PATH) and not is_short(headers)
        ):  # FastAPI looks at its own routes only
            await JSONResponse({"detail": TOO_LONG}, status_code=413)(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)


def _add_headers(headers: MutableHeaders, path: str) -> None:
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("cache-control", "no-cache" if path.startswith(STATIC_PATH) else "no-store")
