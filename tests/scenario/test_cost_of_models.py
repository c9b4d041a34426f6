"""What models cost is booked as providers bill it, or higher, whatever happens on the way and whoever is killed."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from bot.model_chains import price_list
from engine.domain.model_calls import Usage
from engine.domain.model_ledger import CallState, ModelCall
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


def compare(calls: Sequence[ModelCall], bills: Bills, prices: PriceList) -> tuple[Counter[str], Decimal, Decimal]:
    """Hold the books against the bill, call by call: how often each state is, and what is booked and owed in all."""
    booked, states = defaultdict(list), Counter[str]()
    for call in calls:
        states[call.state] += 1
        if call.usage == Usage(input_tokens=0, output_tokens=0):
            continue  # the provider was left alone since a moment ago: nothing was sent
        booked[model_asker.question_in(call.prompt), call.provider].append(call)
    owing = total = Decimal(0)
    for where, owed in bills.owed.items():
        own = booked.pop(where)
        assert len(own) >= len(owed), "no call is made that is not booked before"
        total += sum(call.booked for call in own)
        models = [call.model for call in own]
        costs = [prices.cost(where[1], models[0], used(bill)) if bill else Decimal(0) for _, bill in owed]
        owing += sum(costs)
        for call, (_, bill), cost in zip(own, owed, costs, strict=False):
            if call.state is CallState.SETTLED:
                assert bill is not None
                assert call.usage is not None
                told = (call.usage.input_tokens, call.usage.cached_tokens, call.usage.output_tokens)
                assert told == (bill.input_tokens, bill.cached_tokens, bill.output_tokens), "to the token"
                assert call.cost_usd == cost
            else:
                assert call.state is CallState.KEPT
                assert call.reserved_usd >= cost, "never below what is billed"
    assert all(call.state is not CallState.SETTLED for rest in booked.values() for call in rest)
    return states, total + sum(call.booked for rest in booked.values() for call in rest), owing


async def killed(folder: Path, url: str, server: str, numbers: Sequence[int], bills: Bills, *, full: bool) -> None:
    """Let a process ask, and kill it when two thirds are billed."""
    asker = FORKS.Process(target=model_asker.ask, args=(str(folder), url, server, numbers, full))
    asker.start()
    assert asker.pid is not None
    enough = bills.count + len(numbers) * 2 // 3
    while bills.count < enough and asker.is_alive():  # noqa: ASYNC110 - the server tells nobody
        await asyncio.sleep(0.01)
    os.kill(asker.pid, signal.SIGKILL)
    await asyncio.to_thread(asker.join)
    assert asker.exitcode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("questions", "lives", "full"),
    [
        (40, 2, False),
        pytest.param(8000, 8, True, marks=[pytest.mark.slow, pytest.mark.timeout(1500)]),
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
    states, booked, owed = compare(found, bills, prices)
    assert min(states[CallState.SETTLED], states[CallState.KEPT]) > 0
    assert booked >= owed
    store = Database(url)
    days = await store.read(lambda uow: uow.model_calls.spent_since(found[0].at.date()))
    assert sum(day.usd for day in days) == booked
    await store.close()
