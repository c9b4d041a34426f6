"""Whether a model keeps to a schema is seen at the start."""

from __future__ import annotations

from engine.domain.model_calls import ModelFault
from engine.llm.canary import canary
from engine.store.database import Database
from tests.fakes.models import BIG, SMALL, FakeProvider, fails, models, says

KEPT = says('{"word": "canary", "number": 17}')


async def test_a_model_that_keeps_to_the_schema_is_well(store: Database):
    openai = FakeProvider(script=[KEPT])
    assert await canary(models(store, openai).manager, [BIG]) == {}
    assert [request.purpose for request in openai.asked] == ["canary"]


async def test_each_model_is_asked_by_itself_and_what_is_wrong_is_told(store: Database):
    openai = FakeProvider(script=[fails(ModelFault.KEY)])
    local = FakeProvider("local", script=[says("Sure! The word is canary.")])
    wrong = await canary(models(store, openai, local).manager, [BIG, SMALL])
    assert wrong == {
        "openai": "big did not answer: openai big: it keys.",
        "local": "small does not keep to a schema: local small: the answer has no object",
    }
