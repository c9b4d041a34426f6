"""Policies that were trained anew: proposed, adopted, declined for good, taken back."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.adjuster import SettingsAdjuster
from bot.retraining import Retraining
from config.loader import load
from engine.domain.policy_proposals import PolicyProposal, ProposalChoice, ProposalStage
from engine.flow.policy_proposals import PolicyProposals
from engine.learning.policy_files import save_policy
from engine.timing.clocks import MarketClock
from engine.timing.triggers import Monthly
from handlers.cards import policies
from tests.fakes.database import new_database
from tests.fakes.policies import steady_policy
from tests.fakes.reports import NOON
from tests.fakes.retraining import an_eighth, breaks_off, dies, takes_long, too_little

ADOPT, DECLINE, TAKE_BACK = ProposalChoice


class Proposing:
    """Proposals on a store, beside the policy of the settings."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, new_database(folder)
        save_policy(steady_policy(1.0, -1.0, -1.0, name="own"), folder / "own.json")
        over = {"ppo": {"policy": str(folder / "own.json")}, "backtest": {"trials": str(folder / "var/trials.jsonl")}}
        self.settings = load("demo", None, over, {}, folder).settings
        self.adjuster = SettingsAdjuster(self.settings)
        self.proposals = PolicyProposals(store=self.store, clock=MarketClock(NOON))

    async def propose(self, name: str) -> PolicyProposal:
        file = self.folder / f"{name}.json"
        save_policy(steady_policy(-0.75, -1.0, -1.0, name=name), file)
        return await self.proposals.propose(name, str(file), (), (("policy", 0.1, 0.2),))

    async def asked(self) -> str:
        """Who is asked about entries."""
        policy = (await self.store.read(self.adjuster)).policy
        return policy.card.name if policy else ""


async def test_nothing_asks_a_proposal_before_it_is_adopted_and_one_press_takes_it_back(tmp_path: Path):
    room = Proposing(tmp_path)
    first, second = [await room.propose(name) for name in ("one", "two")]
    assert (first.id, second.id, await room.asked()) == ("R1", "R2", "own")
    for proposal, name in ((first, "one"), (second, "two")):
        assert (await room.proposals.press(proposal.id, "Ada", ADOPT)).stage is ProposalStage.ADOPTED
        assert await room.asked() == name
    back = await room.proposals.press(second.id, "Ben", TAKE_BACK)
    assert (back.stage, back.by, await room.asked()) == (ProposalStage.TAKEN_BACK, "Ben", "one")
    assert (await room.proposals.press(second.id, "Ben", ADOPT)).stage is ProposalStage.TAKEN_BACK
    await room.proposals.press(first.id, "Ada", TAKE_BACK)
    assert await room.asked() == "own"


async def test_what_is_taken_back_out_of_turn_leaves_the_newest_that_stands(tmp_path: Path):
    room = Proposing(tmp_path)
    for name in ("one", "two"):
        await room.proposals.press((await room.propose(name)).id, "Ada", ADOPT)
    await room.proposals.press("R1", "Ada", TAKE_BACK)
    assert await room.asked() == "two"
    await room.proposals.press("R2", "Ada", TAKE_BACK)
    assert await room.asked() == "own", "the one before was taken back as well"


async def test_declined_stays_declined(tmp_path: Path):
    room = Proposing(tmp_path)
    proposal = await room.propose("one")
    assert (await room.proposals.press(proposal.id, "Ada", DECLINE)).stage is ProposalStage.DECLINED
    for choice in ProposalChoice:
        found = await room.proposals.press(proposal.id, "Ben", choice)
        assert (found.stage, found.by) == (ProposalStage.DECLINED, "Ada")
    assert await room.asked() == "own"
    await room.store.close()
    again = Proposing(tmp_path)
    assert (await again.proposals.press(proposal.id, "Ben", ADOPT)).stage is ProposalStage.DECLINED


@pytest.mark.slow
async def test_a_training_in_a_process_of_its_own_is_proposed_and_of_one_that_fails_people_are_told(tmp_path: Path):
    room = Proposing(tmp_path)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for train in (too_little, breaks_off, dies, an_eighth):
        retraining = Retraining(room.settings, room.proposals, train)
        await retraining.begin(at)
        await retraining.begin(at)
        assert retraining.busy
        await retraining.finished()
        retraining.close()
    told = [await room.store.read(lambda uow, id_=f"R{n}": uow.policy_proposals.get(id_)) for n in (1, 2, 3, 4)]
    assert [each.stage for each in told] == [ProposalStage.FAILED] * 3 + [ProposalStage.OPEN]
    cards = [policies.proposed(each) for each in told[:3]]
    assert [card.title for card in cards] == [
        f"No policy was trained anew: retrained-2026-01 (R{n})" for n in (1, 2, 3)
    ]
    assert "There is too little time for training up to 2026-01-01" in cards[0].text
    assert "It broke off (ZeroDivisionError: division by zero); the log has the rest." in cards[1].text
    assert "Its process ended without a word" in cards[2].text
    assert [card.buttons for card in cards] == [()] * 3
    assert (await room.proposals.press("R1", "Ada", ADOPT)).stage is ProposalStage.FAILED
    proposal = told[3]
    assert (proposal.name, proposal.test[0]) == ("retrained-2026-01", ("policy", 0.012, 0.034))
    assert Path(proposal.file) == tmp_path / "var/policies/retrained-2026-01.json"
    await room.proposals.press("R4", "Ada", ADOPT)
    assert await room.asked() == "retrained-2026-01"
    assert (await room.propose("later")).id == "R5", "only one was proposed"


async def test_what_is_given_up_as_the_program_ends_is_no_failure(tmp_path: Path):
    room = Proposing(tmp_path)
    retraining = Retraining(room.settings, room.proposals, takes_long)
    await retraining.begin(datetime(2026, 1, 1, tzinfo=UTC))
    await asyncio.sleep(0.1)
    retraining.close()
    with suppress(asyncio.CancelledError):
        await retraining.finished()
    assert (await room.propose("later")).id == "R1"


def test_it_is_due_at_the_beginning_of_each_month():
    at = datetime(2024, 1, 31, 23, 59, tzinfo=UTC)
    due = [Monthly().after(at), Monthly().after(datetime(2024, 2, 1, tzinfo=UTC)), Monthly().latest(at)]
    assert [f"{each:%Y-%m-%d %H:%M}" for each in due] == ["2024-02-01 00:00", "2024-03-01 00:00", "2024-01-01 00:00"]
    assert Monthly().after(datetime(2023, 12, 5, tzinfo=UTC)) == datetime(2024, 1, 1, tzinfo=UTC)
