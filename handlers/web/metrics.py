"""The bot for Prometheus: views ─▶ Status, Totals, parts ─▶ families of metrics ─▶ the text that Prometheus reads."""

from __future__ import annotations

from fastapi import APIRouter, Response

from handlers.web.api import KnownCaller, KnownQuery
from handlers.web.services import UseServices

TEXT = "text/plain; version=0.0.4; charset=utf-8"
"""The text format of Prometheus that every version of it reads."""
router = APIRouter(tags=["health"], dependencies=[KnownQuery])


@router.get("/metrics", response_class=Response, responses={200: {"content": {TEXT: {}}}})
async def metrics(services: UseServices, _: KnownCaller) -> Response:
    """Everything a dashboard shows; a scraper shows the API's token."""
    from handlers.web.metric_families import Seen  # loads a library that nothing else needs

    views = services.views
    status, totals, parts = await views.status(), await views.totals(), await views.health()
    models, sources = await views.models(), views.sources()
    seen = Seen(version=services.version, status=status, totals=totals, parts=parts, models=models, sources=sources)
    return Response(seen.text(), media_type=TEXT)
