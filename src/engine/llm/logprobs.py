"""How sure a model was of a value that it wrote, by the log-probabilities of its tokens. Pure.

The probability of a value is the product of those of its tokens, each given the ones before it (the chain rule).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def probability_of(field: str, tokens: Any) -> float | None:
    """The probability of the text that stands as a field's value in what was written.

    Args:
        field: Its name in the JSON object.
        tokens: What was written, as OpenAI's interface tells it: objects with ``token`` and ``logprob``.

    Returns:
        It, in [0, 1]; ``None`` where the tokens cannot be read, or have no such text.
    """
    read = list(_read(tokens)) if isinstance(tokens, Sequence) else []
    found = list(re.finditer(rf'"{re.escape(field)}"\s*:\s*"([^"\\]+)"', "".join(text for text, _ in read)))
    if not found:
        return None
    begin, end = found[-1].span(1)  # thoughts, where there are any, stand before the object
    total, at = 0.0, 0
    for text, logprob in read:
        if at < end and at + len(text) > begin:
            total += logprob
        at += len(text)
    return min(1.0, math.exp(total))


def _read(tokens: Sequence[Any]) -> Iterator[tuple[str, float]]:
    """The tokens up to the first one that is none."""
    for each in tokens:
        if not isinstance(each, Mapping):
            return
        text, logprob = each.get("token"), each.get("logprob")
        if not isinstance(text, str) or not isinstance(logprob, int | float) or math.isnan(logprob):
            return
        yield text, min(float(logprob), 0.0)
