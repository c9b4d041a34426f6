"""One market, one closed candle, one transaction: everything that can become of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.autonomy import AskHuman, Execute, Hold, Refuse
from engine.domain.decisions import Stance
from engine.domain.errors import StrategyError, VenueError
from engine.domain.events import Halted, HaltEnded
from engine.domain.halts import HaltKind
from engine.domain.messages import Person, Role
from engine.flow.cycle import run_cycles
from tests.fakes.engine import DAY, QUIET, Room, Script, at, engine_room, signals
from tests.fakes.feed import BTC

ANN = Person(name="Ann", role=Role.TRADER)
GAP = (*(QUIET,) * 30, *(None,) * 6, *(QUIET,) * 30)
"""Six candles are missing from hour 30 on."""


async def test_without_a_set_up_it_holds_and_says_so(room: Room):
    (judged,) = (await room.cycle()).decisions
    assert judged.decision.stance is Stance.HOLD
    assert judged.ruling == Hold()
    assert judged.decision.reasons == ("the script set-up has not appeared",)
    assert judged.plan is None
    assert await room.orders() == []
    assert await room.views.decisions(5) == (judged,)


async def test_a_sure_decision_trades_alone(room: Room):
    (judged,) = (await room.enter(1.0)).decisions
    assert isinstance(judged.ruling, Execute)
    assert judged.decision.reasons == ("speaks for it",)
    assert judged.plan is not None
    assert judged.plan.quantity == Decimal("50.000")
    assert judged.ruling.plan.quantity == Decimal("24.995")
    assert [clamp.rule for clamp in judged.clamps] == ["max_position"]
    assert await room.orders() == [("entry", "filled", Decimal("24.995")), ("protection", "open", Decimal("24.995"))]
    assert [position.context for position in await room.held()] == ["hand"]


async def test_a_less_sure_one_asks_and_nothing_is_sent(room: Room):
    (judged,) = (await room.enter(0.6)).decisions
    assert isinstance(judged.ruling, AskHuman)
    (asked,) = await room.views.pending()
    assert asked.approval.plan == judged.ruling.plan
    assert asked.approval.decision_id == judged.decision.id
    assert asked.approval.expires_at == room.clock.now() + timedelta(minutes=15)
    assert await room.orders() == []


async def test_an_unsure_one_is_refused(room: Room):
    (judged,) = (await room.enter(0.4)).decisions
    assert isinstance(judged.ruling, Refuse)
    assert judged.plan is not None
    assert await room.views.pending() == ()


async def test_the_rules_have_the_last_word_whatever_the_confidence(room: Room):
    await room.desk.pause(ANN, None)
    (judged,) = (await room.enter(1.0)).decisions
    assert judged.ruling == Refuse(reasons=("paused by Ann",))
    assert [clamp.rule for clamp in judged.clamps] == ["halts"]


SLOW = "this machine's clock is 10 min behind binance's; 36 s are allowed on 1h candles."


async def test_by_a_wrong_clock_nothing_is_entered_and_exits_go_on(tmp_path: Path):
    reasons: dict[str, str] = {}
    async with engine_room(tmp_path, no_entry=lambda context: reasons.get(context, "")) as room:
        await room.enter(1.0)
        reasons["hand"] = SLOW
        room.clock.to(DAY + 60)
        room.script.exits[room.clock.now()] = "the trend has turned"
        leaving, entering = (await room.enter(1.0)).decisions
        assert isinstance(leaving.ruling, Execute)
        assert await room.held() == ()
        assert entering.decision.stance is Stance.ENTER
        assert entering.ruling == Refuse(reasons=(SLOW,))
        assert [clamp.rule for clamp in entering.clamps] == ["market_data"]


async def test_a_clock_that_is_too_wrong_for_one_context_is_good_enough_for_another(tmp_path: Path):
    async with engine_room(tmp_path, no_entry={"minutes": SLOW, "hand": ""}.__getitem__) as room:
        (judged,) = (await room.enter(1.0)).decisions
        assert isinstance(judged.ruling, Execute)


async def test_a_candle_is_decided_on_once(room: Room):
    await room.enter(1.0)
    assert (await room.cycle()).decisions == ()
    assert len(await room.views.decisions(9)) == 1
    assert len(await room.held()) == 1


async def test_a_context_holds_one_position_of_a_market(room: Room):
    await room.enter(1.0)
    room.clock.to(DAY + 60)
    (judged,) = (await room.enter(1.0)).decisions
    assert judged.ruling == Refuse(reasons=("hand already holds T1",))


async def test_an_exit_never_asks_and_goes_on_while_paused(room: Room):
    await room.enter(1.0)
    await room.desk.pause(ANN, None)
    room.clock.to(DAY + 60)
    room.script.exits[room.clock.now()] = "the trend has turned"
    leaving, entering = (await room.cycle()).decisions
    assert (leaving.decision.stance, leaving.decision.reasons) == (Stance.EXIT, ("the trend has turned",))
    assert isinstance(leaving.ruling, Execute)
    assert entering.decision.stance is Stance.HOLD
    assert await room.held() == ()
    assert (await room.venue.balances())["BTC"] == 0


async def test_the_position_of_another_context_is_not_left(room: Room):
    await room.enter(1.0)
    held = (await room.held())[0]
    await room.store.transact(lambda uow: uow.positions.put(replace(held, context="another"), "D1"))
    room.clock.to(DAY + 60)
    room.script.exits[room.clock.now()] = "the trend has turned"
    assert [judged.decision.stance for judged in (await room.cycle()).decisions] == [Stance.HOLD]


async def test_without_a_book_nothing_is_bought_and_nothing_is_sold(room: Room):
    await room.enter(1.0)
    room.venue.deaf = VenueError("no book")
    room.clock.to(DAY + 60)
    room.script.exits[room.clock.now()] = "the trend has turned"
    (judged,) = (await room.enter(1.0)).decisions
    assert judged.ruling == Refuse(reasons=("there is no order book to price it with",))
    assert [given.name for given in judged.inputs] == ["1h candles", "book"]
    assert judged.inputs[1].detail.startswith("missing")
    assert len(await room.held()) == 1


async def test_an_entry_is_recorded_with_what_risk_was_judged_by_and_an_exit_without(room: Room):
    (entered,) = (await room.enter(1.0)).decisions
    figures = entered.inputs[-1]
    assert (figures.name, figures.age) == ("risk figures", timedelta(0))
    assert "ATR 2" in figures.detail
    room.clock.to(DAY + 60)
    room.script.exits[room.clock.now()] = "the trend has turned"
    left, held = (await room.cycle()).decisions
    assert "risk figures" not in [given.name for judged in (left, held) for given in judged.inputs]


@pytest.mark.parametrize("stop", [None, 0.0, 500.0])
async def test_without_room_for_a_stop_there_is_no_entry(room: Room, stop: float | None):
    (judged,) = (await room.enter(1.0, stop=stop)).decisions
    assert judged.ruling == Refuse(reasons=("there is no room for a stop below the price",))


async def test_too_little_history_says_what_is_missing(tmp_path: Path):
    async with engine_room(tmp_path, minutes=10 * 60) as room:
        room.script.warmup = 11
        (judged,) = (await room.cycle()).decisions
        assert judged.decision.reasons == ("script needs 11 closed candles first",)


async def test_bad_data_halts_its_market_until_it_is_good_again(tmp_path: Path):
    async with engine_room(tmp_path, GAP, minutes=30 * 60) as room:
        await room.enter(0.1)
        assert await room.events(Halted) == []
        for hour in (37, 38):
            room.clock.to(hour * 60)
            (judged,) = (await room.enter(1.0)).decisions
            assert judged.decision.stance is Stance.HOLD
            assert judged.decision.reasons[0].startswith("bad data: ")
        (halted,) = await room.events(Halted)
        assert (halted.kind, halted.at) == (HaltKind.DATA, at(37 * 60))
        status = await room.views.status()
        assert [found.halt.symbol for found in status.halts] == ["BTC/USDT"]
        room.clock.to(45 * 60)
        (judged,) = (await room.enter(0.1)).decisions
        assert judged.decision.stance is Stance.ENTER
        assert [(event.halt_id, event.at) for event in await room.events(HaltEnded)] == [("H1", at(45 * 60))]


async def test_no_data_at_all_is_bad_data_and_the_position_stays_protected(tmp_path: Path):
    async with engine_room(tmp_path, minutes=30) as room:
        (judged,) = (await room.cycle()).decisions
        assert judged.quality.refused[0].kind == "missing"
        assert judged.signals == ()


async def test_every_market_of_a_context_gets_its_own_decision(tmp_path: Path):
    eth = replace(BTC, symbol="ETH/USDT")
    rows = {"BTC/USDT": (QUIET,) * 30, "ETH/USDT": (QUIET,) * 30}
    async with engine_room(tmp_path, rows, markets=(BTC, eth)) as room:
        record = await room.enter(1.0)
        assert [judged.decision.symbol for judged in record.decisions] == ["BTC/USDT", "ETH/USDT"]
        assert sorted(position.symbol for position in await room.held()) == ["BTC/USDT", "ETH/USDT"]


async def test_a_market_that_is_late_delays_no_other_and_is_decided_on_once_it_answers(tmp_path: Path):
    eth = replace(BTC, symbol="ETH/USDT")
    rows = {"ETH/USDT": (QUIET,) * 30, "BTC/USDT": (QUIET,) * 30}
    async with engine_room(tmp_path, rows, markets=(eth, BTC)) as room:
        room.services = replace(room.services, late_after=0.05)
        room.venue.hangs, room.venue.hangs_for = "book", "ETH/USDT"
        deciding = asyncio.create_task(room.enter(1.0))
        async with asyncio.timeout(5):
            while not await room.held():  # noqa: ASYNC110 - what is waited for tells nobody
                await asyncio.sleep(0.01)
        assert [position.symbol for position in await room.held()] == ["BTC/USDT"]
        assert not deciding.done()
        room.venue.answers.set()
        record = await deciding
        assert [judged.decision.symbol for judged in record.decisions] == ["BTC/USDT", "ETH/USDT"]
        assert sorted(position.symbol for position in await room.held()) == ["BTC/USDT", "ETH/USDT"]


async def test_contexts_that_ask_at_the_same_time_fetch_a_close_once(tmp_path: Path):
    async with engine_room(tmp_path) as room:
        services = replace(room.services, late_after=5.0)
        contexts = [replace(room.context, name=name) for name in ("one", "two", "three")]
        asked = room.venue.candles_asked
        records = await run_cycles(services, contexts, room.clock.now())
        assert [record.context for record in records] == ["one", "two", "three"]
        assert room.venue.candles_asked - asked == len(room.context.strategy.timeframes)


async def test_entries_of_one_candle_share_what_there_is(tmp_path: Path):
    """Each is judged on an account from which the ones before have reserved their share."""
    symbols = [f"{base}/USDT" for base in ("BTC", "ETH", "SOL", "XRP")]
    markets = [replace(BTC, symbol=symbol) for symbol in symbols]
    async with engine_room(tmp_path, dict.fromkeys(symbols, (QUIET,) * 30), markets=markets) as room:
        record = await room.enter(1.0)
        plans = [judged.ruling.plan for judged in record.decisions if isinstance(judged.ruling, Execute)]
        assert [plan.symbol for plan in plans][:3] == symbols[:3]
        assert sum(plan.notional for plan in plans) <= Decimal(7500)
        assert record.decisions[3].clamps[1].rule == "max_exposure"


async def test_contexts_that_enter_at_one_candle_share_what_one_coin_may_be_worth(tmp_path: Path):
    """The second sees what the first has written down and not yet sent; a coin is one coin on every quote."""
    quotes = ("BTC/USDT", "BTC/USDC")
    markets = [replace(BTC, symbol=symbol) for symbol in quotes]
    async with engine_room(tmp_path, dict.fromkeys(quotes, (QUIET,) * 30), markets=markets) as room:
        room.script.entries[room.clock.now()] = signals(1.0)
        contexts = [replace(room.context, name=name) for name in ("one", "two", "three")]
        records = await run_cycles(room.services, contexts, room.clock.now())
        judged = [each for record in records for each in record.decisions]
        assert sum(each.ruling.plan.notional for each in judged if isinstance(each.ruling, Execute)) <= Decimal(2500)
        assert "O1 (one) is buying" in judged[-1].clamps[-1].reason
        assert "there is room for 0." in judged[-1].clamps[-1].reason


async def test_a_strategy_that_fails_keeps_no_other_from_deciding(tmp_path: Path):
    """What it failed with is told once the others have decided, and their orders are sent."""
    async with engine_room(tmp_path) as room:
        fails = replace(room.context, name="fails", strategy=_Fails(entries={}))
        room.script.entries[room.clock.now()] = signals(1.0)
        with pytest.raises(StrategyError, match=r"own\.py, line 3"):
            await run_cycles(room.services, (fails, room.context), room.clock.now())
        assert [position.context for position in await room.held()] == [room.context.name]
        assert [order[:2] for order in await room.orders()] == [("entry", "filled"), ("protection", "open")]


class _Fails(Script):
    def generate_signals(self, _):
        raise StrategyError("own.py, line 3: KeyError: 'x'.")
