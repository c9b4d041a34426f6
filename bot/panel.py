"""Who is heard before an entry is decided on, by the settings."""

from __future__ import annotations

from dataclasses import replace

from config.ai import AgentSettings
from config.settings import Settings
from engine.ai.account import AccountReader
from engine.ai.agent_panel import AgentPanel
from engine.ai.agents import Agent
from engine.ai.calibrator import NO_CALIBRATION, Calibrates, Calibrator
from engine.ai.gate import Gate
from engine.ai.panel import NO_PANEL
from engine.ai.prompt_files import prompt_from, shipped_prompt
from engine.llm.manager import LLMManager
from engine.ports import MarketDataAt, Panel
from engine.store.database import Database


def panel_of(settings: Settings, manager: LLMManager, store: Database, markets: MarketDataAt) -> Panel:
    """The members that the settings name; nobody where none is to be asked.

    Raises:
        DataError: A prompt cannot be read, or lacks a part.
    """
    asked = settings.ai.panel
    if not (settings.asks_models and asked.enabled):
        return NO_PANEL
    supervisor = asked.supervisor
    return AgentPanel(
        agents=tuple(_agent(each, settings, manager) for each in asked.agents),
        supervisor=replace(_agent(supervisor, settings, manager), last_word=True) if supervisor else None,
        patience=asked.within,
        beside=AccountReader(store=store, risk_per_trade=settings.risk.risk_per_trade).of,
        markets=markets,
        gate=Gate(
            min_change=settings.ai.gate.min_change,
            max_cost_share=settings.ai.gate.max_cost_share,
            last_word=settings.ai.gate.supervisor,
        ),
    )


def calibration_of(settings: Settings) -> Calibrates:
    """What closed trades make of a confidence; nothing where no panel is heard."""
    asked = settings.ai
    if not (settings.asks_models and asked.panel.enabled and asked.calibration.enabled):
        return NO_CALIBRATION
    return Calibrator(max_width=asked.calibration.max_width)


def _agent(asked: AgentSettings, settings: Settings, manager: LLMManager) -> Agent:
    own = {each.name: each.prompts[asked.name] for each in settings.contexts if asked.name in each.prompts}
    return Agent(
        name=asked.name,
        prompt=prompt_from(asked.prompt) if asked.prompt else shipped_prompt(asked.name),
        manager=manager,
        votes=settings.ai.panel.votes,
        own_votes={each.name: each.votes.panel for each in settings.contexts if each.votes.panel is not None},
        prompts={context: prompt_from(path) for context, path in own.items()},
    )
