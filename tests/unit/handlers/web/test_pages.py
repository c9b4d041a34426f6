import asyncio
import json
import re
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest

from engine.domain.errors import StoreError
from engine.domain.halts import HaltKind
from engine.domain.messages import Card, Lane, Table
from engine.domain.unmanaged import Absence
from handlers.access import Access
from handlers.cards import alerts
from tests.fakes import reports
from tests.fakes.web import ROOM, opened, served


@pytest.fixture
async def web(tmp_path):
    async with opened(tmp_path) as room:
        yield room


@pytest.fixture
async def live(tmp_path):
    async with served(tmp_path) as room:
        yield room


def said(text, delivery=None):
    return {"text": text, "delivery_id": str(delivery or uuid4())}


@asynccontextmanager
async def listening(browser, **headers):
    """The events of the stream as they come: ``(name, data, id)``."""
    async with browser.stream("GET", "/stream", headers=headers) as answer:
        assert answer.status_code == 200
        yield _events(answer)


async def _events(answer):
    event = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            event[name] = value
        elif "event" in event:
            yield event["event"], json.loads(event["data"]), event.get("id")
            event = {}


async def upto(events, name):
    async with asyncio.timeout(5):
        async for event in events:
            if event[0] == name:
                return event
    raise AssertionError(f"the stream ended without {name}")


async def test_a_stranger_stands_before_the_door(web):
    await web.room.ask()
    answer = await web.client.get("/")
    assert answer.status_code == 401
    assert "A17" not in answer.text
    assert "Ann" not in answer.text


async def test_an_alarm_is_red_on_the_page(web):
    await web.room.chat.put(ROOM, Card(title="EMERGENCY STOP", lane=Lane.URGENT, alarm=True), None)
    await web.room.chat.put(ROOM, Card(title="No new entries", lane=Lane.URGENT), None)
    halts = [reports.halt(kind) for kind in (HaltKind.EMERGENCY, HaltKind.PAUSE)]
    web.room.views.changes = {"halts": tuple(halts)}
    async with web.enter("Ann") as browser:
        page = (await browser.get("/")).text
    assert re.findall(r'class="message card ([^"]*)"', page) == ["urgent alarm", "urgent"]
    assert re.findall(r'<section class="(halt[^"]*)"', page) == ["halt alarm", "halt"]


async def test_a_link_lets_in_once(web):
    link = f"/enter/{web.room.links.issue('Ann')}"
    first = await web.client.get(link)
    assert (first.status_code, first.headers["location"]) == (303, "../")
    async with web.browser() as other:
        second = await other.get(link)
    assert second.status_code == 410
    assert "Each link works once" in second.text


async def test_the_own_link_again_leads_a_signed_in_browser_to_the_page(web):
    async with web.enter("Ann") as browser:
        assert (await browser.get("/enter/used")).status_code == 303


async def test_guessing_links_is_slowed_down(web):
    codes = [(await web.client.get(f"/enter/guess{number}")).status_code for number in range(12)]
    assert codes == [410] * 10 + [429] * 2


async def test_a_browser_that_only_guesses_at_a_link_does_not_use_it_up(web):
    link = f"/enter/{web.room.links.issue('Ann')}"
    assert (await web.client.get(link, headers={"sec-purpose": "prefetch;prerender"})).status_code == 425
    assert (await web.client.head(link)).status_code == 405
    assert (await web.client.get(link)).status_code == 303


async def test_a_link_followed_from_another_site_bounces_once_to_bring_the_cookie(web):
    answer = await web.client.get("/", headers={"sec-fetch-site": "cross-site"})
    assert 'http-equiv="refresh"' in answer.text
    again = await web.client.get("/", headers={"sec-fetch-site": "same-origin"})
    assert again.status_code == 401
    assert "refresh" not in again.text


async def test_the_page_shows_the_past_and_the_account(web):
    await web.room.ask()
    async with web.enter("Ann") as browser:
        page = (await browser.get("/")).text
    assert 'data-press="half:A17"' in page
    assert "10,000.00" in page
    assert "BTC/USDT" in page
    assert 'data-name="/approve"' in page


async def test_a_viewer_is_offered_only_what_they_may_do(web):
    await web.room.ask()
    async with web.enter("Vic") as browser:
        page = (await browser.get("/")).text
    assert 'data-name="/status"' in page
    assert 'data-name="/approve"' not in page
    assert "Buy 0.01234 BTC/USDT? (A17)" in page
    assert "data-press" not in page
    assert "A trader can answer this." in page


async def test_a_restart_signs_nobody_out(tmp_path):
    async with opened(tmp_path) as web, web.enter("Ann") as browser:
        cookies = dict(browser.cookies)
    async with opened(tmp_path) as web, web.browser(cookies) as browser:
        assert (await browser.get("/")).status_code == 200


