"""The live page in a real browser, before an engine that the test holds in its hands."""

from dataclasses import replace
from decimal import Decimal

import pytest
import pytest_asyncio
from playwright.async_api import expect

from engine.domain.approvals import Press, Verb
from engine.domain.decisions import Condition
from engine.domain.halts import HaltKind
from engine.domain.messages import Card, Table
from handlers.cards import alerts, approval, phrases
from tests.fakes import reports
from tests.fakes.browser import DESK, PHONE, chromium, needs_chromium
from tests.fakes.web import ROOM, served

pytestmark = [
    pytest.mark.browser,
    needs_chromium,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("web page"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    async with chromium() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="module")
async def web(tmp_path):
    async with served(tmp_path) as room:
        yield room


async def enter(visitor, web, user):
    await visitor.page.goto(f"{web.client.base_url}/enter/{web.room.links.issue(user)}")
    await expect(visitor.page.locator("#link")).to_have_text("Live")


def card(visitor, approval_id="A17"):
    return visitor.page.locator(f'[data-topic="approval:{approval_id}"]')


async def test_a_press_on_one_screen_settles_the_card_on_every_screen(browser, web):
    await web.room.ask()
    async with browser.visit() as ann, browser.visit(PHONE) as tom:
        await enter(ann, web, "Ann")
        await enter(tom, web, "Tom")
        await expect(card(tom).get_by_role("button")).to_have_count(3)
        await card(ann).get_by_role("button", name="Approve half").click()
        for visitor in (ann, tom):
            await expect(card(visitor)).to_contain_text("Approved half by Ann")
            await expect(card(visitor).get_by_role("button")).to_have_count(0)
        assert ann.complaints == tom.complaints == []
        assert await tom.fits()


@pytest.mark.slow
async def test_a_press_shows_at_once_that_it_is_being_handled(browser, web):
    await web.room.ask()
    async with browser.visit() as ann:
        await enter(ann, web, "Ann")
        await ann.page.route("**/chat/press", lambda _: None)  # the answer never comes
        await card(ann).get_by_role("button", name="Approve", exact=True).click()
        await expect(card(ann).get_by_role("button", name="Approving…")).to_be_disabled()
        await expect(card(ann).get_by_role("button", name="Reject")).to_be_disabled()


async def test_a_press_that_does_not_arrive_can_be_repeated(browser, web):
    await web.room.ask()
    async with browser.visit() as ann:
        await enter(ann, web, "Ann")
        await ann.page.route("**/chat/press", lambda route: route.abort(), times=1)
        await card(ann).get_by_role("button", name="Reject").click()
        await expect(ann.page.get_by_role("alert")).to_have_text("That did not arrive. Try again.")
        await card(ann).get_by_role("button", name="Reject").click()
        await expect(card(ann)).to_contain_text("Declined by Ann")


@pytest.mark.slow
async def test_a_button_that_cannot_work_says_why_and_works_again_by_itself(browser, web):
    stopped = reports.halt(HaltKind.STORE, reason="The disk is full. Make room on it.")
    await web.room.ask()
    async with browser.visit() as ann:
        await enter(ann, web, "Ann")
        web.room.views.unwritten = (stopped,)
        ref = await web.room.chat.unwritten.put(ROOM, alerts.halt(stopped), None)
        await expect(ann.page.locator("#standing")).to_contain_text("Make room on it.")
        for button in await card(ann).get_by_role("button").all():
            await expect(button).to_be_disabled()
        await expect(card(ann)).to_contain_text("This cannot be answered now")
        await ann.page.reload()
        await expect(card(ann).get_by_role("button", name="Reject")).to_be_disabled()
        web.room.views.unwritten = ()
        await web.room.chat.put(ROOM, Card(title="It is over", topic="halt:H1"), ref)
        await expect(ann.page.get_by_role("log")).to_contain_text("It is over")
        await expect(ann.page.get_by_role("log")).not_to_contain_text("Make room on it.")
        await expect(card(ann)).not_to_contain_text("This cannot be answered now")
        await card(ann).get_by_role("button", name="Reject").click()
        await expect(card(ann)).to_contain_text("Declined by Ann")
        assert ann.complaints == []


async def test_commands_are_completed_and_sent_by_keyboard_alone(browser, web):
    async with browser.visit() as ann:
        await enter(ann, web, "Ann")
        await expect(ann.page.get_by_role("combobox")).to_be_focused()
        await ann.page.keyboard.type("/ver")
        await expect(ann.page.get_by_role("option")).to_have_count(1)
        await ann.page.keyboard.press("Tab")
        await expect(ann.page.get_by_role("combobox")).to_have_value("/version ")
        await ann.page.keyboard.press("Enter")
        await expect(ann.page.get_by_role("log")).to_contain_text("1.2.3")
        await expect(ann.page.get_by_role("combobox")).to_have_value("")
        assert ann.complaints == []


async def test_what_one_asks_is_not_shown_to_the_others(browser, web):
    async with browser.visit() as ann, browser.visit() as vic:
        await enter(ann, web, "Ann")
        await enter(vic, web, "Vic")
        await ann.page.get_by_role("combobox").fill("/whoami")
        await ann.page.keyboard.press("Enter")
        await expect(ann.page.get_by_role("log")).to_contain_text("Only you see this")
        await web.room.put(Card(title="for all", topic="trade:T1"))
        await expect(vic.page.get_by_role("log")).to_contain_text("for all")
        await expect(vic.page.get_by_role("log")).not_to_contain_text("whoami")


@pytest.mark.slow
async def test_a_reload_shows_the_same_page(browser, web):
    await web.room.put(replace(alerts.welcome(), topic="welcome:1"))
    await web.room.ask()
    async with browser.visit() as ann:
        await enter(ann, web, "Ann")
        before = await ann.page.locator(".message").all_inner_texts()
        await ann.page.reload()
        await expect(ann.page.locator("#pinned")).to_contain_text("Greenlight is running")
        assert await ann.page.locator(".message").all_inner_texts() == before
        assert ann.complaints == []


async def test_on_a_phone_the_welcome_gives_way_to_the_first_card_unless_somebody_wants_it_open(browser, web):
    await web.room.put(replace(alerts.welcome(), topic="welcome:1"))
    async with browser.visit(PHONE) as ann, browser.visit() as tom:
        await enter(ann, web, "Ann")
        await enter(tom, web, "Tom")
        steps, folded = "Press Approve half", ann.page.locator("#pinned details:not([open])")
        await expect(ann.page.get_by_text(steps)).to_be_visible()
        await web.room.ask()
        await expect(card(ann)).to_be_visible()
        await expect(folded).to_have_count(1)
        await expect(tom.page.get_by_text(steps)).to_be_visible()
        await ann.page.locator("#pinned summary").click()
        await web.room.put(Card(title="Something else", topic="other:1"))
        await expect(ann.page.get_by_role("log")).to_contain_text("Something else")
        await expect(ann.page.get_by_text(steps)).to_be_visible()
        assert ann.complaints == tom.complaints == []


async def test_an_approval_that_comes_to_a_phone_has_its_buttons_in_sight(browser, web):
    """Also while somebody reads the welcome, and on a small one, which shows no such card whole."""
    details = "close 66,228.01 and MA20 68,025.82 > MA50 69,348.12: no"
    named = tuple(Condition(name=f"no downtrend {number}", holds=True, detail=details) for number in range(7))
    view = reports.approval_view(votes_needed=2)
    asks = approval.card(replace(view, decision=replace(view.decision, conditions=named)), Decimal(10000))
    await web.room.put(replace(alerts.welcome(), topic="welcome:1"))
    async with browser.visit({"width": 390, "height": 600}) as ann:
        await enter(ann, web, "Ann")
        await web.room.put(Card(title="Something else", topic="other:1"))
        await expect(ann.page.locator("#pinned details:not([open])")).to_have_count(1)
        await ann.page.locator("#pinned summary").click()
        await expect(ann.page.get_by_text("Press Approve half")).to_be_visible()
        await web.room.put(replace(asks, topic="approval:A17"))
        for _ in range(2):
            await expect(ann.page.locator("#pinned details:not([open])")).to_have_count(1)
            await expect(card(ann).get_by_role("heading")).to_be_in_viewport(ratio=1)
            for button in await card(ann).get_by_role("button").all():
                await expect(button).to_be_in_viewport(ratio=1)
                await button.click(trial=True)  # nothing lies over it
            await ann.page.reload()
        await web.room.put(Card(title="Something new", topic="other:2"))
        more = ann.page.get_by_role("button", name="New messages")
        await expect(more).to_be_in_viewport()
        below = (await more.bounding_box())["y"]
        for button in await card(ann).get_by_role("button").all():
            shown = await button.bounding_box()
            assert shown["y"] + shown["height"] <= below
        assert ann.complaints == []


@pytest.mark.parametrize(("size", "rows"), [(DESK, 1), (PHONE, 2)])
async def test_a_condition_takes_the_lines_that_the_screen_needs(browser, web, size, rows):
    long = Condition(name="no downtrend on 4h", holds=True, detail="close 60.16 and MA20 60.87 < MA50 59.75: no")
    await web.room.put(Card(title="T9", topic="trade:T9", text=phrases.conditions((long, replace(long, detail="")))))
    async with browser.visit(size) as ann:
        await enter(ann, web, "Ann")
        shown = ann.page.locator('[data-topic="trade:T9"] .line')
        await expect(shown).to_have_text(["✓ no downtrend on 4h: close 60.16 and MA20 60.87 < MA50 59.75: no"])
        line = "(found) => Math.round(found.offsetHeight / parseFloat(getComputedStyle(found).lineHeight))"
        assert await shown.evaluate(line) == rows
        assert (await ann.page.locator('[data-topic="trade:T9"] .prose').inner_text()).count("\n") == 1


@pytest.mark.slow
async def test_the_page_goes_on_by_itself_after_a_restart_of_the_bot(browser, tmp_path):
    async with browser.visit() as ann:
        async with served(tmp_path) as web:
            await enter(ann, web, "Ann")
            port = web.server.port
        await expect(ann.page.locator("#link")).to_have_text("Reconnecting…")
        async with served(tmp_path, port=port) as web:
            await web.room.ask()
            await expect(card(ann)).to_be_visible(timeout=15000)
            await expect(ann.page.locator("#link")).to_have_text("Live")


async def test_the_board_follows_the_account_and_leads_to_the_open_question(browser, web):
    async with browser.visit(PHONE) as ann:
        await enter(ann, web, "Ann")
        await web.room.ask()
        for number in range(8):
            await web.room.put(Card(title=f"news {number}", topic=f"trade:T{number}", text="\n".join("abcdef")))
        web.room.views.changes = {"equity": Decimal("12345.67")}
        await expect(ann.page.locator("#board")).to_contain_text("12,345.67")
        await expect(ann.page).to_have_title("(1) Greenlight")
        await expect(card(ann).get_by_role("button", name="Reject")).not_to_be_in_viewport()
        await ann.page.get_by_role("button", name="1 approval waits").click()
        await expect(card(ann).get_by_role("button", name="Reject")).to_be_in_viewport()
        assert await ann.fits()
        assert ann.complaints == []


@pytest.mark.slow
async def test_what_belongs_to_the_row_above_stays_indented(browser, web):
    async with browser.visit(PHONE) as ann:
        await enter(ann, web, "Ann")
        rows = (("01-03 12:00:00Z warning bot.trade_log",), ("  entries halted",))
        await web.room.put(Card(title="The log", topic="trade:T9", table=Table(head=("Newest last",), rows=rows)))
        cells = ann.page.locator('[data-topic="trade:T9"] td')
        await expect(cells).to_have_count(2)
        assert await cells.nth(1).inner_text() == "  entries halted"
        assert await ann.fits()


@pytest.mark.slow
async def test_a_table_of_figures_is_as_wide_as_they_are(browser, web):
    """The room that words have in a last column made a phone scroll sideways for the number of trades."""
    head, row = ("Month", "Net", "%", "Hold %", "#"), ("2026-01", "+883.30", "+8.83", "+7.94", "34")
    async with browser.visit(PHONE) as ann:
        await enter(ann, web, "Ann")
        await web.room.put(Card(title="1 month", topic="trade:T9", table=Table(head=head, rows=(row,))))
        wide = ann.page.locator('[data-topic="trade:T9"] .wide')
        assert await wide.evaluate("(found) => found.scrollWidth <= found.clientWidth")


@pytest.mark.slow
async def test_a_value_of_two_lines_is_shown_in_two(browser, web):
    async with browser.visit(PHONE) as ann:
        await enter(ann, web, "Ann")
        await web.room.put(Card(title="T9", topic="trade:T9", fields=(("Sold", "1 at 2.00\n→ 3.00"),)))
        value = ann.page.locator('[data-topic="trade:T9"] dd')
        assert await value.inner_text() == "1 at 2.00\n→ 3.00"


async def test_who_reads_further_up_is_not_torn_away(browser, web):
    async with browser.visit() as ann:
        await enter(ann, web, "Ann")
        for number in range(20):
            await web.room.put(Card(title=f"news {number}", topic=f"trade:T{number}"))
        log = ann.page.get_by_role("log")
        await expect(log).to_contain_text("news 19")
        await log.evaluate("log => { log.scrollTop = 0; }")
        await web.room.put(Card(title="late news", topic="trade:T99"))
        await ann.page.get_by_role("button", name="New messages").click()
        await expect(log.get_by_text("late news")).to_be_in_viewport()


@pytest.mark.slow
async def test_who_reads_the_newest_still_does_when_the_screen_or_what_is_above_changes(browser, web):
    async with browser.visit() as ann:
        await enter(ann, web, "Ann")
        for number in range(20):
            await web.room.put(Card(title=f"news {number}", topic=f"trade:T{number}", text="several words " * 20))
        newest = ann.page.get_by_role("log").get_by_text("news 19")
        await expect(newest).to_be_in_viewport()
        await ann.page.set_viewport_size(PHONE)
        await expect(newest).to_be_in_viewport()
        await ann.page.get_by_role("button", name="Details").click()
        end = "log => log.scrollHeight - log.scrollTop - log.clientHeight < 2"
        await expect(ann.page.get_by_role("button", name="Less")).to_be_visible()
        assert await ann.page.get_by_role("log").evaluate(end)


@pytest.mark.slow
async def test_an_answer_on_another_platform_is_seen_here(browser, web):
    await web.room.ask()
    async with browser.visit() as ann, browser.visit() as vic:
        await enter(ann, web, "Ann")
        await enter(vic, web, "Vic")
        await expect(card(ann).get_by_role("button")).to_have_count(3)
        await expect(card(vic).get_by_role("button")).to_have_count(0)
        await expect(card(vic)).to_contain_text("A trader can answer this.")
        await web.room.desk.answer("A17", Press(person="Tom", verb=Verb.REJECT, reason="too thin"))
        for visitor in (ann, vic):
            await expect(card(visitor)).to_contain_text("Declined by Tom: too thin")


async def test_strangers_see_a_door_in_words(browser, web):
    async with browser.visit() as stranger:
        await stranger.page.goto(f"{web.client.base_url}/")
        await expect(stranger.page.get_by_role("heading")).to_have_text("Come in by your own link")
        await stranger.page.goto(f"{web.client.base_url}/enter/nonsense")
        await expect(stranger.page.get_by_role("main")).to_contain_text("Each link works once")
