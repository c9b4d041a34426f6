"""The web chat behind a reverse proxy: below a path, under another Host, by https. A real proxy on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from handlers.web.guard import OwnNames
from handlers.web.server import WebServer, create_app
from tests.fakes.plain import PLAIN
from tests.fakes.web import Served, served

PUBLIC = "bot.example.org"


@dataclass(frozen=True, kw_only=True)
class Proxied:
    """A browser that knows the public name and path only, and what is behind."""

    room: Served
    browser: httpx.AsyncClient
    root: str

    async def say(self, words: str) -> httpx.Response:
        body = {"text": words, "delivery_id": uuid4().hex}
        return await self.browser.post(f"{self.root}chat/say", json=body)


@asynccontextmanager
async def behind_proxy(
    folder: Path,
    *,
    path: str = "/",
    passes: Mapping[str, str] | None = None,
    names: OwnNames | None = None,
    trusted: tuple[str, ...] = ("127.0.0.1",),
) -> AsyncIterator[Proxied]:
    """A proxy by https that strips ``path``, and sends these headers on in the place of the browser's."""
    async with served(folder) as room:
        app = create_app(await room.room.services(names=names), names=names, trusted_proxies=trusted)
        behind = WebServer(app, host="127.0.0.1", port=0)
        await behind.start()
        sends = {"x-forwarded-proto": "https", **(passes or {})}
        proxy = WebServer(_proxy(f"http://127.0.0.1:{behind.port}", path, sends, room), host="127.0.0.1", port=0)
        await proxy.start()
        origin = {"origin": f"https://{PUBLIC}", "host": PUBLIC}
        try:
            url = f"http://127.0.0.1:{proxy.port}"
            async with httpx.AsyncClient(base_url=url, headers=origin, verify=PLAIN, trust_env=False) as browser:
                yield Proxied(room=room, browser=browser, root=path)
        finally:
            await proxy.stop()
            await behind.stop()


def _proxy(behind: str, path: str, passes: Mapping[str, str], room: Served) -> FastAPI:
    app = FastAPI()
    app.state.services = room.app.state.services
    client = httpx.AsyncClient(verify=PLAIN, trust_env=False)

    @app.api_route("/{rest:path}", methods=["GET", "POST"])
    async def forward(rest: str, request: Request) -> Response:
        asked = f"/{rest}"
        if not asked.startswith(path):
            return Response(status_code=404)
        headers = {**request.headers, **passes}
        answer = await client.request(
            request.method,
            f"{behind}/{asked.removeprefix(path)}",
            headers=headers,
            content=await request.body(),
            params=request.query_params,
        )
        client.cookies.clear()  # a proxy keeps nobody's
        return Response(answer.content, answer.status_code, dict(answer.headers))

    return app


async def enter(proxied: Proxied) -> httpx.Response:
    """Open the own link, through the proxy. Its https is only said: the cookie is kept as if it had been."""
    link = f"{proxied.root}enter/{proxied.room.room.links.issue('Ann')}"
    entered = await proxied.browser.get(link)
    for cookie in proxied.browser.cookies.jar:
        cookie.secure = False
    return entered


KNOWN = OwnNames.of(public=[PUBLIC])


@pytest.mark.parametrize("path", ["/", "/greenlight/", "/a/b/"])
async def test_everything_works_below_any_path(tmp_path: Path, path: str):
    async with behind_proxy(tmp_path, path=path, names=KNOWN) as proxied:
        entered = await enter(proxied)
        assert entered.status_code == 303
        home = httpx.URL(f"https://{PUBLIC}{path}enter/x").join(entered.headers["location"]).path
        page = await proxied.browser.get(home)
        assert page.status_code == 200
        for link in ("static/app.js", "static/app.css", "static/favicon.svg", "api/status"):
            assert (await proxied.browser.get(f"{path}{link}")).status_code == 200
            assert f'"/{link}' not in page.text
        script = (await proxied.browser.get(f"{path}static/app.js")).text
        assert '"/' not in script.replace('startsWith("/")', "").replace('send("/', "").replace("`/", "")
        assert (await proxied.say("/version")).status_code == 204
        proxied.browser.cookies.clear()
        used = await proxied.browser.get(f"{path}enter/used")
        assert used.status_code == 410
        assert 'href="/' not in used.text


async def test_a_proxy_that_rewrites_the_host_works_where_its_name_is_known(tmp_path: Path):
    async with behind_proxy(tmp_path, passes={"host": "127.0.0.1"}, names=KNOWN) as proxied:
        await enter(proxied)
        assert (await proxied.say("/version")).status_code == 204


