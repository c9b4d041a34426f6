"""What acts on an account: approvals, sales by hand, stages of capital, the emergency stop, and people's wishes."""

from __future__ import annotations

from dataclasses import dataclass

from bot.adjuster import known_of
from bot.emergencies import emergency_watch
from bot.externals import Externals
from bot.grounds import Grounds
from bot.live import limits_in_words, live_accounts
from bot.markets import Source
from bot.pace import pace
from config.emergency import OnHalt
from config.settings import Settings
from engine.books.capital import Capital
from engine.books.first_go import FirstGoes
from engine.desk import Desk
from engine.execution.emergency import EmergencyStopSystem
from engine.flow.adjuster_modes import AdjusterModes
from engine.flow.approvals import Approvals
from engine.flow.cancelling import Cancelling
from engine.flow.closings import Closings
from engine.flow.confirming import Confirming
from engine.flow.emergency_watch import EmergencyWatch
from engine.flow.policy_proposals import PolicyProposals
from engine.flow.services import CycleServices
from engine.ports import TimeLeft, by_the_market
from engine.timing.clocks import MarketClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """Who acts, beside the cycle."""

    approvals: Approvals
    closings: Closings
    capital: Capital
    emergency: EmergencyStopSystem
    watch: EmergencyWatch
    desk: Desk


async def first_goes_of(settings: Settings, on: Grounds) -> FirstGoes:
    """Which accounts may begin; people are asked about the others."""
    accounts, limits = live_accounts(settings), limits_in_words(settings)
    first_goes = FirstGoes(store=on.store, clock=on.clock, accounts=accounts, limits=limits)
    await first_goes.open()
    return first_goes


async def acting_of(
    settings: Settings,
    market: Source,
    on: Grounds,
    services: CycleServices,
    first_goes: FirstGoes,
    externals: Externals,
    *,
    at_once: bool,
) -> Acting:
    """Put together who acts on an account; with ``at_once`` a stop that a trigger calls for is done at closes alone."""
    approvals = Approvals(
        store=on.store,
        market_data=on.market_data,
        risk=services.risk,
        autonomy=services.autonomy,
        orchestrator=services.orchestrator,
        clock=on.clock,
        stats=services.stats,
        no_entry=services.no_entry,
    )
    closings = Closings(
        store=on.store,
        market_data=on.market_data,
        orchestrator=services.orchestrator,
        clock=on.clock,
        time_left=time_left_of(settings, on),
        good_for=settings.approval.confirm_within,
    )
    capital = Capital(store=on.store, clock=on.clock, plan=settings.capital.plan)
    await capital.open()
    emergency = EmergencyStopSystem(
        store=on.store,
        orchestrator=services.orchestrator,
        clock=on.clock,
        keep_stops=keeps_stops(settings),
    )
    return Acting(
        approvals=approvals,
        closings=closings,
        capital=capital,
        emergency=emergency,
        watch=emergency_watch(settings, market, services, emergency, approvals, at_once=at_once),
        desk=Desk(
            store=on.store,
            approvals=approvals,
            closings=closings,
            confirming=_confirming(settings, on, services, capital, first_goes),
            emergency=emergency,
            adjuster=AdjusterModes(
                store=on.store,
                adjuster=services.adjuster,
                about=lambda adjuster: known_of(adjuster, on.clock.now()),
                wall=externals.wall,
                good_for=settings.approval.confirm_within,
            ),
            policies=PolicyProposals(store=on.store, clock=on.clock),
            clock=on.clock,
        ),
    )


def time_left_of(settings: Settings, on: Grounds) -> TimeLeft:
    """How long people have left to answer, by the clock on the wall."""
    return pace(settings).left if isinstance(on.clock, MarketClock) else by_the_market


def keeps_stops(settings: Settings) -> bool:
    """Whether an emergency stop leaves what is held to its stops."""
    return settings.emergency.on_halt is OnHalt.KEEP_STOPS


def _confirming(
    settings: Settings, on: Grounds, services: CycleServices, capital: Capital, first_goes: FirstGoes
) -> Confirming:
    """What people confirm by a press beside trades."""
    cancelling = Cancelling(
        store=on.store,
        orchestrator=services.orchestrator,
        clock=on.clock,
        good_for=settings.approval.confirm_within,
    )
    return Confirming(store=on.store, capital=capital, cancelling=cancelling, first_goes=first_goes)
