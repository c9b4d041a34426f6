"""The power is cut at every point that matters, and the program comes back (faults 1, 5, 18 and 19).

Whatever happened: exactly one order or a recorded refusal, the database agrees with the venue, what is held is
protected by exactly one OCO, and the same messages go on.
"""

from __future__ import annotations

import signal
import time
from datetime import timedelta

import pytest

from tests.fakes.lives import PATIENCE, as_a_user_would, moment, telling
from tests.fakes.mortal import Cut, Life
from tests.fakes.program import ASKED, CHAT, FALLEN, Files, cards, question, settings_of, write_config
from tests.fakes.telegram import FakeTelegram


@pytest.mark.slow
async def test_a_question_outlives_the_process_and_what_was_sent_meanwhile_is_stale(tmp_path):
    async with FakeTelegram() as fake:
        fake.chat(CHAT)
        config, files = write_config(tmp_path, fake.url), Files(folder=tmp_path)
        with as_a_user_would(config, fake) as bot:
            await fake.wait_for(lambda: question(fake) and files.is_quiet(), PATIENCE)
            bot.kill()
        (before,) = cards(fake)
        fake.type(CHAT, 1002, "/pause 1h", date=time.time() - 2)
        assert files.approval()["status"] == "pending"
        with as_a_user_would(config, fake):
            await fake.wait_for(lambda: "while I was away" in fake.texts(CHAT)[-1], PATIENCE)
            await fake.wait_for(lambda: files.rows("SELECT * FROM audit"))
            assert files.rows("SELECT * FROM halts") == []
            (audited,) = files.rows("SELECT person, action, outcome FROM audit")
            assert (audited["person"], audited["action"]) == ("P2", "/pause 1h")
            assert "while I was away" in audited["outcome"]

            assert [card.message_id for card in cards(fake)] == [before.message_id]
            fake.press(CHAT, before.message_id, 1002, "Approve half")
            await fake.wait_for(lambda: files.is_quiet() and not question(fake), PATIENCE)
        (card,) = cards(fake)
        assert (card.message_id, card.buttons) == (before.message_id, [])
        assert card.text.startswith("Approved half by P2, filled")
        assert files.complaints() == []


@pytest.mark.slow
async def test_a_press_made_while_the_bot_was_down_is_answered_as_such_and_not_acted_on(tmp_path):
    async with telling(tmp_path) as story:
        life = await story.begins()
        life.kill()
        await life.end()
        story.press()
        await story.comes_back()
        await story.fake.wait_for(lambda: "while I was away" in story.fake.texts(CHAT)[-1], PATIENCE)
        (reply,) = [shown for shown in story.fake.messages(CHAT) if shown.reply_to == story.message]
        assert "nothing was done" in reply.text
        await story.fake.wait_for(lambda: story.files.rows("SELECT * FROM audit"))
        (audited,) = story.files.rows("SELECT person, action, outcome FROM audit")
        assert (audited["person"], audited["action"]) == ("P1", "pressed approve:A1")
        assert "while I was away" in audited["outcome"]
        assert (story.files.approval()["status"], story.files.rows("SELECT * FROM orders")) == ("pending", [])

        story.press()
        await story.fake.wait_for(story.is_over, PATIENCE)
        story.must_be_whole()


@pytest.mark.slow
async def test_a_press_that_is_delivered_again_after_a_restart_has_no_second_effect(tmp_path):
    async with telling(tmp_path) as story:
        life = await story.begins()
        update = story.fake.press(CHAT, story.message, 1001, "Approve")
        await story.fake.wait_for(story.is_over, PATIENCE)
        replies = [shown for shown in story.fake.messages(CHAT) if shown.reply_to == story.message]
        life.kill()
        await life.end()
        story.fake.redeliver(update)
        later = story.fake.type(CHAT, 1001, "/status", date=time.time() + 60)
        await story.comes_back()
        await story.fake.wait_for(lambda: later not in story.fake.api.unconfirmed and story.is_over(), PATIENCE)
        assert [shown for shown in story.fake.messages(CHAT) if shown.reply_to == story.message] == replies
        assert len(story.files.rows("SELECT * FROM audit WHERE action LIKE 'pressed%'")) == 1
        story.must_be_whole()


async def test_killed_while_an_approval_is_claimed_it_is_judged_again(tmp_path):
    async with telling(tmp_path) as story:
        assert await story.dies_at(Cut(moment="before book", number=1))
        assert story.files.approval()["status"] == "claimed"
        await story.comes_back()
        await story.fake.wait_for(story.is_over, PATIENCE)
        assert story.entry()["status"] == "filled"
        story.must_be_whole()


