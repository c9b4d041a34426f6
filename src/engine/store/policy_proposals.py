"""The policies that were proposed, and which of them was adopted last: kept among the small facts, for they are few."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.domain.policy_proposals import PolicyProposal
from engine.store.notices import Notices
from engine.store.numbering import Numbering
from engine.store.settings import Settings

_ADOPTED = "ppo.adopted"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyProposals:
    """Proposals by their ids."""

    settings: Settings
    numbering: Numbering

    def next_id(self) -> str:
        """An id for the next one."""
        return f"R{self.numbering.next('R')}"

    def put(self, proposal: PolicyProposal) -> None:
        """Keep a proposal as it is now."""
        self._kept.put(proposal)

    def get(self, proposal_id: str) -> PolicyProposal:
        """A proposal.

        Raises:
            UnknownId: There is no such proposal.
        """
        return self._kept.get(proposal_id)

    def adopted(self) -> PolicyProposal | None:
        """The one that is asked now; ``None`` for the policy of the settings."""
        kept = self.settings.get(_ADOPTED)
        return self.get(kept) if kept and self._kept.has(kept) else None

    def adopt(self, proposal_id: str) -> None:
        """Have one asked from now on; empty for the policy of the settings."""
        self.settings.set(_ADOPTED, proposal_id)

    def not_over_by(self, before: datetime) -> frozenset[str]:
        """The ids of those that were not over by then."""
        return self._kept.not_over_by(before)

    def let_go(self, before: datetime) -> None:
        """Forget those that were over by then."""
        self._kept.let_go(before)

    @property
    def _kept(self) -> Notices[PolicyProposal]:
        return Notices(
            settings=self.settings, prefix="policy_proposal.", kind=PolicyProposal, over_at=lambda each: each.over_at
        )
