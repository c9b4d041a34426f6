"""One question to a language model, and what its provider answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class StopReason(StrEnum):
    """Why a model stopped."""

    END = "end"
    """It had said everything."""
    LENGTH = "length"
    """It was cut at the most tokens it might use."""
    REFUSED = "refused"
    """It, or a filter of its provider, would not answer."""
    TOOL = "tool"
    """It wants a tool; none is ever offered."""
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a provider counts of one call, in tokens.

    Attributes:
        input_tokens: All that was read, cached or not.
        cached_tokens: Those of them that came from the provider's own cache.
        cache_write_tokens: Those of them that were written to it.
        output_tokens: All that was written, thinking included.
        tier: The tier of service it was served at; empty where the provider does not say.
    """

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    tier: str = ""


UNBILLED = Usage(input_tokens=0, output_tokens=0)
"""What a call has used that nothing is charged for: it did not leave, or came to no model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """What is asked.

    Attributes:
        purpose: What for, e.g. ``analyst`` or ``prediction``: figures are kept by it.
        model: The model, as its provider calls it.
        system_message: Who the model is to be, and its rules.
        prompt: The question.
        schema_name: What the wanted object is called; empty where any text will do.
        schema: The JSON schema of the wanted object; ``None`` where any text will do.
        max_tokens: The most it may write.
        vote: Which of several answers to the very same question is wanted, from 1 on.
        probability_of: The field of the wanted object whose value's probability is asked for; empty for none.
    """

    purpose: str
    model: str
    system_message: str
    prompt: str
    schema_name: str = ""
    schema: Mapping[str, Any] | None = None
    max_tokens: int
    vote: int = 1
    probability_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReply:
    """What a provider answers.

    Attributes:
        text: What the model wrote, without its thinking.
        stop: Why it stopped.
        usage: What is charged for; ``None`` where the provider did not say.
        model: The model that was served, perhaps a dated name of the one asked for; empty where that is not said.
        request_id: What the provider calls the call, for its support; empty where it has no name.
        probability: That of the value that was asked about, in [0, 1]; ``None`` where the provider does not tell it.
    """

    text: str
    stop: StopReason
    usage: Usage | None
    model: str
    request_id: str = ""
    probability: float | None = None


class ModelFault(StrEnum):
    """What went wrong with a call."""

    KEY = "key"
    """The key is wrong, or may not do this."""
    RATE = "rate"
    """Too many calls, or none left."""
    BUSY = "busy"
    """The provider is overloaded or fails by itself."""
    TIME = "time"
    """It took too long."""
    UNREACHABLE = "unreachable"
    """There is no connection, or it was cut."""
    REQUEST = "request"
    """The provider does not take the question as it is; to ask the same again is in vain."""
    NONSENSE = "nonsense"
    """What came back is no answer."""
