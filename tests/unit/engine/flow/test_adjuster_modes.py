"""Setting the adjuster from chat: asked for, confirmed, kept; and files that are damaged while it runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.adjuster import SettingsAdjuster, adjuster_view, known_of
from config.loader import load
from engine.domain.adjuster_modes import ModeChoice, ModeStage
from engine.domain.adjustments import AdjusterMode
from engine.domain.errors import BadInput, NotAllowed
from engine.flow.adjuster_modes import GOOD_FOR, AdjusterModes
from engine.learning.adjuster import PPOAdjuster
from engine.learning.policy_files import save_policy
from engine.store.database import Database
from engine.timing.clocks import MarketClock
from handlers.cards.adjuster import asked
from tests.fakes.database import new_database
from tests.fakes.policies import steady_policy
from tests.fakes.reports import NOON


class Setting:
    """An adjuster by the settings, and the time on the wall."""

    def __init__(self, folder: Path, *, with_policy: bool = True) -> None:
        self.store: Database = new_database(folder)
        self.file, self.now = folder / "own.json", NOON
        if with_policy:
            save_policy(steady_policy(-0.5, -1.0, -1.0, name="calm"), self.file)
        own = {"ppo": {"policy": str(self.file)}} if with_policy else {}
        self.adjuster = SettingsAdjuster(load("demo", None, own, {}, folder).settings)
        self.modes = AdjusterModes(store=self.store, adjuster=self.adjuster, about=self.known, wall=self.wall)

    def known(self, adjuster: PPOAdjuster) -> tuple[str, ...]:
        return known_of(adjuster, self.now)

    def wall(self) -> datetime:
        return self.now

    async def mode(self) -> AdjusterMode:
        return (await self.store.read(self.adjuster)).mode


async def test_nothing_changes_before_its_person_presses_and_then_it_holds_over_a_restart(tmp_path: Path):
    room = Setting(tmp_path)
    wish = await room.modes.ask("Ada", AdjusterMode.ACTIVE)
    assert (wish.before, wish.policy, await room.mode()) == (AdjusterMode.OFF, "calm", AdjusterMode.OFF)
    with pytest.raises(NotAllowed, match="Ada asked for that"):
        await room.modes.press(wish.id, "Ben", ModeChoice.SET)
    assert await room.mode() is AdjusterMode.OFF
    assert (await room.modes.press(wish.id, "Ada", ModeChoice.SET)).stage is ModeStage.SET
    assert (await room.modes.press(wish.id, "Ada", ModeChoice.LEAVE)).stage is ModeStage.SET, "what is done is done"
    assert await room.mode() is AdjusterMode.ACTIVE
    view = await adjuster_view(room.adjuster, room.store, MarketClock(NOON))()
    assert view.set_by == "Ada, 2026-01-03 12:00 UTC"
    await room.store.close()
    assert await Setting(tmp_path).mode() is AdjusterMode.ACTIVE


async def test_what_is_left_late_or_replaced_changes_nothing(tmp_path: Path):
    room = Setting(tmp_path)
    left = await room.modes.ask("Ada", AdjusterMode.ACTIVE)
    assert (await room.modes.press(left.id, "Ada", ModeChoice.LEAVE)).stage is ModeStage.LEFT
    late = await room.modes.ask("Ada", AdjusterMode.ACTIVE)
    room.now += GOOD_FOR
    assert (await room.modes.press(late.id, "Ada", ModeChoice.SET)).stage is ModeStage.EXPIRED
    room.now -= timedelta(minutes=1)
    assert (await room.modes.press(late.id, "Ada", ModeChoice.SET)).stage is ModeStage.EXPIRED
    old = await room.modes.ask("Ada", AdjusterMode.ACTIVE)
    await room.modes.ask("Ben", AdjusterMode.ADVISORY)
    with pytest.raises(BadInput, match="Something else was asked for since"):
        await room.modes.press(old.id, "Ada", ModeChoice.SET)
    assert await room.mode() is AdjusterMode.OFF


async def test_what_holds_already_or_has_no_policy_is_not_asked_for(tmp_path: Path):
    room = Setting(tmp_path)
    with pytest.raises(BadInput, match="is off already"):
        await room.modes.ask("Ada", AdjusterMode.OFF)
    room.file.with_suffix(".npz").write_bytes(b"damaged")
    with pytest.raises(BadInput, match=r"own\.npz is not the file that was written with its JSON"):
        await room.modes.ask("Ada", AdjusterMode.ACTIVE)
    (tmp_path / "none").mkdir()
    with pytest.raises(BadInput, match="There is no policy to ask"):
        await Setting(tmp_path / "none", with_policy=False).modes.ask("Ada", AdjusterMode.ADVISORY)


async def test_files_that_change_while_it_runs_are_read_again(tmp_path: Path):
    room = Setting(tmp_path)
    packed = room.file.with_suffix(".npz")
    whole = packed.read_bytes()
    assert (await room.store.read(room.adjuster)).policy is not None
    packed.write_bytes(whole[:-1])
    found = await room.store.read(room.adjuster)
    assert (found.policy, "own.npz" in found.fault) == (None, True)
    packed.write_bytes(whole)
    assert (await room.store.read(room.adjuster)).policy is not None
    packed.unlink()
    assert "cannot be read" in (await room.store.read(room.adjuster)).fault


async def test_who_asks_for_a_policy_that_is_too_old_reads_so_with_what_to_do(tmp_path: Path):
    room = Setting(tmp_path)
    policy = steady_policy(-0.5, -1.0, -1.0, name="calm")
    save_policy(replace(policy, card=replace(policy.card, ends="2021-12-31 00:00")), room.file)
    wish = await room.modes.ask("Ada", AdjusterMode.ACTIVE)
    first, *_ = wish.about
    assert first.startswith("It is stale: its training ended 2021-12-31, more than 1000 days ago (ppo.max_age).")
    assert "bot train makes one on newer candles" in first
    card = asked(wish)
    assert first in card.text
