"""The lives of one program: it begins, dies somewhere, and comes back; seen from the chat and from its files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path

from tests.fakes.mortal import Cut, Life
from tests.fakes.program import CHAT, Files, Json, cards, environ, question, settings_of
from tests.fakes.telegram import FakeTelegram

PATIENCE = 60.0
BOT = Path(sys.executable).with_name("bot")


class Story:
    """A program that dies and comes back, seen from the chat and from its files."""

    def __init__(self, folder: Path, fake: FakeTelegram) -> None:
        self.folder = folder
        self.fake = fake
        self.files = Files(folder=folder)
        self.settings = settings_of(folder, fake)
        self.message = 0
        self.lives: list[Life] = []

    async def begins(self, cut: Cut | None = None, stall: str = "") -> Life:
        """Start the program for the first time; returns once the question is shown, and everything else."""
        life = self._start(cut, stall)
        await self.fake.wait_for(lambda: question(self.fake) and self.files.is_quiet(), PATIENCE)
        shown = question(self.fake)
        assert shown
        self.message = shown.message_id
        return life

    async def dies_at(self, cut: Cut) -> str:
        """Begin, press and die at the cut; where that was, or nothing where it came to a good end before."""
        life = await self.begins(cut)
        (self.folder / "armed").touch()
        self.press()
        await self.fake.wait_for(lambda: not life.alive or self.is_over(), PATIENCE)
        if life.alive:
            return ""
        assert await life.end() == -signal.SIGKILL
        return (self.folder / "cut").read_text()

    async def comes_back(self, cut: Cut | None = None) -> Life:
        """Start it again; returns once it has agreed with the venue and opened its doors, or died at the cut."""
        note = self.folder / "instance.json"
        note.unlink(missing_ok=True)
        life = self._start(cut)
        await self.fake.wait_for(lambda: note.exists() or not life.alive, PATIENCE)
        return life

    async def ends_well(self) -> None:
        """Press again where the press was lost; return once everything has been done and shown."""
        await self.fake.wait_for(lambda: not self.fake.api.unconfirmed and self.files.is_quiet(), PATIENCE)
        if question(self.fake):
            self.press()
        await self.fake.wait_for(self.is_over, PATIENCE)

    def press(self, button: str = "Approve") -> None:
        self.fake.press(CHAT, self.message, 1001, button)

    def is_over(self) -> bool:
        """Whether the question is settled, no order in doubt, every update confirmed, and everything shown."""
        settled = not self.files.rows("SELECT id FROM approvals WHERE status IN ('pending', 'claimed')")
        settled = settled and not self.files.rows("SELECT id FROM orders WHERE status IN ('intent', 'sent', 'unknown')")
        return settled and not self.fake.api.unconfirmed and self.files.is_quiet()

    def must_be_whole(self) -> None:
        """What must hold at the end of every story."""
        assert self.files.complaints() == []
        approval = self.files.approval()
        state = approval["state"]
        assert approval["status"] == "ordered"
        asked, voted, ordered = approval["asked_at"], state["votes"][0]["at"], state["at"]
        assert moment(asked) <= moment(voted) <= moment(ordered), "time went back"
        (card,) = cards(self.fake)
        assert (card.message_id, card.buttons) == (self.message, []), "the question's own message shows the outcome"
        assert "Approved by P1" in card.text
        assert len(self.page_cards()) == 1
        assert len(self.files.venue("SELECT * FROM orders WHERE side = 'buy'")) <= 1

    def page_cards(self) -> list[Json]:
        return self.files.rows('SELECT id FROM chat_messages WHERE card LIKE \'%"topic":"approval:A1"%\'')

    def entry(self) -> Json:
        """The one order that the approval became."""
        (entry,) = self.files.rows("SELECT * FROM orders WHERE purpose = 'entry'")
        return entry

    def ocos(self) -> list[str]:
        """How each OCO stands in the database, in order."""
        rows = self.files.rows("SELECT status FROM orders WHERE type = 'oco' ORDER BY number")
        return [row["status"] for row in rows]

    def _start(self, cut: Cut | None, stall: str = "") -> Life:
        self.lives.append(Life(self.folder, self.settings, cut, stall))
        return self.lives[-1]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@asynccontextmanager
async def telling(folder: Path) -> AsyncIterator[Story]:
    """A story with a chat of its own; in the end nobody is left alive."""
    async with FakeTelegram(answer_within=PATIENCE) as fake:
        fake.chat(CHAT)
        story = Story(folder, fake)
        try:
            yield story
        finally:
            for life in story.lives:
                life.kill()
                await life.end()


@contextmanager
def as_a_user_would(config: Path, fake: FakeTelegram) -> Iterator[subprocess.Popen[bytes]]:
    """The program as the command line starts it; stopped in order at the end, unless it is dead by then."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("BOT_")} | environ(fake)
    with (config.parent / "log").open("a") as log:
        process = subprocess.Popen(
            [BOT, "run", "--config", config], cwd=config.parent, env=ours, stdout=log, stderr=log
        )
        try:
            yield process
        finally:
            process.terminate()
            assert process.wait(PATIENCE) in (0, -signal.SIGKILL)
