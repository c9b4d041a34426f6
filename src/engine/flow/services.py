"""What a decision cycle works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from engine.ai.calibrator import NO_CALIBRATION, Calibrates
from engine.ai.fusion import FUSION, DecisionFusionEngine
from engine.ai.panel import NO_PANEL
from engine.analysis.technical import TechnicalAnalyzer
from engine.domain.autonomy import Autonomy
from engine.domain.decisions import Frame
from engine.domain.market import Listing, Timeframe
from engine.execution.orchestrator import ExecutionOrchestrator
from engine.flow.adjuster_modes import CurrentAdjuster, no_adjuster
from engine.inputs.candles import CheckedCandles
from engine.inputs.derivatives import KeptDerivatives
from engine.inputs.insights import NO_INSIGHTS
from engine.inputs.stats import KeptStats
from engine.ports import Clock, Insights, MarketDataAt, NoEntry, Panel, nothing_against_it
from engine.risk.manager import RiskManager
from engine.store.database import Database
from engine.strategies.consolidation import Consolidation


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleServices:
    """What a cycle works with. The same in replay and live, apart from the clock and the venue.

    Attributes:
        derivatives: What futures tell of each market.
        candles: The closed candles of each market, for all who need them.
        insights: What research has found out about each market.
        panel: Who is heard before an entry is decided on.
        panel_takes_time: Whether what it takes passes on a replay's market: not where a tape answers.
        asks_in_vain: Whether the panel is asked about entries that are refused whatever it says.
        fusion: What predictions and opinions leave of it.
        calibration: What a confidence was worth in earlier trades.
        adjuster: Who tells which policy adjusts an entry now, before risk has the last word.
        weighs_predictions: Whether that one also leaves less of the weight of each timeframe's prediction.
        fees: What a fill costs at each venue, as a fraction of its value.
        consolidation: Which of several contexts on one coin is heard.
        late_after: How many wall seconds each market has to answer before a close is decided on without it, and it
            follows by itself; ``None`` where all answer at once, as in a replay.
        frames: What was last read of each market and timeframe: where its candles are the same it is not read again.
    """

    clock: Clock
    store: Database
    market_data: MarketDataAt
    candles: CheckedCandles
    analyzer: TechnicalAnalyzer
    risk: RiskManager
    autonomy: Autonomy
    orchestrator: ExecutionOrchestrator
    stats: KeptStats
    derivatives: KeptDerivatives
    insights: Insights = NO_INSIGHTS
    panel: Panel = NO_PANEL
    panel_takes_time: bool = True
    asks_in_vain: bool = False
    fusion: DecisionFusionEngine = FUSION
    calibration: Calibrates = NO_CALIBRATION
    adjuster: CurrentAdjuster = no_adjuster
    weighs_predictions: bool = False
    no_entry: NoEntry = nothing_against_it
    fees: Mapping[str, Decimal] = field(default_factory=dict)
    consolidation: Consolidation = Consolidation.OWN
    late_after: float | None = None
    frames: dict[Listing, dict[Timeframe, Frame]] = field(default_factory=dict)
