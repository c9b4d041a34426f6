"""Before any route: requests that another site made are refused, and every answer carries the security headers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.timing.clocks import monotonic

_log = structlog.get_logger(__name__)

LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
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
FOREIGN = "This request comes from another site"
TOLD_EVERY = 60.0
"""Seconds between two lines in the log about refusals of a kind: strangers who try names must not fill it."""
_SHOWN = 500
"""The longest reason that is logged: it names what the request said of itself."""
TOO_LONG = "This request is too long, or does not say how long it is."


USUAL_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Where a page is from: its origin, the host with its port where that is not the usual one."""

    scheme: str
    host: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNames:
    """Under which names the server is called, and which pages are its own.

    Attributes:
        hosts: Host names without a port; ``*.example.org`` stands for every name below it, ``*`` for any.
        pages: Hosts, with their port where it is not the usual one, whose pages count as ours whatever ``Host`` says;
            their scheme is that of the request.
    """

    hosts: frozenset[str]
    pages: frozenset[str]

    @classmethod
    def of(cls, *, listening: Iterable[str] = (), public: Iterable[str] = ()) -> Self:
        """The names of a server that listens somewhere, and is called by public names through a proxy."""
        names = [name.lower() for name in public]
        return cls(
            hosts=frozenset(_without_port(name) for name in (*LOCAL_HOSTS, *listening, *names)),
            pages=frozenset(name for name in names if "*" not in name),
        )

    def has(self, headers: Headers) -> bool:
        """Whether a request asks for one of these hosts; a port is of no matter."""
        name = _without_port(_host(headers))
        below = any(own.startswith("*.") and name.endswith(own[1:]) for own in self.hosts)
        return name != "" and (name in self.hosts or below or "*" in self.hosts)

    def is_same_origin(self, scheme: str, headers: Headers) -> bool:
        """Whether the browser says that a page of this very scheme, host and port made the request.

        A proxy may have put another name in the place of the host that the browser asked for.

        Args:
            scheme: How the browser asked, as far as is known: ``http`` or ``https``.
            headers: Of the request.
        """
        page = _page(headers)
        return page is not None and page.scheme == scheme and self.is_own_host(page, headers)

    def is_own_host(self, page: Page, headers: Headers) -> bool:
        """Whether a page is of a host and port of ours, whatever its scheme."""
        return page.host in {_without_usual_port(page.scheme, host) for host in (_host(headers), *self.pages)}

    def is_foreign(self, scheme: str, headers: Headers) -> bool:
        """Whether the browser says that somebody else's page made the request. Programs say neither."""
        if "origin" in headers:
            return not self.is_same_origin(scheme, headers)
        return headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")


def is_unsafe(method: str) -> bool:
    """Whether a request with this method may change something."""
    return method not in ("GET", "HEAD", "OPTIONS")


def _page(headers: Headers) -> Page | None:
    """The page that made a request; ``None`` where the browser does not say, or says none of the web."""
    try:
        origin = urlsplit(headers.get("origin", ""))
    except ValueError:
        return None
    if origin.scheme not in USUAL_PORTS or not origin.netloc:
        return None
    return Page(scheme=origin.scheme, host=_without_usual_port(origin.scheme, origin.netloc.lower()))


def _host(headers: Headers) -> str:
    return headers.get("host", "").lower()


def _without_usual_port(scheme: str, host: str) -> str:
    """A host as an origin of this scheme has it: browsers leave the usual port out, proxies may put it in."""
    return host.removesuffix(f":{USUAL_PORTS[scheme]}")


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() and not name.endswith(":") else host


def is_short(headers: Headers) -> bool:
    """Whether a request says that its body is short enough to be read."""
    length = headers.get("content-length", "")
    return length.isdecimal() and int(length) <= MOST_BODY_BYTES


class Guard:
    """The ASGI middleware around the whole app.

    Refusals are logged: where a proxy that is not set up right stands between, people see only that nothing works.
    """

    def __init__(self, app: ASGIApp, *, names: OwnNames, monotonic: Callable[[], float] = monotonic) -> None:
        self._app = app
        self._names = names
        self._monotonic = monotonic
        self._told_at: dict[int, float] = {}
        self._untold: dict[int, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what is not for us, what another site made, or too long a call of a hook; else pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(MutableHeaders(scope=message), scope["path"])
            await send(message)

        refusal = self._refusal(scope, Headers(scope=scope))
        if refusal is None:
            await self._app(scope, receive, send_with_headers)
        else:
            status, detail = refusal
            self._tell(status, detail)
            await JSONResponse({"detail": detail}, status_code=status)(scope, receive, send_with_headers)

    def _tell(self, status: int, detail: str) -> None:
        """Log a refusal, without its path, which may be somebody's link; those of a kind once in a while."""
        now = self._monotonic()
        if now - self._told_at.get(status, float("-inf")) < TOLD_EVERY:
            self._untold[status] = self._untold.get(status, 0) + 1
            return
        self._told_at[status] = now
        more = self._untold.pop(status, 0)
        _log.warning("web request refused", status=status, reason=detail[:_SHOWN], more_since_the_last_line=more)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        """Why a request is refused, and the status that says so; ``None`` where it is passed on."""
        guarded = is_unsafe(scope["method"]) or scope["path"] == STREAM_PATH
        scheme = scope.get("scheme", "http")
        if not self._names.has(headers):
            return 400, _not_our_name(headers)
        if guarded and self._names.is_foreign(scheme, headers):
            return 403, self._foreign(scheme, headers)
        is_call = scope["method"] == "POST" and scope["path"].startswith(HOOKS_PATH)
        if is_call and not is_short(headers):  # FastAPI looks at its own routes only
            return 413, TOO_LONG
        return None

    def _foreign(self, scheme: str, headers: Headers) -> str:
        """What is wrong, and what a proxy that stands between has to do if it is not another site after all."""
        page = _page(headers)
        if page is None:
            return f"{FOREIGN}."
        told = f"{FOREIGN}: the page is of {page}, and the server was asked for as {scheme}://{_host(headers)}."
        wanted = []
        if not self._names.is_own_host(page, headers):
            wanted.append(f"let it pass on the Host header, or add {page.host} to web.allowed_hosts")
        if page.scheme == "https" != scheme:
            wanted.append("let it send X-Forwarded-Proto: https, from an address in web.trusted_proxies")
        proxy = f" If there is a proxy between them, {'; and '.join(wanted)}." if wanted else ""
        return told + proxy + (" Open the page by https." if page.scheme == "http" != scheme else "")


def _not_our_name(headers: Headers) -> str:
    name = headers.get("host", "")
    return f"This server is not called {name!r}. If that is right, add the name to web.allowed_hosts."


def _add_headers(headers: MutableHeaders, path: str) -> None:
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("cache-control", "no-cache" if path.startswith(STATIC_PATH) else "no-store")
