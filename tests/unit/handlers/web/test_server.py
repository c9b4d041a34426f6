import asyncio
import socket

import httpx
import pytest

from engine.domain.errors import ConfigError
from handlers.web.guard import OwnNames
from handlers.web.server import WebServer, create_app, listen
from tests.fakes.web import TOKEN, opened, served

BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def web(tmp_path):
    async with opened(tmp_path) as room:
        yield room


async def test_a_busy_port_names_the_setting(web):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(ConfigError, match=f"web.port {port} is in use.*BOT_WEB__PORT"):
            await WebServer(web.app, host="127.0.0.1", port=port).start()


async def test_an_address_of_another_machine_names_the_setting(web):
    elsewhere = WebServer(web.app, host="192.0.2.1", port=0)
    with pytest.raises(ConfigError, match=r"192\.0\.2\.1.*BOT_WEB__HOST"):
        await elsewhere.start()


async def test_the_port_is_free_again_at_once_after_stopping(tmp_path):
    async with served(tmp_path) as web:
        port = web.server.port
        await web.client.get("/health")
    with socket.create_server(("127.0.0.1", port)):
        pass


async def test_stopping_lets_open_streams_go(tmp_path):
    async with (
        served(tmp_path) as web,
        web.enter("Ann") as browser,
        browser.stream("GET", "/stream") as answer,
        asyncio.timeout(5),
    ):
        lines = answer.aiter_lines()
        await anext(lines)
        await web.server.stop()
        assert [line async for line in lines]


async def test_stopping_what_never_started_does_nothing(web):
    await WebServer(web.app, host="127.0.0.1", port=0).stop()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8080", ""])
async def test_a_name_that_is_not_ours_is_refused(web, host):
    answer = await web.client.get("/health", headers={"host": host})
    assert answer.status_code == 400


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9", "LOCALHOST:8080", "[::1]:8080", "bot.example"])
async def test_our_names_are_taken_with_any_port(web, host):
    app = create_app(web.app.state.services, names=OwnNames.of(public=["bot.example:8080"]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        answer = await client.get("/health", headers={"host": host})
    assert answer.status_code == 200


async def test_a_name_that_is_not_ours_is_named_and_where_to_add_it(web):
    answer = await web.client.get("/", headers={"host": "bot.example.org"})
    assert answer.json()["detail"] == (
        "This server is not called 'bot.example.org'. If that is right, add the name to web.allowed_hosts."
    )


FOREIGN = [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_another_site_can_neither_act_nor_listen(web, headers):
    await web.room.ask()
    async with web.enter("Ann") as browser:
        del browser.headers["origin"]
        acted = await browser.post("/api/approvals/A17/approve", headers=headers)
        heard = await browser.get("/stream", headers=headers)
    assert (acted.status_code, heard.status_code) == (403, 403)
    assert web.room.views.approvals_by_id["A17"].status == "pending"


async def test_a_cookie_alone_does_not_act(web):
    await web.room.ask()
    async with web.enter("Ann") as browser:
        del browser.headers["origin"]
        answer = await browser.post("/api/approvals/A17/approve")
    assert answer.status_code == 401


async def test_a_program_with_the_token_needs_no_origin(web):
    await web.room.ask()
    assert (await web.client.post("/api/approvals/A17/approve", headers=BEARER)).status_code == 200


@pytest.mark.parametrize("path", ["/", "/health", "/enter/x", "/api/status", "/static/app.js", "/nowhere"])
async def test_every_answer_carries_the_security_headers(web, path):
    headers = (await web.client.get(path)).headers
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store")
    assert "server" not in headers


async def test_the_pages_need_nothing_inline_and_nothing_from_elsewhere(web):
    async with web.enter("Ann") as browser:
        page = (await browser.get("/")).text
    assert "<style" not in page
    assert "style=" not in page
    assert " on" + "click=" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


async def test_a_body_that_is_too_large_is_refused_unread(web):
    answer = await web.client.post("/api/approvals/A17/approve", headers=BEARER, content=b"x" * 300_000)
    assert answer.status_code == 413


async def test_what_is_short_is_sent_at_once():
    accepted = asyncio.get_running_loop().create_future()
    listening = listen("127.0.0.1", 0)
    server = await asyncio.start_server(lambda _, writer: accepted.set_result(writer), sock=listening)
    _, caller = await asyncio.open_connection(*listening.getsockname())
    writer = await accepted
    assert writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    for end in (caller, writer):
        end.close()
        await end.wait_closed()
    server.close()
