"""The bot as families of metrics: how the account stands, what it came to, and how the program is.

Amounts are floats here, as Prometheus has nothing else: they are for pictures and alerts, never to be booked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from engine.domain.account import Status
from engine.domain.health import Part
from engine.domain.model_views import ModelsView
from engine.domain.sentiment import SourceAge
from engine.domain.totals import Totals
from handlers.web.model_metrics import model_families


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)  # a registry keeps it by its identity
class Seen(Collector):
    """What was read for one answer, as families of metrics."""

    version: str
    status: Status
    totals: Totals
    parts: Sequence[Part]
    models: ModelsView
    sources: Sequence[SourceAge] = ()

    def text(self) -> bytes:
        """All of it, in the text format of Prometheus."""
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[Metric]:
        """Every family; those with money are labelled with its currency."""
        yield InfoMetricFamily(
            "greenlight",
            "The bot that is running",
            {"version": self.version, "profile": self.status.profile, "venue": self.status.venue},
        )
        yield from self._account()
        yield from self._trading()
        yield from self._program()
        yield from self._sources()
        yield from model_families(self.models)

    def _account(self) -> Iterator[Metric]:
        status = self.status
        yield self._money("equity", "All cash and what is held, at the prices of now", status.equity)
        yield self._money("cash", "Cash that no order has taken", status.cash)
        yield self._money("exposure", "What is held and being bought, by value", status.exposure)
        yield self._money("net", "Profit or loss since the account began, after fees", status.net)
        yield self._money("day_net", "Profit or loss since the day began, after fees", status.day_net)
        yield _gauge("drawdown_ratio", "How far equity is below its peak, as a fraction", status.drawdown)
        if status.share is not None:
            yield _gauge("net_ratio", "Profit or loss since the account began, as a fraction", status.share)
        if status.benchmark is not None:
            yield _gauge("benchmark_ratio", "What holding the traded markets came to since then", status.benchmark)

    def _trading(self) -> Iterator[Metric]:
        status, totals = self.status, self.totals
        yield _gauge("trading", "Whether new entries are possible anywhere: 1 or 0", int(status.trading))
        yield _gauge("halts", "Halts in force", len(status.halts))
        yield _gauge("positions", "Positions that are open", status.positions)
        yield _gauge("approvals_pending", "Questions that wait for people", status.pending)
        yield _counter("trades_closed", "The bot's own trades that are closed", totals.closed)
        yield _counter("trades_won", "Those of them that made money after fees", totals.won)
        yield self._money("trades_net", "What they came to, after fees", totals.net)
        yield self._money("fees", "Fees that were paid", totals.fees)
        if totals.closed:
            yield _gauge("win_ratio", "Closed trades that made money after fees, of all", totals.won / totals.closed)
        yield _counter("decisions", "Decisions that were made", totals.decisions)
        yield _by("approvals", "Questions by status", "status", totals.approvals)
        yield _by("orders", "Orders by status", "status", totals.orders)
        if status.last_cycle_at is not None:
            at = status.last_cycle_at.timestamp()
            yield _gauge("last_candle_timestamp_seconds", "The last candle that the books were closed on", at)

    def _program(self) -> Iterator[Metric]:
        parts = {part.name: int(part.ok) for part in self.parts}
        yield _by("part_up", "Whether each part of the program is well: 1 or 0", "part", parts)
        yield _by("outbox_unsent", "Cards that are not shown yet as they should be", "platform", self.totals.unsent)

    def _sources(self) -> Iterator[Metric]:
        """Sources of sentiment: those of them that are asked."""
        if not self.sources:
            return
        well = {each.source: int(not each.wrong) for each in self.sources}
        read = {each.source: int(each.read_at.timestamp()) for each in self.sources if each.read_at is not None}
        yield _by("source_up", "Whether a source of sentiment could be read when it was asked last", "source", well)
        yield _by("source_read_timestamp_seconds", "When a source of sentiment was read last", "source", read)

    def _money(self, name: str, says: str, amount: Decimal) -> Metric:
        family = GaugeMetricFamily(f"greenlight_{name}", says, labels=["currency"])
        family.add_metric([self.status.quote], float(amount))
        return family


def _gauge(name: str, says: str, value: Decimal | float) -> Metric:
    return GaugeMetricFamily(f"greenlight_{name}", says, value=float(value))


def _counter(name: str, says: str, value: int) -> Metric:
    return CounterMetricFamily(f"greenlight_{name}", says, value=value)


def _by(name: str, says: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(f"greenlight_{name}", says, labels=[label])
    for each, value in sorted(values.items()):
        family.add_metric([each], value)
    return family
