"""Scenes of a panel whose model is on a script, as people see them in chat, in the whole program."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bot.app import App
from bot.externals import EXTERNALS
from engine.ai.agent_panel import AgentPanel
from engine.ai.brief import read_back
from engine.domain.decisions import Opinion
from engine.domain.model_calls import ModelRequest
from engine.domain.proposals import Proposal
from tests.fakes.database import new_file, rows_of, url_of
from tests.fakes.panel import Script, a_panel, an_opinion, said_of_it
from tests.fakes.patience import until
from tests.fakes.program import browser, running, settings_of

pytestmark = pytest.mark.slow

MEMBERS = ("analyst", "risk", "devils_advocate", "supervisor")
ALL_AGREE: Mapping[str, Any] = dict.fromkeys(MEMBERS, an_opinion())
PLANTED = "Exchange halts withdrawals after a hack"
ALONE = {"auto_above": 0, "ask_above": 0}
FAST = [
    {
        "name": "trend",
        "strategy": "momentum",
        "markets": ["BTC/USDT"],
        "timeframe": "1h",
        "higher": [],
        "fast": {"share": 0.1, "min_confidence": 0.1},
    }
]


@dataclass(kw_only=True)
class Planted:
    """A panel in whose brief a headline stands."""

    panel: AgentPanel

    @property
    def patience(self) -> timedelta:
        return self.panel.patience

    async def opinions(self, proposal: Proposal, within: float) -> tuple[Opinion, ...]:
        return await self.panel.opinions(replace(proposal, insight=said_of_it("Bitcoin is calm", PLANTED)), within)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The program while it goes on, and what people see of it."""

    folder: Path
    app: App

    async def shown(self, words: str) -> dict[str, Any]:
        """The newest card of the web chat that says this, once it is there."""

        def found() -> list[str]:
            rows = rows_of(url_of(self.folder), "SELECT card FROM chat_messages ORDER BY id DESC")
            return [row["card"] for row in rows if words in row["card"]]

        await until(found)
        card: dict[str, Any] = json.loads(found()[0].replace("\u200b", ""))
        return card | {"told": dict(card["fields"])}

    async def answer(self, text: str, words: str) -> dict[str, Any]:
        """What comes of a command."""
        async with browser(self.app, "p1") as page:
            said = await page.post("/chat/say", json={"text": text, "delivery_id": str(uuid4())})
            assert said.status_code == 204, said.text
        return await self.shown(words)

    def orders(self) -> Sequence[str]:
        """What was ordered, oldest first, with what became of it."""
        rows = rows_of(url_of(self.folder), "SELECT purpose, status FROM orders ORDER BY id")
        return [f"{row['purpose']} {row['status']}" for row in rows]


@asynccontextmanager
async def scene(
    folder: Path, script: Script, *, patience: float = 30, planted: bool = False, **options: Any
) -> AsyncIterator[Scene]:
    """The program on a market that breaks out once, with a panel of that script."""
    new_file(folder)
    asked = replace(a_panel(script), patience=timedelta(seconds=patience))
    externals = replace(EXTERNALS, panel=Planted(panel=asked) if planted else asked)
    async with running(settings_of(folder, **options), externals) as app:
        yield Scene(folder=folder, app=app)


def finds(words: str) -> Callable[[ModelRequest], Mapping[str, Any]]:
    """A devil's advocate that reads its brief, and names what it was told to look for."""

    def says(request: ModelRequest) -> Mapping[str, Any]:
        found = next((field for field in read_back(request.prompt) if words in field.text), None)
        if found is None:
            return an_opinion()
        reasons = [{"text": f"this speaks against it: {found.text}", "fields": [found.id]}]
        return an_opinion(share=0.5, reasons=reasons, flip="withdrawals are open again")

    return says


@pytest.mark.parametrize("planted", [True, False])
async def test_a_risk_planted_in_the_brief_is_found_by_the_advocate_and_named_on_the_card(
    tmp_path: Path, *, planted: bool
):
    script = Script(says={**ALL_AGREE, "devils_advocate": finds("halts withdrawals")})
    async with scene(tmp_path, script, planted=planted) as seen:
        card = await seen.shown("? (A1)")
        assert card["told"]["Panel"].startswith("analyst approves")
        assert (PLANTED in str(card["told"]["Objection"])) is planted
        assert (card["told"]["Would change it"] == "withdrawals are open again") is planted
        told = await seen.answer("/agents D1", "The panel on D1")
        (advocate,) = [each for each in told["items"] if each["title"].startswith("Devil's advocate")]
        assert (PLANTED in advocate["text"]) is planted