@pytest.mark.slow
async def test_killed_while_an_approval_is_claimed_it_is_refused_where_the_rules_say_so_now(tmp_path):
    async with telling(tmp_path) as story:
        assert await story.dies_at(Cut(moment="before book", number=1))
        story.settings = settings_of(tmp_path, story.fake, risk={"max_spread": 0.00001})
        await story.comes_back()
        await story.fake.wait_for(story.is_over, PATIENCE)
        approval = story.files.approval()
        assert (approval["status"], approval["state"]["votes"][0]["person"]) == ("refused", "P1")
        assert "spread" in approval["state"]["reasons"][0]
        (card,) = cards(story.fake)
        assert (card.message_id, card.buttons) == (story.message, [])
        assert story.files.rows("SELECT * FROM orders") == []
        assert story.files.complaints() == []


@pytest.mark.slow
async def test_killed_before_the_order_was_sent_it_is_not_sent_and_that_is_said(tmp_path):
    async with telling(tmp_path) as story:
        assert await story.dies_at(Cut(moment="before submit", number=1))
        assert story.entry()["status"] == "sent"
        await story.comes_back()
        await story.fake.wait_for(story.is_over, PATIENCE)
        assert story.entry()["status"] == "rejected"
        assert "never reached the venue" in str(story.entry()["reason"])
        assert story.files.venue("SELECT * FROM orders") == []
        story.must_be_whole()


async def test_killed_before_the_answer_was_written_down_the_order_is_found(tmp_path):
    async with telling(tmp_path) as story:
        assert await story.dies_at(Cut(moment="after submit", number=1))
        assert story.entry()["status"] == "sent"
        await story.comes_back()
        await story.fake.wait_for(story.is_over, PATIENCE)
        assert story.entry()["status"] == "filled"
        assert story.ocos() == ["open"]
        story.must_be_whole()


@pytest.mark.parametrize(("when", "ocos"), [("before submit", ["rejected", "open"]), ("after submit", ["open"])])
async def test_killed_between_the_fill_and_its_stop_the_position_is_protected_once(tmp_path, when, ocos):
    async with telling(tmp_path) as story:
        assert await story.dies_at(Cut(moment=when, number=2))
        assert story.files.rows("SELECT id FROM positions WHERE status = 'open'")
        assert story.ocos() == ["sent"]
        await story.comes_back()
        await story.fake.wait_for(story.is_over, PATIENCE)
        assert story.ocos() == ocos
        protected = story.files.events("PositionProtected")[-1]["at"]
        assert moment(protected) < ASKED + timedelta(minutes=10), "at once, and not at the next candle"
        story.must_be_whole()


def every(step: int, last: int, *, few: int) -> list[object]:
    """Each so manieth moment up to the last one; only a few of them where there is no time."""
    return [n if n % few == 1 else pytest.param(n, marks=pytest.mark.slow) for n in range(1, last + 1, step)]


@pytest.mark.parametrize("number", every(2, 45, few=20))
async def test_killed_at_any_moment_after_the_press_it_comes_to_a_good_end(tmp_path, number):
    async with telling(tmp_path) as story:
        assert await story.dies_at(Cut(number=number))
        await story.comes_back()
        await story.ends_well()
        story.must_be_whole()


@pytest.mark.parametrize("number", every(2, 11, few=6))
async def test_killed_again_while_it_comes_back_it_comes_to_a_good_end(tmp_path, number):
    async with telling(tmp_path) as story:
        assert await story.dies_at(Cut(moment="after submit", number=1))
        again = await story.comes_back(Cut(number=number))
        await story.fake.wait_for(lambda: not again.alive, PATIENCE)
        await story.comes_back()
        await story.ends_well()
        story.must_be_whole()


@pytest.mark.parametrize(
    "cut",
    [
        *(Cut(moment=f"{when} submit", number=n) for n in (1, 2, 3) for when in ("before", "after")),
        *(Cut(moment=f"{when} cancel", number=1) for when in ("before", "after")),
        *(pytest.param(Cut(number=n), marks=pytest.mark.slow) for n in range(1, 107, 10)),
    ],
    ids=str,
)
async def test_killed_while_it_buys_and_sells_alone_it_comes_to_a_good_end(tmp_path, cut):
    """It buys, protects what it bought, takes the protection back and sells: the third order sent is the exit."""
    settings = settings_of(tmp_path, approval={"auto_above": 0}, replay={"end": FALLEN.isoformat(), "until_end": True})
    (tmp_path / "armed").touch()
    assert await Life(tmp_path, settings, cut).end() == -signal.SIGKILL
    assert await Life(tmp_path, settings).end() == 0
    files = Files(folder=tmp_path)
    assert files.complaints() == []
    assert files.is_quiet()
    (entry,) = files.rows("SELECT status FROM orders WHERE purpose = 'entry'")
    held = files.rows("SELECT status FROM positions")
    assert (entry["status"], [position["status"] for position in held]) in (("filled", ["closed"]), ("rejected", []))
