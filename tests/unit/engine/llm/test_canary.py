"""Whether a model keeps to a schema is seen at the start."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from engine.domain.model_calls import ModelFault
from engine.llm.canary import NO_CANARIES, Canaries, ask_canaries
from engine.store.database import Database
from tests.fakes.models import BIG, MONTH, SMALL, FakeProvider, fails, models, says

KEPT = says('{"word": "canary", "number": 17}')


async def test_a_model_that_keeps_to_the_schema_is_well(store: Database):
    openai = FakeProvider(script=[KEPT])
    assert await ask_canaries(models(store, openai).manager, [BIG]) == NO_CANARIES
    assert [request.purpose for request in openai.asked] == ["canary"]


async def test_each_model_is_asked_by_itself_and_what_is_wrong_is_told(store: Database):
    openai = FakeProvider(script=[fails(ModelFault.KEY)])
    local = FakeProvider("local", script=[says("Sure! The word is canary.")])
    assert await ask_canaries(models(store, openai, local).manager, [BIG, SMALL]) == Canaries(
        schemaless={"local": "small does not keep to a schema: local small: the answer has no object"},
        silent={"openai": "no answer at the start: openai big: it keys."},
    )


async def test_who_could_not_be_asked_is_not_said_to_be_silent(store: Database):
    openai = FakeProvider()
    assert (
        await ask_canaries(models(store, openai, caps=[replace(MONTH, usd=Decimal(0))]).manager, [BIG]) == NO_CANARIES
    )
    assert openai.asked == []
