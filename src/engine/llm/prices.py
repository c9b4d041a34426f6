"""What calls cost, in US dollars: by prices of one's own, or as genai-prices knows them for model and tier served."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING

from engine.domain.errors import UnpricedModel
from engine.domain.model_calls import UNBILLED, ModelRequest, Usage
from engine.ports import Clock

if TYPE_CHECKING:
    from genai_prices import types

ANY_MODEL = ""
"""In the place of a model's name: whatever the provider runs."""
_MILLION = Decimal(1_000_000)
_AROUND = 1024
_LETTERS = 4
"""Of a token, as English has them."""
_USUALLY_WRITTEN = 400
"""Tokens of an answer: an opinion with its reasons has 70 to 200, and models think before they write."""
"""Tokens that a provider may put around a question: its format, and how it tells the model of a schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Dollars for a million tokens.

    Attributes:
        input: Read.
        output: Written, thinking included.
        cached: Read, and known to the provider from before; as ``input`` where not given.
    """

    input: Decimal
    output: Decimal
    cached: Decimal | None = None

    def cost(self, usage: Usage) -> Decimal:
        """What a call has cost."""
        cached = self.input if self.cached is None else self.cached
        fresh = usage.input_tokens - usage.cached_tokens
        return (fresh * self.input + usage.cached_tokens * cached + usage.output_tokens * self.output) / _MILLION


FREE = Price(input=Decimal(0), output=Decimal(0))


class PriceList:
    """The prices of all models that may be asked.

    Args:
        own: Prices of one's own, by provider and model; ``ANY_MODEL`` for all of a provider's. They come first.
        sources: Whose list the other models of a provider are looked up in, as genai-prices calls it (``openai``,
            ``anthropic``); nobody's where a provider is not among them.
        clock: Some prices hold from a day on.
    """

    def __init__(self, *, own: Mapping[tuple[str, str], Price], sources: Mapping[str, str], clock: Clock) -> None:
        self._own = own
        self._sources = sources
        self._clock = clock

    def of(self, provider: str, model: str) -> Price:
        """The plain price of a model, as people are told it: long questions and other tiers may cost more.

        Raises:
            UnpricedModel: Nobody knows it.
        """
        if (own := self._own_price(provider, model)) is not None:
            return own
        known = self._known(provider, model, UNBILLED).model_price
        read, written = _base(known.input_mtok), _base(known.output_mtok)
        return Price(input=read or Decimal(0), output=written or Decimal(0), cached=_base(known.cache_read_mtok))

    def cost(self, provider: str, model: str, usage: Usage) -> Decimal:
        """What a call has cost, at the tier that it was served at.

        Args:
            provider: As the settings call it.
            model: The model that was asked for.
            usage: What the provider counted.

        Raises:
            UnpricedModel: Nobody knows the price.
        """
        if (own := self._own_price(provider, model)) is not None:
            return own.cost(usage)
        return self._known(provider, model, usage).total_price

    def worst(self, provider: str, request: ModelRequest) -> Decimal:
        """The most that a call can cost: as many tokens read as it can have, and as many written as it may.

        Raises:
            UnpricedModel: Nobody knows the price.
        """
        read = most_tokens(request)
        plain = Usage(input_tokens=read, output_tokens=request.max_tokens)
        cached = Usage(input_tokens=read, cached_tokens=read, output_tokens=request.max_tokens)
        kept = Usage(input_tokens=read, cache_write_tokens=read, output_tokens=request.max_tokens)
        return max(self.cost(provider, request.model, usage) for usage in (plain, cached, kept))

    def _own_price(self, provider: str, model: str) -> Price | None:
        return self._own.get((provider, model)) or self._own.get((provider, ANY_MODEL))

    def _known(self, provider: str, model: str, usage: Usage) -> types.PriceCalculation:
        """Of a model that has a price for what it reads and one for what it writes: of others there is no telling."""
        import genai_prices

        source = self._sources.get(provider)
        if source is None:
            raise _unpriced(provider, model, source)
        counted = genai_prices.Usage(
            input_tokens=usage.input_tokens,
            cache_read_tokens=usage.cached_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            output_tokens=usage.output_tokens,
        )
        served = {"service_tier": usage.tier} if usage.tier else None
        try:
            found = genai_prices.calc_price(
                counted,
                model,
                provider_id=source,
                genai_request_timestamp=self._clock.now(),
                price_context=served,
            )
        except LookupError:
            raise _unpriced(provider, model, source) from None
        if found.model_price.input_mtok is None or found.model_price.output_mtok is None:
            raise _unpriced(provider, model, source)
        return found


def most_tokens(request: ModelRequest) -> int:
    """As many tokens as a question can have, whoever counts: none is shorter than a byte.

    Some tokenizers spell letters out before they count, and the schema may stand in the question too.
    """
    schema = json.dumps(request.schema, indent=2) if request.schema is not None else ""
    texts = (request.system_message, request.prompt, request.schema_name, schema, schema)
    return _AROUND + sum(_bytes(text) for text in texts)


def usual_tokens(request: ModelRequest) -> Usage:
    """What a question and its answer usually have."""
    written = min(request.max_tokens, _USUALLY_WRITTEN)
    return Usage(input_tokens=most_tokens(request) // _LETTERS, output_tokens=written)


def _bytes(text: str) -> int:
    spelled = unicodedata.normalize("NFKC", text)
    return max(len(each.encode("utf-8", "surrogatepass")) for each in (text, spelled))


def _base(price: Decimal | types.TieredPrices | None) -> Decimal | None:
    return price if price is None or isinstance(price, Decimal) else price.base


def _unpriced(provider: str, model: str, source: str | None) -> UnpricedModel:
    from genai_prices.data_snapshot import get_snapshot

    names = [known.id for each in get_snapshot().providers if each.id == source for known in each.models]
    near = get_close_matches(model, names, n=1)
    meant = f"Did you mean {near[0]}? " if near else ""
    return UnpricedModel(
        f"Nobody knows what {model} of {provider} costs.",
        f"{meant}Configure its price, in dollars for a million tokens: "
        f'llm.providers.{provider}.price = {{"input": 1, "output": 4, "cached": 0.1}}.',
    )
