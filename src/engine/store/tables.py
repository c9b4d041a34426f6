"""The tables. Rows are the store's own business: everybody else gets the domain's frozen objects.

Ids are short and readable, ``A17`` for an approval; ``store.numbering`` gives the numbers.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    Select,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    bindparam,
    inspect,
    text,
)
from sqlmodel import Field, SQLModel

from engine.store.columns import ExactDecimal, UtcTime


class Setting(SQLModel, table=True):
    """Small durable facts: what the database is stamped with, the web's session key, troubles, strangers."""

    __tablename__ = "settings"
    key: str = Field(primary_key=True)
    value: str = Field(sa_type=Text)


class Sequence(SQLModel, table=True):
    """The last number given for each prefix of ids."""

    __tablename__ = "sequences"
    prefix: str = Field(primary_key=True)
    last: int


class DecisionRow(SQLModel, table=True):
    """One judged decision of one cycle; ``record`` is what ``/why`` shows, but for the readings."""

    __tablename__ = "decisions"
    id: str = Field(primary_key=True)
    number: int = Field(index=True)
    key: str = Field(unique=True)
    context: str
    symbol: str
    at: datetime = Field(sa_type=UtcTime, index=True)
    stance: str
    confidence: float
    status: str
    record: str = Field(sa_type=Text)


class ReadingsRow(SQLModel, table=True):
    """What the indicators said when a decision was made; apart from it, as most of these go soon."""

    __tablename__ = "readings"
    decision_id: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcTime, index=True)
    held: bool
    signals: str = Field(sa_type=Text)


class DeliberationRow(SQLModel, table=True):
    """One proposal that a panel thinks about, until it is decided on; ``key`` is that of the decision."""

    __tablename__ = "deliberations"
    key: str = Field(primary_key=True)
    record: str = Field(sa_type=Text)


class ApprovalRow(SQLModel, table=True):
    """One plan that people are asked to approve. ``version`` is compared with before a press is swapped in."""

    __tablename__ = "approvals"
    id: str = Field(primary_key=True)
    number: int = Field(index=True)
    decision_id: str = Field(unique=True, foreign_key="decisions.id")
    context: str
    symbol: str
    asked_at: datetime = Field(sa_type=UtcTime)
    expires_at: datetime = Field(sa_type=UtcTime)
    votes_needed: int
    plan: str = Field(sa_type=Text)
    status: str = Field(index=True)
    version: int
    state: str = Field(sa_type=Text)
    settled_at: datetime | None = Field(default=None, sa_type=UtcTime)


class OrderRow(SQLModel, table=True):
    """One order, written down before it is sent; ``client_id`` follows from what it is for."""

    __tablename__ = "orders"
    id: str = Field(primary_key=True)
    number: int = Field(index=True)
    client_id: str = Field(unique=True)
    venue_order_id: str = ""
    context: str
    symbol: str
    side: str
    type: str
    purpose: str
    quantity: Decimal = Field(sa_type=ExactDecimal)
    price: Decimal = Field(sa_type=ExactDecimal)
    stop: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    target: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    filled: Decimal = Field(default=Decimal(0), sa_type=ExactDecimal)
    cost: Decimal = Field(default=Decimal(0), sa_type=ExactDecimal)
    fee: Decimal = Field(default=Decimal(0), sa_type=ExactDecimal)
    status: str = Field(index=True)
    reason: str = ""
    decision_id: str = Field(default="", index=True)
    approval_id: str = Field(default="", index=True)
    position_id: str = Field(default="", index=True)
    created_at: datetime = Field(sa_type=UtcTime)
    updated_at: datetime = Field(sa_type=UtcTime)
    asked_by: str = ""
    venue: str
    limit_price: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    trigger_price: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    trailing: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    time_in_force: str
    post_only: bool
    reduce_only: bool
    parent_id: str
    cancel_requested_at: datetime | None = Field(default=None, sa_type=UtcTime)
    unsent: str
    wait_until: datetime | None = Field(default=None, sa_type=UtcTime)
    worst_price: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    expected: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    to_follow: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    follows_at: datetime | None = Field(default=None, sa_type=UtcTime, index=True)


