"""How far trades were taken in: what a cursor knows, what comes late, and pages that are whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from engine.domain.errors import UnknownCursor, VenueError
from engine.exchanges.ccxt import pages
from engine.exchanges.ccxt.taken_in import OVERLAP_MS, TakenIn, after
from engine.ports import Cursor

BTC, DAY = "BTC/USDT", 24 * 3_600_000
FEE = {"cost": 0.1, "currency": "USDT"}


def trade(number: int, at: int, fee: dict[str, Any] | None = FEE) -> dict[str, Any]:
    return {"id": str(number), "timestamp": at, "fee": fee}


def ids(raws: Sequence[dict[str, Any]]) -> list[str]:
    return [raw["id"] for raw in raws]


NOTHING = TakenIn(venue="binance", since_ms=10 * DAY, trades={})


def test_a_cursor_reads_as_it_was_written() -> None:
    taken = NOTHING.and_(BTC, [trade(1, 10 * DAY), trade(2, 10 * DAY + 5)]).and_("ETH/USDT", [])
    assert TakenIn.read(taken.cursor(), "binance") == taken


@pytest.mark.parametrize("cursor", ["", "17", "{}", '{"venue": "binance"}', "[]", "null"])
def test_what_is_no_cursor_is_unknown(cursor: str) -> None:
    with pytest.raises(UnknownCursor):
        TakenIn.read(Cursor(cursor), "binance")


def test_a_cursor_of_the_test_net_is_none_of_the_venues() -> None:
    with pytest.raises(UnknownCursor, match="test net"):
        TakenIn.read(TakenIn(venue="binance, test net", since_ms=1, trades={}).cursor(), "binance")


def test_what_is_known_is_left_out_and_what_comes_late_is_taken() -> None:
    taken = NOTHING.and_(BTC, [trade(1, 10 * DAY), trade(3, 10 * DAY + 2000)])
    told = [trade(3, 10 * DAY + 2000), trade(2, 10 * DAY + 1000), trade(1, 10 * DAY), trade(10, 10 * DAY + 2000)]
    new, continues = after(told, taken, BTC)
    assert (ids(new), continues) == (["2", "10"], True)
    assert after(told, taken.and_(BTC, new), BTC)[0] == []


def test_ids_within_one_moment_go_by_number() -> None:
    assert ids(after([trade(10, 10 * DAY), trade(9, 10 * DAY)], NOTHING, BTC)[0]) == ["9", "10"]


def test_where_none_of_what_was_taken_in_is_told_it_is_another_account() -> None:
    taken = NOTHING.and_(BTC, [trade(1, 10 * DAY)])
    assert after([trade(7, 10 * DAY + 1)], taken, BTC)[1] is False
    assert after([], taken, "ETH/USDT")[1] is True


def test_what_was_traded_before_a_market_was_looked_at_is_not_taken_in() -> None:
    assert ids(after([trade(1, 10 * DAY - 1), trade(2, 10 * DAY)], NOTHING, BTC)[0]) == ["2"]
    looked = NOTHING.and_(BTC, [])
    assert ids(after([trade(1, 10 * DAY - 1)], looked, BTC)[0]) == ["1"], "there was none then, so it is new"


def test_a_fee_that_comes_later_is_told_with_its_trade_once_more_and_then_never() -> None:
    taken = NOTHING.and_(BTC, [trade(1, 10 * DAY, None)])
    assert after([trade(1, 10 * DAY, None)], taken, BTC)[0] == []
    (late,) = after([trade(1, 10 * DAY)], taken, BTC)[0]
    assert after([trade(1, 10 * DAY)], taken.and_(BTC, [late]), BTC)[0] == []


def test_a_cursor_stays_short() -> None:
    taken = NOTHING
    for number in range(500):
        taken = taken.and_(BTC, [trade(number, 10 * DAY + number * 1000)])
    assert len(taken.trades[BTC]) == OVERLAP_MS // 1000 + 1


class Venue:
    """Tells trades by time, or the newest, three at a time."""

    def __init__(self, told: list[dict[str, Any]]) -> None:
        self.told = sorted(told, key=lambda raw: raw["timestamp"])
        self.asked = 0

    async def between(self, since: int | None, until: int | None) -> list[dict[str, Any]]:
        self.asked += 1
        if since is None or until is None:
            return self.told[-3:]
        assert until - since <= DAY, "it tells no more than a day at once"
        return [raw for raw in self.told if since <= raw["timestamp"] <= until][:3]

    async def behind(self, left_out: int) -> list[dict[str, Any]]:
        self.asked += 1
        return self.told[::-1][left_out : left_out + 3]


SPREAD = [trade(number, 10 * DAY + number * DAY // 7) for number in range(30)]


async def test_pages_by_time_are_taken_together_over_days() -> None:
    venue = Venue(SPREAD)
    found = await pages.by_time(venue.between, 10 * DAY, 3, 15 * DAY)
    assert sorted(map(int, ids(found))) == list(range(30))


async def test_where_the_newest_page_reaches_back_it_is_enough() -> None:
    venue = Venue(SPREAD)
    await pages.by_time(venue.between, SPREAD[-2]["timestamp"], 3, 15 * DAY)
    assert venue.asked == 1


async def test_more_of_one_moment_than_a_page_holds_is_no_answer() -> None:
    venue = Venue([trade(number, 10 * DAY) for number in range(9)] + [trade(99, 11 * DAY)] * 3)
    with pytest.raises(VenueError, match="one moment"):
        await pages.by_time(venue.between, 10 * DAY, 3, 15 * DAY)


async def test_pages_by_number_go_back_until_they_are_old_enough() -> None:
    venue = Venue(SPREAD)
    assert sorted(map(int, ids(await pages.by_offset(venue.behind, 10 * DAY, 3)))) == list(range(30))
    venue.asked = 0
    await pages.by_offset(venue.behind, SPREAD[-3]["timestamp"] + 1, 3)
    assert venue.asked == 1
