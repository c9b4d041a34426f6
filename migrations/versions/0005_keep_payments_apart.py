"""Keep what was paid in and out apart, and take it off the results that counted it."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op

from engine.store.columns import ExactDecimal, UtcTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_EVENTS = sa.table("events", sa.column("id"), sa.column("kind"), sa.column("body"))
_ACCOUNT = sa.table("account", sa.column("quote"), sa.column("opening", ExactDecimal()))
_EQUITY = sa.table(
    "equity", sa.column("at", UtcTime()), sa.column("benchmark", ExactDecimal()), sa.column("payments", sa.Integer())
)
_PAYMENTS = sa.table(
    "payments",
    sa.column("number", sa.Integer()),
    sa.column("at", UtcTime()),
    sa.column("amount", ExactDecimal()),
    sa.column("benchmark", ExactDecimal()),
)
_DIGESTS = sa.table("digests", sa.column("id"), sa.column("figures"))

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Payment:
    at: datetime
    amount: Decimal


def upgrade() -> None:
    op.create_table(
        "payments",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("amount", ExactDecimal(), nullable=False),
        sa.Column("benchmark", ExactDecimal(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    op.add_column("equity", sa.Column("payments", sa.Integer(), nullable=False, server_default="0"))
    if payments := tuple(_told()):
        _write_down(payments)
        _rewrite_digests(lambda figures: _corrected(figures, payments))


def _told() -> Iterator[_Payment]:
    """The payments that the events tell of, in the account's currency."""
    connection = op.get_bind()
    quote = connection.execute(sa.select(_ACCOUNT.c.quote)).scalar()
    query = sa.select(_EVENTS.c.body).where(_EVENTS.c.kind == "BalanceAdopted").order_by(_EVENTS.c.id)
    for told in map(json.loads, connection.execute(query).scalars().all()):
        if told["currency"] == quote:
            yield _Payment(at=_time(told["at"]), amount=Decimal(told["after"]) - Decimal(told["before"]))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _write_down(payments: Sequence[_Payment]) -> None:
    """Each with the benchmark of its time; the curve's later points have it in them, the opening balance has not."""
    connection, at = op.get_bind(), _EQUITY.c.at
    for number, payment in enumerate(payments, start=1):
        before = sa.select(_EQUITY.c.benchmark).where(at <= payment.at).order_by(at.desc()).limit(1)
        kept = {"number": number, "at": payment.at, "amount": payment.amount}
        connection.execute(_PAYMENTS.insert(), kept | {"benchmark": connection.execute(before).scalar()})
        connection.execute(sa.update(_EQUITY).where(at > payment.at).values(payments=number))
    _move_opening(-sum((payment.amount for payment in payments), Decimal(0)))


def _move_opening(by: Decimal) -> None:
    connection = op.get_bind()
    opening = connection.execute(sa.select(_ACCOUNT.c.opening)).scalar()
    if opening is not None:
        connection.execute(sa.update(_ACCOUNT).values(opening=opening + by))


def _rewrite_digests(rewritten: Callable[[Figures], Figures]) -> None:
    """Only their curves stay as they were drawn: nobody knows any more when their points were."""
    connection = op.get_bind()
    for digest_id, text in connection.execute(sa.select(_DIGESTS.c.id, _DIGESTS.c.figures)).all():
        figures = json.dumps(rewritten(json.loads(text)), separators=(",", ":"))
        connection.execute(sa.update(_DIGESTS).where(_DIGESTS.c.id == digest_id).values(figures=figures))


def _corrected(figures: Figures, payments: Sequence[_Payment]) -> Figures:
    begins, ends = _time(figures["begins"]), _time(figures["ends"])
    amounts = [payment.amount for payment in payments if begins < payment.at <= ends]
    paid_in = sum((amount for amount in amounts if amount > 0), Decimal(0))
    paid_out = -sum((amount for amount in amounts if amount < 0), Decimal(0))
    before = Decimal(figures["equity"]) - Decimal(figures["net"])
    counted = sum(payment.at <= ends for payment in payments)
    told = {"paid_in": f"{paid_in:f}", "paid_out": f"{paid_out:f}", "payments": counted}
    result = _result(figures, paid_out - paid_in, before + paid_in) if amounts else {}
    return figures | told | result


def _as_counted_before(figures: Figures) -> Figures:
    kept = {name: value for name, value in figures.items() if name not in {"paid_in", "paid_out", "payments"}}
    paid = Decimal(figures.get("paid_in", 0)) - Decimal(figures.get("paid_out", 0))
    before = Decimal(figures["equity"]) - Decimal(figures["net"]) - paid
    return kept | _result(figures, paid, before) if paid else kept


def _result(figures: Figures, change: Decimal, base: Decimal) -> Figures:
    """A result that is more by an amount, and its share where there was one."""
    net = Decimal(figures["net"]) + change
    share = {"share": f"{net / base:f}" if base > 0 else None} if figures.get("share") is not None else {}
    return {"net": f"{net:f}"} | share


def downgrade() -> None:
    connection = op.get_bind()
    amounts = connection.execute(sa.select(_PAYMENTS.c.amount)).scalars().all()
    _move_opening(sum(amounts, Decimal(0)))
    _rewrite_digests(_as_counted_before)
    op.drop_column("equity", "payments")
    op.drop_table("payments")
