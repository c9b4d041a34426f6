"""What language models have cost so far, and will have."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from engine.domain.days import Period
from engine.domain.model_calls import ModelFault
from engine.domain.model_ledger import Cap
from engine.domain.model_views import CapView, ModelsView, ProviderView
from engine.llm.overview import ModelsOverview, forecast
from engine.store.database import Database
from tests.fakes.models import BIG, NOW, OFFLINE, SMALL, FakeProvider, FakeWall, Opinion, fails, models, says

CAPS = (Cap(period=Period.MONTH, usd=Decimal(100)), Cap(period=Period.DAY, usd=Decimal(1), purpose="risk"))


async def view(store: Database, wall: FakeWall, **changes: object) -> ModelsView:
    def trouble(name: str) -> str:
        return f"{name} is away" if name == "local" else ""

    links = (BIG, SMALL, replace(BIG, model="mini"), OFFLINE)
    overview = ModelsOverview(store=store, links=links, caps=CAPS, trouble=trouble, wall=wall, is_on=True)
    return await replace(overview, **changes).view()


async def test_people_see_who_was_asked_for_what_and_what_it_cost(store: Database):
    openai, wall = FakeProvider(), FakeWall(NOW - timedelta(days=16))
    room = models(store, openai, caps=CAPS, cache_ttl=timedelta(minutes=5), wall=wall)
    await room.manager.generate("of the month before", "", purpose="analyst")
    for days, purpose in ((-3, "analyst"), (0, "risk"), (0, "risk"), (0, "")):
        wall.at = NOW + timedelta(days=days)
        await room.manager.generate(f"at {wall.at}", "", purpose=purpose)
    openai.script = [fails(ModelFault.TIME)]
    await room.manager.generate("lost", "", purpose="risk")
    seen = await view(store, wall)
    kept, nothing = Decimal("0.00504"), Decimal(0)
    assert (seen.today, seen.month) == (Decimal("0.011") + kept, Decimal("0.022") + kept)
    assert (seen.calls, seen.reused, seen.input_tokens, seen.output_tokens) == (3, 2, 2000, 200)
    assert seen.purposes == (("risk", Decimal("0.011") + kept), ("analyst", Decimal("0.011")), ("", 0))
    assert seen.providers == (
        ProviderView(
            name="openai", models=("big", "mini"), is_offline=False, trouble="", calls=3, usd=Decimal("0.022") + kept
        ),
        ProviderView(name="local", models=("small",), is_offline=False, trouble="local is away", calls=0, usd=nothing),
        ProviderView(name="offline", models=("rules",), is_offline=True, trouble="", calls=0, usd=nothing),
    )
    assert seen.caps == (
        CapView(cap=CAPS[0], used=seen.month),
        CapView(cap=CAPS[1], used=Decimal("0.011") + kept),
    )


async def test_where_nothing_was_asked_nothing_is_forecast_but_nothing(store: Database):
    seen = await view(store, FakeWall(), is_on=False)
    assert (seen.is_on, seen.calls, seen.month, seen.forecast, seen.purposes) == (False, 0, 0, 0, ())
    assert [each.trouble for each in seen.providers] == ["", "", ""], "nobody is asked, so nobody is away"


@pytest.mark.parametrize(
    ("now", "used", "comes_to"),
    [
        (datetime(2026, 3, 16, 12, tzinfo=UTC), "15.5", "31"),
        (datetime(2028, 2, 2, tzinfo=UTC), "1", "29"),
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), "31", "31.00001"),
        (datetime(2026, 4, 1, 23, 59, tzinfo=UTC), "9", None),
    ],
)
def test_a_month_is_forecast_by_its_pace_from_its_second_day_on(now: datetime, used: str, comes_to: str | None):
    found = forecast(Decimal(used), now)
    assert found is None if comes_to is None else round(found, 5) == Decimal(comes_to)


async def test_the_last_day_is_told_by_model_and_purpose(store: Database):
    openai, wall = FakeProvider(script=[says(), says("no"), says("no"), fails(ModelFault.TIME)]), FakeWall()
    room = models(store, openai, wall=wall)
    wall.at = NOW - timedelta(days=1, minutes=1)
    await room.manager.generate("of the day before", "", Opinion, purpose="risk")
    wall.at = NOW
    for number in range(2):
        await room.manager.generate(f"question {number}", "", Opinion, purpose="risk")
    await room.manager.generate("lost", "", purpose="")
    lost, risk = (await view(store, wall)).last_day
    assert (risk.provider, risk.model, risk.purpose) == ("openai", "big", "risk")
    assert risk.verdicts == {"invalid": 2, "failed": 1}
    assert (risk.input_tokens, risk.output_tokens, risk.usd > Decimal("0.022")) == (2000, 200, True)
    assert (lost.purpose, lost.verdicts, lost.usd) == ("", {"failed": 1}, Decimal("0.00504"))
    assert len(risk.latencies) == 3
    assert risk.latency(0.5) == sorted(risk.latencies)[1]
    assert risk.latency(0.95) == max(risk.latencies)
