"""How language models are, with how well the confidences that trades were decided with have foretold what came."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from engine.analysis.reliability import grades
from engine.domain.model_views import ModelsView
from engine.store.database import DatabaseReader


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedModels:
    """Grades what was decided.

    Attributes:
        overview: Tells how the models are, and what they cost.
    """

    overview: Callable[[], Awaitable[ModelsView]]
    store: DatabaseReader

    async def view(self) -> ModelsView:
        """All of it, as of now."""
        view = await self.overview()
        outcomes = await self.store.read(lambda uow: uow.outcomes.closed_from(None)) if view.is_on else ()
        return replace(view, grades=grades(outcomes))
