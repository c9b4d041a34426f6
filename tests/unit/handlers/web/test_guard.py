"""What is refused before any route is in the log, where who set up the proxy looks."""

from __future__ import annotations

import httpx
import pytest
from structlog.testing import capture_logs

from handlers.web.guard import TOLD_EVERY, Guard, OwnNames


class Watch:
    """Seconds that are moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def caller(watch: Watch) -> httpx.AsyncClient:
    """A browser in front of a server that answers everything with 204."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    guard = Guard(app, names=OwnNames.of(), monotonic=lambda: watch.now)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=guard), base_url="http://localhost:8080")


async def test_a_page_behind_a_proxy_that_says_too_little_is_refused_and_logged_with_what_to_do(caller):
    with capture_logs() as logged:
        answer = await caller.post("/enter/secret-link", headers={"origin": "https://bot.example.org"})
    (line,) = logged
    assert (answer.status_code, line["status"], line["log_level"]) == (403, 403, "warning")
    assert "add bot.example.org to web.allowed_hosts" in line["reason"]
    assert "web.trusted_proxies" in line["reason"]
    assert "secret-link" not in str(line)


async def test_strangers_who_try_names_do_not_fill_the_log(caller, watch):
    with capture_logs() as logged:
        for number in range(50):
            watch.now = number * TOLD_EVERY / 40
            assert (await caller.get("/", headers={"host": f"{number}.example.org"})).status_code == 400
        await caller.post("/", headers={"origin": "https://elsewhere.example.org"})
    assert [(line["status"], line["more_since_the_last_line"]) for line in logged] == [(400, 0), (400, 39), (403, 0)]


async def test_a_long_name_is_cut_and_what_is_passed_on_is_not_logged(caller):
    with capture_logs() as logged:
        await caller.get("/", headers={"host": "a" * 5000})
        assert (await caller.get("/")).status_code == 204
    (line,) = logged
    assert len(line["reason"]) <= 500
