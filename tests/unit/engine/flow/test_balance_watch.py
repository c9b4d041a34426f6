"""What venues have, laid beside the books through the real ccxt: faults 14, 33, 35 and 39."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from engine.domain.events import BalanceAdopted
from engine.domain.halts import Halt, HaltKind
from engine.domain.market import Listing
from engine.flow.balance_watch import BalanceWatch
from handlers.cards import inventory
from handlers.cards.lines import flowing
from tests.fakes.engine import events_of
from tests.fakes.exchange import Fault, Symbol, usual_symbols
from tests.fakes.real_bench import Bench, bench_at
from tests.fakes.venues.binance import DOWN, trading
from tests.fakes.venues.kraken import FakeKraken, trading_kraken

QUICK = 100.0
"""How many times faster than allowed the venues are asked."""


@pytest.fixture(params=["binance", "kraken"])
async def at(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    made = trading_kraken() if request.param == "kraken" else trading()
    async with made as fake, bench_at(tmp_path, fake, QUICK) as bench:
        if isinstance(fake, FakeKraken):
            fake.counter.most = 1000
        bench.move(60_000)
        yield bench


def watch(at: Bench) -> BalanceWatch:
    """Another one over the same books is as after a restart."""
    return BalanceWatch(store=at.store, orchestrator=at.orchestrator, transfers={at.name: at.exchange})


async def look(at: Bench, own: BalanceWatch, times: int = 1) -> list[Halt]:
    for _ in range(times):
        await own.look(at.name, at.clock.now())
    standing = await at.store.read(lambda uow: uow.halts.open())
    return [found.halt for found in standing]


async def paid(at: Bench) -> list[Decimal]:
    return [each.amount for each in await at.store.read(lambda uow: uow.account.payments())]


def quote_of(at: Bench) -> str:
    return at.symbol.partition("/")[2]


async def test_what_a_venue_lacks_at_two_looks_halts_it_alone_until_both_agree(at: Bench) -> None:
    own = watch(at)
    assert await look(at, own) == []
    at.fake.pay_out(quote_of(at), "125", told=False)
    assert await look(at, own) == []
    (halt,) = await look(at, own)
    assert (halt.kind, halt.venue, halt.until) == (HaltKind.BALANCES, at.name, None)
    assert f"9875 {quote_of(at)} there and 10000 in the books" in halt.reason
    assert halt.blocks(Listing(at.name, at.symbol), at.clock.now())
    assert not halt.blocks(Listing("another", at.symbol), at.clock.now())
    assert await look(at, watch(at), 2) == [halt], "one halt, over restarts too"
    at.fake.pay_in(quote_of(at), "125", told=False)
    assert await look(at, watch(at)) == []
    assert await paid(at) == [], "nothing was booked"


async def test_deposits_and_withdrawals_are_booked_by_the_venues_word_once(at: Bench) -> None:
    own, quote = watch(at), quote_of(at)
    await look(at, own)
    at.fake.pay_in(quote, "500")
    at.fake.pay_out(quote, "40", "1.5")
    at.fake.pay_out(quote, "7")
    assert await look(at, own) == []
    assert await paid(at) == [Decimal("451.5")]
    (told,) = await events_of(at.store, BalanceAdopted)
    card = inventory.paid(await at.store.read(lambda uow: uow.payment_notices.get(told.notice_id)))
    assert flowing(card.title) == f"Paid in at {at.name}: 451.5 {quote}"
    at.fake.pay_out(quote, "7", told=False)
    assert len(await look(at, watch(at), 2)) == 1, "a withdrawal that is booked explains no second loss"


async def test_more_than_the_books_say_was_paid_in(at: Bench) -> None:
    own = watch(at)
    await look(at, own)
    at.fake.pay_in(quote_of(at), "30", told=False)
    assert (await look(at, own), await paid(at)) == ([], [])
    assert (await look(at, own), await paid(at)) == ([], [Decimal(30)])


async def test_coins_that_a_position_needs_are_never_booked_as_withdrawn(at: Bench) -> None:
    own, base = watch(at), at.fake.symbols[at.market].base
    await at.buy("a", "0.01")
    await look(at, own)
    (standing, *_) = at.fake.matching.open_orders()
    at.fake.matching.cancel(standing)
    at.fake.pay_out(base, "0.005")
    (halt,) = await look(at, own, 2)
    assert "BTC there and" in halt.reason


async def test_no_answer_and_half_an_answer_are_none(at: Bench) -> None:
    own = watch(at)
    await at.buy("a", "0.01")
    await look(at, own)
    call = "POST /0/private/BalanceEx" if at.name == "kraken" else "GET /api/v3/account"
    if at.name == "kraken":
        half, empty = (
            {"error": [], "result": {"ZUSD": {"balance": "9000", "hold_trade": "0"}}},
            {"error": [], "result": {}},
        )
    else:
        half, empty = {"balances": [{"asset": "USDT", "free": "9000", "locked": "0"}]}, {"balances": []}
    for faults in ([DOWN] * 3, [Fault(change=lambda _: empty)] * 3, [Fault(change=lambda _: half)] * 3):
        at.fake.meddle = lambda asked, left=list(faults): left.pop() if asked == call and left else None
        assert await look(at, own) == []
    at.fake.meddle = lambda asked: DOWN if asked == call else None
    assert await look(at, own, 3) == []
    at.fake.heal()
    at.fake.meddle = lambda _: None
    assert await look(at, own) == []
    assert await paid(at) == []


async def test_fees_in_a_third_currency_are_no_mismatch(tmp_path: Path) -> None:
    symbols = [*usual_symbols(), Symbol(base="BNB", price=lambda _: 600.0)]
    async with trading(symbols, balances={"USDT": "10000", "BNB": "2"}) as fake, bench_at(tmp_path, fake, QUICK) as at:
        fake.matching.fees.paid_in = "BNB"
        at.move(60_000)
        own = watch(at)
        await at.buy("a", "0.01")
        (held,) = [each for each in await at.held() if each.symbol == at.symbol]
        await at.sell(held)
        assert await look(at, own, 3) == []
        assert fake.ledger.total("BNB") < 2
        booked = await at.store.read(lambda uow: uow.ledger.owned("binance"))
        assert booked["BNB"] == fake.ledger.total("BNB")
        assert await events_of(at.store, BalanceAdopted) == []
