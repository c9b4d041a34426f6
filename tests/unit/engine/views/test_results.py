"""The figures: those of the store, and what the rules would say."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.approvals import Press, Verb
from engine.domain.autonomy import Refuse
from engine.domain.days import Period
from engine.domain.halts import Halt, HaltKind
from engine.domain.orders import Fill, Side
from engine.domain.positions import Position
from engine.domain.results import AtWork
from engine.risk.limits import RiskLimits
from tests.fakes.database import rows_of, url_of
from tests.fakes.engine import CASH, DAY, QUIET, Room, at, engine_room, settled
from tests.fakes.feed import BTC
from tests.fakes.venue import move_cash

HALF_YEAR = 180
ROW = tuple[str, Decimal, int]


async def half_a_year(room: Room, seed: int) -> None:
    """Trades at any time of half a year, straight into the books; the equity is marked as each is closed."""
    chance = random.Random(seed)  # noqa: S311 - seeded
    closings = sorted(chance.sample(range(DAY, DAY + HALF_YEAR * 24 * 60), 60))
    for number, minutes in enumerate(closings, 1):
        net = Decimal(chance.randint(-3000, 3500)) / 100

        def work(uow, number=number, minutes=minutes, net=net) -> None:
            sold = {"quantity": Decimal(1), "price": net if net > 0 else -net, "fee": None}
            uow.positions.put(
                Position(
                    venue="paper",
                    id=f"T{number}",
                    context=chance.choice(("hand", "other")),
                    symbol=chance.choice(("BTC/USDT", "ETH/USDT", "SOL/USDT")),
                    quantity=Decimal(0),
                    entry_price=Decimal(100),
                    opened_at=at(minutes) - timedelta(minutes=chance.randint(1, 5000)),
                    realised=net + 1,
                    fees=Decimal(1),
                    closed_at=at(minutes),
                    closed_by=chance.choice(("stop", "target", "exit")),
                    bought=Decimal(1),
                    cost=Decimal(chance.randint(100, 900)),
                ),
                "",
            )
            move_cash(
                uow,
                Fill(
                    venue="paper",
                    trade_id=str(number),
                    client_id=str(number),
                    symbol="BTC/USDT",
                    side=Side.SELL if net > 0 else Side.BUY,
                    at=at(minutes),
                    **sold,
                ),
            )
            uow.account.record_equity(at(minutes))

        await room.store.transact(work)
    room.clock.at = at(DAY + HALF_YEAR * 24 * 60)


def closed_rows(folder: Path) -> list[dict[str, object]]:
    """The trades as they stand in the file, the first closed first."""
    return rows_of(url_of(folder), "SELECT * FROM positions WHERE status = 'closed' ORDER BY closed_at")


def net_of(row: dict[str, object]) -> Decimal:
    return Decimal(str(row["realised"])) - Decimal(str(row["fees"]))


@pytest.mark.parametrize("period", Period)
async def test_periods_come_to_what_the_trades_in_the_file_come_to(tmp_path: Path, period: Period) -> None:
    async with engine_room(tmp_path) as room:
        await half_a_year(room, 1)
        told = await room.results.periods(period, 400)
        counted: dict[str, tuple[Decimal, int]] = {}
        for row in closed_rows(tmp_path):
            day = datetime.fromisoformat(str(row["closed_at"])).date()
            first = {
                Period.DAY: day,
                Period.WEEK: day - timedelta(days=day.weekday()),
                Period.MONTH: day.replace(day=1),
            }
            net, number = counted.get(first[period].isoformat(), (Decimal(0), 0))
            counted[first[period].isoformat()] = (net + net_of(row), number + 1)
        shown = {each.day.isoformat(): (each.net, each.closed) for each in told.days}
        assert {name: figures for name, figures in shown.items() if figures[1]} == counted
        assert sum(each.closed for each in told.days) == told.closed == 60
        assert told.net == sum(net for net, _ in counted.values()) == (await room.views.status()).net
        assert len(told.days) == {Period.DAY: 181, Period.WEEK: 26, Period.MONTH: 6}[period]


async def test_performance_and_stats_come_to_what_the_trades_in_the_file_come_to(tmp_path: Path) -> None:
    async with engine_room(tmp_path) as room:
        await half_a_year(room, 2)
        performance, stats = await room.results.performance(), await room.results.stats()
    rows = closed_rows(tmp_path)
    for column, told in (
        ("symbol", performance.markets),
        ("context", performance.contexts),
        ("closed_by", stats.endings),
    ):
        for name, tally in told:
            own = [row for row in rows if row[column] == name]
            assert (tally.trades, tally.won) == (len(own), sum(net_of(row) > 0 for row in own))
            assert tally.net == sum(map(net_of, own))
            assert tally.cost == sum(Decimal(str(row["cost"])) for row in own)
        assert sum(tally.trades for _, tally in told) == len(rows) == 60
    nets = [net_of(row) for row in rows]
    of_losing = [net_of(row) for row in rows if row["context"] == stats.losing_context]
    marks = "".join("L" if net < 0 else "." for net in of_losing)
    assert stats.losing_streak == max(map(len, marks.split(".")))
    assert (stats.best.net, stats.worst.net) == (max(nets), min(nets))
    assert stats.expectancy == sum(nets) / 60
    for told_time, sign in ((stats.won_after, 1), (stats.lost_after, -1)):
        held = [
            (datetime.fromisoformat(str(row["closed_at"])) - datetime.fromisoformat(str(row["opened_at"])))
            for row, net in zip(rows, nets, strict=True)
            if net * sign > 0
        ]
        assert told_time == sum(held, timedelta(0)) / len(held)


async def test_figures_of_a_new_account_are_nothing(room: Room) -> None:
    assert (await room.results.performance()).total.trades == 0
    assert (await room.results.stats()).best is None
    counts = await room.results.counts()
    assert (counts.positions, counts.possible, counts.approvals, counts.exposure, counts.coins) == (0, 1, 0, 0, ())
    assert (counts.max_exposure, counts.max_coin, counts.size) == (CASH * 3 / 4, CASH / 4, 1)


async def buy(room: Room, **changes: object) -> None:
    """Ten BTC, by way of a question that was answered."""
    approval = await room.ask(**changes)
    await settled(room.approvals, approval.id, Press(person="Ann", verb=Verb.APPROVE))


async def test_what_is_open_is_counted_against_its_limits(room: Room) -> None:
    await buy(room, context="hand")
    await buy(room, context="gone")
    await room.ask(context="third")
    counts, status = await room.results.counts(), await room.views.status()
    assert (counts.positions, counts.others, counts.approvals) == (1, 1, 1)
    assert (counts.exposure, counts.coins) == (status.exposure, (("BTC", status.exposure),))
    assert counts.asked == Decimal(10) * Decimal("100.02")
    assert counts.max_exposure == status.equity * 3 / 4


async def test_a_drawdown_makes_the_limits_smaller(tmp_path: Path) -> None:
    async with engine_room(tmp_path, limits=RiskLimits(max_drawdown=Decimal("0.05"))) as room:
        await buy(room, context="hand", quantity=Decimal(20))
        await room.store.transact(lambda uow: uow.account.record_equity(room.clock.now()))
        await room.store.transact(lambda uow: move_cash(uow, replace(LOSS, at=room.clock.now())))
        counts, status = await room.results.counts(), await room.views.status()
        assert (counts.size, counts.max_coin) == (Decimal("0.5"), status.equity / 8)


LOSS = Fill(
    venue="paper",
    trade_id="1",
    client_id="1",
    symbol="BTC/USDT",
    side=Side.BUY,
    quantity=Decimal(1),
    price=Decimal(600),
    fee=None,
    at=at(0),
)


async def why_not(room: Room) -> str:
    """What keeps the only strategy from its only market."""
    (view,) = (await room.results.strategies()).contexts
    return dict(view.obstacles).get("BTC/USDT", "")


async def test_a_strategy_that_nothing_stops_may_enter_and_does(room: Room) -> None:
    assert await why_not(room) == ""
    await room.enter()
    (view,) = (await room.results.strategies()).contexts
    assert (view.held, view.closed.trades) == (1, 0)
    assert await why_not(room) == "hand already holds T1"


@pytest.mark.parametrize("market", ["", "BTC/USDT"])
async def test_a_strategy_says_of_a_halt_what_its_refusal_will_say(room: Room, market: str) -> None:
    halt = Halt(kind=HaltKind.PAUSE, reason="paused by Ann", since=room.clock.now(), symbol=market)
    await room.store.transact(lambda uow: uow.halts.add(halt))
    await says_what_its_refusal_will_say(room, "paused by Ann")


async def test_a_strategy_says_of_a_drawdown_what_its_refusal_will_say(room: Room) -> None:
    await room.store.transact(lambda uow: uow.account.record_equity(room.clock.now()))
    await room.store.transact(lambda uow: move_cash(uow, replace(LOSS, price=Decimal(1200))))
    await says_what_its_refusal_will_say(room, "drawdown 12.0% has reached the limit of 10.0%")


async def test_a_strategy_says_of_a_venue_that_is_away_what_its_refusal_will_say(tmp_path: Path) -> None:
    async with engine_room(tmp_path, no_entry=lambda _: "okx is away") as room:
        await says_what_its_refusal_will_say(room, "okx is away")


async def says_what_its_refusal_will_say(room: Room, reason: str) -> None:
    told = await why_not(room)
    record = await room.enter()
    assert record.decisions[-1].ruling == Refuse(reasons=(told,))
    assert told == reason


async def test_a_strategy_does_not_enter_once_everything_that_may_be_is_held(tmp_path: Path) -> None:
    async with engine_room(tmp_path, limits=RiskLimits(max_exposure=Decimal("0.1"))) as room:
        await buy(room, context="other")
        told = await why_not(room)
        record = await room.enter()
        assert told.startswith("exposure is at most 10% of equity: there is room for ")
        assert isinstance(record.decisions[-1].ruling, Refuse)
        assert record.decisions[-1].clamps[-1].reason.startswith("exposure is at most 10% of equity")


async def test_each_market_of_a_strategy_is_looked_at_by_itself(tmp_path: Path) -> None:
    """One is held, another is halted, the third may be entered."""
    names = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
    markets = [replace(BTC, symbol=name) for name in names]
    async with engine_room(tmp_path, dict.fromkeys(names, (QUIET,) * 60), markets=markets) as room:
        halt = Halt(kind=HaltKind.DATA, reason="ETH/USDT: a gap", since=room.clock.now(), symbol="ETH/USDT")
        await room.store.transact(lambda uow: uow.halts.add(halt))
        await buy(room, context="hand")
        three = replace(
            room.results,
            at_work=(AtWork(name="hand", strategy="script", venue="paper", markets=names, timeframe="1h"),),
        )
        (view,) = (await three.strategies()).contexts
        assert dict(view.obstacles) == {"BTC/USDT": "hand already holds T1", "ETH/USDT": "ETH/USDT: a gap"}
        assert (await three.counts()).possible == 3
