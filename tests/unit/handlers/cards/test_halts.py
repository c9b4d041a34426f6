from dataclasses import replace

from engine.domain.halt_views import Paused
from engine.domain.halts import HaltKind
from handlers.cards import alerts, halts
from tests.fakes import reports


def test_a_new_pause_says_whose_it_is_what_it_replaces_and_what_else_holds():
    longer, shorter = reports.halt(by="Ada", reason="paused by Ada", until=None), reports.halt(until=reports.ANSWERED)
    drawdown = reports.halt(HaltKind.DRAWDOWN, reason="drawdown 11.0%", until=reports.ANSWERED)
    card = halts.paused(Paused(holds=longer, is_new=True, ended=(shorter,), beside=(drawdown,)))
    assert (card.title, dict(card.fields)["Until"]) == ("No new entries: pause by Ada (H1)", "somebody resumes")
    first, *_, last = card.text.splitlines()
    assert first == "It takes the place of H1, pause until 2026-01-03 12:05 UTC: a look at the news"
    assert last == "Beside it: H1, drawdown halt until 2026-01-03 12:05 UTC: drawdown 11.0%"


def test_a_pause_that_is_not_longer_says_whose_holds_until_when():
    held = reports.halt(by="Ada", reason="paused by Ada", until=reports.ANSWERED)
    card = halts.paused(Paused(holds=held, is_new=False, ended=(), beside=()))
    assert (card.title, dict(card.fields)["Until"]) == ("No new entries: pause by Ada (H1)", "2026-01-03 12:05 UTC")
    assert card.text.startswith(
        "It was in force, and lasts at least as long as what you asked for: nothing was changed."
    )


def test_a_halt_of_a_market_names_its_venue_where_there_are_several():
    view = reports.halt(HaltKind.CHANGED, reason="a jump", until=None)
    of_luna = replace(view, halt=replace(view.halt, symbol="LUNA/USDT", venue="kraken"))
    assert halts.line(of_luna).startswith("H1, LUNA/USDT: data halt")
    assert halts.line(replace(of_luna, at="kraken")).startswith("H1, LUNA/USDT at kraken: data halt")
    assert "/resume LUNA/USDT then" in alerts.halt(of_luna).text
    card = alerts.halt(replace(of_luna, at="kraken"))
    assert card.title == "LUNA/USDT at kraken: no new entries: data halt (H1)"
    assert "/resume LUNA/USDT kraken then" in card.text


def test_what_resume_ended_is_named():
    ended = (reports.halt(), reports.halt(HaltKind.DRAWDOWN))
    assert halts.resumed(ended).title == "Ended: pause (H1) and drawdown halt (H1)"
    assert halts.resumed(()).title == "Nothing was paused"


def test_who_ends_the_total_limit_is_told_what_counts_now():
    pause, total = reports.halt(HaltKind.DRAWDOWN, until=reports.NOON), reports.halt(HaltKind.DRAWDOWN, until=None)
    assert "total limit" not in halts.resumed((pause,)).text
    assert "The total limit counts from the equity of now on" in halts.resumed((pause, total)).text
