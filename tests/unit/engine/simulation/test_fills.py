from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.market import Book, Level, Market
from engine.domain.orders import Side
from engine.simulation.fills import (
    FillModel,
    affordable,
    at_limit,
    book,
    fee,
    levels,
    moved,
    part,
    resting,
    taken_whole,
    target_price,
    walk,
    worst_cost,
)
from tests.fakes.feed import BTC, START

MODEL = FillModel()
money = st.decimals(min_value="0.01", max_value=100_000, places=2)
lots = st.integers(1, 10_000_000).map(BTC.quantity)
volumes = st.decimals(min_value=0, max_value=1_000_000, places=4)
sides = st.sampled_from(Side)


def total(parts: tuple) -> Decimal:
    return sum((p.quantity for p in parts), Decimal(0))


def cost(parts: tuple) -> Decimal:
    return sum((p.notional + p.fee for p in parts), Decimal(0))


def test_a_fee_is_a_fraction_of_the_value_in_steps_of_a_hundred_millionth() -> None:
    assert fee(Decimal("1234.567891"), MODEL) == Decimal("1.23456789")


def test_levels_stand_half_a_spread_away_and_then_step_by_step() -> None:
    asks = levels(Side.BUY, Decimal(1000), Decimal(100), BTC, MODEL)
    bids = levels(Side.SELL, Decimal(1000), Decimal(100), BTC, MODEL)
    assert [level.price for level in asks] == [Decimal(p) for p in ("1000.2", "1000.5", "1000.8", "1001.1", "1001.4")]
    assert [level.price for level in bids] == [Decimal(p) for p in ("999.8", "999.5", "999.2", "998.9", "998.6")]
    assert {level.quantity for level in (*asks, *bids)} == {Decimal("0.4")}


def test_the_prices_of_a_book_that_is_moved_along_have_every_decimal_of_the_tick() -> None:
    bids, asks = ((Level(price=Decimal(p), quantity=Decimal(1)),) for p in ("999.9", "1000.1"))
    seen = Book(symbol=BTC.symbol, at=START, bids=bids, asks=asks)
    assert [str(level.price) for level in moved(Side.BUY, Decimal("1000.2"), seen, BTC)] == ["1000.30"]


def test_nobody_trades_where_the_last_candle_traded_nothing() -> None:
    assert book(Decimal(1000), Decimal(0), BTC, MODEL, START) is None


@given(sides, money, volumes)
def test_levels_get_strictly_worse_and_never_better_than_the_price(side: Side, mid: Decimal, volume: Decimal) -> None:
    sign = 1 if side is Side.BUY else -1
    prices = [level.price * sign for level in levels(side, mid, volume, BTC, MODEL)]
    assert prices == sorted(set(prices))
    assert all(price >= mid * sign and abs(price) > 0 and price % BTC.tick == 0 for price in prices)


@given(sides, lots, money, volumes)
def test_an_order_takes_what_there_is_and_never_more_than_it_wants(
    side: Side, quantity: Decimal, mid: Decimal, volume: Decimal
) -> None:
    offered = levels(side, mid, volume, BTC, MODEL)
    parts = walk(quantity, offered, MODEL)
    assert total(parts) == min(quantity, sum((level.quantity for level in offered), Decimal(0)))
    assert all(taken.quantity % BTC.lot == 0 and taken.quantity > 0 for taken in parts)


@given(lots, money, volumes, st.decimals(min_value=0, max_value=1_000_000, places=8))
def test_a_buy_never_spends_more_than_the_cash_and_stops_only_for_want_of_it(
    quantity: Decimal, mid: Decimal, volume: Decimal, cash: Decimal
) -> None:
    wanted = walk(quantity, levels(Side.BUY, mid, volume, BTC, MODEL), MODEL)
    bought = affordable(wanted, cash, BTC, MODEL)
    assert cost(bought) <= cash
    if total(bought) < total(wanted):
        next_price = wanted[min(len(bought), len(wanted) - 1)].price
        assert cost(bought) + BTC.lot * next_price * (1 + MODEL.fee) * 2 > cash


@given(lots, money, volumes)
def test_the_worst_cost_covers_what_is_taken_at_once(quantity: Decimal, mid: Decimal, volume: Decimal) -> None:
    offered = levels(Side.BUY, mid, volume, BTC, MODEL)
    parts = walk(quantity, offered, MODEL)
    worst = worst_cost(quantity, mid, offered, MODEL)
    assert worst >= cost(parts)
    assert affordable(parts, worst, BTC, MODEL) == parts