async def test_a_proxy_that_rewrites_the_host_is_told_what_it_must_pass_on(tmp_path: Path):
    """Seen: "That did not arrive. Try again." for ever."""
    async with behind_proxy(tmp_path, passes={"host": "127.0.0.1:9"}) as proxied:
        await enter(proxied)
        answer = await proxied.say("/version")
        assert answer.status_code == 403
        assert answer.json()["detail"] == (
            "This request comes from another site: the page is of https://bot.example.org, and the server was asked "
            "for as https://127.0.0.1:9. If there is a proxy between them, let it pass on the Host header, or add "
            "bot.example.org to web.allowed_hosts."
        )


async def test_a_proxy_that_does_not_say_https_is_told_so(tmp_path: Path):
    async with behind_proxy(tmp_path, passes={"x-forwarded-proto": ""}, names=KNOWN) as proxied:
        await enter(proxied)
        answer = await proxied.say("/version")
        assert answer.status_code == 403
        assert answer.json()["detail"] == (
            "This request comes from another site: the page is of https://bot.example.org, and the server was asked "
            "for as http://bot.example.org. If there is a proxy between them, let it send X-Forwarded-Proto: https, "
            "from an address in web.trusted_proxies."
        )


async def test_a_proxy_that_is_not_trusted_is_not_believed_in_where_a_page_is_from(tmp_path: Path):
    async with behind_proxy(tmp_path, names=KNOWN, trusted=()) as proxied:
        await enter(proxied)
        assert (await proxied.say("/version")).status_code == 403


@pytest.mark.parametrize("passes", [{}, {"host": "127.0.0.1"}])
async def test_a_page_by_http_cannot_act_on_a_bot_by_https(tmp_path: Path, passes: Mapping[str, str]):
    """Seen: whoever can put a page at the http address of the same name could press every button."""
    async with behind_proxy(tmp_path, passes=passes, names=KNOWN) as proxied:
        await enter(proxied)
        proxied.browser.headers["origin"] = f"http://{PUBLIC}"
        answer = await proxied.say("/version")
        assert answer.status_code == 403
        assert answer.json()["detail"].endswith(". Open the page by https.")


@pytest.mark.parametrize(
    ("scheme", "host", "same"),
    [
        ("http", f"{PUBLIC}:80", True),
        ("https", f"{PUBLIC}:443", True),
        ("http", f"{PUBLIC}:443", False),
        ("https", f"{PUBLIC}:80", False),
    ],
)
async def test_the_usual_port_may_be_left_out(tmp_path: Path, scheme: str, host: str, same: bool):  # noqa: FBT001
    passes, names = {"host": host, "x-forwarded-proto": scheme}, OwnNames.of(listening=[PUBLIC])
    async with behind_proxy(tmp_path, passes=passes, names=names) as proxied:
        await enter(proxied)
        proxied.browser.headers["origin"] = f"{scheme}://{PUBLIC}"
        assert (await proxied.say("/version")).status_code == (204 if same else 403)


async def test_another_port_or_site_of_the_same_proxy_is_not_the_page(tmp_path: Path):
    async with behind_proxy(tmp_path, passes={"host": "127.0.0.1"}, names=KNOWN) as proxied:
        await enter(proxied)
        for origin in (f"https://{PUBLIC}:9000", f"https://evil.{PUBLIC}", "https://evil.example", "ftp://x", "null"):
            proxied.browser.headers["origin"] = origin
            assert (await proxied.say("/version")).status_code == 403


@pytest.mark.parametrize(("proto", "secure"), [("https", True), ("http", False), ("gopher", False)])
async def test_the_cookie_is_secure_where_the_proxy_says_https(tmp_path: Path, proto: str, secure: bool):  # noqa: FBT001
    async with behind_proxy(tmp_path, passes={"x-forwarded-proto": proto}, names=KNOWN) as proxied:
        entered = await enter(proxied)
        assert ("secure" in entered.headers["set-cookie"].lower()) is secure


async def test_who_is_not_trusted_is_not_believed(tmp_path: Path):
    async with behind_proxy(tmp_path, passes={"x-forwarded-proto": "https"}, names=KNOWN, trusted=()) as proxied:
        assert "secure" not in (await enter(proxied)).headers["set-cookie"].lower()


async def test_strangers_behind_a_proxy_are_told_apart(tmp_path: Path):
    async with behind_proxy(tmp_path, names=KNOWN) as proxied:
        for number in range(12):
            stranger = {"x-forwarded-for": "192.0.2.7"}
            answer = await proxied.browser.get(f"/enter/guess{number}", headers=stranger)
        assert answer.status_code == 429
        assert (await proxied.browser.get("/enter/guess", headers={"x-forwarded-for": "192.0.2.8"})).status_code == 410
