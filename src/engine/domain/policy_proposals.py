"""A policy that was trained anew, as a proposal: nothing asks it before an admin has approved of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


class ProposalChoice(StrEnum):
    """What a person can say to a proposal; also what its buttons carry."""

    ADOPT = "policy-adopt"
    DECLINE = "policy-decline"
    TAKE_BACK = "policy-back"


class ProposalStage(StrEnum):
    """How far a proposal has come. Declined stays declined, and what was taken back is not adopted again.

    What failed is no proposal: there was a training, and no policy came of it.
    """

    OPEN = "open"
    ADOPTED = "adopted"
    DECLINED = "declined"
    TAKEN_BACK = "taken back"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyProposal:
    """A policy that could be asked from now on.

    Attributes:
        id: Such as ``R3``.
        at: When it was proposed.
        file: Where it is: the one that ends in ``.json``; empty where none came of its training.
        about: What is known of it, in sentences; where none came of its training, why.
        test: What it came to on its test beside others: name, growth as a fraction, deepest drawdown as a fraction.
        before: The proposal that was adopted until this one was; empty for the policy of the settings.
        by, answered_at: Who answered it last, and when.
    """

    id: str
    at: datetime
    name: str
    file: str
    about: tuple[str, ...]
    test: tuple[tuple[str, float, float], ...]
    stage: ProposalStage = ProposalStage.OPEN
    before: str = ""
    by: str = ""
    answered_at: datetime | None = None

    @property
    def over_at(self) -> datetime:
        """When nobody needs it any more: never, while it is open or adopted."""
        if self.stage is ProposalStage.FAILED:
            return self.at
        is_over = self.stage in (ProposalStage.DECLINED, ProposalStage.TAKEN_BACK)
        return self.answered_at if is_over and self.answered_at is not None else _NEVER
