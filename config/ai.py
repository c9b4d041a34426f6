"""The section about who is heard beside the strategies: the panel, when it is asked, and what is predicted.

The text under a field is its documentation: unit and meaning.
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from config.kinds import Duration, File, problem
from config.section import Section
from engine.ai.gate import LastWord
from engine.domain.market import Timeframe

SHIPPED = ("analyst", "risk", "devils_advocate", "supervisor")
"""The members whose prompts come with the program."""
_TAKEN = ("prediction", "question", "sentiment")
"""What models are asked for beside the panel, by the names of llm.roles."""
MOST_FIRST = 3
"""How many speak at once; with the supervisor a deliberation has four calls at most, times the votes of each."""
MOST_VOTES = 9
"""How often each is asked at most."""


def _check_name(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", value):
        raise problem("must be a name in small letters, e.g. macro_analyst")
    if value in _TAKEN:
        raise problem(f"must be another name: {value} is asked for by itself")
    return value


AgentName = Annotated[str, AfterValidator(_check_name)]
"""A member of the panel."""


class AgentSettings(Section):
    """A member of the panel."""

    name: AgentName
    """What it is called: llm.roles and figures of cost go by it."""
    prompt: File | None = None
    """Its prompt, a file of one's own; nothing for the one that comes with the program."""


class GateSettings(Section):
    """When the panel is not asked."""

    min_change: Decimal = Field(default=Decimal("0.02"), ge=0, le=1)
    """By how much of itself a figure must have moved since it was last asked about the same; 0 to ask always."""
    max_cost_share: Decimal | None = Field(default=Decimal("0.02"), ge=0, le=1)
    """The most that asking is expected to cost, as a share of the money at risk; nothing for no such limit.

    It counts where the account's currency is worth about a dollar.
    """
    supervisor: LastWord = LastWord.ALWAYS
    """Whether the supervisor is asked always, or in_doubt: not where all others approve; the strictest holds then.

    Where one of them is against the trade it is not asked: nobody outvotes a veto.
    """
    ask_in_vain: bool = False
    """Whether it is asked as well about entries that are refused whatever it says, for its opinion alone."""


class PanelSettings(Section):
    """Who is heard before an entry is decided on."""

    enabled: bool = True
    """Whether it is heard, where ai.enabled lets anybody be asked."""
    agents: Annotated[tuple[AgentSettings, ...], Field(min_length=1, max_length=MOST_FIRST)] = tuple(
        AgentSettings(name=name) for name in SHIPPED[:MOST_FIRST]
    )
    """Who speaks first, all at once; three at most."""
    supervisor: AgentSettings | None = AgentSettings(name=SHIPPED[-1])
    """Who hears them and has the last word; nothing for nobody: the strictest opinion holds then."""
    votes: int = Field(default=1, ge=1, le=MOST_VOTES)
    """How often each is asked, at once: how far its answers agree is its confidence. Each vote is a call, and costs."""
    within: Duration = timedelta(seconds=30)
    """How long both rounds may take together; who is late abstains."""

    @field_validator("agents")
    @classmethod
    def _distinct(cls, agents: tuple[AgentSettings, ...]) -> tuple[AgentSettings, ...]:
        names = [agent.name for agent in agents]
        for number, name in enumerate(names):
            if name in names[:number]:
                raise problem(f"{name} is there twice", at=f"ai.panel.agents.{number}.name")
            _check_prompt(agents[number], f"ai.panel.agents.{number}")
        return agents

    @field_validator("supervisor")
    @classmethod
    def _usable(cls, supervisor: AgentSettings | None) -> AgentSettings | None:
        if supervisor is not None:
            _check_prompt(supervisor, "ai.panel.supervisor")
        return supervisor

    @field_validator("within")
    @classmethod
    def _bearable(cls, value: timedelta) -> timedelta:
        return _patience(value)


class PredictionSettings(Section):
    """What is predicted of each market that is traded, at the close of each of some timeframes."""

    enabled: bool = True
    """Whether anything is, where ai.enabled lets anybody be asked."""
    timeframes: Annotated[tuple[Timeframe, ...], Field(min_length=1)] = (
        Timeframe.H1,
        Timeframe.H4,
        Timeframe.D1,
        Timeframe.W1,
    )
    """The timeframes; what is shorter than the market's candles is left out."""
    within: Duration = timedelta(seconds=30)
    """How long all of those of a close may take together; who is late has made none."""
    prompt: File | None = None
    """The prompt, a file of one's own; nothing for the one that comes with the program."""
    votes: int = Field(default=1, ge=1, le=MOST_VOTES)
    """How often each is asked, at once: how far its answers agree is its confidence. Each vote is a call, and costs."""

    @field_validator("timeframes")
    @classmethod
    def _in_order(cls, timeframes: tuple[Timeframe, ...]) -> tuple[Timeframe, ...]:
        if len(set(timeframes)) < len(timeframes):
            raise problem("must not name a timeframe twice")
        return tuple(sorted(timeframes, key=lambda each: each.duration))

    @field_validator("within")
    @classmethod
    def _bearable(cls, value: timedelta) -> timedelta:
        return _patience(value)


class CalibrationSettings(Section):
    """What becomes of a confidence once enough trades have closed to know what it is worth."""

    enabled: bool = True
    """Whether they lower it, where a panel is heard; from 150 closed trades of a strategy on a timeframe on."""
    max_width: float = Field(default=0.2, gt=0, le=1)
    """From which width of its 95 % interval on people are asked, whatever the confidence."""


class AiSettings(Section):
    """Whether anybody is asked beside the strategies, and who."""

    enabled: bool | None = None
    """One switch for every use of language models; nothing for on as soon as llm.providers has one."""
    panel: PanelSettings = Field(default_factory=PanelSettings)
    """The panel: its members, and how long they have."""
    gate: GateSettings = Field(default_factory=GateSettings)
    """What spares the panel a question."""
    prediction: PredictionSettings = Field(default_factory=PredictionSettings)
    """What is predicted, of which timeframes."""
    calibration: CalibrationSettings = Field(default_factory=CalibrationSettings)
    """What closed trades make of a confidence."""


def _patience(value: timedelta) -> timedelta:
    if not timedelta(seconds=1) <= value <= timedelta(minutes=10):
        raise problem("must be between 1s and 10m")
    return value


def _check_prompt(agent: AgentSettings, at: str) -> None:
    if agent.prompt is None and agent.name not in SHIPPED:
        raise problem(f"must be set: only {', '.join(SHIPPED)} come with a prompt", at=f"{at}.prompt")
