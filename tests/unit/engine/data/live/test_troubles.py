"""What is wrong at a venue, and when it is one outage rather than many troubles."""

from __future__ import annotations

import pytest

from engine.data.live.troubles import MARKETS, Troubles
from engine.domain.errors import NoData, VenueError
from tests.fakes.feed import HandClock

TEN = tuple(f"C{number}/USDT" for number in range(10))
FRAMES = ("1h", "4h", "1d")
AWAY = VenueError("okx cannot be reached: Connect call failed.")
SLOW = VenueError("okx does not answer within 10 s.")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def troubles(clock: HandClock) -> Troubles:
    made = Troubles("okx", TEN, clock)
    made.has_listed = True
    return made


def test_a_venue_that_answers_nothing_is_one_trouble_in_the_words_it_began_with(troubles: Troubles) -> None:
    for symbol in TEN:
        assert troubles.outage(TEN, {}) == ""
        troubles.note(symbol, AWAY)
    told = "okx cannot be reached: Connect call failed (all 10 markets)"
    assert troubles.text(troubles.outage(TEN, {})) == told
    for symbol in TEN:
        for frame in FRAMES:
            troubles.note(f"{symbol} {frame}", SLOW)
        troubles.note(symbol, SLOW)
    troubles.note(MARKETS, SLOW)
    assert troubles.text(troubles.outage(TEN, {})) == told


def test_an_outage_is_not_told_in_the_words_of_one_market_that_was_in_trouble_before(troubles: Troubles) -> None:
    """Seen: three markets were away, and the card said of all that the book of one of them cannot be."""
    troubles.note(TEN[4], VenueError(f"The order book of {TEN[4]} cannot be: bid 2, ask 1."))
    for symbol in TEN:
        if symbol != TEN[4]:
            troubles.note(symbol, AWAY)
    assert troubles.outage(TEN, {}) == "okx cannot be reached: Connect call failed (all 10 markets)"
    troubles.note(TEN[4], VenueError(f"The order book of {TEN[4]} cannot be: bid 2, ask 1."))
    assert troubles.outage(TEN, {}) == "okx cannot be reached: Connect call failed (all 10 markets)"


def test_one_market_in_trouble_is_told_by_itself_as_long_as_others_are_answered(troubles: Troubles) -> None:
    for symbol in TEN:
        troubles.note(symbol, AWAY if symbol == TEN[3] else None)
    assert troubles.outage(TEN, {}) == ""
    assert troubles.text("") == f"C3/USDT: {AWAY.message}"
    troubles.note(TEN[3], None)
    assert not troubles


def test_each_trouble_is_told_once_after_the_markets_it_is_about(troubles: Troubles) -> None:
    for about in (TEN[3], f"{TEN[3]} 1h", f"{TEN[5]} 4h"):
        troubles.note(about, SLOW)
    troubles.put(TEN[7], f"{TEN[7]}: okx has halted it")
    troubles.note(TEN[8], VenueError(f"{TEN[8]} is suddenly at bid 9, ask 10: that is looked at again."))
    assert troubles.text("").split("; ") == [
        "C3/USDT, C5/USDT: okx does not answer within 10 s",
        "C7/USDT: okx has halted it",
        "C8/USDT is suddenly at bid 9, ask 10: that is looked at again.",
    ]


def test_candles_that_nobody_gets_are_an_outage_although_prices_come_in(troubles: Troubles) -> None:
    for symbol in TEN:
        troubles.note(symbol, None)
        troubles.note(f"{symbol} 1h", AWAY)
    assert troubles.outage(TEN, {}).endswith("(all 10 markets)")
    troubles.note(f"{TEN[0]} 1h", NoData("okx has no 1h candles of it."))
    assert troubles.outage(TEN, {}) == "", "an answer that says there is nothing is an answer"


def test_a_market_that_is_not_traded_has_no_say(troubles: Troubles) -> None:
    for symbol in TEN[1:]:
        troubles.note(symbol, AWAY)
    assert troubles.outage(TEN, {}) == ""
    assert "(all 9 markets)" in troubles.outage(TEN[1:], {})


def test_before_the_first_list_of_markets_nothing_can_be_traded_and_later_it_is_one_trouble_of_many() -> None:
    troubles = Troubles("okx", TEN, HandClock())
    troubles.note(MARKETS, AWAY)
    assert "(all 10 markets)" in troubles.outage((), {})
    troubles.note(MARKETS, None)
    troubles.has_listed = True
    assert troubles.outage(TEN, {}) == ""
    troubles.note(MARKETS, AWAY)
    assert troubles.outage(TEN, {}) == ""
    assert troubles.text("") == AWAY.message


def test_a_venue_that_has_halted_every_market_is_one_trouble(troubles: Troubles) -> None:
    for symbol in TEN[:9]:
        troubles.put(symbol, f"{symbol}: okx has halted it")
    assert troubles.outage(TEN[9:], {}) == ""
    troubles.put(TEN[9], f"{TEN[9]}: okx has halted it")
    assert troubles.outage((), {}) == "okx trades none of the 10 markets: C0/USDT: okx has halted it"


def test_bad_candles_of_every_market_are_one_trouble_and_those_of_one_market_none(troubles: Troubles) -> None:
    bad = dict.fromkeys(TEN, "C0/USDT 1h: a candle holds something that is no number")
    assert troubles.outage(TEN, bad).startswith("okx's candles cannot be trusted: C0/USDT 1h: a candle holds")
    del bad[TEN[7]]
    assert troubles.outage(TEN, bad) == ""
    alone = Troubles("okx", TEN[:1], HandClock())
    assert alone.outage(TEN[:1], {TEN[0]: "a spike"}) == "", "the market's own halt tells it"


def test_an_outage_of_one_market_that_is_all_there_is_needs_no_count() -> None:
    troubles = Troubles("okx", TEN[:1], HandClock())
    troubles.note(TEN[0], SLOW)
    assert troubles.outage(TEN[:1], {}) == "okx does not answer within 10 s"


def test_until_when_the_venue_wants_quiet_is_always_the_newest_word(troubles: Troubles) -> None:
    for symbol in TEN:
        troubles.note(symbol, AWAY)
    troubles.note(TEN[0], VenueError("okx asked for quiet; it is asked again at 12:00:10 UTC.", retry_after=60))
    assert "asked again at 12:00:10 UTC (all 10 markets)" in troubles.outage(TEN, {})


def test_how_long_something_is_wrong_is_known_and_a_fault_of_ours_is_told_with_an_outage(
    troubles: Troubles, clock: HandClock
) -> None:
    troubles.note(TEN[0], AWAY)
    clock.to(1)
    troubles.note(TEN[0], SLOW)
    assert (troubles.age(TEN[0]), troubles.age(TEN[1])) == (60, 0)
    troubles.fault("look", "market data has a fault (log id 7)")
    assert troubles.text("okx is away") == "okx is away; market data has a fault (log id 7)"
    troubles.fault("look", "")
    assert troubles.text("okx is away") == "okx is away"
