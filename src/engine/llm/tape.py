"""The tape: calls as they were recorded, as a file, and answering from it alone.

A replay that answers from a tape is deterministic and costs nothing: what is not on it, no model says; rules may.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TextIO

from pydantic import ValidationError

from engine.domain.errors import DataError
from engine.domain.model_ledger import ModelCall, Verdict
from engine.llm.answers import JudgedAnswer, Question, Tried
from engine.llm.live_calls import Judge, by_rules, reply_of
from engine.ports import ModelProvider
from engine.store import codec

HEAD = '{"tape":"greenlight","version":1}'
"""The first line of the file; each of the others is a call, as JSON."""


def write_tape(out: TextIO, calls: Iterable[ModelCall]) -> int:
    """Write calls that have ended; how many there were."""
    out.write(f"{HEAD}\n")
    count = 0
    for call in calls:
        if call.verdict is not Verdict.NONE:
            out.write(f"{codec.dump(call)}\n")
            count += 1
    return count


def read_tape(path: Path) -> Iterator[ModelCall]:
    """The calls of a file, in order, one at a time.

    Raises:
        DataError: It cannot be read, or is none.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            if next(lines, "").strip() != HEAD:
                raise DataError(f"{path} is no tape of calls.", "bot llm tape export writes one.")
            for number, line in enumerate(lines, start=2):
                yield _call(line, path, number)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise DataError(f"{path} is no UTF-8 text.", "bot llm tape export writes a tape.") from None


def _call(line: str, path: Path, number: int) -> ModelCall:
    try:
        return codec.load(ModelCall, line)
    except ValidationError:
        raise DataError(f"{path}, line {number}: this is no call of a model.", "Export the tape again.") from None


@dataclass(slots=True, kw_only=True)
class TapeUse:
    """What a tape has been asked so far.

    Attributes:
        answered: How often it had the answer, by provider and model.
        by_rules: How often the offline analyst answered.
        missing: How often it had none of a model.
        costs: What each call that has answered once cost, in US dollars, by its key.
    """

    answered: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_rules: int = 0
    missing: int = 0
    costs: dict[str, Decimal] = field(default_factory=dict)

    @property
    def cost(self) -> Decimal:
        """What the calls that it has answered from cost together, when they were made."""
        return sum(self.costs.values(), Decimal(0))


class TapeCalls:
    """Answers in the place of models, with what they once answered to the very same question.

    Args:
        calls: What was recorded, in order. Of several with one key the newest good one counts, else the newest.
        rules: The offline analyst, whose answers are not recorded: they are always the same. ``None`` for nobody.
    """

    def __init__(self, calls: Iterable[ModelCall], rules: ModelProvider | None = None) -> None:
        self.use = TapeUse()
        self._rules = rules
        self._calls: dict[str, ModelCall] = {}
        for call in calls:
            known = self._calls.get(call.key)
            if known is None or call.verdict is Verdict.VALID or known.verdict is not Verdict.VALID:
                self._calls[call.key] = call

    def __len__(self) -> int:
        return len(self._calls)

    async def is_short(self, purpose: str, context: str) -> bool:
        """Never: it costs nothing."""
        del purpose, context
        return False

    async def ask(self, question: Question, judge: Judge, within: float) -> Tried:
        """What is on the tape, judged anew."""
        del within
        call = self._calls.get(question.key)
        if call is None and question.link.is_offline and self._rules is not None:
            self.use.by_rules += 1
            return await by_rules(self._rules, question, judge)
        if call is None:
            self.use.missing += 1
            return Tried(
                judged=JudgedAnswer(value=None, verdict=Verdict.FAILED, reason="the tape has no answer to this")
            )
        self.use.answered[call.provider, call.model] += 1
        self.use.costs[call.key] = call.reserved_usd if call.cost_usd is None else call.cost_usd
        if not call.stop:
            recorded = JudgedAnswer(value=None, verdict=Verdict.FAILED, reason=call.reason)
            return Tried(judged=recorded, call=call, is_cached=True)
        return Tried(judged=judge(reply_of(call)), call=call, is_cached=True)
