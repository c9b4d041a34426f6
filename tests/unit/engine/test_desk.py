"""The buttons and levers."""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.approvals import Press, Reply, Verb
from engine.domain.errors import BadInput, NotAllowed, UnknownId
from engine.domain.events import Halted, HaltEnded
from engine.domain.halt_views import Paused
from engine.domain.halts import Halt, HaltKind
from engine.domain.market import Listing
from engine.domain.messages import Person, Role
from engine.risk.limits import RiskLimits
from tests.fakes.engine import DAY, Room, at, engine_room

TOM, ADA = Person(name="Tom", role=Role.TRADER), Person(name="Ada", role=Role.ADMIN)


async def halt(room: Room, kind: HaltKind, symbol: str = "") -> str:
    """A halt that came by itself."""
    return await room.store.transact(
        lambda uow: uow.halts.add(Halt(kind=kind, reason=f"{kind} trouble", since=room.clock.now(), symbol=symbol))
    )


async def test_an_answer_goes_to_its_approval(room: Room):
    approval = await room.ask()
    assert (await room.desk.answer(approval.id, Press(person="Tom", verb=Verb.REJECT))).reply is Reply.DECLINED
    with pytest.raises(UnknownId):
        await room.desk.answer("A9", Press(person="Tom", verb=Verb.REJECT))


async def test_a_pause_stops_entries_says_who_and_for_how_long(room: Room):
    view = (await room.desk.pause(TOM, at(DAY + 60))).holds
    assert (view.halt.reason, view.halt.by, view.halt.until) == ("paused by Tom", "Tom", at(DAY + 60))
    assert await room.events(Halted) == [Halted(at=room.clock.now(), halt_id=view.id, kind=HaltKind.PAUSE)]
    assert not (await room.views.status()).trading


async def test_a_longer_pause_takes_the_place_of_a_shorter(room: Room):
    first, second = await room.desk.pause(TOM, at(DAY + 60)), await room.desk.pause(ADA, None)
    assert [found.id for found in (await room.views.status()).halts] == [second.holds.id]
    assert (second.is_new, [found.id for found in second.ended]) == (True, [first.holds.id])
    assert (await room.views.halt(first.holds.id)).ended_by == "Ada"
    assert await room.views.replacement(first.holds.id) == second.holds
    assert await room.views.replacement(second.holds.id) is None


async def test_each_pause_of_a_row_was_replaced_by_the_next_and_the_last_was_ended(room: Room):
    lengths = (at(DAY + 60), at(DAY + 90), None)
    first, second, third = [(await room.desk.pause(TOM, until)).holds.id for until in lengths]
    await room.desk.resume(ADA)
    later = (await room.desk.pause(TOM, None)).holds.id
    replaced = [await room.views.replacement(each) for each in (first, second, third, later)]
    assert [found and found.id for found in replaced] == [second, third, None, None]


async def test_a_pause_whose_time_was_over_was_replaced_by_none(room: Room):
    over = (await room.desk.pause(ADA, room.clock.now())).holds
    await room.desk.pause(TOM, None)
    assert await room.views.replacement(over.id) is None


@pytest.mark.parametrize("called", ["BTC/USDT", "BTCUSDT", "BTC"])
async def test_a_market_that_has_changed_is_accepted_by_its_coin_too(room: Room, called: str):
    changed = await halt(room, HaltKind.CHANGED, "BTC/USDT")
    assert [found.id for found in await room.desk.accept_change(TOM, called)] == [changed]


async def test_where_only_a_market_has_changed_it_is_said_how_to_accept_that(room: Room):
    """In whole sentences: the command's usage is said behind them."""
    await halt(room, HaltKind.CHANGED, "ETH/USDT")
    for person in (TOM, ADA):
        with pytest.raises(BadInput) as refused:
            await room.desk.resume(person)
        said = "changed trouble. Look at the coin first; /resume ETH/USDT then allows entries again."
        assert str(refused.value) == said


async def test_a_coin_that_has_changed_in_two_markets_is_named_by_its_market(room: Room):
    for symbol in ("BTC/USDT", "BTC/EUR"):
        await halt(room, HaltKind.CHANGED, symbol)
    with pytest.raises(BadInput, match=r"BTC was halted in 2 markets\. One of them: BTC/EUR, BTC/USDT"):
        await room.desk.accept_change(TOM, "BTC")
    assert len(await room.desk.accept_change(TOM, "BTC/EUR")) == 1


@pytest.mark.parametrize("second", [TOM, ADA])
@pytest.mark.parametrize(
    ("standing", "asked"), [(None, at(DAY + 15)), (None, None), (at(DAY + 120), at(DAY + 60)), (at(DAY), at(DAY))]
)
async def test_a_pause_never_shortens_one_in_force(
    room: Room, standing: datetime | None, asked: datetime | None, second: Person
):
    held = (await room.desk.pause(ADA, standing)).holds
    answer = await room.desk.pause(second, asked)
    assert answer == Paused(holds=held, is_new=False, ended=(), beside=())
    assert (await room.views.status()).halts == (held,)
    assert len(await room.events(Halted)) == 1
    assert await room.events(HaltEnded) == []


