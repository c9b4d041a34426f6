"""Positions closed by hand, on each platform: asked for, confirmed by the one who asked, sold once, and told of."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fakes.lives import PATIENCE, Story, telling
from tests.fakes.mortal import Cut
from tests.fakes.program import CHAT, FALLEN, Json, settings_of
from tests.fakes.slack import Fault as SlackFault
from tests.fakes.telegram import Fault as TelegramFault
from tests.fakes.telegram_chats import Shown
from tests.fakes.three_platforms import CHANNEL, STRANGER, Everywhere, everywhere

pytestmark = pytest.mark.slow

ALONE = {"approval": {"auto_above": 0}}
"""The bot buys without asking; the market then stands still."""
WHO = (("web", "Ann"), ("telegram", "Tom"), ("slack", "Sue"))
ON_EACH = pytest.mark.parametrize(("platform", "name"), WHO)


@asynccontextmanager
async def holding(folder: Path) -> AsyncIterator[Everywhere]:
    """The program on all three platforms, with T1 held and protected."""
    async with everywhere(folder, **ALONE) as at, at.running():
        await at.until(lambda: at.files.rows("SELECT id FROM orders WHERE type = 'oco' AND status = 'open'"))
        await at.until(at.files.is_quiet)
        yield at


def held(at: Everywhere) -> Json:
    (row,) = at.files.rows("SELECT * FROM positions")
    return row


def sales(at: Everywhere) -> list[tuple[str, str]]:
    rows = at.files.rows("SELECT status, asked_by FROM orders WHERE purpose = 'exit' ORDER BY number")
    return [(row["status"], row["asked_by"]) for row in rows]


def messages(at: Everywhere, platform: str) -> list[str]:
    """What can be read there, as it is now."""
    match platform:
        case "telegram":
            return at.telegram.texts(CHAT)
        case "slack":
            return [message.text.replace("/bot ", "/") for message in at.slack.messages(CHANNEL)]
        case _:
            return [seen.text for versions in at.pages["Ann"]._versions.values() for seen in versions[-1:]]


def said(at: Everywhere, platform: str) -> str:
    """Everything that can be read there."""
    return "\n".join(messages(at, platform))


async def asks(at: Everywhere, platform: str, name: str, text: str, wish: str = "C1") -> None:
    """Write it, and see what it would come to."""
    await at.write(platform, name, text)
    await at.until(lambda: platform in at.cards(wish))


@ON_EACH
async def test_it_is_asked_for_pressed_and_told_on_each_platform(tmp_path: Path, platform: str, name: str) -> None:
    async with holding(tmp_path) as at:
        whole = Decimal(held(at)["quantity"])
        await asks(at, platform, name, "/close btc half")
        card = at.cards("C1")[platform]
        half = (whole / 2).quantize(Decimal("1e-5"), "ROUND_FLOOR")
        assert card.words.startswith(f"Close half of T1: sell {half} BTC/USDT? (C1)")
        assert card.labels == ("Close half of T1", "Keep")
        assert "stop and target anew for" in card.text
        assert sales(at) == []

        await at.press(platform, name, "close:C1")
        await at.until(lambda: "BTC/USDT sold (C1)" in at.cards("C1")[platform].title)
        assert at.cards("C1")[platform].labels == ()
        await at.until(lambda: "held: stop and target stand" in at.cards("C1")[platform].text)
        assert Decimal(held(at)["quantity"]) == whole - (whole / 2).quantize(Decimal("1e-5"), "ROUND_FLOOR")
        assert at.files.complaints() == []

        await asks(at, platform, name, "/fx 1", "C2")
        await at.press(platform, name, "close:C2")
        await at.until(lambda: "T1: closed, " in at.cards("C2")[platform].words)
        assert (held(at)["status"], held(at)["closed_by"], held(at)["closed_by_person"]) == ("closed", "close", name)
        await at.until(lambda: all(f"{name}, /close" in said(at, each) for each, _ in WHO))
        told = f"{name}, /close"
        for text, title in (("/why T1", "Why D1"), ("/trades", "The last 1 trade")):
            await at.write(platform, name, text)
            await at.until(lambda title=title: any(title in each and told in each for each in messages(at, platform)))
        audited = at.files.rows("SELECT action FROM audit WHERE person = ? AND action <> 'enter' ORDER BY number", name)
        assert [row["action"] for row in audited][:4] == [
            "/close btc half",
            "pressed close:C1",
            "/fx 1",
            "pressed close:C2",
        ]
        assert sales(at) == [("filled", name)] * 2
        assert at.files.complaints() == []
        assert at.slack.at.complaints == []


async def test_whoever_does_not_answer_in_time_is_shown_that_on_each_platform(tmp_path: Path) -> None:
    """Also where the program was stopped and started again meanwhile."""
    soon: dict[str, Json] = {
        "approval": {"auto_above": 0, "confirm_within": "3s"},
        "replay": {"speed": 2400, "wait_for_people": "3s", "end": FALLEN.isoformat()},
    }
    async with everywhere(tmp_path, **soon) as at:
        async with at.running():
            await at.until(lambda: at.files.rows("SELECT id FROM orders WHERE type = 'oco' AND status = 'open'"))
            for number, (platform, name) in enumerate(WHO, 1):
                await asks(at, platform, name, "/close T1", f"C{number}")
            cards = {platform: f"C{number}" for number, (platform, _) in enumerate(WHO, 1)}
            assert [at.cards(wish)[platform].labels for platform, wish in cards.items()] == [("Close T1", "Keep")] * 3
            assert "by your clock" in at.cards("C1")["web"].text
            for platform, wish in cards.items():
                await at.until(lambda p=platform, w=wish: not at.cards(w)[p].labels)
                assert at.cards(wish)[platform].title == f"Time is up: nothing was sold ({wish})"
                assert "/close T1 asks again" in at.cards(wish)[platform].text.replace("/bot ", "/")
            assert sales(at) == []
            rows = at.files.rows("SELECT audience FROM chat_messages WHERE card LIKE '%Time is up%'")
            assert [row["audience"] for row in rows] == ["Ann"]
            assert any("direct messages" in text for text in at.slack.texts(CHANNEL))
            await asks(at, "slack", "Sue", "/close T1", "C4")
        assert at.cards("C4")["slack"].labels
        async with at.running():
            await at.until(lambda: not at.cards("C4")["slack"].labels)
            assert at.cards("C4")["slack"].title == "Time is up: nothing was sold (C4)"
        assert at.files.complaints() == []
        assert at.slack.at.complaints == []


@pytest.mark.parametrize(
    ("platform", "method"), [("telegram", "sendMessage"), ("slack", "conversations.open")], ids=lambda each: each
)
async def test_what_was_pressed_elsewhere_before_it_could_be_shown_says_what_came_of_it(
    tmp_path: Path, platform: str, method: str
) -> None:
    """In Telegram the question waits behind another answer, on Slack for the conversation in which it is asked."""
    people = [{"name": "Tom", "role": "trader", "telegram": 1001, "slack": "U0TOM", "web": "tom"}]
    async with everywhere(tmp_path, **ALONE, people=people) as at, at.running():
        await at.until(lambda: at.files.rows("SELECT id FROM orders WHERE type = 'oco' AND status = 'open'"))
        await at.until(at.files.is_quiet)
        if platform == "telegram":
            at.telegram.fail(TelegramFault.CUT, method=method)
        else:
            at.slack.fail(SlackFault.CUT, method=method)
        await at.write(platform, "Tom", "/status")
        await at.write(platform, "Tom", "/close T1")
        await at.until(lambda: at.files.rows("SELECT id FROM audit WHERE action = '/close T1'"))
        await at.press("web", "Tom", "keep:C1")
        await at.until(lambda: at.files.rows("SELECT id FROM audit WHERE outcome LIKE 'Kept: %'"))
        assert platform not in at.cards("C1")
        at.telegram.recover()
        at.slack.recover()
        await at.until(lambda: platform in at.cards("C1"))
        await at.until(lambda: at.cards("C1")[platform].title == "Kept: nothing was sold (C1)")
        assert at.cards("C1")[platform].labels == ()


@ON_EACH
async def test_what_is_kept_is_kept_and_a_later_press_says_so(tmp_path: Path, platform: str, name: str) -> None:
    async with holding(tmp_path) as at:
        await asks(at, platform, name, "/close T1")
        await at.press(platform, name, "keep:C1")
        await at.until(lambda: at.cards("C1")[platform].title == "Kept: nothing was sold (C1)")
        await at.press(platform, name, "close:C1")
        await at.until(lambda: len(at.files.rows("SELECT id FROM audit WHERE action LIKE 'pressed %'")) == 2)
        assert at.cards("C1")[platform].labels == ()
        assert sales(at) == []


@ON_EACH
async def test_what_is_missing_wrong_or_hostile_is_answered_and_sells_nothing(
    tmp_path: Path, platform: str, name: str
) -> None:
    async with holding(tmp_path) as at:
        for text, answer in (
            ("/close", "Nothing was named."),
            ("/close T9", "There is no trade T9."),
            ("/close ETH/USDT", "Nothing is held of ETH/USDT."),
            ("/close T1 50", "'50' is no share"),
            ("/close T1 -50%", "'-50%' is no share"),
            ("/close T1 0.001%", "less than the smallest step"),
            ("/close '; DROP TABLE orders;--", "neither a trade nor a market"),
            ("/close <b>T1</b>", "neither a trade nor a market"),
            ("/clsoe T1", "Did you mean /close?"),
        ):
            await at.write(platform, name, text)
            await at.until(lambda answer=answer: answer in said(at, platform))
        for data in ("close:C1", "close:", "keep:C99", "close:A1", "close:C1;DROP TABLE orders"):
            if platform == "web":
                await at.press(platform, name, data)
        assert sales(at) == []
        assert held(at)["status"] == "open"


async def test_nobody_else_can_press_it(tmp_path: Path) -> None:
    """On Slack a mention is answered where all can see it, in Telegram everything in a group is."""
    async with holding(tmp_path) as at:
        at.slacker("Sue").mention("close T1", CHANNEL)
        await at.until(lambda: any("(C1)" in text for text in at.slack.texts(CHANNEL)))
        (shown,) = [message for message in at.slack.messages(CHANNEL) if "(C1)" in message.text]
        acts = [at.slacker("Tom").press(shown, "close:C1"), at.slacker("Vic").press(shown, "close:C1")]
        acts.append(at.slack.user(STRANGER).press(shown, "close:C1"))
        await asyncio.gather(*(act.finished() for act in acts))
        await at.until(lambda: "Sue asked for that, and only Sue can answer it" in said(at, "slack"))
        await at.until(lambda: "Closing a position needs the role trader" in said(at, "slack"))
        await at.until(lambda: at.files.rows("SELECT id FROM audit WHERE person = '' AND action = 'pressed close:C1'"))
        assert sales(at) == []
        assert shown.labels == ["Close T1", "Keep"], "it still waits for Sue"
        at.slacker("Sue").press(shown, "close:C1")
        await at.until(lambda: held(at)["status"] == "closed")
        await at.until(lambda: shown.labels == [])
        assert sales(at) == [("filled", "Sue")]


async def test_two_people_on_two_platforms_close_it_at_once_and_it_is_sold_once(tmp_path: Path) -> None:
    async with holding(tmp_path) as at:
        await asks(at, "web", "Ann", "/close T1", "C1")
        await asks(at, "telegram", "Tom", "/close T1", "C2")
        await asyncio.gather(at.press("web", "Ann", "close:C1"), at.press("telegram", "Tom", "close:C2"))
        await at.until(lambda: not at.cards("C1")["web"].labels and not at.cards("C2")["telegram"].labels)
        await at.until(lambda: [status for status, _ in sales(at)].count("filled") == 1)
        assert held(at)["status"] == "closed"
        assert at.files.complaints() == []


async def test_a_forged_press_takes_the_place_of_no_other_card(tmp_path: Path) -> None:
    async with holding(tmp_path) as at:
        await asks(at, "telegram", "Tom", "/close T1")
        (trade,) = [each for each in at.telegram.messages(CHAT) if each.text.startswith("T1: holding")]
        at.telegram.press(CHAT, trade.message_id, 1001, "keep:C1", forged=True)
        await at.until(lambda: "Kept: nothing was sold (C1)" in said(at, "telegram"))
        assert trade.text.startswith("T1: holding")


async def test_the_market_waits_for_the_press_as_for_an_answer(tmp_path: Path) -> None:
    replay = {"speed": 3600, "end": FALLEN.isoformat()}
    async with everywhere(tmp_path, **ALONE, replay=replay) as at, at.running():
        await at.until(lambda: at.files.rows("SELECT id FROM orders WHERE type = 'oco' AND status = 'open'"))
        await asks(at, "web", "Ann", "/close T1")
        assert at.app
        assert at.app.program
        clock = at.app.program.engine.clock
        before = clock.now()
        await asyncio.sleep(0.5)
        assert clock.now() - before < timedelta(minutes=2), "half an hour would have passed"
        await at.press("web", "Ann", "close:C1")
        await at.until(lambda: held(at)["closed_by"] == "close")


def wish(story: Story) -> Shown | None:
    """The card of what was asked for."""
    return next((each for each in story.fake.messages(CHAT) if "(C1)" in each.text), None)


@pytest.mark.parametrize(
    ("cut", "status", "holds"),
    [
        pytest.param(Cut(moment="before submit", number=1), "rejected", "open", marks=pytest.mark.slow),
        (Cut(moment="after submit", number=1), "filled", "closed"),
    ],
    ids=str,
)
async def test_killed_while_it_is_sold_nothing_is_sold_twice_and_a_press_says_what_came_of_it(
    tmp_path: Path, cut: Cut, status: str, holds: str
) -> None:
    async with telling(tmp_path) as story:
        story.settings = settings_of(tmp_path, story.fake, **ALONE)
        life = story._start(cut)
        await story.fake.wait_for((tmp_path / "greenlight.sqlite").exists, PATIENCE)
        await story.fake.wait_for(lambda: any("T1: holding" in text for text in story.fake.texts(CHAT)), PATIENCE)
        await story.fake.wait_for(lambda: story.ocos() == ["open"], PATIENCE)
        story.fake.type(CHAT, 1001, "/close T1")
        await story.fake.wait_for(lambda: wish(story), PATIENCE)
        (tmp_path / "armed").touch()
        story.fake.press(CHAT, wish(story).message_id, 1001, "Close T1")
        await story.fake.wait_for(lambda: not life.alive, PATIENCE)
        assert await life.end() == -signal.SIGKILL
        await story.comes_back()
        told = "It is not tried again" if holds == "open" else "T1: closed,"
        await story.fake.wait_for(lambda: not story.fake.api.unconfirmed and told in wish(story).text, PATIENCE)
        assert not wish(story).buttons
        (sale,) = story.files.rows("SELECT status, asked_by FROM orders WHERE purpose = 'exit'")
        assert (sale["status"], sale["asked_by"]) == (status, "P1")
        assert [row["status"] for row in story.files.rows("SELECT status FROM positions")] == [holds]
        assert story.files.complaints() == []