class FillRow(SQLModel, table=True):
    """One part of an order that traded; venue, symbol and trade id make it count once.

    ``fee_value`` is what the fee was worth in the quote currency then.
    """

    __tablename__ = "fills"
    __table_args__ = (UniqueConstraint("venue", "symbol", "trade_id", name="fills_once"),)
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    venue: str
    symbol: str
    trade_id: str
    order_id: str = Field(foreign_key="orders.id", index=True)
    client_id: str
    position_id: str = Field(index=True)
    side: str
    quantity: Decimal = Field(sa_type=ExactDecimal)
    price: Decimal = Field(sa_type=ExactDecimal)
    fee_value: Decimal = Field(sa_type=ExactDecimal)
    fee_amount: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    fee_currency: str | None = None
    at: datetime = Field(sa_type=UtcTime, index=True)


class PositionRow(SQLModel, table=True):
    """What one context holds, or held, of one market."""

    __tablename__ = "positions"
    id: str = Field(primary_key=True)
    number: int = Field(index=True)
    context: str
    symbol: str
    status: str = Field(index=True)
    quantity: Decimal = Field(sa_type=ExactDecimal)
    entry_price: Decimal = Field(sa_type=ExactDecimal)
    stop: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    target: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    fees: Decimal = Field(sa_type=ExactDecimal)
    realised: Decimal = Field(sa_type=ExactDecimal)
    opened_at: datetime = Field(sa_type=UtcTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcTime, index=True)
    closed_by: str = ""
    decision_id: str = ""
    bought: Decimal = Field(sa_type=ExactDecimal)
    cost: Decimal = Field(sa_type=ExactDecimal)
    closed_by_person: str = ""
    venue: str
    direction: str
    multiplier: Decimal = Field(sa_type=ExactDecimal)


