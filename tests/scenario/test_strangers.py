"""Somebody who is not listed writes on two platforms: an admin sees their ids on every one, and lets them in."""

from __future__ import annotations

from pathlib import Path

from structlog.testing import capture_logs

from tests.fakes.program import running
from tests.fakes.telegram import FakeTelegram
from tests.fakes.three_platforms import CHANNEL, STRANGER, TEAM, everywhere, settings_for
from tests.scenario.test_old_places import type_in_browser

EVE, BEA = 666, {"name": "Bea", "role": "admin", "telegram": 1002, "slack": "U0BEA", "web": "bea"}
HOSTILE = "<b>&amp;</b> `*_<!channel>\x1b[31m\u202e" + "x" * 4000
LISTED = '{"name": "THEIR NAME", "role": "viewer", "slack": "U0NOBODY"}'


def say(fake: FakeTelegram, text: str, name: str) -> None:
    """Let the stranger write to the bot, under a name of their own making."""
    eve = fake.api.person(EVE) | {"first_name": name}
    chat = fake.chat(EVE)
    message = {"message_id": chat.next_id(), "from": eve, "chat": chat.payload, "date": 1_700_000_000, "text": text}
    fake.deliver("message", message)


async def test_an_admin_sees_strangers_on_every_platform_and_whoever_is_listed_is_none(tmp_path: Path):
    people = [*TEAM, BEA]
    async with everywhere(tmp_path, people=people) as at:
        at.slack.channel(CHANNEL, "U0BEA")
        with capture_logs() as logs:
            async with at.running():
                say(at.telegram, "/start", HOSTILE)
                await at.until(lambda: at.files.rows("SELECT id FROM audit WHERE \"user\" = '666'"))
                at.slack.user(STRANGER).say("status")
                await at.until(lambda: len(at.files.rows("SELECT id FROM audit WHERE person = ''")) == 2)

                at.telegram.type(1002, 1002, "/strangers")
                await at.until(lambda: at.telegram.texts(1002))
                at.slack.user("U0BEA").say("strangers")
                await at.until(lambda: at.slack.user("U0BEA").messages())
                assert at.app is not None
                await type_in_browser(at.app, "bea", "/strangers")
                await at.until(lambda: at.files.rows("SELECT id FROM chat_messages WHERE card LIKE '%U0NOBODY%'"))

        told = [at.telegram.texts(1002)[0], at.slack.user("U0BEA").messages()[0].text]
        assert [text for text in told if "2 strangers wrote and got no answer" not in text] == []
        assert [text for text in told if "U0NOBODY" not in text or "666" not in text or LISTED not in text] == []
        assert "<b>&amp;</b> `*_<!channel> [31m" in told[0]
        assert "xxxx" in told[0]
        assert "x" * 100 not in "".join(told)
        assert at.telegram.texts(EVE) == at.slack.user(STRANGER).messages() == []
        lines = [(line["platform"], line["user"]) for line in logs if line["event"] == "a stranger wrote"]
        assert lines == [("telegram", "666"), ("slack", "U0NOBODY")]

        listed = [*people, {"name": "Eve", "role": "viewer", "telegram": EVE}]
        async with running(settings_for(tmp_path, at.telegram, at.slack, people=listed)):
            at.telegram.type(1002, 1002, "/strangers", date=4_000_000_000)
            await at.until(lambda: len(at.telegram.texts(1002)) == 2)
            at.telegram.type(EVE, EVE, "/whoami", date=4_000_000_000)
            await at.until(lambda: at.telegram.texts(EVE))
        assert at.telegram.texts(1002)[1].startswith("1 stranger wrote")
        assert at.telegram.texts(EVE)[0].startswith("Signed in as Eve")
