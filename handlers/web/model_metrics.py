"""Language models as families of metrics: who is well, what the caps have left, and what the last day's calls came to.

Calls are let go by age, so their figures are gauges over the last 24 hours, and no counters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily, Metric

from engine.domain.model_views import ModelsView, ModelTotals

_Values = Mapping[tuple[str, ...], float]
"""Figures by the values of their labels."""
_PERCENTILES = (50, 95)
"""Not as a label ``quantile``: that is for summaries alone, and these are gauges."""
_ASKED = ("provider", "model", "role")


def model_families(view: ModelsView) -> Iterator[Metric]:
    """Every family; none where nobody is asked. Amounts are in US dollars."""
    if not view.is_on:
        return
    up: _Values = {(each.name,): int(not each.trouble) for each in view.providers}
    yield _family("up", "Whether each provider of models is well, and not left alone: 1 or 0", ("provider",), up)
    caps = {(str(each.cap.period), each.cap.about): each for each in view.caps}
    limits: _Values = {about: float(each.cap.usd) for about, each in caps.items()}
    used: _Values = {about: float(each.used / each.cap.usd) for about, each in caps.items() if each.cap.usd}
    yield _family("cap_usd", "The most that may be spent in a period", ("period", "about"), limits)
    yield _family("cap_used_ratio", "How much of that is used, as a fraction", ("period", "about"), used)
    spent: _Values = {("day",): float(view.today), ("month",): float(view.month)}
    yield _family("spent_usd", "What calls count with since the period (UTC) began", ("period",), spent)
    if view.forecast is not None:
        yield _family("forecast_usd", "What the month will have come to at this pace", (), {(): float(view.forecast)})
    yield _family("month_reused", "Questions of this month that an earlier answer was good for", (), {(): view.reused})
    yield from _last_day({(each.provider, each.model, each.purpose): each for each in view.last_day})


def _last_day(calls: Mapping[tuple[str, ...], ModelTotals]) -> Iterator[Metric]:
    verdicts = {
        (*asked, verdict or "none"): count for asked, each in calls.items() for verdict, count in each.verdicts.items()
    }
    yield _family("day_calls", "Calls of the last 24 hours by what was found of them", (*_ASKED, "verdict"), verdicts)
    read = {(*asked, "read"): each.input_tokens for asked, each in calls.items()}
    written = {(*asked, "written"): each.output_tokens for asked, each in calls.items()}
    yield _family("day_tokens", "Tokens of the last 24 hours", (*_ASKED, "kind"), {**read, **written})
    usd = {asked: float(each.usd) for asked, each in calls.items()}
    yield _family("day_usd", "What the calls of the last 24 hours count with", _ASKED, usd)
    took = {
        (*asked, str(part)): seconds
        for asked, each in calls.items()
        for part in _PERCENTILES
        if (seconds := each.latency(part / 100)) is not None
    }
    says = "Within how long such a part of the calls of the last 24 hours ended"
    yield _family("day_latency_seconds", says, (*_ASKED, "percentile"), took)


def _family(name: str, says: str, labels: tuple[str, ...], values: _Values) -> Metric:
    family = GaugeMetricFamily(f"greenlight_model_{name}", says, labels=labels)
    for each, value in sorted(values.items()):
        family.add_metric(each, value)
    return family
