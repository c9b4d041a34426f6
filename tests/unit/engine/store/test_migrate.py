"""Up, down and up again with data in it; what must not be touched is refused."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from engine.domain.approvals import Declined, Verb
from engine.domain.autonomy import Hold, Refuse
from engine.domain.closing import Closing, Sale, Stage, Unsold, Wanted
from engine.domain.decisions import Stance
from engine.domain.errors import StoreError
from engine.domain.events import ApprovalChanged, BalanceAdopted, Halted, OrderChanged, Welcomed
from engine.domain.halts import Halt, HaltKind
from engine.domain.market import Listing, Market
from engine.domain.messages import Button, Card, Destination
from engine.domain.orders import OrderStatus
from engine.domain.payments import Payment
from engine.domain.trading_states import StateChange, TradingState
from engine.store import migrate
from engine.store.connections import connect
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork
from tests.fakes.database import execute, new_file, rows_of, tables_of
from tests.fakes.engine import events_of
from tests.fakes.reports import NOON, asked, decision, digest, judged, position
from tests.fakes.venue import fill, oco, order

HEAD = "0022"
HOUR = timedelta(hours=1)
DAY_OF_A_PAYMENT = digest(
    id="2026-01-04",
    begins=NOON,
    ends=NOON + 24 * HOUR,
    equity=Decimal(1550),
    net=Decimal(50),
    share=Decimal(50) / 1500,
    paid_in=Decimal(500),
    payments=1,
)


def _fill(uow: UnitOfWork) -> None:
    """Something in every table that others refer to."""
    entry = order(1)
    uow.account.open("paper", "USDT", fill(entry, 1, position().quantity).quantity)
    uow.decisions.add(judged(decision=decision(id="D1")))
    uow.approvals.add(asked(id="A1", decision_id="D1"))
    uow.orders.add(entry)
    uow.orders.add_fill(entry, fill(entry, 1, entry.request.quantity), Decimal(0), "T3")
    uow.positions.put(position(), "D1")
    uow.account.record_equity(NOON)
    uow.emit(Welcomed(at=NOON))


async def fill_with_data(url: str) -> None:
    database = Database(url)
    await database.transact(_fill)
    await database.close()


def _layout(url: str) -> dict[str, list[object]]:
    """Every table with its columns, keys and indexes, in words that can be compared."""
    engine = connect(url)
    try:
        look = inspect(engine)
        return {
            table: [
                [(column["name"], str(column["type"]), column["nullable"]) for column in look.get_columns(table)],
                look.get_pk_constraint(table),
                look.get_foreign_keys(table),
                sorted(look.get_unique_constraints(table), key=str),
                sorted(look.get_indexes(table), key=lambda index: str(index["name"])),
            ]
            for table in look.get_table_names()
        }
    finally:
        engine.dispose()


def test_a_new_database_gets_every_table_and_the_newest_revision(each_database: str):
    command.downgrade(migrate.config(each_database), "base")
    assert migrate.versions(each_database) == ("", HEAD)
    migrate.upgrade(each_database)
    assert migrate.versions(each_database) == (HEAD, HEAD)
    assert {"decisions", "approvals", "orders", "fills", "positions", "outbox"} < tables_of(each_database)
    assert migrate.integrity(each_database) == []


async def test_what_positions_of_before_cost_is_counted_up_from_their_fills(each_database: str):
    await fill_with_data(each_database)
    command.downgrade(migrate.config(each_database), "0002")
    migrate.upgrade(each_database)
    database = Database(each_database)
    held = await database.read(lambda uow: uow.positions.get("T3"))
    bought = fill(order(1), 1, order(1).request.quantity)
    assert (held.bought, held.cost) == (bought.quantity, bought.quantity * bought.price)
    assert await database.read(lambda uow: uow.curve.benchmark_at(NOON)) is None
    await database.close()


async def test_what_was_paid_in_before_is_no_profit_any_more_and_is_one_again_on_the_way_down(each_database: str):
    """As an older version has left it: 500 were adopted between two marks, and the day counted them."""

    def of_before(uow: UnitOfWork) -> None:
        uow.account.open("paper", "USDT", Decimal(1000))
        uow.account.mark({Listing("paper", "BTC/USDT"): Decimal(100)}, NOON)
        uow.account.record_equity(NOON, [Listing("paper", "BTC/USDT")])
        uow.account.pay_in("paper", Decimal(500), NOON + HOUR)
        uow.account.record_equity(NOON + 2 * HOUR, [Listing("paper", "BTC/USDT")])
        for currency in ("USDT", "BTC"):
            told = BalanceAdopted(
                venue="paper", at=NOON + HOUR, currency=currency, before=Decimal(1000), after=Decimal(1500)
            )
            uow.emit(told)
        uow.digests.add(digest(id="2026-01-03", equity=Decimal(1000), net=Decimal(0)))
        uow.digests.add(DAY_OF_A_PAYMENT)

    database = Database(each_database)
    await database.transact(of_before)
    await database.close()
    command.downgrade(migrate.config(each_database), "0004")
    (account,) = rows_of(each_database, "SELECT opening FROM account")
    assert Decimal(account["opening"]) == 1500
    (_, counted) = rows_of(each_database, "SELECT figures FROM digests ORDER BY id")
    figures = json.loads(counted["figures"])
    assert (figures["net"], Decimal(figures["share"])) == ("550", Decimal("0.55"))
    assert "payments" not in figures
    migrate.upgrade(each_database)
    database = Database(each_database)
    paid = Payment(at=NOON + HOUR, amount=Decimal(500), benchmark=Decimal(1))
    assert await database.read(lambda uow: uow.account.payments()) == (paid,)
    assert await database.read(lambda uow: uow.account.opening) == 1000
    assert [point.payments for point in await database.read(lambda uow: uow.curve.newest(9))] == [0, 1]
    newest, first = await database.read(lambda uow: uow.digests.newest(2))
    assert newest == DAY_OF_A_PAYMENT
    assert (first.net, first.share, first.payments) == (0, digest().share, 0)
    await database.close()


async def test_cards_of_before_keep_their_buttons(each_database: str):
    """Their text may say anything, the old name of what a button is about too."""
    button = Button(label="Approve", verb=Verb.APPROVE, about="A1")
    card = Card(title='{"x":"y","approval_id":"A1"}', buttons=(button,))

    def put(uow: UnitOfWork) -> int:
        return uow.chat.put_message(message_id=None, audience="", author="", at=NOON, card=card, text="")

    database = Database(each_database)
    await database.transact(put)
    await database.close()
    command.downgrade(migrate.config(each_database), "0003")
    migrate.upgrade(each_database)
    database = Database(each_database)
    assert [message.card for message in await database.read(lambda uow: uow.chat.messages(audience=""))] == [card]
    await database.close()


async def test_what_was_sold_before_was_asked_for_by_nobody(each_database: str):
    await fill_with_data(each_database)
    command.downgrade(migrate.config(each_database), "0003")
    migrate.upgrade(each_database)
    database = Database(each_database)
    assert (await database.read(lambda uow: uow.orders.get("O1"))).asked_by == ""
    assert (await database.read(lambda uow: uow.positions.get("T3"))).closed_by_person == ""
    await database.close()


async def test_what_was_written_in_the_words_of_before_is_read_as_it_was(each_database: str):
    sale = Sale(
        position_id="T3",
        market=Market(symbol="BTC/USDT"),
        held=Decimal(2),
        quantity=Decimal(1),
        rest=Decimal(1),
        price=Decimal(100),
        net=Decimal(0),
        share=None,
        stop=None,
        target=None,
    )
    unsold = Unsold(position_id="T4", symbol="ETH/USDT", reason="nobody buys it")
    wish = Closing(
        id="C1",
        person="Ann",
        wanted=Wanted(what="T3"),
        asked_at=NOON,
        expires_at=NOON + HOUR,
        stage=Stage.ASKED,
        sales=(sale,),
        unsold=(unsold,),
    )

    def put(uow: UnitOfWork) -> None:
        _fill(uow)
        uow.orders.add(oco(2, position_id="T3"))
        uow.halts.add(Halt(kind=HaltKind.DATA, reason='"market":"x"', since=NOON, symbol="BTC/USDT", venue="paper"))
        uow.account.mark({Listing("paper", "BTC/USDT"): Decimal(100)}, NOON)
        uow.closings.put(wish)

    def kept(uow: UnitOfWork) -> list[object]:
        ids = uow.decisions.get("D1"), uow.approvals.get("A1"), uow.orders.get("O1"), uow.orders.get("O2")
        return [
            *ids,
            uow.positions.get("T3"),
            uow.halts.open(),
            uow.account.marks(),
            uow.closings.get("C1"),
            *(each.fill for each in uow.orders.newest_fills(9)),
        ]

    database = Database(each_database)
    await database.transact(put)
    before = await database.read(kept)
    await database.close()
    command.downgrade(migrate.config(each_database), "0005")
    (row,) = rows_of(each_database, "SELECT kind, market FROM orders WHERE id = 'O2'")
    assert (row["kind"], row["market"]) == ("bracket", "BTC/USDT")
    (record,) = rows_of(each_database, "SELECT record FROM decisions")
    assert '"symbol":' not in record["record"]
    migrate.upgrade(each_database)
    database = Database(each_database)
    assert await database.read(kept) == before
    await database.close()


async def test_who_said_no_before_has_declined_and_orders_stay_rejected(each_database: str):
    said_no = Declined(by="Ann", reason='"status":"rejected"', at=NOON)
    told = ApprovalChanged(at=NOON, approval_id="A1", status="declined", by="Ann")
    refused = OrderChanged(at=NOON, order_id="O1", status="rejected")

    def put(uow: UnitOfWork) -> None:
        uow.decisions.add(judged(decision=decision(id="D1")))
        uow.approvals.add(asked(said_no, id="A1", decision_id="D1"))
        uow.orders.add(order(1, status=OrderStatus.REJECTED))
        uow.emit(told)
        uow.emit(refused)

    database = Database(each_database)
    await database.transact(put)
    await database.close()
    command.downgrade(migrate.config(each_database), "0006")
    (row,) = rows_of(each_database, "SELECT status FROM approvals")
    assert row["status"] == "rejected"
    (row,) = rows_of(each_database, "SELECT body FROM events WHERE kind = 'ApprovalChanged'")
    assert json.loads(row["body"])["status"] == "rejected"
    migrate.upgrade(each_database)
    database = Database(each_database)
    assert (await database.read(lambda uow: uow.approvals.get("A1"))).state == said_no
    assert (await database.read(lambda uow: uow.orders.get("O1"))).status is OrderStatus.REJECTED
    assert await events_of(database, ApprovalChanged) == [told]
    assert await events_of(database, OrderChanged) == [refused]
    await database.close()


async def test_what_was_refused_for_nothing_was_wanted_is_a_hold(each_database: str):
    reasons = ('no "ruling":{"reasons":["x"]} as yet', "bad data: 1 h é")
    held = judged(decision=decision(id="D1", stance=Stance.HOLD, reasons=reasons), ruling=Hold(), plan=None)
    refused = judged(decision=decision(id="D2", key="k2"), ruling=Refuse(reasons=("paused by Ann",)))

    def put(uow: UnitOfWork) -> None:
        uow.decisions.add(held)
        uow.decisions.add(refused)

    database = Database(each_database)
    await database.transact(put)
    (before, other) = rows_of(each_database, "SELECT record FROM decisions ORDER BY number")
    await database.close()
    command.downgrade(migrate.config(each_database), "0006")
    (row, same) = rows_of(each_database, "SELECT record FROM decisions ORDER BY number")
    assert json.loads(row["record"])["ruling"] == {"reasons": list(reasons)}
    assert json.loads(same["record"])["ruling"] == json.loads(other["record"])["ruling"]
    migrate.upgrade(each_database)
    rows = rows_of(each_database, "SELECT record FROM decisions ORDER BY number")
    assert [json.loads(row["record"]) for row in rows] == [json.loads(row["record"]) for row in (before, other)]
    database = Database(each_database)
    assert await database.read(lambda uow: uow.decisions.newest(2)) == (refused, held)
    await database.close()


async def test_what_halts_held_up_is_still_known(each_database: str):
    told = Halted(at=NOON, halt_id="H1", kind=HaltKind.PAUSE, approvals=("A1", "A2"))
    database = Database(each_database)
    await database.transact(lambda uow: uow.emit(told))
    await database.close()
    command.downgrade(migrate.config(each_database), "0006")
    (row,) = rows_of(each_database, "SELECT body FROM events")
    assert json.loads(row["body"])["questions"] == ["A1", "A2"]
    migrate.upgrade(each_database)
    database = Database(each_database)
    assert await events_of(database, Halted) == [told]
    await database.close()


async def test_the_drawdown_of_the_last_pause_is_kept(each_database: str):
    """Forgotten, it would pause entries once more for a step that they were paused for."""

    def put(uow: UnitOfWork) -> None:
        uow.account.open("paper", "USDT", Decimal(1000))
        uow.account.note_pause(Decimal("0.12"))

    database = Database(each_database)
    await database.transact(put)
    await database.close()
    command.downgrade(migrate.config(each_database), "0006")
    (row,) = rows_of(each_database, "SELECT value FROM settings WHERE key = 'account.drawdown'")
    assert json.loads(row["value"])["paused_at"] == "0.12"
    migrate.upgrade(each_database)
    database = Database(each_database)
    assert (await database.read(lambda uow: uow.account.portfolio())).paused_drawdown == Decimal("0.12")
    await database.close()


async def test_the_marks_of_before_are_those_of_the_one_venue_there_was(each_database: str):
    """On the way down the newest of a symbol is kept."""
    paper, other, ether = Listing("paper", "BTC/USDT"), Listing("other", "BTC/USDT"), Listing("paper", "ETH/USDT")

    def put(uow: UnitOfWork) -> None:
        uow.account.mark({paper: Decimal("0.10"), ether: Decimal(7)}, NOON + HOUR)
        uow.account.mark({other: Decimal(99)}, NOON)

    database = Database(each_database)
    await database.transact(put)
    assert await database.read(lambda uow: uow.account.marks()) == {
        other: Decimal(99),
        paper: Decimal("0.10"),
        ether: Decimal(7),
    }
    await database.close()
    command.downgrade(migrate.config(each_database), "0008")
    rows = rows_of(each_database, "SELECT symbol, price FROM marks ORDER BY symbol")
    assert [(row["symbol"], Decimal(row["price"])) for row in rows] == [
        ("BTC/USDT", Decimal("0.10")),
        ("ETH/USDT", Decimal(7)),
    ]
    migrate.upgrade(each_database)
    database = Database(each_database)
    assert await database.read(lambda uow: uow.account.marks()) == {paper: Decimal("0.10"), ether: Decimal(7)}
    await database.close()


async def test_answers_about_an_emergency_stop_are_still_edited(each_database: str):
    """Nothing else is renamed: neither a card that begins alike nor a text that quotes one."""
    here, quoted = Destination(platform="web", address=""), 'He wrote {"topic":"stop:H1/web:5"}'
    cards = [Card(title="Called", topic="emergency_answer:H2/web:5"), Card(title=quoted, topic="stopped:T1")]
    topics = ["closing:C1", "emergency:H2", "emergency_answer:H2/web:5", "stopped:T1"]

    def put(uow: UnitOfWork) -> None:
        for topic in topics:
            uow.outbox.want(topic, here)
        for card in cards:
            uow.chat.put_message(message_id=None, audience="", author="", at=NOON, card=card, text="")

    def kept(uow: UnitOfWork) -> tuple[list[str], list[Card | None]]:
        shown = [message.card for message in uow.chat.messages(audience="")]
        return sorted(showing.topic for showing in uow.outbox.due()), shown

    database = Database(each_database)
    await database.transact(put)
    await database.close()
    command.downgrade(migrate.config(each_database), "0011")
    rows = rows_of(each_database, "SELECT topic FROM outbox ORDER BY number")
    assert [row["topic"] for row in rows] == ["closing:C1", "emergency:H2", "stop:H2/web:5", "stopped:T1"]
    migrate.upgrade(each_database)
    database = Database(each_database)
    assert await database.read(kept) == (topics, cards)
    await database.close()


async def test_an_account_at_several_venues_stays_with_a_layout_that_knows_them(each_database: str):
    """The older ones know one venue: the cash of the others would be gone."""

    def open_at_both(uow: UnitOfWork) -> None:
        for venue in ("kraken", "okx"):
            uow.account.open(venue, "USDT", Decimal("1000.10"))

    database = Database(each_database)
    await database.transact(open_at_both)
    await database.close()
    with pytest.raises(StoreError, match=r"at several venues \(kraken, okx\): layouts before 0011 cannot"):
        command.downgrade(migrate.config(each_database), "0007")
    assert migrate.versions(each_database) == ("0011", HEAD)
    migrate.upgrade(each_database)
    database = Database(each_database)
    assert (await database.read(lambda uow: uow.account.portfolio())).equity == Decimal("2000.20")
    assert await database.read(lambda uow: uow.ledger.venues()) == ("kraken", "okx")
    await database.close()


async def test_the_halts_of_before_are_those_of_the_one_venue_there_was(each_database: str):
    """What was told of a series that has changed is known again; on the way down the newest of a market is."""

    def put(uow: UnitOfWork) -> None:
        uow.halts.add(Halt(kind=HaltKind.CHANGED, reason="x", since=NOON, symbol="LUNA/USDT", venue="kraken"))
        uow.halts.add(Halt(kind=HaltKind.PAUSE, reason="y", since=NOON))
        for venue, until in (("kraken", NOON), ("okx", NOON + HOUR)):
            uow.settings.set(f"changed.{venue}.LUNA/USDT.jump", until.isoformat())

    database = Database(each_database)
    await database.transact(put)
    await database.close()
    command.downgrade(migrate.config(each_database), "0010")
    told = rows_of(each_database, "SELECT key, value FROM settings WHERE key LIKE 'changed.%'")
    assert [(row["key"], row["value"]) for row in told] == [("changed.LUNA/USDT.jump", (NOON + HOUR).isoformat())]
    migrate.upgrade(each_database)
    database = Database(each_database)
    halts = await database.read(lambda uow: [(each.halt.kind, each.halt.venue) for each in uow.halts.open()])
    assert halts == [(HaltKind.CHANGED, "paper"), (HaltKind.PAUSE, "")]
    kept = await database.read(lambda uow: uow.settings.starting_with("changed."))
    assert kept == {"changed.paper.LUNA/USDT.jump": (NOON + HOUR).isoformat()}
    await database.close()


@pytest.mark.parametrize("emergency", [False, True])
async def test_what_halts_entries_makes_the_first_state(each_database: str, emergency: bool):  # noqa: FBT001 - a table
    """What concerns one market alone makes none, and the emergency stop comes before what is older."""

    def put(uow: UnitOfWork) -> None:
        uow.halts.add(Halt(kind=HaltKind.DATA, reason="gap", since=NOON, symbol="BTC/USDT", venue="paper"))
        uow.halts.add(Halt(kind=HaltKind.PAUSE, reason="paused by Ann", since=NOON + HOUR, by="Ann"))
        if emergency:
            uow.halts.add(Halt(kind=HaltKind.EMERGENCY, reason="Ada stopped", since=NOON + 2 * HOUR, by="Ada"))

    database = Database(each_database)
    await database.transact(put)
    await database.close()
    command.downgrade(migrate.config(each_database), "0016")
    migrate.upgrade(each_database)
    database = Database(each_database)
    stopped = StateChange(state=TradingState.HALTED, at=NOON + 2 * HOUR, reason="Ada stopped", by="Ada", halt_id="H3")
    paused = StateChange(state=TradingState.REDUCING, at=NOON + HOUR, reason="paused by Ann", by="Ann", halt_id="H2")
    assert await database.read(lambda uow: uow.trading_states.newest(9)) == ((stopped if emergency else paused),)
    await database.close()


def test_a_new_file_is_made_with_its_folder(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/deep/new.sqlite"
    migrate.upgrade(url)
    assert migrate.versions(url) == (HEAD, HEAD)


async def test_upgrading_again_changes_nothing(each_database: str):
    await fill_with_data(each_database)
    migrate.upgrade(each_database)
    database = Database(each_database)
    assert await database.read(lambda uow: uow.orders.get("O1")) is not None
    assert await events_of(database, Welcomed) == [Welcomed(at=NOON)]
    await database.close()


async def test_it_goes_down_with_data_in_it_and_up_again(each_database: str):
    await fill_with_data(each_database)
    command.downgrade(migrate.config(each_database), "base")
    assert tables_of(each_database) == {"alembic_version"}
    assert migrate.versions(each_database)[0] == ""
    migrate.upgrade(each_database)
    database = Database(each_database)
    await database.transact(_fill)
    assert await database.read(lambda uow: uow.approvals.get("A1")) == asked(id="A1", decision_id="D1")
    await database.close()


def test_the_migrations_make_exactly_the_tables_of_the_program(each_database: str):
    at_once = _layout(each_database)
    command.downgrade(migrate.config(each_database), "base")
    command.upgrade(migrate.config(each_database), "head")
    command.check(migrate.config(each_database))
    assert _layout(each_database) == at_once


async def test_a_newer_database_is_refused_and_left_as_it_is(each_database: str):
    await fill_with_data(each_database)
    execute(each_database, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match=r"newer version of the program \(revision 9999\).*Update the program"):
        migrate.upgrade(each_database)
    assert migrate.versions(each_database)[0] == "9999"
    assert "orders" in tables_of(each_database)


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path):
    file = tmp_path / "greenlight.sqlite"
    file.write_bytes(b"\x00garbage" * 1000)
    with pytest.raises(StoreError, match="cannot be opened as a database"):
        migrate.upgrade(f"sqlite:///{file}")
    assert file.read_bytes() == b"\x00garbage" * 1000


def test_tables_of_somebody_else_are_not_migrated_over(each_database: str):
    command.downgrade(migrate.config(each_database), "base")
    execute(each_database, "CREATE TABLE orders (mine TEXT)")
    with pytest.raises(StoreError, match="could not be brought up to date"):
        migrate.upgrade(each_database)
    assert tables_of(each_database) <= {"orders", "alembic_version"}


def test_damage_is_found(tmp_path: Path):
    file = new_file(tmp_path)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(
            "INSERT INTO fills (number, venue, symbol, trade_id, order_id, client_id, position_id, side, quantity,"
            " price, fee_value, at) VALUES (1, 'v', 'BTC/USDT', '1', 'O404', 'c', 'T1', 'buy', '1', '1', '0', '2024')"
        )
        connection.commit()
    assert migrate.integrity(f"sqlite:///{file}") == ["fills: a row refers to nothing"]


def test_the_programs_revision_is_the_one_that_alembic_would_go_to(each_database: str):
    assert migrate.head() == ScriptDirectory.from_config(migrate.config(each_database)).get_current_head()


def test_a_database_that_is_up_to_date_needs_no_alembic(tmp_path: Path):
    url = f"sqlite:///{new_file(tmp_path)}"
    look = f"import sys; from engine.store.migrate import upgrade; upgrade({url!r}); print('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True).stdout == "False\n"


def test_what_was_predicted_before_contexts_had_prompts_of_their_own_is_kept(each_database: str):
    command.downgrade(migrate.config(each_database), "0015")
    columns = (
        "venue, symbol, timeframe, at, made_at, due_at, direction, expected_move, horizon, reasons, by, is_offline"
    )
    at = "'2026-01-04 12:00:00.000000'"
    told = f"'paper', 'BTC/USDT', '1h', {at}, {at}, {at}, 'bullish', 0.01, 3, '[]', 'rules', true, '0', 100"
    execute(each_database, f"INSERT INTO predictions ({columns}, cost, close) VALUES ({told})")  # noqa: S608
    migrate.upgrade(each_database)
    (row,) = rows_of(each_database, "SELECT prompt, direction, at FROM predictions")
    assert (row["prompt"], row["direction"], str(row["at"])[:10]) == ("", "bullish", "2026-01-04")
    execute(each_database, f"INSERT INTO predictions ({columns}, cost, close, prompt) VALUES ({told}, 'own')")  # noqa: S608
    command.downgrade(migrate.config(each_database), "0015")
    assert len(rows_of(each_database, "SELECT * FROM predictions")) == 1, "what is known of no prompt of its own"
