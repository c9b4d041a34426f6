"""Two months of 2022 through the LUNA crash with people who answer on Telegram; and four made-up days, without data.

Each story is told twice, by two processes with different hash seeds. Everything below is read off what they leave
behind: the database, the venue's own file, the log, and what stands in the chats.
"""

import json
import re
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.auditor import check_conservation, equity_series, read_fills
from tests.fakes.command_line import bot
from tests.fakes.data import real_file
from tests.fakes.people import ADA, BEN, SCRIPT, STRANGER, VIC
from tests.fakes.telegram_entities import utf16_units
from tests.fakes.told import Told, closes, tell_twice

FILES = {"BTC/USDT": "BTCUSDT-1h.parquet", "ETH/USDT": "ETHUSDT-1h.parquet"}
OPENING = Decimal(10_000)
CENT = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class Tale:
    """From when to when a story goes, with which settings, and what must at least come of it."""

    start: str
    end: str
    asked: int
    digests: int
    more: dict = field(default_factory=dict)
    candles: Path | None = None

    @property
    def hours(self) -> int:
        return (datetime.fromisoformat(self.end) - datetime.fromisoformat(self.start)) // timedelta(hours=1)


LUNA = Tale(start="2022-05-01", end="2022-06-30", asked=20, digests=60)
DAYS = Tale(
    start="2026-01-20",
    end="2026-01-24",
    asked=10,
    digests=4,
    more={
        "ai": {"enabled": False},
        "approval": {"auto_above": 2, "ask_above": 0.3},
        "risk": {"max_drawdown": 0.01, "drawdown_pause": "12h"},
    },
)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            LUNA, id="luna", marks=[pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.xdist_group("luna")]
        ),
        pytest.param(DAYS, id="made-up", marks=[pytest.mark.slow, pytest.mark.xdist_group("made-up days")]),
    ],
)
def tale(request):
    return request.param


@pytest.fixture(scope="module")
def candles(tale, tmp_path_factory):
    """The file of each market: real ones, or made by the generator."""
    if tale is LUNA:
        return {symbol: real_file(f"candles/{name}") for symbol, name in FILES.items()}
    folder = tmp_path_factory.mktemp("candles")
    assert bot(folder, "data", "generate", ".", "--length", "60d", "--seed", "20").returncode == 0
    return {symbol: folder / name for symbol, name in FILES.items()}


@pytest.fixture(scope="module")
def twice(tale, candles, tmp_path_factory):
    folder = tmp_path_factory.mktemp("story")
    return tell_twice(folder, list(candles.values()), tale.start, tale.end, tale.more)


@pytest.fixture
def told(twice) -> Told:
    return twice[0]


def test_people_are_asked_and_every_kind_of_answer_comes_up(tale, told):
    asked = told.rows("SELECT status, state FROM approvals")
    assert len(asked) >= tale.asked
    kinds = Counter(row["status"] for row in asked)
    assert all(kinds[kind] for kind in ("ordered", "declined", "refused", "expired")), kinds
    states = [json.loads(row["state"]) for row in asked if row["status"] == "ordered"]
    assert {any(vote["half"] for vote in state["votes"]) for state in states} == {True, False}


def test_every_consent_becomes_one_order_of_no_more_than_was_agreed_to(told):
    orders = told.rows(
        "SELECT approvals.plan, approvals.state, orders.quantity FROM approvals"
        " JOIN orders ON orders.approval_id = approvals.id"
    )
    assert len(orders) == told.count("SELECT count(*) FROM approvals WHERE status = 'ordered'")
    for row in orders:
        plan, votes = json.loads(row["plan"]), json.loads(row["state"])["votes"]
        share = 2 if any(vote["half"] for vote in votes) else 1
        assert 0 < Decimal(row["quantity"]) <= Decimal(plan["quantity"]) / share


def test_an_answer_after_the_price_has_left_is_refused(told):
    drifted = told.rows("SELECT plan, state FROM approvals WHERE status = 'refused' AND state LIKE '%the price moved%'")
    assert drifted
    for row in drifted:
        asked, price = Decimal(json.loads(row["plan"])["price"]), Decimal(json.loads(row["state"])["price"])
        assert abs(price / asked - 1) > CENT  # `max_price_drift` of the demo is one percent