class HaltRow(SQLModel, table=True):
    """One reason for no new entries, open or ended."""

    __tablename__ = "halts"
    id: str = Field(primary_key=True)
    number: int = Field(index=True)
    kind: str
    status: str = Field(index=True)
    reason: str
    symbol: str = ""
    by: str = ""
    since: datetime = Field(sa_type=UtcTime)
    until: datetime | None = Field(default=None, sa_type=UtcTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    ended_by: str = ""
    timeframe: str
    venue: str


class TradingStateRow(SQLModel, table=True):
    """How far the bot may trade from one moment on, and why."""

    __tablename__ = "trading_states"
    number: int = Field(primary_key=True)
    state: str
    at: datetime = Field(sa_type=UtcTime)
    reason: str
    by: str
    halt_id: str


class AccountRow(SQLModel, table=True):
    """The account in the quote currency: what it began with, and its peak."""

    __tablename__ = "account"
    quote: str = Field(primary_key=True)
    opening: Decimal = Field(sa_type=ExactDecimal)
    peak: Decimal = Field(sa_type=ExactDecimal)


class BalanceRow(SQLModel, table=True):
    """What the account owns of one currency at one venue, beside its positions: of the quote currency that is cash."""

    __tablename__ = "balances"
    venue: str = Field(primary_key=True)
    currency: str = Field(primary_key=True)
    amount: Decimal = Field(sa_type=ExactDecimal)


class CursorRow(SQLModel, table=True):
    """How far the events of a venue were taken in, in the venue's own words."""

    __tablename__ = "cursors"
    venue: str = Field(primary_key=True)
    cursor: str = Field(sa_type=Text)


class MarkRow(SQLModel, table=True):
    """The last known price of a market at a venue."""

    __tablename__ = "marks"
    venue: str = Field(primary_key=True)
    symbol: str = Field(primary_key=True)
    price: Decimal = Field(sa_type=ExactDecimal)
    at: datetime = Field(sa_type=UtcTime)


class EquityRow(SQLModel, table=True):
    """The account at one closed candle; ``benchmark`` is what 1 put into its markets at the beginning had become.

    ``payments`` is how many of the payments are in it: the first so many.
    """

    __tablename__ = "equity"
    at: datetime = Field(sa_type=UtcTime, primary_key=True)
    equity: Decimal = Field(sa_type=ExactDecimal)
    cash: Decimal = Field(sa_type=ExactDecimal)
    drawdown: Decimal = Field(sa_type=ExactDecimal)
    benchmark: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    payments: int = 0


class PaymentRow(SQLModel, table=True):
    """ExactDecimal paid in, or out where it is below 0; ``benchmark`` is what the curve's was then."""

    __tablename__ = "payments"
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    at: datetime = Field(sa_type=UtcTime)
    amount: Decimal = Field(sa_type=ExactDecimal)
    benchmark: Decimal | None = Field(default=None, sa_type=ExactDecimal)


class DigestRow(SQLModel, table=True):
    """One day's figures, fixed when it ended."""

    __tablename__ = "digests"
    id: str = Field(primary_key=True)
    ends: datetime = Field(sa_type=UtcTime, index=True)
    figures: str = Field(sa_type=Text)


class EventRow(SQLModel, table=True):
    """One thing that happened, written with the change it tells of."""

    __tablename__ = "events"
    id: int | None = Field(
        default=None, sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    )
    at: datetime = Field(sa_type=UtcTime, index=True)
    kind: str
    body: str = Field(sa_type=Text)


class OutboxRow(SQLModel, table=True):
    """What one destination should show of one topic, and what it shows."""

    __tablename__ = "outbox"
    topic: str = Field(primary_key=True)
    platform: str = Field(primary_key=True)
    address: str = Field(primary_key=True)
    number: int = Field(index=True)
    wanted_version: int
    sent_version: int = 0
    ref: str = Field(default="", sa_type=Text)


class AuditRow(SQLModel, table=True):
    """Something a person did or tried."""

    __tablename__ = "audit"
    id: str = Field(primary_key=True)
    number: int = Field(index=True)
    at: datetime = Field(sa_type=UtcTime)
    wall_at: datetime = Field(sa_type=UtcTime)
    platform: str
    user: str
    person: str
    action: str = Field(sa_type=Text)
    outcome: str = Field(sa_type=Text)


class DeliveryRow(SQLModel, table=True):
    """A delivery that was acted on; a second one with its id has no effect."""

    __tablename__ = "deliveries"
    id: str = Field(primary_key=True)
    wall_at: datetime = Field(sa_type=UtcTime)


class ChatMessageRow(SQLModel, table=True):
    """One message of the web chat; an empty audience means everybody."""

    __tablename__ = "chat_messages"
    id: int | None = Field(default=None, primary_key=True)
    version: int = Field(index=True)
    audience: str
    author: str
    at: datetime = Field(sa_type=UtcTime)
    text: str = Field(sa_type=Text)
    card: str = Field(default="", sa_type=Text)


class ModelCallRow(SQLModel, table=True):
    """One call of a language model: ledger, cache and tape in one.

    It is written before the call with the most that it can cost (``reserved_usd``), and settled by what the provider
    says was used (``cost_usd``). ``key`` is the same for the same question to the same model: by it a good answer is
    found again while it is fresh, and by it a tape answers for ever. No key or token of ours is in it.
    """

    __tablename__ = "model_calls"
    id: str = Field(primary_key=True)
    number: int = Field(index=True)
    at: datetime = Field(sa_type=UtcTime, index=True)
    purpose: str
    context: str
    provider: str
    model: str
    key: str = Field(index=True)
    system_message: str = Field(sa_type=Text)
    prompt: str = Field(sa_type=Text)
    schema_name: str
    json_schema: str = Field(sa_type=Text)
    max_tokens: int
    reserved_usd: Decimal = Field(sa_type=ExactDecimal)
    state: str = Field(index=True)
    answer: str = Field(sa_type=Text)
    stop: str
    served: str
    input_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    tier: str | None = None
    cost_usd: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    latency: float | None = None
    verdict: str
    reason: str = Field(sa_type=Text)
    reused: int
    probability: float | None = None
    market_at: datetime | None = Field(default=None, sa_type=UtcTime)


class ModelSpendRow(SQLModel, table=True):
    """What the calls of one day (UTC) to one provider for one purpose came to: it stays when the calls are let go."""

    __tablename__ = "model_spend"
    day: date = Field(primary_key=True)
    provider: str = Field(primary_key=True)
    purpose: str = Field(primary_key=True)
    context: str = Field(primary_key=True)
    calls: int
    reused: int
    input_tokens: int = Field(sa_type=BigInteger)
    output_tokens: int = Field(sa_type=BigInteger)
    usd: Decimal = Field(sa_type=ExactDecimal)


class SentimentTextRow(SQLModel, table=True):
    """One text that somebody published, with its score: how it was read when it came. ``coins`` are apart by blanks."""

    __tablename__ = "sentiment_texts"
    source: str = Field(primary_key=True)
    fingerprint: str = Field(primary_key=True)
    title: str = Field(sa_type=Text)
    url: str
    at: datetime = Field(sa_type=UtcTime)
    known_at: datetime = Field(sa_type=UtcTime, index=True)
    score: float | None = None
    coins: str


class SentimentReadingRow(SQLModel, table=True):
    """One number that somebody published: an index of the whole market, where ``subject`` is empty, or of a market."""

    __tablename__ = "sentiment_readings"
    source: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcTime, primary_key=True)
    known_at: datetime = Field(sa_type=UtcTime, index=True)
    value: float
    score: float | None = None