async def test_who_is_removed_is_locked_out_of_page_and_stream(live):
    async with live.enter("Ann") as browser, listening(browser) as events:
        await upto(events, "board")
        live.room.sessions._access = Access([])
        async with asyncio.timeout(5):
            assert [event async for event in events if event[0] == "message"] == []
        assert (await browser.get("/")).status_code == 401


@pytest.mark.parametrize("nasty", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}"])
async def test_nothing_that_people_or_markets_write_becomes_markup(web, nasty):
    table = Table(head=(nasty,), rows=((nasty,),))
    await web.room.put(Card(title=nasty, topic=f"trade:{nasty}", fields=((nasty, nasty),), text=nasty, table=table))
    async with web.enter("Ann") as browser:
        await browser.post("/chat/say", json=said(nasty))
        page = (await browser.get("/")).text
    assert "<img" not in page.replace('<img src="static', "")
    assert "<script>" not in page
    assert page.count("<script") == 1
    assert "{{ 7 * 7 }}" in page or "7 * 7" not in nasty


async def test_what_is_written_is_answered_over_the_stream(live):
    async with live.enter("Ann") as browser, listening(browser) as events:
        assert (await upto(events, "hello"))[1] == {"build": "1.2.3"}
        assert (await browser.post("/chat/say", json=said("/whoami"))).status_code == 204
        _, mine, _ = await upto(events, "message")
        _, reply, _ = await upto(events, "message")
    assert "/whoami" in mine["html"]
    assert "Ann" in reply["html"]
    assert reply["id"] > mine["id"]


async def test_a_press_edits_the_card_of_everybody(live):
    await live.room.ask()
    async with (
        live.enter("Tom") as tom,
        live.enter("Ann") as ann,
        live.enter("Vic") as vic,
        listening(ann) as events,
        listening(vic) as views,
    ):
        _, asked, _ = await upto(events, "message")
        _, viewed, _ = await upto(views, "message")
        assert "data-press" in asked["html"]
        assert "data-press" not in viewed["html"]
        press = {"data": "half:A17", "delivery_id": str(uuid4())}
        assert (await tom.post("/chat/press", json=press)).status_code == 204
        _, edited, _ = await upto(events, "message")
    assert edited["id"] == asked["id"]
    assert "data-press" not in edited["html"]
    assert "Tom" in edited["html"]


async def test_a_stream_goes_on_where_it_was_cut(live):
    await live.room.ask()
    async with live.enter("Ann") as browser:
        async with listening(browser) as events:
            *_, version = await upto(events, "message")
        await live.room.put(Card(title="meanwhile", topic="trade:T1"))
        async with listening(browser, **{"last-event-id": version}) as events:
            _, missed, _ = await upto(events, "message")
    assert "meanwhile" in missed["html"]


async def test_the_board_comes_again_only_when_it_has_changed(live):
    async with live.enter("Ann") as browser, listening(browser) as events:
        await upto(events, "board")
        live.room.views.changes = {"equity": Decimal("11111.11")}
        _, board, _ = await upto(events, "board")
    assert "11,111.11" in board


async def test_the_board_tells_what_its_profit_leaves_out(web):
    web.room.views.changes = {"paid_in": Decimal(500), "paid_out": Decimal("20.5")}
    async with web.enter("Ann") as browser:
        page = (await browser.get("/")).text
    assert "Without 500.00 paid in and 20.50 paid out" in page


async def test_a_pause_and_bare_positions_are_plain_to_see(web):
    web.room.views.changes = {"trading": False, "halts": (reports.halt(),)}

    async def bare():
        return (replace(reports.position_view(), protected=False, unmanaged=Absence.MARKET),)

    web.room.views.positions = bare
    async with web.enter("Ann") as browser:
        page = (await browser.get("/")).text
    assert "Paused" in page
    assert "A look at the news" in page
    assert "Not protected" in page
    assert "No strategy manages it" in page


async def test_an_emergency_stop_says_so_and_stands_first(web):
    pause, stop = reports.halt(), reports.halt(HaltKind.EMERGENCY, reason="Ann called the emergency stop")
    web.room.views.changes = {"trading": False, "halts": (pause, stop)}
    async with web.enter("Ann") as browser:
        page = (await browser.get("/")).text
    assert '<p class="state alarm">Emergency stop</p>' in page
    assert "Paused" not in page
    boxes = page.split('<section class="halt')[1:]
    assert boxes[0].startswith(' alarm"><h3>Emergency stop: no new entries</h3>')
    assert "A look at the news" in boxes[1]