def test_everybody_is_answered_as_far_as_they_may_ask(told):
    moves = {scene.name: scene.moves for scene in SCRIPT}
    for played in told.played:
        for move, answer in zip(moves[played["scene"]], played["answers"], strict=True):
            if move.who == STRANGER:
                assert not answer
            elif (move.who, move.does) == (VIC, "/approve {id}"):
                assert "needs the role trader" in answer
            elif move.does in ("/status", "/positions"):
                assert answer
            else:
                assert played["approval"] in answer
    assert any(answer.startswith("Too late") for played in told.played for answer in played["answers"])


def test_strangers_learn_nothing_and_are_audited(told):
    assert told.shown[str(STRANGER)] == []
    tried = told.rows("SELECT person, outcome FROM audit WHERE user = ?", str(STRANGER))
    assert {tuple(row) for row in tried} == {("", "stranger: no answer")}


def test_while_a_drawdown_pause_holds_positions_are_left_and_none_is_entered(told):
    halts = told.rows("SELECT id, since, coalesce(ended_at, '9999') AS until FROM halts WHERE kind = 'drawdown'")
    events = told.rows("SELECT body FROM events WHERE kind = 'Halted'")
    assert [json.loads(row["body"])["halt_id"] for row in events] == [halt["id"] for halt in halts] != []
    entered = "SELECT count(*) FROM orders WHERE purpose = 'entry' AND created_at > ? AND created_at < ?"
    closed = "SELECT count(*) FROM positions WHERE closed_at > ? AND closed_at < ?"
    left = 0
    for halt in halts:
        assert told.count(entered, halt["since"], halt["until"]) == 0
        left += told.count(closed, halt["since"], halt["until"])
    assert left
    titles = [card["text"].partition("\n")[0] for card in told.shown[str(ADA)]]
    own = [title for title in titles if "drawdown halt" in title]
    back = [title for title in own if title.startswith(("Entries are possible again: ", "There are still no new "))]
    assert _named([title for title in own if title not in back]) == [halt["id"] for halt in halts]
    assert _named(back) == [halt["id"] for halt in halts if halt["until"] != "9999"]


def _named(titles):
    return re.findall(r"\((H\d+)\)", "\n".join(titles))


def test_every_day_has_a_digest_with_the_figures_that_the_tables_give(tale, told):
    digests = [json.loads(row["figures"]) for row in told.rows("SELECT figures FROM digests ORDER BY ends")]
    assert len(digests) == tale.digests
    equity, fills, trades = told.equity(), read_fills(told.venue_file), told.closed_trades()
    for digest in digests:
        begins, ends = (datetime.fromisoformat(digest[edge]) for edge in ("begins", "ends"))
        closed = [t["net"] for t in trades if begins < datetime.fromisoformat(t["closed_at"]) <= ends]
        assert Decimal(digest["net"]) == _equity_at(equity, ends) - _equity_at(equity, begins)
        assert Decimal(digest["equity"]) == _equity_at(equity, ends)
        assert Decimal(digest["fees"]) == sum(fill.fee for fill in fills if begins < fill.at <= ends)
        assert abs(Decimal(digest["realised"]) - sum(closed)) < CENT
        assert (digest["closed"], digest["won"]) == (len(closed), sum(net > 0 for net in closed))
        counted = _counted(told, begins, ends)
        assert {name: digest[name] for name in counted} == counted


def _equity_at(equity, time):
    known = list(equity)
    index = bisect_right(known, time)
    return equity[known[index - 1]] if index else OPENING


def _counted(told, begins, ends):
    span = [time.isoformat(timespec="microseconds") for time in (begins, ends)]
    settled = "SELECT count(*) FROM approvals WHERE settled_at > ? AND settled_at <= ? AND (status = 'expired') = ?"
    return {
        "asked": told.count("SELECT count(*) FROM approvals WHERE asked_at > ? AND asked_at <= ?", *span),
        "answered": told.count(settled, *span, 0),
        "expired": told.count(settled, *span, 1),
        "opened": told.count("SELECT count(*) FROM positions WHERE opened_at > ? AND opened_at <= ?", *span),
    }


