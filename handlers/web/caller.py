"""Who is asking, once they have shown it."""

from __future__ import annotations

from dataclasses import dataclass

from engine.domain.messages import Person, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who has shown who they are.

    Attributes:
        platform: ``web`` for a signed-in browser, ``api`` for the bearer of the token.
        user: What that platform calls them.
    """

    platform: str
    user: str
    person: Person

    @property
    def may_answer(self) -> bool:
        """Whether their role lets them answer approvals."""
        return self.person.role.includes(Role.TRADER)
