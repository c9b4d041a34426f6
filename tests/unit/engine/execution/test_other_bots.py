"""Two databases at one account of a strict Binance and a strict Kraken, through the real ccxt: fault 15."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from engine.domain.halts import Halt, HaltKind
from engine.domain.market import Listing
from engine.execution import other_bots
from engine.execution.signing import sign
from engine.store.halting import end_halt
from tests.fakes.real_bench import Bench, bench_at
from tests.fakes.venues.binance import DOWN, trading
from tests.fakes.venues.kraken import FakeKraken, trading_kraken

QUICK = 100.0


@pytest.fixture(params=["binance", "kraken"])
async def both(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Bench, Bench]]:
    async with AsyncExitStack() as opened:
        made = trading_kraken() if request.param == "kraken" else trading()
        fake = await opened.enter_async_context(made)
        if isinstance(fake, FakeKraken):
            fake.counter.most = 1000
        benches = []
        for name in ("1111aaaa", "2222bbbb"):
            bench = await opened.enter_async_context(bench_at(tmp_path / name, fake, QUICK))
            await bench.store.transact(lambda uow, name=name: sign(uow, name))
            bench.move(60_000)
            benches.append(bench)
        yield benches[0], benches[1]


async def look(at: Bench) -> list[Halt]:
    await other_bots.look(at.store, at.exchange, at.clock.now())
    return await standing(at)


async def standing(at: Bench) -> list[Halt]:
    return [found.halt for found in await at.store.read(lambda uow: uow.halts.open())]


async def resume(at: Bench) -> None:
    now = at.clock.now()
    await at.store.transact(lambda uow: [end_halt(uow, found, now, "Ada") for found in uow.halts.open()])


async def test_one_decision_of_two_bots_is_an_order_of_each(both: tuple[Bench, Bench]) -> None:
    for bench in both:
        await bench.buy("the same")
    assert set(both[0].fake.matching.accepted.values()) == {1}
    ends = {order.request.client_id[-8:] for bench in both for order in await bench.unfinished()}
    assert ends == {"1111aaaa", "2222bbbb"}


async def test_an_order_that_another_bot_left_standing_ends_entries_at_that_venue_alone(
    both: tuple[Bench, Bench],
) -> None:
    first, second = both
    await first.buy("a")
    assert await look(first) == []
    (halt,) = await look(second)
    assert (halt.kind, halt.venue, halt.until) == (HaltKind.OTHER_BOT, second.name, None)
    assert "there is signed 1111aaaa, ours are signed 2222bbbb" in halt.reason
    assert halt.blocks(Listing(second.name, second.symbol), second.clock.now())
    assert not halt.blocks(Listing("another", second.symbol), second.clock.now())
    assert await look(second) == [halt]


async def test_what_another_bot_trades_is_seen_and_once_an_admin_knows_it_is_not_told_again(
    both: tuple[Bench, Bench],
) -> None:
    first, second = both
    await second.sync()
    await first.buy("a")
    await second.crash()  # what comes back looks at all that was traded
    await second.sync()
    assert [halt.kind for halt in await standing(second)] == [HaltKind.OTHER_BOT]
    await look(second)
    await resume(second)
    assert await look(second) == []
    await first.buy("b")
    assert [halt.kind for halt in await look(second)] == [HaltKind.OTHER_BOT], "a new one is"


async def test_a_copy_of_a_database_that_trades_elsewhere_is_another_bot(both: tuple[Bench, Bench]) -> None:
    first, second = both
    await second.store.transact(lambda uow: uow.settings.set("orders.signature", "1111aaaa"))
    await first.buy("a")
    (halt,) = await look(second)
    assert "signed 1111aaaa as ours are, and this database does not know it" in halt.reason


async def test_neither_an_order_by_hand_nor_a_venue_that_is_down_is_another_bot(both: tuple[Bench, Bench]) -> None:
    first, second = both
    await first.buy("a")
    second.fake.meddle = lambda _: DOWN
    assert await look(second) == []
