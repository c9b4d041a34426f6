"""The offline analyst: rules over the brief that a model would get, where none may be asked. Free, and labelled."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from engine.domain.errors import ModelError
from engine.domain.model_calls import UNBILLED, ModelFault, ModelReply, ModelRequest, StopReason

LABEL = "offline analyst"
"""What people are told in the place of a model's name."""
Rule = Callable[[ModelRequest], Mapping[str, Any] | None]
"""Makes the wanted object of a question, pure; ``None`` where it has no opinion."""


class OfflineAnalyst:
    """A member of the family that asks nobody.

    Args:
        rules: How each purpose is answered.
    """

    def __init__(self, *, rules: Mapping[str, Rule], name: str = "offline") -> None:
        self._rules = rules
        self._name = name

    @property
    def name(self) -> str:
        """What it is called in the settings."""
        return self._name

    async def open(self) -> None:
        """Rules are there."""

    async def ask(self, request: ModelRequest) -> ModelReply:
        """Answer by the rule for the purpose.

        Raises:
            ModelError: There is no such rule, or it has no opinion.
        """
        rule = self._rules.get(request.purpose)
        if rule is None:
            raise ModelError(f"The {LABEL} has no rule for {request.purpose}.", fault=ModelFault.REQUEST)
        if (said := rule(request)) is None:
            raise ModelError(f"The {LABEL} has no opinion.", fault=ModelFault.REQUEST)
        return ModelReply(
            text=json.dumps(said, ensure_ascii=False, default=str),
            stop=StopReason.END,
            usage=UNBILLED,
            model=LABEL,
        )

    async def close(self) -> None:
        """Nothing is open."""
