"""Policies that were trained anew: proposed, approved by an admin, and taken back by one press.

trained ─▶ proposal, told everywhere ─▶ adopted or declined ─▶ taken back
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from engine.domain.events import PolicyProposed
from engine.domain.policy_proposals import PolicyProposal, ProposalChoice, ProposalStage
from engine.ports import Clock
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork

_NEXT = {
    (ProposalStage.OPEN, ProposalChoice.ADOPT): ProposalStage.ADOPTED,
    (ProposalStage.OPEN, ProposalChoice.DECLINE): ProposalStage.DECLINED,
    (ProposalStage.ADOPTED, ProposalChoice.TAKE_BACK): ProposalStage.TAKEN_BACK,
}
"""What a press makes of a proposal; any other changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyProposals:
    """Proposes policies, and does what people say to them."""

    store: Database
    clock: Clock

    async def propose(
        self, name: str, file: str, about: tuple[str, ...], test: tuple[tuple[str, float, float], ...]
    ) -> PolicyProposal:
        """Propose a policy; nothing asks it yet.

        Args:
            name: Its name.
            file: Where it is.
            about: What is known of it, in sentences.
            test: What it came to on its test beside others.
        """

        def work(uow: UnitOfWork) -> PolicyProposal:
            now, id_ = self.clock.now(), uow.policy_proposals.next_id()
            proposal = PolicyProposal(id=id_, at=now, name=name, file=file, about=about, test=test)
            _keep(uow, proposal, now)
            return proposal

        return await self.store.transact(work)

    async def failed(self, name: str, why: str) -> PolicyProposal:
        """Tell people that nothing came of a training; what is asked about entries stays as it is.

        Args:
            name: That of the policy which was to be trained.
            why: In sentences.
        """

        def work(uow: UnitOfWork) -> PolicyProposal:
            now, id_ = self.clock.now(), uow.policy_proposals.next_id()
            told = PolicyProposal(id=id_, at=now, name=name, file="", about=(why,), test=(), stage=ProposalStage.FAILED)
            _keep(uow, told, now)
            return told

        return await self.store.transact(work)

    async def press(self, proposal_id: str, person: str, choice: ProposalChoice) -> PolicyProposal:
        """Answer a proposal: what became of it. One that was answered before stays as it is.

        Raises:
            UnknownId: There is no such proposal.
        """
        return await self.store.transact(lambda uow: self._press(uow, proposal_id, person, choice))

    def _press(self, uow: UnitOfWork, proposal_id: str, person: str, choice: ProposalChoice) -> PolicyProposal:
        proposal, now = uow.policy_proposals.get(proposal_id), self.clock.now()
        stage = _NEXT.get((proposal.stage, choice))
        if stage is None:
            return proposal
        adopted = uow.policy_proposals.adopted()
        answered = replace(proposal, stage=stage, by=person, answered_at=now)
        if stage is ProposalStage.ADOPTED:
            answered = replace(answered, before=adopted.id if adopted else "")
            uow.policy_proposals.adopt(proposal.id)
        elif stage is ProposalStage.TAKEN_BACK and adopted is not None and adopted.id == proposal.id:
            uow.policy_proposals.adopt(_standing(uow, proposal.before))
        _keep(uow, answered, now)
        return answered


def _standing(uow: UnitOfWork, proposal_id: str) -> str:
    """The newest one before that is still adopted; empty for the policy of the settings."""
    while proposal_id:
        found = uow.policy_proposals.get(proposal_id)
        if found.stage is ProposalStage.ADOPTED:
            return found.id
        proposal_id = found.before
    return ""


def _keep(uow: UnitOfWork, proposal: PolicyProposal, now: datetime) -> None:
    uow.policy_proposals.put(proposal)
    uow.emit(PolicyProposed(at=now, proposal_id=proposal.id))