@given(st.lists(lots, min_size=1, max_size=6), money)
def test_the_fees_of_parts_never_exceed_the_fee_of_the_whole(quantities: list[Decimal], price: Decimal) -> None:
    whole = fee(sum(quantities, Decimal(0)) * price, MODEL)
    assert sum((part(q, price, MODEL).fee for q in quantities), Decimal(0)) <= whole


def test_a_target_sells_at_its_price_or_better() -> None:
    assert target_price(Decimal(110), Decimal(110), BTC, MODEL) == Decimal(110)
    assert target_price(Decimal(120), Decimal(110), BTC, MODEL) == Decimal("119.97")


def test_a_walk_stops_at_an_empty_level() -> None:
    offered = [Level(price=Decimal(1), quantity=Decimal(0)), Level(price=Decimal(2), quantity=Decimal(1))]
    assert walk(Decimal(1), offered, MODEL) == ()


def test_a_stop_takes_every_bid_and_the_last_of_them_for_the_rest() -> None:
    offered = [Level(price=Decimal(p), quantity=Decimal(q)) for p, q in (("94.9", "2"), ("94.5", "1"))]
    parts = taken_whole(Side.SELL, Decimal(50), Decimal(95), offered, BTC, MODEL)
    assert [(p.price, p.quantity) for p in parts] == [(Decimal("94.9"), Decimal(2)), (Decimal("94.5"), Decimal(48))]
    assert taken_whole(Side.SELL, Decimal("2.5"), Decimal(95), offered, BTC, MODEL) == walk(
        Decimal("2.5"), offered, MODEL
    )
    assert taken_whole(Side.SELL, Decimal(0), Decimal(95), offered, BTC, MODEL) == ()


def test_a_stop_that_buys_takes_every_ask_and_the_last_of_them_for_the_rest() -> None:
    offered = levels(Side.BUY, Decimal(95), Decimal(200), BTC, MODEL)
    parts = taken_whole(Side.BUY, Decimal(50), Decimal(95), offered, BTC, MODEL)
    assert sum(each.quantity for each in parts) == 50
    assert [each.price for each in parts] == [each.price for each in offered]
    (whole,) = taken_whole(Side.BUY, Decimal(50), Decimal(95), (), BTC, MODEL)
    assert whole.price == offered[-1].price


def test_of_a_book_a_limit_takes_what_stands_at_it_or_better() -> None:
    asks, bids = (levels(side, Decimal(1000), Decimal(100), BTC, MODEL) for side in (Side.BUY, Side.SELL))
    assert at_limit(Side.BUY, asks[1].price, asks) == asks[:2]
    assert at_limit(Side.SELL, bids[2].price, bids) == bids[:3]
    assert at_limit(Side.BUY, bids[0].price, asks) == at_limit(Side.SELL, asks[0].price, bids) == ()


def test_what_rests_is_met_by_no_more_than_one_side_of_a_book_holds() -> None:
    held = sum(level.quantity for level in levels(Side.BUY, Decimal(1000), Decimal(100), BTC, MODEL))
    assert resting(Decimal(500), Decimal(100), BTC, MODEL) == held
    assert resting(held / 2, Decimal(100), BTC, MODEL) == held / 2
    assert resting(Decimal(1), Decimal(0), BTC, MODEL) == 0


def test_a_stop_that_nobody_bids_for_gets_the_worst_price_of_the_book_that_would_be_there() -> None:
    (whole,) = taken_whole(Side.SELL, Decimal(50), Decimal(1000), (), BTC, MODEL)
    assert (whole.price, whole.quantity, whole.fee) == (Decimal("998.6"), Decimal(50), Decimal("49.93"))


COINS = (
    BTC,
    Market(symbol="BTC/USDT", lot=Decimal("0.00001"), tick=Decimal("0.1")),
    Market(symbol="SHIB/USDT", lot=Decimal(1), tick=Decimal("0.00000001")),
    Market(symbol="PEPE/USDT", lot=Decimal(100), tick=Decimal("0.00000001")),
)


@given(st.sampled_from(COINS), st.integers(1, 10_000_000), st.integers(1, 10**12), volumes)
def test_a_stop_sells_whole_at_no_better_price_than_its_own(
    market: Market, ticks: int, wanted: int, volume: Decimal
) -> None:
    stop, quantity = ticks * market.tick, market.quantity(wanted)
    offered = levels(Side.SELL, stop, volume, market, MODEL)
    parts = taken_whole(Side.SELL, quantity, stop, offered, market, MODEL)
    assert total(parts) == quantity
    assert all(0 < p.price <= stop and p.price % market.tick == 0 and p.quantity % market.lot == 0 for p in parts)
    assert parts[: len(offered) - 1] == walk(quantity, offered, MODEL)[: len(offered) - 1]