async def test_the_chat_goes_on_while_the_account_cannot_be_read(web):
    async def broken():
        raise StoreError("The disk is full.")

    web.room.views.status = broken
    await web.room.put(Card(title="still here", topic="trade:T1"))
    async with web.enter("Ann") as browser:
        page = (await browser.get("/")).text
    assert "still here" in page
    assert "The disk is full." in page


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/chat/say", {"text": "", "delivery_id": "0" * 32}),
        ("/chat/say", {"text": "x" * 2001, "delivery_id": "0" * 32}),
        ("/chat/say", {"text": "hi", "delivery_id": "no uuid"}),
        ("/chat/press", {"data": "x" * 65, "delivery_id": "0" * 32}),
        ("/chat/press", {"data": "approve:A17"}),
    ],
)
async def test_what_cannot_be_understood_is_refused(web, path, body):
    async with web.enter("Ann") as browser:
        assert (await browser.post(path, json=body)).status_code == 422


@pytest.mark.parametrize("path", ["/chat/say", "/chat/press", "/stream"])
async def test_strangers_can_neither_speak_nor_listen(web, path):
    method = "GET" if path == "/stream" else "POST"
    answer = await web.client.request(method, path, json=said("hi") | {"data": "approve:A17"})
    assert answer.status_code == 401


async def test_old_and_new_icon_are_served(web):
    for path in ("/favicon.ico", "/static/favicon.svg"):
        assert (await web.client.get(path)).headers["content-type"].startswith("image/svg+xml")


async def test_the_room_has_a_name_of_its_own():
    assert (ROOM.platform, ROOM.address) == ("web", "room")


STOPPED = reports.halt(HaltKind.STORE, reason="The disk is full. Make room on it.")


async def test_what_cannot_be_written_down_is_shown_from_memory_even_while_nothing_can_be_read(live):
    async def unreadable(*_):
        raise StoreError("The disk is away.")

    await live.room.ask()
    async with live.enter("Ann") as browser, listening(browser) as events:
        _, standing, _ = await upto(events, "standing")
        assert (standing["standing"].strip(), standing["withheld"]) == ("", "")
        live.room.database.read = live.room.views.status = unreadable
        live.room.views.unwritten = (replace(STOPPED, id=""),)
        ref = await live.room.chat.unwritten.put(ROOM, alerts.halt(replace(STOPPED, id="")), None)
        _, standing, _ = await upto(events, "standing")
        assert "No new entries: storage halt" in standing["standing"]
        assert "nothing can be written down" in standing["withheld"]
        _, board, _ = await upto(events, "board")
        assert "The disk is full. Make room on it." in board
        assert "No new entries: storage halt" in (await browser.get("/")).text
        del live.room.database.read, live.room.views.status
        live.room.views.unwritten = ()
        await live.room.chat.put(ROOM, Card(title="It is over", topic="halt:H1"), ref)
        _, message, _ = await upto(events, "message")
        assert "It is over" in message["html"]
        _, standing, _ = await upto(events, "standing")
        assert (standing["standing"].strip(), standing["withheld"]) == ("", "")


async def test_a_link_lets_nobody_in_and_is_not_used_up_while_nothing_can_be_written(web):
    async def unwritable(_):
        raise StoreError("The disk is full.", "Make room on it.")

    link = f"/enter/{web.room.links.issue('Ann')}"
    web.room.database.transact = unwritable
    answer = await web.client.get(link)
    assert (answer.status_code, "Make room on it." in answer.text) == (503, True)
    assert "set-cookie" not in answer.headers
    del web.room.database.transact
    assert (await web.client.get(link)).status_code == 303


@pytest.mark.parametrize(
    ("kind", "words"),
    [(HaltKind.STORE, "nothing else is ordered"), (HaltKind.DATA, "exits wait for data"), (HaltKind.PAUSE, "/resume")],
)
async def test_the_board_says_what_goes_on_under_a_halt_and_what_ends_it(web, kind, words):
    web.room.views.changes = {"trading": False, "halts": (reports.halt(kind),)}
    async with web.enter("Ann") as browser:
        assert words in (await browser.get("/")).text


async def test_the_board_says_until_when_a_halt_lasts(web):
    web.room.views.changes = {"trading": False, "halts": (reports.halt(until=reports.ANSWERED),)}
    async with web.enter("Ann") as browser:
        page = " ".join(re.sub(r"<[^>]+>", "", (await browser.get("/")).text).split())
    assert "A look at the news, until " in page


async def test_the_board_says_why_nothing_is_entered_where_that_is_no_halt(web):
    web.room.views.changes = {"trading": False, "no_entry": "the clock is 9 s off"}
    async with web.enter("Ann") as browser:
        assert "The clock is 9 s off" in (await browser.get("/")).text
