"""The account: cash, marks, the equity curve, digests."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from engine.domain.account import EquityPoint
from engine.domain.errors import StoreError, UnknownId
from engine.domain.market import Listing
from engine.domain.orders import OrderStatus, OrderType, Side
from engine.domain.payments import Payment
from engine.domain.positions import Buying, Portfolio
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork
from tests.fakes.engine import at
from tests.fakes.reports import digest, position
from tests.fakes.venue import fill, leaving, move_cash, oco, order

CASH = Decimal(10_000)


@pytest.fixture
async def account(store: Database) -> Database:
    """A database in which an account was opened with ten thousand."""
    await store.transact(lambda uow: uow.account.open("paper", "USDT", CASH))
    return store


async def portfolio(store: Database) -> Portfolio:
    return await store.read(lambda uow: uow.account.portfolio())


async def hold(store: Database, quantity: str, price: str) -> None:
    """A position that was paid for, and the last price of its market."""
    held = position(quantity=Decimal(quantity), entry_price=Decimal(100), fees=Decimal(0))

    def work(uow: UnitOfWork) -> None:
        uow.positions.put(held, "D1")
        move_cash(uow, fill(order(1), 1, Decimal(quantity)))
        uow.account.mark({held.listing: Decimal(price)}, at(1))

    await store.transact(work)


async def test_without_an_account_it_says_what_to_do(store: Database):
    assert not await store.read(lambda uow: uow.account.opened())
    with pytest.raises(StoreError, match="bot run"):
        await portfolio(store)


async def test_a_new_account_is_all_cash(account: Database):
    assert await account.read(lambda uow: uow.account.opened())
    assert await account.read(lambda uow: (uow.account.quote, uow.account.opening, uow.ledger.cursor("paper"))) == (
        "USDT",
        CASH,
        None,
    )
    assert await portfolio(account) == Portfolio(
        free_cash=CASH, equity=CASH, peak=CASH, marks={}, quote="USDT", free_at={"paper": CASH}
    )


async def test_buying_costs_and_selling_brings_money_and_fees_are_lost(account: Database):
    await account.transact(lambda uow: move_cash(uow, fill(order(1), 1, Decimal(2), Decimal(100), Decimal("0.2"))))
    assert (await portfolio(account)).free_cash == Decimal("9799.8")
    await account.transact(lambda uow: move_cash(uow, fill(leaving(2), 2, Decimal(2), Decimal(110), Decimal("0.3"))))
    assert (await portfolio(account)).free_cash == Decimal("10019.5")


async def test_what_is_held_is_valued_at_the_last_price(account: Database):
    await hold(account, "10", "90")
    now = await portfolio(account)
    assert (now.free_cash, now.equity, now.exposure) == (CASH - 1000, CASH - 100, Decimal(900))
    assert await account.read(lambda uow: uow.account.marks()) == {("paper", "BTC/USDT"): Decimal(90)}


@pytest.mark.parametrize("status", OrderStatus)
async def test_what_an_open_buy_may_still_cost_is_not_free(account: Database, status: OrderStatus):
    await account.transact(lambda uow: uow.orders.add(order(1, quantity=Decimal(3), status=status)))
    now = await portfolio(account)
    reserved = Decimal(0) if status.final else Decimal(300)
    assert (now.reserved, now.free_cash, now.exposure, now.equity) == (reserved, CASH - reserved, reserved, CASH)


async def test_only_the_rest_of_a_partly_filled_buy_is_set_aside_and_nothing_for_sales(account: Database):
    entry = order(1, quantity=Decimal(3))

    def work(uow: UnitOfWork) -> None:
        for each in (entry, oco(2), leaving(3)):
            uow.orders.add(each)
        uow.orders.add_fill(entry, fill(entry, 1, Decimal(1)), Decimal(0), "T1")

    await account.transact(work)
    assert (await portfolio(account)).reserved == Decimal(200)
    assert (oco(2).request.type, leaving(3).request.side) == (OrderType.OCO, Side.SELL)


async def test_the_curve_keeps_the_peak_and_the_fall_from_it(account: Database):
    await hold(account, "10", "120")
    top = await account.transact(lambda uow: uow.account.record_equity(at(1)))
    assert (top.equity, top.peak, top.drawdown) == (CASH + 200, CASH + 200, 0)
    await account.transact(lambda uow: uow.account.mark({Listing("paper", "BTC/USDT"): Decimal(69)}, at(2)))
    fallen = await account.transact(lambda uow: uow.account.record_equity(at(2)))
    assert (fallen.peak, fallen.drawdown) == (CASH + 200, Decimal(510) / Decimal(10_200))
    assert await account.read(lambda uow: (uow.curve.drawdown_at(at(1)), uow.curve.drawdown_at(at(9)))) == (
        0,
        fallen.drawdown,
    )
    assert await account.read(lambda uow: uow.curve.within(at(1), at(2))) == (
        EquityPoint(at=at(2), equity=fallen.equity, cash=CASH - 1000, drawdown=fallen.drawdown),
    )


async def test_the_benchmark_is_recorded_with_the_curve_and_outlives_the_program(account: Database):
    async def recorded(minute: int, **prices: str) -> None:
        marks = {Listing("paper", f"{base}/USDT"): Decimal(price) for base, price in prices.items()}
        markets = [Listing("paper", symbol) for symbol in ("BTC/USDT", "ETH/USDT")]
        await account.transact(lambda uow: uow.account.mark(marks, at(minute)))
        await account.transact(lambda uow: uow.account.record_equity(at(minute), markets))

    async def worth(minute: int) -> Decimal | None:
        return await account.read(lambda uow: uow.curve.benchmark_at(at(minute)))

    assert await worth(1) is None
    await recorded(1, BTC="100", ETH="10")
    await recorded(2, BTC="120", ETH="10")
    await recorded(3, BTC="120", ETH="5")
    assert [await worth(minute) for minute in (0, 1, 2, 3, 9)] == [
        1,
        1,
        Decimal("1.1"),
        Decimal("0.85"),
        Decimal("0.85"),
    ]
    await account.transact(lambda uow: uow.account.record_equity(at(4)))
    assert await worth(4) == Decimal("0.85"), "what is traded no more is held on"


async def test_the_total_limit_counts_from_the_highest_since_an_admin_spoke_until_there_is_a_new_peak(
    account: Database,
):
    async def marked(price: str) -> Portfolio:
        await account.transact(lambda uow: uow.account.mark({Listing("paper", "BTC/USDT"): Decimal(price)}, at(2)))
        return await account.transact(lambda uow: uow.account.record_equity(at(2)))

    await hold(account, "10", "60")
    fallen = await account.transact(lambda uow: uow.account.record_equity(at(1)))
    assert fallen.total_fall == fallen.drawdown == Decimal("0.04")
    await account.transact(lambda uow: uow.account.count_total_from_now())
    seen = [await marked(price) for price in ("80", "70", "110", "100")]
    assert [each.total_from for each in seen] == [CASH - 200, CASH - 200, None, None]
    assert seen[1].total_fall == Decimal(100) / Decimal(9800)
    assert [each.peak for each in seen] == [CASH, CASH, CASH + 100, CASH + 100]


async def test_what_is_remembered_of_a_drawdown_outlives_a_new_high_only_where_it_should(account: Database):
    await hold(account, "10", "60")
    await account.transact(lambda uow: (uow.account.note_pause(Decimal("0.04")), uow.account.count_total_from_now()))
    assert (await portfolio(account)).paused_drawdown == Decimal("0.04")
    await account.transact(lambda uow: uow.account.record_equity(at(1)))
    kept = await portfolio(account)
    assert (kept.paused_drawdown, kept.total_from) == (Decimal("0.04"), CASH - 400)


@pytest.mark.parametrize("change", ["1", "90000", "-5000"])
async def test_money_paid_in_or_out_changes_no_drawdown(account: Database, change: str):
    await hold(account, "10", "50")
    await account.transact(lambda uow: (uow.account.record_equity(at(1)), uow.account.count_total_from_now()))
    await account.transact(lambda uow: uow.account.mark({Listing("paper", "BTC/USDT"): Decimal(20)}, at(2)))
    before = await account.transact(lambda uow: uow.account.record_equity(at(2)))
    await account.transact(lambda uow: uow.account.pay_in("paper", Decimal(change), at(2)))
    after = await account.transact(lambda uow: uow.account.record_equity(at(3)))
    assert after.equity == before.equity + Decimal(change)
    assert abs(after.drawdown - before.drawdown) < Decimal("1e-20")
    assert abs(after.total_fall - before.total_fall) < Decimal("1e-20")
    assert before.total_fall < before.drawdown == Decimal("0.08")


async def test_an_account_that_is_emptied_and_filled_again_begins_anew(account: Database):
    for change in (-CASH, Decimal(500)):
        await account.transact(lambda uow, change=change: uow.account.pay_in("paper", change, at(1)))
    assert ((await portfolio(account)).peak, (await portfolio(account)).drawdown) == (Decimal(500), 0)


async def test_payments_are_kept_with_their_time_and_each_point_knows_which_are_in_it(account: Database):
    async def mark(minute: int, price: str) -> None:
        await account.transact(lambda uow: uow.account.mark({Listing("paper", "BTC/USDT"): Decimal(price)}, at(minute)))
        await account.transact(lambda uow: uow.account.record_equity(at(minute), [Listing("paper", "BTC/USDT")]))

    await account.transact(lambda uow: uow.account.pay_in("paper", Decimal(500), at(0)))
    await mark(1, "100")
    await mark(2, "110")
    await account.transact(lambda uow: uow.account.pay_in("paper", Decimal(-2000), at(2.5)))
    await mark(2, "110")  # made up for after a start
    assert await account.read(lambda uow: uow.account.payments()) == (
        Payment(at=at(0), amount=Decimal(500)),
        Payment(at=at(2.5), amount=Decimal(-2000), benchmark=Decimal("1.1")),
    )
    assert await account.read(lambda uow: uow.account.opening) == CASH
    points = await account.read(lambda uow: (uow.curve.point_at(at(0)), *uow.curve.newest(9)))
    assert [(point.equity, point.payments) for point in points] == [(CASH, 0), (CASH + 500, 1), (CASH - 1500, 2)]


async def test_nothing_that_is_kept_has_an_exponent(account: Database):
    await account.transact(lambda uow: uow.ledger.change("paper", "BTC", Decimal("1E-8")))
    await account.transact(lambda uow: uow.digests.add(digest(net=Decimal("0E-8"))))
    query = text("SELECT amount FROM balances WHERE currency = 'BTC'")
    amount = await account.read(lambda uow: uow.connection.execute(query).scalar_one())
    assert format(amount, "s" if isinstance(amount, str) else "f") == "0.00000001"
    kept = await account.read(lambda uow: uow.connection.execute(text("SELECT figures FROM digests")).scalar_one())
    assert '"net":"0.00000000"' in kept


async def test_unfinished_buys_are_known_by_order_context_and_market(account: Database):
    bought = order(7, quantity=Decimal(3), status=OrderStatus.OPEN)
    await account.transact(lambda uow: uow.orders.add(bought))
    assert (await portfolio(account)).buying == (
        Buying(
            order_id=bought.id,
            context=bought.context,
            venue="paper",
            symbol=bought.request.symbol,
            value=Decimal(300),
            to_stop=Decimal(30),
        ),
    )


async def test_a_moment_is_on_the_curve_once(account: Database):
    for _ in range(2):
        await account.transact(lambda uow: uow.account.record_equity(at(1)))
    (point,) = await account.read(lambda uow: uow.curve.newest(9))
    assert (point.at, point.equity) == (at(1), CASH)


async def test_the_curve_is_read_by_time(account: Database):
    assert await account.read(lambda uow: (uow.curve.last_at(), uow.curve.equity_at(at(0)))) == (None, CASH)
    for minute, price in enumerate(["100", "110", "120"], start=1):
        if minute == 1:
            await hold(account, "10", price)
        await account.transact(
            lambda uow, minute=minute, price=price: (
                uow.account.mark({Listing("paper", "BTC/USDT"): Decimal(price)}, at(minute)),
                uow.account.record_equity(at(minute)),
            )
        )
    assert await account.read(lambda uow: uow.curve.equity_at(at(2.5))) == CASH + 100
    assert await account.read(lambda uow: uow.curve.equity_at(at(0.5))) == CASH
    second, third = await account.read(lambda uow: uow.curve.newest(2))
    assert [(point.at, point.equity) for point in (second, third)] == [(at(2), CASH + 100), (at(3), CASH + 200)]
    assert await account.read(lambda uow: tuple(uow.curve.each(at(1), at(3)))) == (second, third)
    opened, between = await account.read(lambda uow: (uow.curve.point_at(at(0)), uow.curve.point_at(at(2.5))))
    assert (opened.at, opened.equity, opened.cash, opened.drawdown) == (at(0), CASH, CASH, 0)
    assert between == replace(second, at=at(2.5))
    assert await account.read(lambda uow: uow.curve.last_at()) == at(3)


async def test_a_day_is_fixed_once(account: Database):
    first = digest(net=Decimal(1))
    assert await account.transact(lambda uow: uow.digests.add(first))
    assert not await account.transact(lambda uow: uow.digests.add(digest(net=Decimal(2))))
    assert await account.read(lambda uow: uow.digests.get(first.id)) == first
    later = digest(id="2026-01-04", ends=first.ends + timedelta(days=1))
    await account.transact(lambda uow: uow.digests.add(later))
    assert await account.read(lambda uow: uow.digests.newest(1)) == (later,)
    with pytest.raises(UnknownId, match="2020-01-01"):
        await account.read(lambda uow: uow.digests.get("2020-01-01"))
