"""The first go: nothing is entered at an account before an admin has said so, for each key anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.books.first_go import FirstGoes
from engine.domain.confirmations import Confirmation, Consent, FirstGo, Stage
from engine.domain.errors import NotAllowed
from engine.domain.events import ConfirmationAsked, LiveStarted
from engine.domain.live import LiveAccount
from engine.domain.messages import Person, Role
from engine.domain.venue_views import VenueKind
from tests.fakes.engine import Room, engine_room

ADA, BEN = Person(name="Ada", role=Role.ADMIN), Person(name="Ben", role=Role.TRADER)
ACCOUNT = LiveAccount(venue="binance", exchange="binance", kind=VenueKind.REAL, key="wXyZ", fingerprint="aa11")
OTHER_KEY = replace(ACCOUNT, key="QqQq", fingerprint="bb22")
LIMITS = (("A trade risks", "1% of equity"),)


async def started(room: Room, *accounts: LiveAccount) -> FirstGoes:
    goes = FirstGoes(store=room.store, clock=room.clock, accounts=accounts, limits=LIMITS)
    await goes.open()
    return goes


async def asked(room: Room) -> tuple[Confirmation, ...]:
    return await room.store.read(lambda uow: uow.confirmations.open(FirstGo))


async def press(room: Room, goes: FirstGoes, consent: Consent, person: Person = ADA) -> Confirmation:
    confirming = replace(room.desk.confirming, first_goes=goes)
    return await confirming.press((await asked(room))[0].id, person, consent)


async def test_nothing_is_entered_before_an_admin_says_go(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        goes = await started(room, ACCOUNT)
        reason = "an admin has not yet given binance its first go with the key that ends in wXyZ"
        assert goes.no_entry("binance") == reason
        assert goes.no_entry("paper") == ""
        with pytest.raises(NotAllowed, match="Only an admin"):
            await press(room, goes, Consent.YES, BEN)
        assert goes.no_entry("binance") == reason
        assert (await press(room, goes, Consent.YES)).stage is Stage.AGREED
        assert goes.no_entry("binance") == ""


async def test_it_is_kept_for_the_key_and_asked_anew_for_another(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        await press(room, await started(room, ACCOUNT), Consent.YES)
        again = await started(room, ACCOUNT)
        assert (again.no_entry("binance"), await asked(room)) == ("", ())
        other = await started(room, OTHER_KEY)
        assert other.no_entry("binance").endswith("QqQq")
        test_net = await started(room, replace(ACCOUNT, kind=VenueKind.TEST_NET, fingerprint="cc33"))
        assert test_net.no_entry("binance")
        assert [each.subject.account.fingerprint for each in await asked(room)] == ["cc33"]


async def test_one_question_stands_over_restarts_until_it_is_answered(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        for _ in range(3):
            goes = await started(room, ACCOUNT)
        assert len(await room.events(ConfirmationAsked)) == 1
        assert goes.no_entry("binance")


async def test_after_a_no_nothing_is_entered_and_the_next_start_asks_again(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        goes = await started(room, ACCOUNT)
        await press(room, goes, Consent.NO)
        assert goes.no_entry("binance")
        assert await asked(room) == ()
        await started(room, ACCOUNT)
        assert len(await asked(room)) == 1


async def test_a_question_about_an_account_that_is_gone_is_void(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        await started(room, ACCOUNT)
        (of_before,) = await asked(room)
        goes = await started(room, OTHER_KEY)
        late = await replace(room.desk.confirming, first_goes=goes).press(of_before.id, ADA, Consent.YES)
        assert late.stage is Stage.VOID
        assert goes.no_entry("binance")


async def test_each_start_is_told_with_the_account_and_its_limits(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        await started(room, ACCOUNT)
        (event,) = await room.events(LiveStarted)
        notice = await room.views.live_notice(event.notice_id)
        assert (notice.accounts, notice.limits, notice.waiting) == ((ACCOUNT,), LIMITS, ("binance",))


async def test_without_such_accounts_nobody_is_told_anything(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        goes = await started(room)
        assert (goes.no_entry("paper"), await room.events(LiveStarted)) == ("", [])
