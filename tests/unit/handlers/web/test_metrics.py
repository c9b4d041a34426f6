"""What Prometheus is shown."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine.domain.days import Period
from engine.domain.model_ledger import Cap
from engine.domain.model_views import CapView, ModelsView
from engine.domain.sentiment import SourceAge
from handlers.web.metric_families import Seen
from tests.fakes import reports
from tests.fakes.web import TOKEN, opened

BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def web(tmp_path):
    async with opened(tmp_path) as room:
        yield room


def read(text):
    """Every sample by its name and labels."""
    families = text_string_to_metric_families(text)
    return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}


def seen(**changes):
    usual = {
        "version": "1.2.3",
        "status": reports.status(),
        "totals": reports.totals(),
        "parts": reports.health(),
        "models": reports.models_view(),
    }
    return read(Seen(**{**usual, **changes}).text().decode())


async def test_the_account_and_what_it_came_to_are_measured(web):
    answer = await web.client.get("/metrics", headers=BEARER)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = read(answer.text)
    assert found["greenlight_equity", "USDT"] == 10_000
    assert found["greenlight_trades_closed_total",] == 23
    assert found["greenlight_win_ratio",] == 14 / 23
    assert (found["greenlight_outbox_unsent", "slack"], found["greenlight_outbox_unsent", "telegram"]) == (3, 0)
    assert found["greenlight_approvals", "ordered"] == 5


@pytest.mark.parametrize("shown", [{}, {"authorization": "Bearer wrong"}])
async def test_a_stranger_is_shown_no_figure(web, shown):
    answer = await web.client.get("/metrics", headers=shown)
    assert answer.status_code == 401
    assert "greenlight" not in answer.text


async def test_a_name_that_is_not_read_is_refused(web):
    assert (await web.client.get("/metrics?match=x", headers=BEARER)).status_code == 422


def test_what_is_not_known_is_left_out():
    new = reports.status(share=None, benchmark=None, last_cycle_at=None)
    found = seen(status=new, totals=reports.totals(closed=0, won=0, approvals={}, orders={}, unsent={}))
    names = {name for name, *_ in found}
    unknown = ("net_ratio", "benchmark_ratio", "last_candle_timestamp_seconds", "win_ratio", "approvals")
    assert names.isdisjoint(f"greenlight_{name}" for name in unknown)
    assert found["greenlight_trades_closed_total",] == 0


def test_amounts_are_in_the_currency_of_the_account():
    found = seen(status=reports.status(quote="EUR", equity=Decimal("0.00000012")))
    assert found["greenlight_equity", "EUR"] == 1.2e-7


def test_each_source_of_sentiment_has_when_it_was_read_and_whether_it_could_be():
    sources = (
        SourceAge(source="news", read_at=reports.NOON, wrong=""),
        SourceAge(source="x", read_at=reports.NOON, wrong="X answers with status 500."),
        SourceAge(source="reddit", read_at=None, wrong="Reddit does not answer."),
    )
    found = seen(sources=sources)
    assert [found["greenlight_source_up", each] for each in ("news", "x", "reddit")] == [1, 0, 0]
    read = {labels: value for (name, *labels), value in found.items() if "source_read" in name for labels in labels}
    assert read == dict.fromkeys(("news", "x"), reports.NOON.timestamp())
    assert not any("source" in name for name, *_ in seen())


def test_language_models_are_measured_by_provider_model_and_role():
    found = seen()  # labels in the order of their names
    asked = ("gpt-x", "openai", "analyst")
    verdicts = {name: found["greenlight_model_day_calls", *asked, name] for name in ("valid", "failed", "none")}
    assert verdicts == {"valid": 7, "failed": 2, "none": 1}
    assert found["greenlight_model_day_tokens", "read", *asked] == 9_000
    assert found["greenlight_model_day_usd", *asked] == 0.15
    latency = {
        part: found["greenlight_model_day_latency_seconds", "gpt-x", part, "openai", "analyst"] for part in ("50", "95")
    }
    assert latency == {"50": 1.0, "95": 30.0}
    assert (found["greenlight_model_spent_usd", "month"], found["greenlight_model_month_reused",]) == (1.2, 14)
    assert found["greenlight_model_cap_used_ratio", "", "month"] == 0.012


def test_a_provider_that_is_left_alone_is_down():
    view = reports.models_view()
    away = replace(view, providers=(replace(view.providers[0], trouble="it failed"), *view.providers[1:]))
    found = seen(models=away)
    assert (found["greenlight_model_up", "openai"], found["greenlight_model_up", "offline"]) == (0, 1)


def test_where_no_model_is_asked_nothing_is_said_of_them():
    assert not [name for name, *_ in seen(models=ModelsView(is_on=False)) if name.startswith("greenlight_model")]


def test_what_has_no_end_yet_and_a_cap_of_nothing_are_measured_too():
    nothing = CapView(cap=Cap(period=Period.DAY, usd=Decimal(0)), used=Decimal(0))
    fresh = reports.model_totals(verdicts={"": 1}, latencies=())
    found = seen(models=reports.models_view(caps=(nothing,), last_day=(fresh,), forecast=None))
    assert found["greenlight_model_cap_usd", "", "day"] == 0
    names = {name for name, *_ in found}
    unknown = ("cap_used_ratio", "day_latency_seconds", "forecast_usd")
    assert names.isdisjoint(f"greenlight_model_{name}" for name in unknown)


def test_a_part_that_fails_is_down():
    parts = (*reports.health(), replace(reports.health()[0], name='tele"gram\n', ok=False))
    found = seen(parts=parts)
    assert found["greenlight_part_up", 'tele"gram\n'] == 0
    assert found["greenlight_part_up", reports.health()[0].name] == 1
