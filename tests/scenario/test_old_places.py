"""Cards go to another place than before: what is open is shown there, and the old place is no trouble."""

from __future__ import annotations

from pathlib import Path

from bot.app import App
from tests.fakes.program import Files, browser, running, settings_of
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_chats import Shown
from tests.fakes.three_platforms import CHANNEL, everywhere, settings_for
from tests.scenario.test_failover import press_in_browser, until

PATIENCE = 30.0
GROUP, SUPERGROUP = -55, -1001234567890
NEW_CHANNEL = "C0NEW"


def asking(fake: FakeTelegram, chat: int) -> Shown | None:
    """The question in a chat, while it can be answered there."""
    return next((message for message in fake.messages(chat) if message.buttons), None)


def health(app: App, platform: str) -> str:
    assert app.program is not None
    return next(each.health for each in app.program.chat.remote if each.name == platform)


async def type_in_browser(app: App, user: str, text: str) -> None:
    async with browser(app, user) as page:
        answer = await page.post(
            "/chat/say", json={"text": text, "delivery_id": "00000000-0000-4000-8000-00000000000a"}
        )
        assert answer.status_code == 204, answer.text


async def test_after_a_group_became_a_supergroup_its_question_is_asked_there_and_telegram_is_well(tmp_path: Path):
    files = Files(folder=tmp_path)
    async with FakeTelegram() as fake:
        fake.chat(GROUP)
        async with running(settings_of(tmp_path, fake, telegram={"chat_id": GROUP})) as app:
            await fake.wait_for(lambda: asking(fake, GROUP), PATIENCE)
            fake.upgrade(GROUP, SUPERGROUP)
            await type_in_browser(app, "p1", "/pause")
            await until(lambda: f"set telegram.chat_id to {SUPERGROUP}" in health(app, "telegram"), "what to do")
            assert str(GROUP) in health(app, "telegram")
        before = len(fake.calls)
        async with running(settings_of(tmp_path, fake, telegram={"chat_id": SUPERGROUP})) as app:
            await fake.wait_for(lambda: asking(fake, SUPERGROUP), PATIENCE)
            await until(lambda: any("pause by P1" in text for text in fake.texts(SUPERGROUP)), "the pause that stands")
            await press_in_browser(app, "p2", "reject:A1")
            await fake.wait_for(lambda: not asking(fake, SUPERGROUP), PATIENCE)
            await until(files.is_quiet, "everything shown")
            assert health(app, "telegram") == "ok"
        assert [call for call in fake.calls[before:] if str(call.params.get("chat_id")) == str(GROUP)] == []


async def test_back_at_a_place_that_was_left_its_own_message_is_brought_up_to_date(tmp_path: Path):
    async with FakeTelegram() as fake:
        for chat in (GROUP, SUPERGROUP):
            fake.chat(chat)
            async with running(settings_of(tmp_path, fake, telegram={"chat_id": chat})):
                await fake.wait_for(lambda chat=chat: asking(fake, chat), PATIENCE)
        async with running(settings_of(tmp_path, fake, telegram={"chat_id": GROUP})) as app:
            await press_in_browser(app, "p1", "reject:A1")
            await fake.wait_for(lambda: not asking(fake, GROUP), PATIENCE)
        assert len([text for text in fake.texts(GROUP) if "(A1)" in text.partition("\n")[0]]) == 1
        assert asking(fake, SUPERGROUP), "nothing was done there any more"


async def test_after_the_channel_was_changed_its_question_is_asked_in_the_new_one_and_slack_is_well(tmp_path: Path):
    async with everywhere(tmp_path) as at:
        async with at.running():
            await at.until(lambda: _asked_in(at.slack, CHANNEL) and at.files.is_quiet())
        at.slack.at.channels[CHANNEL].archived = True
        at.slack.channel(NEW_CHANNEL, "U0TOM")
        async with running(settings_for(tmp_path, at.telegram, at.slack, slack={"channel": NEW_CHANNEL})) as app:
            await at.until(lambda: _asked_in(at.slack, NEW_CHANNEL))
            await press_in_browser(app, "ann", "reject:A1")
            await at.until(lambda: not _asked_in(at.slack, NEW_CHANNEL) and at.files.is_quiet())
            assert health(app, "slack") == "ok"
        assert _asked_in(at.slack, CHANNEL), "nothing was done there any more"


def _asked_in(fake: FakeSlack, channel: str) -> bool:
    return any(message.buttons for message in fake.messages(channel))
