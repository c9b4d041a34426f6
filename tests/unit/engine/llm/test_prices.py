"""Calls cost what their model does at the tier served, and never more than was reserved for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.domain.errors import UnpricedModel
from engine.domain.model_calls import ModelRequest, Usage
from engine.llm.prices import ANY_MODEL, FREE, Price, PriceList, most_tokens, usual_tokens

OWN = Price(input=Decimal("0.5"), output=Decimal(2), cached=Decimal("0.05"))
MILLION = 1_000_000


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 11, 30, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


PRICES = PriceList(
    own={("openai", "my-tuned-model"): OWN, ("local", ANY_MODEL): FREE},
    sources={"openai": "openai", "anthropic": "anthropic", "second": "openai"},
    clock=Clock(),
)


def used(read: int, written: int, *, cached: int = 0, kept: int = 0, tier: str = "") -> Usage:
    return Usage(input_tokens=read, output_tokens=written, cached_tokens=cached, cache_write_tokens=kept, tier=tier)


def request(prompt: str = "?", *, model: str = "gpt-5-mini", max_tokens: int = 100) -> ModelRequest:
    return ModelRequest(purpose="analyst", model=model, system_message="", prompt=prompt, max_tokens=max_tokens)


@pytest.mark.parametrize(
    ("provider", "model", "usage", "dollars"),
    [
        ("openai", "gpt-5-mini", used(MILLION, MILLION), "2.25"),
        ("openai", "gpt-5-mini-2025-08-07", used(MILLION, MILLION), "2.25"),
        ("second", "gpt-5-mini", used(MILLION, MILLION), "2.25"),
        ("openai", "gpt-5-mini", used(MILLION, 0, cached=MILLION), "0.025"),
        ("openai", "gpt-5.2", used(100_000, 100_000), "1.575"),
        ("openai", "gpt-5.2", used(100_000, 100_000, tier="default"), "1.575"),
        ("openai", "gpt-5.2", used(100_000, 100_000, tier="priority"), "3.15"),
        ("openai", "gpt-5.2", used(100_000, 100_000, tier="flex"), "0.7875"),
        ("anthropic", "claude-haiku-4-5", used(MILLION, MILLION, tier="standard"), "6"),
        ("anthropic", "claude-haiku-4-5", used(MILLION, 0, cached=400_000, kept=100_000), "0.665"),
        ("anthropic", "claude-sonnet-4-5", used(200_000, 0), "0.6"),
        ("anthropic", "claude-sonnet-4-5", used(200_001, 0), "1.200006"),
        ("openai", "my-tuned-model", used(MILLION, MILLION, cached=500_000), "2.275"),
        ("local", "qwen3-8b", used(MILLION, MILLION), "0"),
    ],
)
def test_a_call_costs_what_its_model_does_at_the_tier_served(
    provider: str, model: str, usage: Usage, dollars: str
) -> None:
    assert PRICES.cost(provider, model, usage) == Decimal(dollars)


def test_the_plain_price_is_told() -> None:
    assert PRICES.of("openai", "gpt-5-mini") == Price(input=Decimal("0.25"), output=Decimal(2), cached=Decimal("0.025"))
    assert PRICES.of("anthropic", "claude-sonnet-4-5").input == 3
    assert PRICES.of("openai", "my-tuned-model") is OWN
    assert PRICES.of("local", "whatever") is FREE


Ask = Callable[[str, str], object]
ASKS: list[Ask] = [
    PRICES.of,
    lambda provider, model: PRICES.cost(provider, model, used(1, 1)),
    lambda provider, model: PRICES.worst(provider, request(model=model)),
]


@pytest.mark.parametrize("ask", ASKS, ids=["of", "cost", "worst"])
@pytest.mark.parametrize(
    ("provider", "model", "meant"),
    [
        ("openai", "gpt5-mini", "Did you mean gpt-5-mini? Configure its price"),
        ("anthropic", "claude-haiku-45", "Did you mean claude-haiku-4-5?"),
        ("openai", "zzz", "costs. Configure its price"),
        ("openai", "text-embedding-3-small", "llm.providers.openai.price = "),
        ("elsewhere", "gpt-5-mini", "Nobody knows what gpt-5-mini of elsewhere costs. Configure its price"),
    ],
)
def test_a_model_without_a_price_is_an_error_with_the_nearest_name(
    ask: Ask, provider: str, model: str, meant: str
) -> None:
    with pytest.raises(UnpricedModel) as refused:
        ask(provider, model)
    assert meant in str(refused.value)


@pytest.mark.parametrize(
    "model", ["gpt-5-mini", "gpt-6-sol", "claude-haiku-4-5", "claude-sonnet-4-5", "my-tuned-model"]
)
@example(length=900, counted=1.0, shares=(0.0, 1.0))
@example(length=900, counted=1.0, shares=(1.0, 0.0))
@given(length=st.integers(0, 300_000), counted=st.floats(0, 1), shares=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_no_call_costs_more_than_its_reservation(
    model: str, length: int, counted: float, shares: tuple[float, float]
) -> None:
    """However its tokens are counted, and whatever of them was known or is kept."""
    provider = "anthropic" if model.startswith("claude") else "openai"
    asked = request("x" * length, model=model, max_tokens=5000)
    read = int(most_tokens(asked) * counted)
    cached = int(read * shares[0])
    usage = used(read, int(5000 * counted), cached=cached, kept=int((read - cached) * shares[1]))
    assert PRICES.cost(provider, model, usage) <= PRICES.worst(provider, asked)


def test_what_a_question_usually_has_is_a_quarter_of_what_it_can_and_an_answer_of_some_length() -> None:
    """A panel of a small account was never asked: its cost was taken for four answers as long as they may be."""
    asked = request("x" * 4000, max_tokens=5000)
    assert usual_tokens(asked) == Usage(input_tokens=most_tokens(asked) // 4, output_tokens=400)
    assert usual_tokens(request(max_tokens=50)).output_tokens == 50


@given(st.text(max_size=60))
def test_no_question_has_more_tokens_than_it_is_reckoned_with(text: str) -> None:
    assert most_tokens(request(text)) >= len(text.encode("utf-8", "surrogatepass")) + 1000


def test_letters_that_are_spelled_out_are_reckoned_as_such() -> None:
    assert most_tokens(request("\ufdfa")) - most_tokens(request("")) == 33


def test_a_schema_is_reckoned_as_twice_in_the_question() -> None:
    schema = {"type": "object", "properties": {"é": {"type": "string"}}}
    more = most_tokens(replace(request(), schema=schema)) - most_tokens(request())
    assert more == 2 * len(json.dumps(schema, indent=2))
