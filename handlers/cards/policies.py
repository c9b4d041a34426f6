"""A policy that was trained anew, as cards: its test, and what became of the proposal. Pure."""

from __future__ import annotations

from engine.domain.messages import Button, Card, Table
from engine.domain.policy_proposals import PolicyProposal, ProposalChoice, ProposalStage
from handlers.cards import wording

_BECAME = {
    ProposalStage.OPEN: "Nothing asks it yet: an admin decides.",
    ProposalStage.ADOPTED: "It is asked from the next entry on, as far as the mode goes (/ppo).",
    ProposalStage.DECLINED: "It is not asked, and will not be.",
    ProposalStage.TAKEN_BACK: "The policy before it is asked again.",
    ProposalStage.FAILED: "What is asked about entries stays as it is. bot train makes one by hand.",
}


def proposed(proposal: PolicyProposal) -> Card:
    """A proposal as it stands, or that nothing came of a training."""
    if proposal.stage is ProposalStage.FAILED:
        return Card(
            title=f"No policy was trained anew: {proposal.name} ({proposal.id})",
            topic=f"policy:{proposal.id}",
            text=wording.lines(*proposal.about, _BECAME[proposal.stage]),
        )
    said = f" by {proposal.by}" if proposal.by else ""
    return Card(
        title=f"Policy {proposal.name} is {_state(proposal)}{said} ({proposal.id})",
        topic=f"policy:{proposal.id}",
        fields=(("Trained anew", wording.moment(proposal.at)),),
        text=wording.lines(*proposal.about, _BECAME[proposal.stage]),
        table=Table(
            head=("on its test", "growth", "drawdown"),
            rows=tuple(
                (name, wording.signed_percent(growth), wording.percent(drawdown))
                for name, growth, drawdown in proposal.test
            ),
        ),
        buttons=_buttons(proposal),
    )


def answered(proposal: PolicyProposal) -> Card:
    """What a press came to."""
    said = f" by {proposal.by}" if proposal.by else ""
    return Card(title=f"{proposal.id} is {_state(proposal)}{said}", text=_BECAME[proposal.stage])


def _state(proposal: PolicyProposal) -> str:
    return "proposed" if proposal.stage is ProposalStage.OPEN else str(proposal.stage)


def _buttons(proposal: PolicyProposal) -> tuple[Button, ...]:
    match proposal.stage:
        case ProposalStage.OPEN:
            return (
                Button(label="Adopt", verb=ProposalChoice.ADOPT, about=proposal.id),
                Button(label="Decline", verb=ProposalChoice.DECLINE, about=proposal.id),
            )
        case ProposalStage.ADOPTED:
            return (Button(label="Take back", verb=ProposalChoice.TAKE_BACK, about=proposal.id),)
        case _:
            return ()