def test_every_digest_is_shown_with_its_net(told):
    digests = [json.loads(row["figures"]) for row in told.rows("SELECT figures FROM digests ORDER BY ends")]
    titles = [card["text"].splitlines()[0] for card in told.shown[str(ADA)]]
    shown = [title for title in titles if re.match(r"\d{4}-\d\d-\d\d: ", title)]
    expected = [f"{each['id']}: {_signed(Decimal(each['net']))} USDT{_share(each)}" for each in digests]
    assert shown == expected


def _signed(value):
    return f"{round(value, 2):+,}" if value else "0.00"


def _share(each):
    exact = 100 * Decimal(each["share"])
    share = round(exact, 2) or round(exact, -exact.adjusted()).normalize()  # what is less keeps its first digit
    return f" ({share:+f}%)" if share else " (0.00%)"


def test_an_auditor_of_the_venues_own_file_agrees_at_every_candle(tale, told, candles):
    assert check_conservation(told.venue_file) == []
    equity = told.equity()
    assert len(equity) == tale.hours
    known = {symbol: closes(file) for symbol, file in candles.items()}
    audited = equity_series(told.venue_file, known, list(equity))
    assert {at: (equity[at], audited[at]) for at in equity if abs(equity[at] - audited[at]) >= CENT / 2} == {}
    assert len(set(equity.values())) > tale.digests


def test_bot_and_venue_tell_of_the_same_fills(told):
    venue = [
        (f.client_id, f.side, f.quantity, f.price, f.fee, f.fee_currency, f.at) for f in read_fills(told.venue_file)
    ]
    rows = told.rows("SELECT client_id, side, quantity, price, fee_amount, fee_currency, at FROM fills ORDER BY number")
    assert venue
    assert [
        (*row[:2], *map(Decimal, row[2:5]), row[5], datetime.fromisoformat(row[6])) for row in map(tuple, rows)
    ] == venue


def test_every_settled_question_ends_as_one_card_without_buttons_that_says_what_became_of_it(told):
    words = {"ordered": "approved", "declined": "declined", "refused": "refused", "expired": "expired"}
    cards = [card for card in told.shown[str(ADA)] if card["reply_to"] is None]
    for row in told.rows("SELECT id, status FROM approvals WHERE settled_at IS NOT NULL"):
        own = [card for card in cards if f"({row['id']})" in card["text"].splitlines()[0]]
        assert len(own) == 1, row["id"]
        assert words[row["status"]] in own[0]["text"].splitlines()[0].lower()
        assert own[0]["buttons"] == []
    still_open = told.count("SELECT count(*) FROM approvals WHERE settled_at IS NULL")
    assert len([card for card in cards if card["buttons"]]) == still_open


def test_telegram_takes_everything(told):
    texts = [text["text"] for chat in (ADA, BEN, VIC) for text in told.shown[str(chat)]]
    assert max(map(utf16_units, texts)) <= 4096
    refused = {(call["method"], call["code"]) for call in told.calls if call["code"] != 200}
    # A card that looks the same as before is "not modified"; the last poll is cut short by the one that says goodbye.
    assert refused <= {("editMessageText", 400), ("getUpdates", 409)}


def test_nothing_went_wrong_in_silence(told):
    assert [entry for entry in told.log() if entry["level"] not in ("debug", "info")] == []


def test_the_same_story_told_again_is_the_same_history(twice):
    first, second = twice
    assert re.fullmatch(r"history +\d+ events, fingerprint [0-9a-f]{64}", first.line("history"))
    for name in ("decisions", "approvals", "orders", "trades", "equity", "history"):
        assert first.line(name) == second.line(name)
    # What else the chat showed between two answers is the wall clock's business; the answers are in the fingerprint.
    assert len(first.played) == len(second.played)


def test_it_says_how_many_candles_it_replayed_and_how_fast(tale, told):
    found = re.fullmatch(r"candles +(\d+) in [\d.]+ s, \d+ a second", told.line("candles"))
    assert found
    assert int(found[1]) == len(FILES) * tale.hours