class PredictionRow(SQLModel, table=True):
    """What was predicted of a market at a close, and what came of it; ``reasons`` are a JSON list."""

    __tablename__ = "predictions"
    venue: str = Field(primary_key=True)
    symbol: str = Field(primary_key=True)
    timeframe: str = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcTime, primary_key=True)
    prompt: str = Field(primary_key=True)
    made_at: datetime = Field(sa_type=UtcTime, index=True)
    due_at: datetime = Field(sa_type=UtcTime)
    direction: str
    expected_move: float
    horizon: int
    confidence: float | None = None
    reasons: str = Field(sa_type=Text)
    by: str
    is_offline: bool
    cost: Decimal = Field(sa_type=ExactDecimal)
    close: float
    graded_at: datetime | None = Field(default=None, sa_type=UtcTime, index=True)
    move: float | None = None
    was_right: bool | None = None


class CapitalStageRow(SQLModel, table=True):
    """A time in which so much of the account could be used; ``amount`` is empty for all of it."""

    __tablename__ = "capital_stages"
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    amount: Decimal | None = Field(default=None, sa_type=ExactDecimal)
    at: datetime = Field(sa_type=UtcTime)
    by: str
    reason: str
    is_breach: bool
    made: Decimal = Field(sa_type=ExactDecimal)
    best: Decimal = Field(sa_type=ExactDecimal)
    last_halt: int
    asked_at: datetime = Field(sa_type=UtcTime)


class ConfirmationRow(SQLModel, table=True):
    """One thing that people are asked to confirm beside trades."""

    __tablename__ = "confirmations"
    id: str = Field(primary_key=True)
    number: int = Field(index=True)
    kind: str
    stage: str = Field(index=True)
    record: str = Field(sa_type=Text)
    settled_at: datetime | None = Field(default=None, sa_type=UtcTime)


def table_of(row: type[SQLModel]) -> Table:
    """The table behind a class of rows: statements are made of tables, which takes a fifth of what the ORM takes."""
    table = inspect(row).local_table
    if not isinstance(table, Table):
        raise TypeError(f"{row.__name__} has no table of its own")
    return table


def key_of(table: Table) -> tuple[ColumnElement[bool], ...]:
    """What is true of the one row whose key is given to the statement, each of its columns as ``its_NAME``."""
    return tuple(column == bindparam(f"its_{column.name}") for column in table.primary_key)


def upsert(table: Table) -> TextClause:
    """Put a row in the place of the one with its key, where there is one: the same words on both databases."""
    names, key = [column.name for column in table.c], [column.name for column in table.primary_key]
    values, changes = (", ".join(f":{name}" for name in names), [name for name in names if name not in key])
    words = (
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({values})"  # noqa: S608 - names of our own
        f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in changes)}"
    )
    return text(words).bindparams(*(bindparam(column.name, type_=column.type) for column in table.c))


def newest_first(query: Select[Any], number: ColumnElement[int], limit: int, before: str = "") -> Select[Any]:
    """At most so many rows with the highest numbers, or the next page: those below the row with an id like ``O17``."""
    if before:
        query = query.where(number < int(before[1:]))
    return query.order_by(number.desc()).limit(limit)
