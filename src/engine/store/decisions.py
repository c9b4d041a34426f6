"""Decisions with their whole record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select

from engine.domain.adjustments import Adjusted
from engine.domain.autonomy import AskHuman, Execute, Hold, Refuse
from engine.domain.decisions import Decision, Input, Judged, QualityReport, Stance, TechnicalSignals
from engine.domain.errors import UnknownId
from engine.store import codec
from engine.store.memory import NoMemory
from engine.store.numbering import Numbering
from engine.store.tables import DecisionRow, ReadingsRow, key_of, newest_first, table_of

_TABLE = table_of(DecisionRow)
_MADE_AT = select(_TABLE.c.key).where(_TABLE.c.at == bindparam("at"))
_ENTRIES_AFTER = (
    select(func.count()).select_from(_TABLE).where(_TABLE.c.at > bindparam("after"), _TABLE.c.stance == Stance.ENTER)
)
_ENTRIES_WITHIN = select(_TABLE.c.record).where(
    _TABLE.c.at > bindparam("begin"), _TABLE.c.at <= bindparam("end"), _TABLE.c.stance == Stance.ENTER
)
_NEWEST_AT = select(func.max(_TABLE.c.at))
_ADD = insert(_TABLE)
_OF_KEY = select(_TABLE.c.id).where(_TABLE.c.key == bindparam("its_key"))
_READINGS = table_of(ReadingsRow)
_KEPT = select(_TABLE.c.record, _READINGS.c.signals).outerjoin_from(
    _TABLE, _READINGS, _READINGS.c.decision_id == _TABLE.c.id
)
_RECORD = _KEPT.where(*key_of(_TABLE))
_ADD_READINGS = insert(_READINGS)
_SIGNALS = tuple[TechnicalSignals, ...]
_HELD = "held"
_NONE = Decision(
    id="",
    key="",
    context="",
    strategy="",
    symbol="",
    at=datetime.min.replace(tzinfo=UTC),
    stance=Stance.HOLD,
    confidence=0.0,
    conditions=(),
    reasons=(),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeFrom:
    """What decisions that hold are made from, as it is kept with each of them.

    Attributes:
        rest: Their record after the decision itself.
        signals: Their readings; empty where there are none.
    """

    rest: str
    signals: str


def made_from(
    *, inputs: tuple[Input, ...], signals: _SIGNALS, quality: QualityReport, market_context: tuple[Input, ...]
) -> MadeFrom:
    """What several decisions that hold are made from, put into its record once; see ``Judged``."""
    judged = Judged(
        decision=_NONE, inputs=inputs, signals=(), quality=quality, ruling=Hold(), market_context=market_context
    )
    rest = codec.dump(judged).removeprefix(_record(_NONE, ""))
    return MadeFrom(rest=rest, signals=codec.dump_as(_SIGNALS, signals) if signals else "")


def _record(decision: Decision, rest: str) -> str:
    return f'{{"decision":{codec.dump(decision)}{rest}'


class Decisions:
    """The ``decisions`` table."""

    def __init__(self, connection: Connection, numbering: Numbering, memory: NoMemory) -> None:
        self._connection = connection
        self._numbering = numbering
        self._memory = memory
        self._made_at: dict[datetime, set[str]] = {}
        self._unwritten: list[dict[str, Any]] = []
        self._unwritten_readings: list[dict[str, Any]] = []
        self._written: dict[tuple[int, ...], tuple[_SIGNALS, str]] = {}

    def next_id(self) -> str:
        """An id for the next decision."""
        return f"D{self._numbering.next('D')}"

    def seen(self, key: str, at: datetime) -> bool:
        """Whether the decision with this key, made at this time, is known already."""
        if at not in self._made_at:
            self._made_at[at] = self._load_made_at(at) if self.made_since(at) else set()
        return key in self._made_at[at]

    def _load_made_at(self, at: datetime) -> set[str]:
        self.write()
        return set(self._connection.execute(_MADE_AT, {"at": at}).scalars())

    def made_since(self, at: datetime) -> bool:
        """Whether any decision was made at a time or after it."""
        newest = self._newest_written()
        return (newest is not None and at <= newest) or any(at <= each["at"] for each in self._unwritten)

    def begins(self, at: datetime) -> bool:
        """Whether nothing was decided at a time or after it yet; then what is decided at it is known without asking."""
        if self.made_since(at):
            return False
        self._made_at[at] = set()
        return True

    def entries_after(self, at: datetime) -> int:
        """How many decisions after a time were about entering, whatever became of them."""
        written = int(self._connection.execute(_ENTRIES_AFTER, {"after": at}).scalar_one())
        unwritten = [each for each in self._unwritten if each["stance"] is Stance.ENTER and each["at"] > at]
        return written + len(unwritten)

    def _newest_written(self) -> datetime | None:
        return self._memory.get_or_load("decisions", "newest", self._load_newest)

    def _load_newest(self) -> datetime | None:
        newest: datetime | None = self._connection.execute(_NEWEST_AT).scalar()
        return newest

    def add(self, judged: Judged) -> None:
        """Keep a decision and everything that led to it; several are written together."""
        signals = self._written_signals(judged.signals) if judged.signals else ""
        self._add(judged.decision, status_of(judged), codec.dump(replace(judged, signals=())), signals)
        if isinstance(judged.ruling, AskHuman):
            self.write()  # an approval refers to it

    def add_held(self, decision: Decision, kept: MadeFrom) -> None:
        """Keep a decision that holds, as ``add`` would, with others that are made from the same."""
        self._add(decision, _HELD, _record(decision, kept.rest), kept.signals)

    def _add(self, decision: Decision, status: str, record: str, signals: str) -> None:
        if decision.at in self._made_at:
            self._made_at[decision.at].add(decision.key)
        if signals:
            own = {"decision_id": decision.id, "at": decision.at, "held": status == _HELD, "signals": signals}
            self._unwritten_readings.append(own)
        self._unwritten.append(
            {
                "id": decision.id,
                "number": int(decision.id[1:]),
                "key": decision.key,
                "context": decision.context,
                "symbol": decision.symbol,
                "at": decision.at,
                "stance": decision.stance,
                "confidence": decision.confidence,
                "status": status,
                "record": record,
            }
        )

    def _written_signals(self, signals: _SIGNALS) -> str:
        """Readings as they are kept; several contexts decide by the very same ones."""
        them = tuple(map(id, signals))  # each is kept here, so that no other gets its id
        if them not in self._written:
            self._written[them] = signals, codec.dump_as(_SIGNALS, signals)
        return self._written[them][1]

    def write(self) -> None:
        """Write what was added."""
        if self._unwritten:
            before = self._newest_written()
            added = [each["at"] for each in self._unwritten]
            self._connection.execute(_ADD, self._unwritten)
            self._memory.keep("decisions", "newest", max(added if before is None else [before, *added]))
            self._unwritten = []
        if self._unwritten_readings:
            self._connection.execute(_ADD_READINGS, self._unwritten_readings)
            self._unwritten_readings = []

    def get(self, decision_id: str) -> Judged:
        """One decision's record.

        Raises:
            UnknownId: There is none with that id.
        """
        self.write()
        row = self._connection.execute(_RECORD, {"its_id": decision_id}).first()
        if row is None:
            raise UnknownId(f"There is no decision {decision_id}.", "See /pending and /trades for ids.")
        return _judged(row)

    def of_key(self, key: str) -> str:
        """The id of the decision with a key; empty where there is none."""
        self.write()
        return self._connection.execute(_OF_KEY, {"its_key": key}).scalar() or ""

    def newest(self, limit: int, before: str = "") -> tuple[Judged, ...]:
        """The newest decisions first."""
        self.write()
        query = newest_first(_KEPT, _TABLE.c.number, limit, before)
        return tuple(_judged(row) for row in self._connection.execute(query))

    def adjusted_within(self, begin: datetime, end: datetime) -> tuple[Adjusted, ...]:
        """What the adjuster made of the entries within a time: after its beginning, up to its end."""
        self.write()
        found = self._connection.execute(_ENTRIES_WITHIN, {"begin": begin, "end": end}).scalars()
        return tuple(each for record in found if (each := codec.load(Judged, record).adjustment) is not None)

    def entries(self, limit: int) -> tuple[Judged, ...]:
        """The newest decisions to enter first, carried out or not."""
        self.write()
        query = newest_first(_KEPT.where(_TABLE.c.stance == Stance.ENTER), _TABLE.c.number, limit, "")
        return tuple(_judged(row) for row in self._connection.execute(query))


def _judged(row: Row[Any, Any]) -> Judged:
    """A decision with its readings, where these are still kept; those of before are in its record."""
    judged = codec.load(Judged, row.record)
    return replace(judged, signals=codec.load_as(_SIGNALS, row.signals)) if row.signals else judged


def status_of(judged: Judged) -> str:
    """What became of a decision in its cycle, in one word."""
    match judged.ruling:
        case Execute():
            return "executed"
        case AskHuman():
            return "asked"
        case Refuse():
            return "refused"
        case Hold():
            return _HELD