async def test_of_pauses_at_once_the_longest_holds_in_whichever_order_they_come(room: Room):
    lengths = [at(DAY + 60), at(DAY + 15), at(DAY + 120), at(DAY + 30)]
    answers = await asyncio.gather(*(room.desk.pause(TOM, until) for until in lengths))
    ends = [answer.holds.halt.until for answer in answers]
    assert ends == sorted(ends)
    (held,) = (await room.views.status()).halts
    assert held.halt.until == at(DAY + 120)


async def test_a_pause_whose_time_is_over_but_not_yet_noted_holds_nothing(room: Room):
    over = await room.desk.pause(ADA, room.clock.now())
    answer = await room.desk.pause(TOM, at(DAY + 60))
    assert (answer.is_new, [found.id for found in answer.ended]) == (True, [over.holds.id])


async def test_a_pause_beside_a_drawdown_pause_ends_neither_and_names_both(room: Room):
    drawdown = await halt(room, HaltKind.DRAWDOWN)
    await halt(room, HaltKind.DATA, symbol="BTC/USDT")
    answer = await room.desk.pause(TOM, at(DAY + 15))
    assert answer.is_new
    assert [found.id for found in answer.beside] == [drawdown]
    assert len((await room.views.status()).halts) == 3


async def test_a_pause_survives_a_restart(tmp_path: Path):
    async with engine_room(tmp_path) as before:
        await before.desk.pause(TOM, None)
    async with engine_room(tmp_path) as after:
        (judged,) = (await after.enter(1.0)).decisions
        assert judged.plan is not None
        assert await after.held() == ()
        assert not (await after.views.status()).trading


async def test_resuming_ends_every_pause_and_says_which(room: Room):
    view = (await room.desk.pause(TOM, None)).holds
    (ended,) = await room.desk.resume(ADA)
    assert (ended.id, ended.ended_at, ended.ended_by) == (view.id, room.clock.now(), "Ada")
    assert [event.by for event in await room.events(HaltEnded)] == ["Ada"]
    assert (await room.views.status()).trading
    assert await room.desk.resume(TOM) == ()


async def test_only_an_admin_ends_a_drawdown_pause_early(room: Room):
    halt_id = await halt(room, HaltKind.DRAWDOWN)
    with pytest.raises(NotAllowed, match="only an admin"):
        await room.desk.resume(TOM)
    assert [found.id for found in await room.desk.resume(ADA)] == [halt_id]


async def test_a_trader_ends_the_pause_and_leaves_the_drawdown(room: Room):
    drawdown = await halt(room, HaltKind.DRAWDOWN)
    pause = (await room.desk.pause(TOM, None)).holds
    assert [found.id for found in await room.desk.resume(TOM)] == [pause.id]
    assert [found.id for found in (await room.views.status()).halts] == [drawdown]


async def test_bad_data_is_ended_by_good_data_only(room: Room):
    await halt(room, HaltKind.DATA, symbol="BTC/USDT")
    assert await room.desk.resume(ADA) == ()
    assert len((await room.views.status()).halts) == 1


async def fall_to(room: Room, price: int) -> None:
    """Value what is held at a price, and close the books on it."""
    await room.store.transact(lambda uow: uow.account.mark({Listing("paper", "BTC/USDT"): Decimal(price)}, at(DAY)))
    await room.books.record_equity(at(DAY))


async def drawdown(room: Room) -> Decimal:
    """As it is at the marks that the books were closed on; the venue of these tests has a price of its own."""
    return await room.store.read(lambda uow: uow.account.portfolio().drawdown)


async def test_an_admin_who_ends_a_drawdown_pause_early_leaves_the_drawdown_what_it_is(room: Room):
    await room.enter(1.0)
    await fall_to(room, 60)
    before = await drawdown(room)
    assert not (await room.views.status()).trading
    await room.desk.resume(ADA)
    await fall_to(room, 59)
    assert (await room.views.status()).trading
    assert await drawdown(room) > before > Decimal("0.1")


async def test_the_total_limit_is_ended_by_an_admin_only_and_counts_from_there_over_a_restart(tmp_path: Path):
    limits = RiskLimits(max_drawdown=Decimal("0.04"), max_total_drawdown=Decimal("0.1"))
    async with engine_room(tmp_path, limits=limits) as room:
        await room.enter(1.0)
        await fall_to(room, 60)
        with pytest.raises(NotAllowed, match=r"total limit of 10\.0%; only an admin may end that") as refused:
            await room.desk.resume(TOM)
        assert "it does not end by itself" in refused.value.remedy
        (ended,) = await room.desk.resume(ADA)
        assert ended.halt.is_total
    async with engine_room(tmp_path, limits=limits) as room:
        await fall_to(room, 59)
        assert (await room.views.status()).trading
        assert await drawdown(room) > Decimal("0.1")
        await fall_to(room, 23)
        (total,) = (await room.views.status()).halts
        assert total.halt.is_total
        assert "from 8,997.20, its highest since an admin let entries go on" in total.halt.reason
