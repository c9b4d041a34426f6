"""What models cost is booked as providers bill it, or higher, whatever happens on the way and whoever is killed."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import pytest

from bot.model_chains import price_list
from engine.domain.model_calls import UNBILLED, Usage
from engine.domain.model_ledger import CallState, ModelCall
from engine.llm.ledger import LOST
from engine.llm.prices import PriceList
from engine.store.database import Database
from engine.store.model_tape import recorded
from tests.fakes import model_asker
from tests.fakes.database import new_file, url_of
from tests.fakes.forks import FORKS
from tests.fakes.llm_servers import CHAT, MESSAGES, RESPONSES, Asked, Bill, Turn, _bill, serving

PROVIDERS = {RESPONSES: "openai", MESSAGES: "mine", CHAT: "local"}
FATES: tuple[tuple[int, str, Turn], ...] = (
    (50, "good", Turn()),
    (8, "truncated", Turn(stop="length")),
    (6, "refused", Turn(stop="refused")),
    (10, "no object", Turn(text="I would rather hold.")),
    (6, "429", Turn(status=429)),
    (3, "out of order", Turn(status=503)),
    (4, "error inside", Turn(error="server_error")),
    (4, "cut", Turn(cut=True)),
    (3, "timed out", Turn(wait=8)),
    (6, "not counted", Turn(counted=False)),
)
"""How often, what, and what the server does."""


@dataclass
class Bills:
    """What the server charges: also for what timed out or was cut, and not for what it would not take."""

    chance: random.Random
    fates: Sequence[tuple[int, str, Turn]]
    owed: dict[tuple[int, str], list[tuple[str, Bill | None]]] = field(default_factory=lambda: defaultdict(list))

    def turn(self, asked: Asked) -> Turn:
        ((_, fate, turn),) = self.chance.choices(self.fates, weights=[weight for weight, *_ in self.fates])
        bill = _bill(asked.path, asked.body, turn) if turn.status == 200 else None
        number = model_asker.question_in(json.dumps(asked.body))
        self.owed[number, PROVIDERS[asked.path]].append((fate, bill))
        return turn

    @property
    def count(self) -> int:
        return sum(map(len, self.owed.values()))


def used(bill: Bill) -> Usage:
    return Usage(input_tokens=bill.input_tokens, cached_tokens=bill.cached_tokens, output_tokens=bill.output_tokens)


@dataclass
class Row:
    """What one kind of fate came to, in dollars."""

    calls: int = 0
    owed: Decimal = Decimal(0)
    booked: Decimal = Decimal(0)

    def add(self, call: ModelCall, owed: Decimal) -> None:
        self.calls, self.owed, self.booked = self.calls + 1, self.owed + owed, self.booked + call.booked


def became(call: ModelCall) -> str:
    """What cut a call short here, whatever the server had in mind; empty where nothing did."""
    if call.reason == LOST:
        return "killed meanwhile"
    return "timed out" if "did not answer within" in call.reason else ""


def compare(calls: Sequence[ModelCall], bills: Bills, prices: PriceList) -> dict[str, Row]:
    """Hold the books against the bill, call by call; what they come to, by what became of a call."""
    booked, table = defaultdict[tuple[int, str], list[ModelCall]](list), defaultdict[str, Row](Row)
    for call in calls:
        if call.usage == UNBILLED and "429" not in call.reason:
            table["left alone, or not reached"].add(call, Decimal(0))
        else:
            booked[model_asker.question_in(call.prompt), call.provider].append(call)
    for where, owed in bills.owed.items():
        own = booked.pop(where)
        assert len(own) >= len(owed), "no call is made that is not booked before"
        for call, (fate, bill) in zip(own, owed, strict=False):
            cost = prices.cost(where[1], call.model, used(bill)) if bill else Decimal(0)
            check(call, bill, cost)
            table[became(call) or fate].add(call, cost)
        booked[where] = own[len(owed) :]
    for rest in booked.values():
        for call in rest:
            assert call.state is CallState.KEPT
            table[became(call) or "never sent"].add(call, Decimal(0))
    return dict(table)


def check(call: ModelCall, bill: Bill | None, cost: Decimal) -> None:
    """Settled to the token, at nothing where nothing is charged; or kept, and never below what is."""
    if call.state is CallState.KEPT:
        assert call.reserved_usd >= cost, "never below what is billed"
        return
    assert (call.state, call.cost_usd) == (CallState.SETTLED, cost)
    assert call.usage is not None
    assert replace(call.usage, tier="") == (used(bill) if bill else UNBILLED), "to the token"


def written(table: Mapping[str, Row]) -> str:
    """The table as the decision record has it (ADR 46)."""
    rows = [f"| {fate} | {row.calls} | {row.owed:.4f} | {row.booked:.4f} |" for fate, row in sorted(table.items())]
    return "\n".join(("| what became of a call | calls | billed, $ | booked, $ |", "|---|---|---|---|", *rows))


async def killed(folder: Path, url: str, server: str, numbers: Sequence[int], bills: Bills, *, full: bool) -> None:
    """Let a process ask, and kill it when two thirds are billed."""
    asker = FORKS.Process(target=model_asker.ask, args=(str(folder), url, server, numbers, full))
    asker.start()
    enough = bills.count + len(numbers) * 2 // 3
    while bills.count < enough and asker.is_alive():  # noqa: ASYNC110 - the server tells nobody
        await asyncio.sleep(0.01)
    asker.kill()
    await asyncio.to_thread(asker.join)
    assert asker.exitcode == -signal.SIGKILL, (
        f"it was to be killed at {enough} bills, and ended by itself at {bills.count}"
    )


@pytest.mark.parametrize(
    ("questions", "lives", "full"),
    [
        pytest.param(40, 2, False, marks=pytest.mark.slow),
        pytest.param(13_000, 8, True, marks=[pytest.mark.slow, pytest.mark.timeout(1500)]),
    ],
)
async def test_the_books_are_the_bill_or_above_it_and_kill_9_changes_nothing(
    tmp_path: Path, questions: int, lives: int, *, full: bool
):
    new_file(tmp_path)
    fates = [each for each in FATES if full or not each[2].wait]
    url, bills = url_of(tmp_path), Bills(random.Random(7), fates)  # noqa: S311 - chance from a seed
    async with serving() as server:
        server.next = bills.turn
        each = questions // lives
        for life in range(lives):
            numbers = range(life * each, (life + 1) * each)
            if life == lives - 1:
                await model_asker.asking(tmp_path, url, server.url, numbers, full=full)
            else:
                await killed(tmp_path, url, server.url, numbers, bills, full=full)
    with recorded(url) as calls:
        found = list(calls)
    prices = price_list(model_asker.settings_of(tmp_path, server.url, full=full).llm)
    table = compare(found, bills, prices)
    print(f"\n{written(table)}")  # noqa: T201 - for whoever runs it with -s
    booked, owed = sum(row.booked for row in table.values()), sum(row.owed for row in table.values())
    assert booked >= owed > 0
    assert table["good"].booked == table["good"].owed > 0
    assert table["killed meanwhile"].booked > 0
    if full:
        assert sum(row.calls for row in table.values()) >= 10_000
        assert table["429"].booked == 0 < table["429"].calls
        assert all(table[fate].booked > table[fate].owed for fate in ("cut", "timed out", "not counted"))
    store = Database(url)
    days = await store.read(lambda uow: uow.model_calls.spent_since(found[0].at.date()))
    assert sum(day.usd for day in days) == booked
    await store.close()