@pytest.mark.parametrize(
    ("says", "whose"),
    [
        ({"risk": an_opinion("veto")}, "risk"),
        ({"supervisor": an_opinion("veto"), "devils_advocate": an_opinion(share=0.2)}, "supervisor"),
        ({"analyst": an_opinion("veto")}, "analyst"),
    ],
    ids=["a flag of risk, which three others cannot outvote", "disagreement", "one who is outvoted"],
)
async def test_a_veto_means_no_trade_and_is_told_with_whose_it_is(tmp_path: Path, says: Mapping[str, Any], whose: str):
    async with scene(tmp_path, Script(says={**ALL_AGREE, **says}), approval=ALONE) as seen:
        await until(lambda: rows_of(url_of(tmp_path), "SELECT id FROM decisions WHERE stance = 'enter'"))
        why = await seen.answer("/why D1", "Why D1")
        assert f"{whose}: I would veto" in json.dumps(why)
        told = await seen.answer("/agents D1", "The panel on D1")
        assert [each["title"] for each in told["items"]].count(f"{whose.capitalize()} is against it") == 1
        assert seen.orders() == []
        assert rows_of(url_of(tmp_path), "SELECT id FROM approvals") == []


async def test_who_is_late_abstains_and_the_card_says_so(tmp_path: Path):
    async with scene(tmp_path, Script(says=ALL_AGREE, takes={"risk": 30}), patience=2) as seen:
        card = await seen.shown("? (A1)")
        assert "risk abstains" in json.dumps(card["told"]["Panel"])
        assert "analyst approves" in json.dumps(card["told"]["Panel"])
        told = await seen.answer("/agents D1", "The panel on D1")
        (late,) = [each for each in told["items"] if each["title"] == "Risk abstains"]
        assert "it did not answer in time" in late["text"]


async def test_where_all_are_late_nobody_answered_and_the_strategys_own_confidence_holds(tmp_path: Path):
    async with scene(tmp_path, Script(takes=dict.fromkeys(MEMBERS, 30)), patience=3) as seen:
        card = await seen.shown("? (A1)")
        assert card["told"]["Panel"] == "nobody answered: the strategy's own word stands"
        (kept,) = rows_of(url_of(tmp_path), "SELECT record FROM decisions WHERE stance = 'enter'")
        decision = json.loads(kept["record"])["decision"]
        holding = sum(each["weight"] for each in decision["conditions"] if each["holds"])
        assert decision["confidence"] == pytest.approx(holding / sum(each["weight"] for each in decision["conditions"]))


async def test_the_fast_tier_has_traded_before_the_panel_spoke_and_the_full_one_takes_it_back(tmp_path: Path):
    bought_first: list[Sequence[str]] = []

    def after_the_start(_: ModelRequest) -> Mapping[str, Any]:
        rows = rows_of(url_of(tmp_path), "SELECT purpose, status FROM orders ORDER BY id")
        bought_first.append([f"{row['purpose']} {row['status']}" for row in rows])
        return an_opinion("veto")

    script = Script(says={**ALL_AGREE, "supervisor": after_the_start})
    async with scene(tmp_path, script, approval=ALONE, contexts=FAST) as seen:
        sold = await seen.shown("taken back: the rest was refused")
        assert bought_first == [["entry filled", "protection open"]]
        assert seen.orders() == ["entry filled", "protection cancelled", "exit filled"]
        assert "BTC/USDT" in sold["title"]
        trades = await seen.answer("/trades", "T1")
        assert "BTC/USDT" in json.dumps(trades)
        whole = await seen.answer("/agents D3", "The panel on D3")
        assert [each["title"] for each in whole["items"]][-1] == "Supervisor is against it"


async def test_what_the_fast_tier_began_is_added_to_where_the_panel_agrees(tmp_path: Path):
    async with scene(tmp_path, Script(says=ALL_AGREE), approval=ALONE, contexts=FAST) as seen:
        await until(lambda: seen.orders().count("entry filled") == 2)
        held = await seen.answer("/positions", "T1")
        assert "T2" not in json.dumps(held), "both parts are one position"
