"""Questions during a pause: on three platforms no button that would do nothing, and one order once it is over."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fakes.lives import PATIENCE, as_a_user_would
from tests.fakes.program import ASKED, CHAT, Files, cards, question, write_config
from tests.fakes.telegram import FakeTelegram
from tests.fakes.three_platforms import CHANNEL, Everywhere, asked

ALL, NO = ("Approve", "Approve half", "Reject"), ("Reject",)
EACH = (("web", "Ann"), ("telegram", "Tom"), ("slack", "Sue"))


def labels(at: Everywhere) -> set[tuple[str, ...]]:
    """The buttons of the question, wherever it is shown."""
    shown = at.cards()
    return {seen.labels for seen in shown.values()} if len(shown) == 3 else set()


def last(at: Everywhere, platform: str) -> str:
    """What somebody was told last who answered the question there."""
    told = at.answers()[platform]
    return re.sub(r"^@\S+\n", "", told[-1]) if told else ""


async def test_during_a_pause_a_question_can_only_be_rejected_and_after_it_one_yes_makes_one_order(
    tmp_path: Path,
) -> None:
    async with asked(tmp_path) as at:
        assert labels(at) == {ALL}
        at.slacker("Sue").command("pause", CHANNEL)
        await at.until(lambda: labels(at) == {NO} and at.say("paused by Sue, until somebody resumes (H1)"))

        for platform, name in EACH:  # a screen may still show the buttons of before
            await at.press(platform, name, "approve:A1")
            await at.until(lambda platform=platform: last(at, platform).startswith("No new entries: paused by Sue, "))
        before = len(at.slack.messages(CHANNEL))  # a press has whispered the same
        at.slacker("Sue").command("approve A1 half", CHANNEL)
        whispered = "No new entries: paused by Sue, until somebody resumes (H1). Nothing was done; A1 stays open until "
        await at.until(
            lambda: len(at.slack.messages(CHANNEL)) > before and whispered in at.slack.messages(CHANNEL)[-1].text
        )
        assert at.files.approval()["status"] == "pending"
        assert at.orders() == []

        at.telegram.type(CHAT, 1001, "/resume")
        await at.until(lambda: labels(at) == {ALL} and not at.say("No new entries"))
        for platform, name in EACH:
            await at.press(platform, name, "approve:A1")
        await at.until(lambda: at.say(", filled (A1)") and at.settled())
        await at.until(at.files.is_quiet)
        assert len(at.orders()) == 1
        assert at.files.complaints() == []
        assert at.slack.at.complaints == []


async def test_a_no_during_a_pause_counts(tmp_path: Path) -> None:
    async with asked(tmp_path) as at:
        at.telegram.type(CHAT, 1001, "/pause")
        await at.until(lambda: labels(at) == {NO})
        await at.press("web", "Ann", "reject:A1")
        await at.until(lambda: at.say("Declined by Ann (A1)") and at.settled())
        assert at.orders() == []


@pytest.mark.slow
async def test_a_pause_ends_when_its_time_is_over_long_before_the_next_candle(tmp_path: Path) -> None:
    """Twenty seconds pass in one, and the next candle closes an hour after the question."""
    replay = {"speed": 20, "wait_for_people": "0s", "start": (ASKED - timedelta(seconds=20)).isoformat()}
    async with asked(tmp_path, replay=replay) as at:
        at.telegram.type(CHAT, 1001, "/pause 1m")
        await at.until(lambda: labels(at) == {NO})
        await at.until(lambda: labels(at) == {ALL})
        await at.until(lambda: any(text.startswith("The pause has ended (H1)") for text in at.telegram.texts(CHAT)))
        (halt,) = at.files.rows("SELECT until, ended_at FROM halts")
        assert halt["ended_at"] == halt["until"]
        await at.press("slack", "Sue", "approve:A1")
        await at.until(lambda: at.say("Approved by Sue, filled (A1)") and at.settled())


async def test_a_pause_that_a_longer_one_replaces_says_so_everywhere(tmp_path: Path) -> None:
    async with asked(tmp_path) as at:
        at.telegram.type(CHAT, 1001, "/pause 1h")
        await at.until(lambda: labels(at) == {NO})
        at.slacker("Sue").command("pause", CHANNEL)
        told = (r"A longer pause took its place \(H1\)", r"No new entries until:?\s+somebody resumes \(H2\)")
        for texts in (lambda: at.telegram.texts(CHAT), lambda: [each.text for each in at.slack.messages(CHANNEL)]):
            await at.until(lambda texts=texts: any(all(re.search(each, text) for each in told) for text in texts()))


@pytest.mark.slow
@pytest.mark.parametrize("ended_meanwhile", [False, True])
async def test_killed_during_a_pause_the_question_is_as_it_was_when_the_bot_comes_back(
    tmp_path: Path,
    ended_meanwhile: bool,  # noqa: FBT001
) -> None:
    async with FakeTelegram() as fake:
        fake.chat(CHAT)
        config, files = write_config(tmp_path, fake.url), Files(folder=tmp_path)
        with as_a_user_would(config, fake) as bot:
            await fake.wait_for(lambda: question(fake) and files.is_quiet(), PATIENCE)
            fake.type(CHAT, 1002, "/pause 1m" if ended_meanwhile else "/pause")
            await fake.wait_for(lambda: cards(fake)[0].labels == list(NO) and files.is_quiet(), PATIENCE)
            bot.kill()
        if ended_meanwhile:
            files.write("UPDATE halts SET until = since")
        (card,) = cards(fake)
        with as_a_user_would(config, fake):
            if not ended_meanwhile:
                fake.type(CHAT, 1002, "/pending", date=time.time() + 60)
                await fake.wait_for(lambda: fake.texts(CHAT)[-1].startswith("1 open approval"), PATIENCE)
                assert "no new entries: paused by P2" in " ".join(fake.texts(CHAT)[-1].split())
                fake.press(CHAT, card.message_id, 1001, "approve:A1", forged=True)
                await fake.wait_for(lambda: fake.texts(CHAT)[-1].startswith("No new entries: paused by P2, "), PATIENCE)
                assert files.approval()["status"] == "pending"
                fake.type(CHAT, 1002, "/resume")
            await fake.wait_for(lambda: cards(fake)[0].labels == list(ALL), PATIENCE)
            fake.press(CHAT, card.message_id, 1001, "Approve")
            await fake.wait_for(lambda: files.is_quiet() and not question(fake), PATIENCE)
        assert [each.text.partition("\n")[0] for each in cards(fake)] == ["Approved by P1, filled (A1)"]
        assert len(files.rows("SELECT * FROM orders WHERE purpose = 'entry'")) == 1
        assert files.complaints() == []
