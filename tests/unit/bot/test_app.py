"""The program's own life."""

from __future__ import annotations

from pathlib import Path

from bot.app import App
from tests.fakes.program import settings_of


async def test_what_opens_is_told_once_when_people_can_ask(tmp_path: Path):
    answers: list[int] = []

    def opened() -> None:
        assert app.program
        assert app.program.chat.web
        answers.append(app.program.chat.web.server.port)

    replay = {"until_end": True, "wait_for_people": 0}
    app = App(settings_of(tmp_path, replay=replay), announce=lambda _: None, opened=opened)
    await app.run()
    assert len(answers) == 1
    assert answers[0] > 0
