"""Everything this version can do, as a table; the order is that of the menus."""

from __future__ import annotations

from engine.ai.questions import Asker
from engine.desk import Desk
from engine.domain.messages import Card, Role
from engine.ports import Clock
from engine.views.results import Results
from engine.views.risk import RiskReports
from engine.views.trading import Views
from engine.views.venues import VenueReports
from handlers import arguments
from handlers.cards import emergencies, usage
from handlers.commands.acts import Acts
from handlers.commands.backtests import Backtest, BacktestBegun, Backtests, soon_done
from handlers.commands.figures import Figures
from handlers.commands.reads import Reads, RecentLogs
from handlers.commands.risk import Risks
from handlers.commands.table import Call, Command, CommandTable
from handlers.commands.venues import Venues


def build_commands(
    *,
    views: Views,
    results: Results,
    risk: RiskReports,
    venues: VenueReports,
    desk: Desk,
    clock: Clock,
    version: str,
    logs: RecentLogs,
    backtest: Backtest,
    asker: Asker,
    backtest_begun: BacktestBegun = soon_done,
) -> CommandTable:
    """Make the table of everything this version can do; what is not built is not in it."""
    reads, acts, figures = Reads(views, risk, clock, version, logs, asker), Acts(views, desk, clock), Figures(results)
    risks = Risks(risk)
    about_venues = Venues(venues, desk)
    backtests = Backtests(backtest, backtest_begun)

    async def manual(call: Call) -> Card:
        arguments.nothing(call.words)
        roles = [role for role in Role if call.person.role.includes(role)]
        return usage.manual([(role, [_entry(c) for c in table.commands if c.role is role]) for role in roles])

    trader = Role.TRADER
    table = CommandTable(
        [
            Command(name="start", run=reads.start, help="what to try first"),
            Command(name="help", run=manual, help="the commands you may use"),
            Command(name="whoami", run=reads.whoami, help="who the bot takes you for"),
            Command(name="status", args="[table]", run=reads.status, help="where things stand"),
            Command(name="positions", run=reads.positions, help="open positions with stop and target"),
            Command(name="balance", run=reads.balance, help="what the account owns"),
            Command(name="count", run=figures.count, help="what is open, against its limits"),
            Command(name="risk", run=risks.risk, help="every limit, and how much of it is used"),
            Command(name="var", run=risks.var, help="what all that is held may lose on a day"),
            Command(name="exposure", run=risks.exposure, help="what is held, by coin, sector and strategy"),
            Command(name="profit", args="[days]", run=reads.profit, help="profit and loss of the last days"),
            Command(name="daily", args="[n]", run=figures.daily, help="profit and trades by day"),
            Command(name="weekly", args="[n]", run=figures.weekly, help="profit and trades by week from Monday"),
            Command(name="monthly", args="[n]", run=figures.monthly, help="profit and trades by month"),
            Command(name="performance", run=figures.performance, help="closed trades by market and strategy"),
            Command(name="stats", run=figures.stats, help="how trades end, last and pay"),
            Command(name="strategies", run=figures.strategies, help="the strategies, and which may enter"),
            Command(name="trades", args="[n]", run=reads.trades, help="the last trades"),
            Command(
                name="chart",
                args="[days | ID]",
                run=reads.chart,
                help="a picture of equity, or of a trade",
            ),
            Command(
                name="backtest",
                args="STRATEGY MARKET [90d]",
                role=trader,
                run=backtests.backtest,
                interim=backtests.begun,
                help="what a strategy would have come to, 90d, 12w or 1y until now",
            ),
            Command(name="pending", run=reads.pending, help="open approvals"),
            Command(
                name="approve",
                args="ID [half]",
                role=trader,
                run=acts.approve,
                acts=True,
                help="approve a trade, or half of it",
            ),
            Command(
                name="reject",
                args="ID [reason]",
                role=trader,
                run=acts.reject,
                acts=True,
                help="reject a trade that waits",
            ),
            Command(name="why", args="ID", run=reads.why, help="the story of a trade, approval, order"),
            Command(name="agents", args="ID", run=reads.agents, help="what the panel said of a trade, and why"),
            Command(
                name="pause",
                aliases=("reduce", "stopentry", "stopbuy"),
                args="[duration]",
                role=trader,
                run=acts.pause,
                acts=True,
                help="no new entries for 15m, 1h30m, 1d, or until /resume; exits go on; of two pauses the longer holds",
            ),
            Command(
                name="resume",
                args="[market [venue]|reason]",
                role=trader,
                run=acts.resume,
                acts=True,
                help="allow new entries again; a market that has changed wants its name, the emergency stop a reason",
            ),
            Command(
                name="close",
                aliases=("forceexit", "fx", "forcesell"),
                args="ID|MARKET|all [share]",
                role=trader,
                run=acts.close,
                acts=True,
                help="sell a position, or a share of it (half, 25%), once you have pressed what that would be",
            ),
            Command(name="venues", run=about_venues.venues, help="how each venue is, and why it does not trade"),
            Command(name="orders", run=about_venues.orders, help="open orders at every venue, whosever they are"),
            Command(name="order", args="ID", run=about_venues.order, help="all that is known of one order"),
            Command(
                name="cancel",
                args="ID",
                role=trader,
                run=about_venues.cancel,
                acts=True,
                help="cancel an order, once you have pressed what that would be",
            ),
            Command(
                name="capital",
                args="[yes | no]",
                run=acts.capital,
                acts=True,
                help="how much of the account may be used, and when that is more; an admin answers yes or no",
            ),
            Command(
                name="emergency",
                aliases=("panic", "halt"),
                args=f"[{emergencies.NOW}]",
                role=Role.ADMIN,
                run=acts.emergency,
                acts=True,
                help="stop and sell everything, or keep stops as set; without its word it only says what that would be",
            ),
            Command(
                name="strangers",
                role=Role.ADMIN,
                private=True,
                run=reads.strangers,
                help="who wrote and is not let in",
            ),
            Command(
                name="logs",
                args="[n]",
                role=Role.ADMIN,
                private=True,
                run=reads.logs,
                help="the last warnings and errors",
            ),
            Command(name="digest", run=reads.digest, help="the figures of today so far"),
            Command(name="health", run=reads.health, help="whether every part is well"),
            Command(
                name="quality",
                args="[MARKET [venue]]",
                run=reads.quality,
                help="what the markets' data is like: its age, what was mended or refused",
            ),
            Command(name="ask", args="QUESTION", run=reads.ask, help="what you want to know, in plain words"),
            Command(name="sentiment", args="MARKET", run=reads.sentiment, help="what is said of a market, and where"),
            Command(
                name="predict",
                args="MARKET [venue]",
                run=reads.predict,
                help="where a market is expected to go, and how often that was right",
            ),
            Command(
                name="ppo",
                args="[off | advisory | active]",
                run=acts.ppo,
                help="the policy that adjusts entries: what it did or would have done; an admin sets its mode",
            ),
            Command(name="llm", run=reads.llm, help="language models: how they are, and what they cost"),
            Command(name="version", run=reads.version, help="which version this is"),
        ]
    )
    return table


def _entry(command: Command) -> usage.Entry:
    return usage.Entry(usage=command.usage, does=command.help, aliases=command.aliases)
