"""Who is asked, in which order, for how long, and what is believed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.domain.days import Period
from engine.domain.errors import StoreError
from engine.domain.model_calls import UNBILLED, ModelFault, ModelReply, ModelRequest, StopReason, Usage
from engine.domain.model_ledger import CallState, Cap, ModelCall, Verdict
from engine.llm.breakers import Breakers
from engine.llm.manager import Answer, LLMManager
from engine.llm.schemas import schema_of
from engine.llm.tape import TapeCalls
from engine.llm.validating import Unfit
from engine.store.database import Database
from tests.fakes.models import (
    BIG,
    GOOD,
    OFFLINE,
    SMALL,
    FakePricing,
    FakeProvider,
    FakeWall,
    Opinion,
    Step,
    fails,
    hangs,
    models,
    reply,
    says,
)

SOL = Opinion(symbol="SOL/EUR", confidence=0.6)


async def ask(manager: LLMManager, prompt: str = "What of SOL/EUR?", **more: object) -> Answer:
    return await manager.generate(prompt, "You are an analyst.", Opinion, "analyst", **more)


async def recorded(store: Database) -> list[ModelCall]:
    return list(reversed(await store.read(lambda uow: uow.model_calls.newest(100))))


async def test_an_answer_is_what_was_asked_for_with_what_it_cost(store: Database):
    openai = FakeProvider()
    answer = await ask(models(store, openai).manager, context="sol-momentum")
    assert answer == replace(
        Answer(value=SOL, provider="openai", model="big", cost=Decimal("0.011"), verdict=Verdict.VALID, calls=("L1",)),
        latency=answer.latency,
    )
    (call,) = await recorded(store)
    assert (call.purpose, call.context, call.state, call.cost_usd) == (
        "analyst",
        "sol-momentum",
        CallState.SETTLED,
        Decimal("0.011"),
    )
    assert (call.prompt, call.system_message, call.answer) == ("What of SOL/EUR?", "You are an analyst.", GOOD)
    assert call.reserved_usd == FakePricing().worst("openai", openai.asked[0])
    assert openai.asked[0].schema == schema_of(Opinion)


async def test_text_may_be_asked_for_and_must_not_be_empty(store: Database):
    room = models(store, FakeProvider(script=[says("It fell."), says(" "), says("\n")]))
    assert (await room.manager.generate("Why?", "You tell.", purpose="summary")).value == "It fell."
    answer = await room.manager.generate("And why?", "You tell.", purpose="summary")
    assert (answer.value, answer.reason) == (None, "openai big: the answer is empty")


async def test_what_is_not_what_was_asked_for_is_asked_once_more_with_the_reason(store: Database):
    openai = FakeProvider(script=[says('{"symbol": "SOL/EUR"}'), says()])
    answer = await ask(models(store, openai).manager)
    assert answer.value == SOL
    assert "could not be used: confidence: Field required" in openai.asked[1].prompt
    assert [call.verdict for call in await recorded(store)] == [Verdict.INVALID, Verdict.VALID]
    assert answer.cost == Decimal("0.022"), "both were paid for"


@pytest.mark.parametrize(
    ("stop", "verdict"), [(StopReason.LENGTH, Verdict.TRUNCATED), (StopReason.REFUSED, Verdict.REFUSED)]
)
async def test_what_was_cut_or_refused_goes_down_the_chain_at_once(store: Database, stop: StopReason, verdict: Verdict):
    openai, local = FakeProvider(script=[says(GOOD, stop)]), FakeProvider("local")
    answer = await ask(models(store, openai, local, chain=(BIG, SMALL)).manager)
    assert (answer.provider, len(openai.asked)) == ("local", 1)
    assert [call.verdict for call in await recorded(store)] == [verdict, Verdict.VALID]


async def test_a_validator_of_ones_own_says_what_is_good(store: Database):
    openai = FakeProvider()
    seen = []

    def never(text: str) -> Unfit:
        seen.append(text)
        return Unfit(reason="the price is not in the book")

    answer = await ask(models(store, openai).manager, validate=never)
    assert (answer.abstains, answer.verdict, seen) == (True, Verdict.INVALID, [GOOD, GOOD])
    assert answer.reason == "openai big: the price is not in the book"


async def test_a_validator_that_fails_is_no_reason_to_believe_or_to_lose_the_bill(store: Database):
    answer = await ask(models(store, FakeProvider()).manager, validate=lambda _: 1 / 0)
    assert answer.abstains
    assert "could not be judged" in answer.reason
    assert [call.cost_usd for call in await recorded(store)] == [Decimal("0.011")] * 2


@pytest.mark.parametrize("fault", list(ModelFault))
async def test_trouble_of_a_provider_is_never_raised_and_the_next_is_asked(store: Database, fault: ModelFault):
    openai, local = FakeProvider(script=[fails(fault)]), FakeProvider("local")
    answer = await ask(models(store, openai, local, chain=(BIG, SMALL)).manager)
    assert answer.provider == "local"
    alone = await ask(models(store, FakeProvider(script=[fails(fault)])).manager)
    assert (alone.value, alone.reason, alone.verdict) == (None, f"openai big: it {fault}s.", Verdict.FAILED)


async def test_what_nobody_has_foreseen_is_trouble_of_a_provider_too(store: Database):
    async def breaks(_: object) -> None:
        raise KeyError("choices")

    answer = await ask(models(store, FakeProvider(script=[breaks])).manager)
    assert answer.abstains
    assert "failed in a way that nobody has foreseen" in answer.reason
    (call,) = await recorded(store)
    assert (call.state, call.booked) == (CallState.KEPT, call.reserved_usd)


async def test_rules_answer_when_no_model_does_and_say_so(store: Database):
    openai, offline = FakeProvider(script=[fails(ModelFault.BUSY)]), FakeProvider("offline")
    answer = await ask(models(store, openai, offline, chain=(BIG, OFFLINE)).manager)
    assert (answer.provider, answer.is_offline) == ("offline", True)


async def test_the_deadline_holds_for_all_tries_together_and_rules_need_no_time(store: Database):
    openai, local = FakeProvider(script=[hangs()]), FakeProvider("local")
    offline = FakeProvider("offline")
    room = models(store, openai, local, offline, chain=(BIG, SMALL, OFFLINE), deadline=0.2)
    answer = await ask(room.manager)
    assert (answer.provider, local.asked) == ("offline", [])
    late = await ask(models(store, openai, local, chain=(BIG, SMALL)).manager, deadline=0)
    assert late.reason == "openai big: the time was up; local small: the time was up"


async def test_a_model_may_be_given_less_time_than_there_is(store: Database):
    openai, local = FakeProvider(script=[hangs()]), FakeProvider("local")
    room = models(store, openai, local, chain=(replace(BIG, within=0.02), SMALL), deadline=60)
    assert (await ask(room.manager)).provider == "local"
    slow, _ = await recorded(store)
    assert (slow.state, slow.cost_usd, slow.verdict) == (CallState.KEPT, None, Verdict.FAILED)
    assert slow.reason.startswith("openai did not answer within 0.0")


async def test_nothing_is_set_aside_before_the_provider_can_be_asked(store: Database):
    loading = FakeProvider(opens=0.3)
    room = models(store, loading)
    early = await ask(room.manager, deadline=0.05)
    assert "not ready within" in early.reason
    assert await recorded(store) == []
    assert (await ask(room.manager, deadline=5)).value == SOL
    assert len(loading.asked) == 1


async def test_who_stops_waiting_leaves_the_reservation_behind(store: Database):
    under_way = asyncio.Event()

    async def never_ends(_: object) -> None:
        under_way.set()
        await asyncio.Event().wait()

    waiting = asyncio.create_task(ask(models(store, FakeProvider(script=[never_ends])).manager))
    await under_way.wait()
    assert [call.state for call in await recorded(store)] == [CallState.RESERVED]
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    (call,) = await recorded(store)
    assert (call.state, call.booked, call.reason) == (CallState.KEPT, call.reserved_usd, "nobody waited for the answer")


async def test_a_provider_that_fails_again_and_again_is_left_alone_and_then_tried_once(store: Database):
    openai = FakeProvider(script=[*[fails(ModelFault.BUSY)] * 3, says()])
    room = models(store, openai, breakers=Breakers(threshold=3, leave_alone=3600))
    for _ in range(5):
        assert (await ask(room.manager)).abstains
    assert (len(openai.asked), room.breakers.state("openai")) == (3, "opened")
    assert len(await recorded(store)) == 3, "nothing is set aside for a call that is not made"
    again = models(store, openai, breakers=Breakers(threshold=1, leave_alone=0))
    openai.script, openai.asked = [fails(ModelFault.BUSY), says()], []
    assert (await ask(again.manager)).abstains
    assert (await ask(again.manager)).value == SOL
    assert again.breakers.state("openai") == "closed"


async def test_a_question_that_is_no_good_is_no_trouble_of_the_provider(store: Database):
    room = models(store, FakeProvider(script=[fails(ModelFault.REQUEST)]), breakers=Breakers(threshold=1))
    await ask(room.manager)
    assert room.breakers.state("openai") == "closed"


async def test_a_provider_that_asks_to_be_left_alone_is_left_alone(store: Database):
    openai, local = FakeProvider(script=[fails(ModelFault.RATE, retry_after=600), says()]), FakeProvider("local")
    room = models(store, openai, local, chain=(BIG, SMALL))
    for _ in range(3):
        assert (await ask(room.manager)).provider == "local"
    assert len(openai.asked) == 1


@pytest.mark.parametrize("nonsense", [float("nan"), -5.0])
async def test_what_cannot_be_waited_for_is_not(store: Database, nonsense: float):
    openai = FakeProvider(script=[fails(ModelFault.RATE, retry_after=nonsense), says()])
    room = models(store, openai)
    assert (await ask(room.manager)).abstains
    assert (await ask(room.manager)).value == SOL


async def test_the_last_model_is_waited_for_where_there_is_time(store: Database):
    openai = FakeProvider(script=[fails(ModelFault.RATE, retry_after=0.01), says()])
    assert (await ask(models(store, openai, FakeProvider("offline"), chain=(BIG, OFFLINE)).manager)).value == SOL
    assert len(openai.asked) == 2


async def test_the_same_question_is_answered_again_for_nothing_while_that_is_fresh(store: Database):
    openai, wall = FakeProvider(), FakeWall()
    room = models(store, openai, cache_ttl=timedelta(minutes=10), wall=wall)
    first = await ask(room.manager)
    after_a_restart = models(store, openai, cache_ttl=timedelta(minutes=10), wall=wall)
    again = await ask(after_a_restart.manager)
    assert (again.value, again.is_cached, again.cost, again.calls) == (first.value, True, 0, ("L1",))
    assert (await ask(room.manager, "What of ETH/EUR?")).is_cached is False
    wall.at += timedelta(minutes=11)
    assert (await ask(room.manager)).is_cached is False
    assert len(openai.asked) == 3
    assert [call.reused for call in await recorded(store)] == [1, 0, 0]


async def test_an_earlier_answer_that_is_good_no_more_is_asked_for_anew(store: Database):
    openai = FakeProvider()
    room = models(store, openai, cache_ttl=timedelta(minutes=10))
    await ask(room.manager)
    answer = await ask(room.manager, validate=lambda _: Unfit(reason="the book has moved"))
    assert (answer.abstains, len(openai.asked)) == (True, 3)
    broken = await ask(room.manager, validate=lambda _: 1 / 0)
    assert (broken.abstains, len(openai.asked)) == (True, 5)


async def until_asked(provider: FakeProvider, times: int = 1) -> None:
    while len(provider.asked) < times:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0)


@dataclass
class Held:
    """Steps that answer when they may."""

    may: asyncio.Event = field(default_factory=asyncio.Event)

    def then(self, step: Step) -> Step:
        async def held(request: ModelRequest) -> ModelReply:
            await self.may.wait()
            return await step(request)

        return held


async def test_the_same_question_at_once_is_asked_once(store: Database):
    held = Held()
    openai = FakeProvider(script=[held.then(says())])
    manager = models(store, openai).manager
    asking = [asyncio.create_task(ask(manager)) for _ in range(5)]
    other = asyncio.create_task(ask(manager, "What of ETH/EUR?"))
    await until_asked(openai, 2)
    held.may.set()
    answers = await asyncio.gather(*asking)
    assert (await other).calls != answers[0].calls
    assert [each.value for each in answers] == [SOL] * 5
    assert len(openai.asked) == 2
    assert sorted(each.cost for each in answers) == [0, 0, 0, 0, Decimal("0.011")]
    assert sorted((call.prompt, call.reused) for call in await recorded(store)) == [
        ("What of ETH/EUR?", 0),
        ("What of SOL/EUR?", 4),
    ]
    assert (await ask(manager)).is_cached is False, "later is not at once"


async def test_a_failure_is_not_shared_who_waited_asks_too(store: Database):
    held = Held()
    openai = FakeProvider(script=[held.then(fails(ModelFault.BUSY)), says()])
    manager = models(store, openai).manager
    asking = [asyncio.create_task(ask(manager)) for _ in range(3)]
    await until_asked(openai)
    held.may.set()
    answers = await asyncio.gather(*asking)
    assert [each.abstains for each in answers] == [True, False, False]
    assert (len(openai.asked), [each.is_cached for each in answers]) == (2, [False, False, True])


async def test_who_waits_for_anothers_answer_has_a_deadline_of_their_own(store: Database):
    held = Held()
    openai = FakeProvider(script=[held.then(says())])
    manager = models(store, openai).manager
    first = asyncio.create_task(ask(manager, deadline=60))
    await until_asked(openai)
    hasty = await ask(manager, deadline=0.5)
    assert (hasty.abstains, hasty.calls, hasty.cost) == (True, (), 0)
    assert "the same was asked already, and had no answer within 0." in hasty.reason
    held.may.set()
    assert (await first).value == SOL


async def test_who_asked_first_and_goes_away_leaves_the_question_to_who_waits(store: Database):
    openai = FakeProvider(script=[hangs(), says()])
    manager = models(store, openai).manager
    first = asyncio.create_task(ask(manager))
    await until_asked(openai)
    second = asyncio.create_task(ask(manager))
    first.cancel()
    assert (await second).value == SOL
    assert len(openai.asked) == 2


async def test_each_judges_the_shared_answer_by_what_it_knows(store: Database):
    held = Held()
    openai = FakeProvider(script=[held.then(says())])
    manager = models(store, openai).manager
    first = asyncio.create_task(ask(manager))
    await until_asked(openai)
    strict = asyncio.create_task(ask(manager, validate=lambda _: Unfit(reason="the book has moved")))
    await asyncio.sleep(0)
    held.may.set()
    assert (await first).value == SOL
    assert (await strict).reason == "openai big: the book has moved"
    assert len(openai.asked) == 3, "it asks itself, and once more"


async def test_near_a_cap_the_cheapest_is_asked_in_place_of_the_dear(store: Database):
    openai, local, offline = FakeProvider(), FakeProvider("local"), FakeProvider("offline")
    cap = Cap(period=Period.DAY, usd=Decimal("0.0135"))
    room = models(store, openai, local, offline, chain=(BIG, SMALL, OFFLINE), caps=(cap,))
    assert (await ask(room.manager)).provider == "openai"
    assert (await ask(room.manager)).provider == "local", "81 % are used"


async def test_what_does_not_fit_into_a_cap_goes_down_to_the_rules(store: Database):
    openai, offline = FakeProvider(), FakeProvider("offline")
    cap = Cap(period=Period.MONTH, usd=Decimal("0.001"))
    room = models(store, openai, offline, chain=(BIG, OFFLINE), caps=(cap,))
    assert (await ask(room.manager)).is_offline
    assert openai.asked == []
    alone = await ask(models(store, openai, caps=(cap,)).manager)
    assert "the month's budget has $0.001 left, and the call could cost $0.0054" in alone.reason


async def test_a_model_whose_price_nobody_knows_is_not_asked(store: Database):
    openai = FakeProvider()
    answer = await ask(models(store, openai, pricing=FakePricing({})).manager)
    assert (answer.reason, openai.asked) == ("openai big: nobody knows the price of big", [])


async def test_what_cannot_be_written_down_is_not_asked(store: Database):
    def broken() -> None:
        raise StoreError("The disk is full.")

    openai = FakeProvider()
    store.check_before_writing(broken)
    answer = await ask(models(store, openai).manager)
    assert (answer.abstains, openai.asked) == (True, [])
    assert answer.reason == "The disk is full. Nobody is asked what cannot be booked."


async def test_switched_off_nobody_is_asked(store: Database):
    openai = FakeProvider()
    answer = await ask(replace(models(store, openai).manager, is_on=False))
    assert (answer.reason, openai.asked) == ("language models are off (ai.enabled)", [])


async def test_without_a_chain_nobody_is_asked(store: Database):
    assert (await ask(models(store, chain=()).manager)).reason == "no model is configured for it (llm.chain)"


async def test_a_tape_answers_as_models_did_for_nothing_and_says_nothing_else(store: Database):
    """Also of what went wrong on the way: the same model answers, after the same tries."""
    openai = FakeProvider(script=[says("no JSON"), says("nor is this"), fails(ModelFault.TIME), says()])
    local = FakeProvider("local", script=[says(), says('{"symbol": "BTC/EUR", "confidence": 0.1}')])
    live = models(store, openai, local, chain=(BIG, SMALL)).manager
    prompts = ["one", "two", "three"]
    told = [await ask(live, prompt) for prompt in prompts]
    assert [each.provider for each in told] == ["local", "local", "openai"]
    calls = await recorded(store)
    taped = replace(live, calls=TapeCalls(calls))
    again = [await ask(taped, prompt) for prompt in prompts]
    assert [(each.value, each.provider, each.calls) for each in again] == [
        (each.value, each.provider, each.calls) for each in told
    ]
    assert [each.cost for each in again] == [0, 0, 0]
    unknown = await ask(taped, "four")
    assert (unknown.value, unknown.verdict) == (None, Verdict.FAILED)
    assert unknown.reason == "openai big: the tape has no answer to this; local small: the tape has no answer to this"
    assert len(await recorded(store)) == len(calls), "nothing is written"


async def test_a_failure_is_billed_where_the_provider_says_so(store: Database):
    used = Usage(input_tokens=700, output_tokens=0)
    await ask(models(store, FakeProvider(script=[fails(ModelFault.BUSY, usage=used)])).manager)
    (call,) = await recorded(store)
    assert (call.state, call.cost_usd, call.usage) == (CallState.SETTLED, Decimal("0.007"), used)


async def test_what_was_never_charged_keeps_no_reservation(store: Database):
    cap = Cap(period=Period.DAY, usd=Decimal("0.0122"))
    openai = FakeProvider(script=[*[fails(ModelFault.RATE, usage=UNBILLED)] * 4, says()])
    manager = models(store, openai, caps=(cap,)).manager
    for _ in range(4):
        assert (await ask(manager)).cost == 0
    assert (await ask(manager)).value == SOL, "the cap is as it was"
    assert [(call.state, call.booked) for call in await recorded(store)][:4] == [(CallState.SETTLED, 0)] * 4


async def test_texts_that_no_database_takes_are_kept_all_the_same(store: Database):
    odd = reply('{"symbol": "a\\u0000b\x00\ud800", "confidence": 1}')

    async def says_odd(_: object) -> object:
        return odd

    await ask(models(store, FakeProvider(script=[says_odd])).manager)
    assert [call.state for call in await recorded(store)] == [CallState.SETTLED] * 2


async def test_an_earlier_vote_answers_for_no_other_and_for_itself_again(store: Database):
    openai = FakeProvider(script=[says()])
    manager = models(store, openai, cache_ttl=timedelta(minutes=10)).manager
    for vote in (1, 2, 1, 2):
        await manager.generate("What of SOL/EUR?", "You read markets.", purpose="analyst", vote=vote)
    assert [each.vote for each in openai.asked] == [1, 2]


async def test_how_sure_a_model_was_is_remembered_with_its_answer(store: Database):
    async def sure(_: ModelRequest) -> ModelReply:
        return replace(reply(), probability=0.7)

    manager = models(store, FakeProvider(script=[sure]), cache_ttl=timedelta(minutes=10)).manager
    first = await manager.generate("What of SOL/EUR?", "You read markets.", purpose="analyst")
    again = await manager.generate("What of SOL/EUR?", "You read markets.", purpose="analyst")
    assert (first.probability, again.probability, again.is_cached) == (0.7, 0.7, True)
