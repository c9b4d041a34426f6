"""Calls of language models: what each cost, what it answered, and what that came to by day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from engine.domain.errors import UnknownId
from engine.domain.model_calls import Usage
from engine.domain.model_ledger import CallState, ModelCall, Spend, Verdict, billing_day
from engine.store.mapping import RowMapping
from engine.store.memory import NoMemory
from engine.store.numbering import Numbering
from engine.store.tables import ModelCallRow, ModelSpendRow, key_of, newest_first, table_of, upsert

LONGEST = 500_000
"""The most letters of a text that are kept: far more than models write."""
_CALLS, _SPEND = table_of(ModelCallRow), table_of(ModelSpendRow)
_CALL, _OF_DAY = RowMapping(ModelCall, _CALLS), RowMapping(Spend, _SPEND)
_ROW = select(_CALLS).where(*key_of(_CALLS))
_ADD = insert(_CALLS)
_CHANGE = update(_CALLS).where(*key_of(_CALLS))
_REUSED = update(_CALLS).where(*key_of(_CALLS)).values(reused=_CALLS.c.reused + 1)
_OPEN = select(_CALLS).where(_CALLS.c.state == CallState.RESERVED).order_by(_CALLS.c.number)
_GOOD = (
    select(_CALLS)
    .where(_CALLS.c.key == bindparam("of_key"), _CALLS.c.verdict == Verdict.VALID, _CALLS.c.at >= bindparam("since"))
    .order_by(_CALLS.c.number.desc())
    .limit(1)
)
_ANSWERED = (
    select(_CALLS)
    .where(_CALLS.c.key == bindparam("of_key"), _CALLS.c.stop != "")
    .order_by(_CALLS.c.number.desc())
    .limit(1)
)
_made_at = func.coalesce(_CALLS.c.market_at, _CALLS.c.at)
_BOOKED_WITHIN = select(_CALLS.c.reserved_usd, _CALLS.c.cost_usd).where(
    _made_at >= bindparam("begin"), _made_at < bindparam("end"), _CALLS.c.state != CallState.IMPORTED
)
_SAME = select(_CALLS.c.id).where(_CALLS.c.key == bindparam("of_key"), _CALLS.c.at == bindparam("made_at"))
_SINCE = select(_SPEND).where(_SPEND.c.day >= bindparam("first")).order_by(*_SPEND.primary_key)
_DAY = select(_SPEND).where(*key_of(_SPEND))
_KEEP_DAY = upsert(_SPEND)


class ModelCalls:
    """The ``model_calls`` and ``model_spend`` tables."""

    def __init__(self, connection: Connection, numbering: Numbering, memory: NoMemory) -> None:
        self._connection = connection
        self._numbering = numbering
        self._memory = memory

    def add(self, call: ModelCall) -> ModelCall:
        """Write a new one down, and what it counts with; as it is kept, with its id."""
        new = _storable(replace(call, id=f"L{self._numbering.next('L')}"))
        self._connection.execute(_ADD, _CALL.to_row(new) | {"number": int(new.id[1:])})
        if new.state is not CallState.IMPORTED:
            self._count(new, before=None)
        return new

    def put(self, call: ModelCall) -> None:
        """Keep one as it is now, and what it counts with.

        Raises:
            UnknownId: There is none with its id.
        """
        before, call = self.get(call.id), _storable(call)
        self._connection.execute(_CHANGE, {"its_id": call.id} | _CALL.to_row(call))
        if call.state is not CallState.IMPORTED:
            self._count(call, before=before)

    def get(self, call_id: str) -> ModelCall:
        """One call.

        Raises:
            UnknownId: There is none with that id, or it was let go.
        """
        row = self._connection.execute(_ROW, {"its_id": call_id}).first()
        if row is None:
            raise UnknownId(f"There is no call {call_id}.", "Calls of models look like L17.")
        return _CALL.from_row(row)

    def under_way(self) -> tuple[ModelCall, ...]:
        """Those whose end is not known, oldest first."""
        return tuple(map(_CALL.from_row, self._connection.execute(_OPEN)))

    def good_answer(self, key: str, since: datetime) -> ModelCall | None:
        """The newest call with a key that was answered well, made since a time; ``None`` where there is none."""
        row = self._connection.execute(_GOOD, {"of_key": key, "since": since}).first()
        return None if row is None else _CALL.from_row(row)

    def last_answer(self, key: str) -> ModelCall | None:
        """The newest call with a key that was answered at all; ``None`` where there is none."""
        row = self._connection.execute(_ANSWERED, {"of_key": key}).first()
        return None if row is None else _CALL.from_row(row)

    def has(self, key: str, at: datetime) -> bool:
        """Whether a call with a key that was made at a moment is here: a tape may be read twice."""
        return self._connection.execute(_SAME, {"of_key": key, "made_at": at}).first() is not None

    def reuse(self, call: ModelCall, at: datetime, purpose: str, context: str) -> None:
        """Note that an answer was good for another question; also where the call itself was just let go."""
        self._connection.execute(_REUSED, {"its_id": call.id})
        day = self._of_day(Spend(day=billing_day(at), provider=call.provider, purpose=purpose, context=context))
        self._keep_day(replace(day, reused=day.reused + 1))

    def newest(self, limit: int, before: str = "") -> tuple[ModelCall, ...]:
        """The newest first; with an id, those before it."""
        query = newest_first(select(_CALLS), _CALLS.c.number, limit, before)
        return tuple(map(_CALL.from_row, self._connection.execute(query)))

    def booked_within(self, begin: datetime, end: datetime) -> Decimal:
        """What those that were made within a time of the market count with."""
        rows = self._connection.execute(_BOOKED_WITHIN, {"begin": begin, "end": end})
        return sum((row.reserved_usd if row.cost_usd is None else row.cost_usd for row in rows), Decimal(0))

    def page(self, since: datetime | None, after: int, limit: int) -> tuple[ModelCall, ...]:
        """At most so many of those made since a time, oldest first, after the one with a number."""
        query = select(_CALLS).where(_CALLS.c.number > after).order_by(_CALLS.c.number).limit(limit)
        if since is not None:
            query = query.where(_CALLS.c.at >= since)
        return tuple(map(_CALL.from_row, self._connection.execute(query)))

    def spent_since(self, first: date) -> tuple[Spend, ...]:
        """What the days from one on came to."""
        return self._memory.get_or_load("model_spend", first, lambda: self._load_since(first))

    def _load_since(self, first: date) -> tuple[Spend, ...]:
        return tuple(map(_OF_DAY.from_row, self._connection.execute(_SINCE, {"first": first})))

    def _count(self, call: ModelCall, before: ModelCall | None) -> None:
        """Let a day have what a call counts with now in place of what it counted with before."""
        day = self._of_day(
            Spend(day=billing_day(call.at), provider=call.provider, purpose=call.purpose, context=call.context)
        )
        (read, written), (read_before, written_before) = _tokens(call.usage), _tokens(before.usage if before else None)
        self._keep_day(
            replace(
                day,
                calls=day.calls + (before is None),
                input_tokens=day.input_tokens + read - read_before,
                output_tokens=day.output_tokens + written - written_before,
                usd=day.usd + call.booked - (before.booked if before else 0),
            )
        )

    def _of_day(self, empty: Spend) -> Spend:
        key = {f"its_{name}": getattr(empty, name) for name in ("day", "provider", "purpose", "context")}
        row = self._connection.execute(_DAY, key).first()
        return empty if row is None else _OF_DAY.from_row(row)

    def _keep_day(self, spend: Spend) -> None:
        self._connection.execute(_KEEP_DAY, _OF_DAY.to_row(spend))


def _storable(call: ModelCall) -> ModelCall:
    """A call whose texts any database takes: models, and servers, may write anything of any length."""
    texts = ("system_message", "prompt", "json_schema", "answer", "served", "reason")
    changed: dict[str, Any] = {name: _clean(text) for name in texts if not _is_clean(text := getattr(call, name))}
    return replace(call, **changed) if changed else call


def _is_clean(text: str) -> bool:
    return len(text) <= LONGEST and "\x00" not in text and (text.isascii() or text == _clean(text))


def _clean(text: str) -> str:
    return text[:LONGEST].replace("\x00", "\ufffd").encode(errors="replace").decode()


def _tokens(usage: Usage | None) -> tuple[int, int]:
    """Read and written."""
    return (0, 0) if usage is None else (usage.input_tokens, usage.output_tokens)
