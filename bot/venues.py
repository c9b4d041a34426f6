"""The venues of an account: what each is called, which of them orders really go to, and the files of the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from config.contexts import ContextSettings
from config.markets import ExchangeSettings
from config.settings import Settings
from engine.exchanges.paper import NAME as PAPER


def venue_names(settings: Settings) -> tuple[str, ...]:
    """The venues by name: paper venues, then those that orders really go to."""
    return (*paper_venues(settings), *real_venues(settings))


def real_venues(settings: Settings) -> tuple[str, ...]:
    """The venues that orders really go to: they go by their names in ``exchanges``."""
    if settings.market.source == "replay":
        return ()
    return tuple(sorted(name for name, each in settings.exchanges.items() if each.enabled and each.orders == "real"))


def paper_venues(settings: Settings) -> tuple[str, ...]:
    """The paper venues: those that are on, where several are in a replay; else one, where a context trades on it."""
    if settings.several:
        return settings.several
    real = real_venues(settings)
    on_paper = any(context.exchange not in real for context in settings.contexts)
    return (PAPER,) if on_paper or not real else ()


def venue_of(settings: Settings, context: ContextSettings) -> str:
    """Where a context trades."""
    if context.exchange in real_venues(settings):
        return context.exchange or PAPER
    return context.exchange or PAPER if settings.several else PAPER


def others_of(settings: Settings, context: ContextSettings) -> tuple[str, ...]:
    """The further venues that a context's entries may go to, where they are venues by themselves."""
    own, there = venue_of(settings, context), venue_names(settings)
    return tuple(name for name in context.venues if name != own and name in there)


def prices_of(settings: Settings, venue: str) -> str:
    """The venue whose real prices another one goes by: its own, or those that what is bought there is decided on."""
    found = settings.price_venues
    own = [name for name in found if settings.listed_as(name) == settings.listed_as(venue)]
    first = [each.exchange or "" for each in settings.contexts if venue in each.venues]
    routed = [name for each in first for name in found if settings.listed_as(name) == settings.listed_as(each)]
    return next(iter([*own, *routed, *found]), "")


def goes_by(settings: Settings, context: ContextSettings, name: str) -> bool:
    """Whether a context decides on a venue's prices, or buys by them."""
    return name in {prices_of(settings, each) for each in (context.exchange or name, *context.venues)}


def fees_at(settings: Settings, exchange: str | None) -> dict[str, Any]:
    """What fills cost at an exchange: what is set there, else at the paper venue, as a fill model has it."""
    own = settings.exchanges.get(exchange or "", ExchangeSettings())
    names = ("fee", "fee_in", "fee_price")
    return {name: getattr(settings.venue if getattr(own, name) is None else own, name) for name in names}


def exchange_of(settings: Settings, venue: str = PAPER) -> str:
    """The exchange that a venue stands for; empty for none."""
    on = [name for name, each in settings.exchanges.items() if each.enabled]
    if venue in settings.several or venue in real_venues(settings):
        return venue
    return on[0] if len(on) == 1 else settings.exchange[0]


def venue_files(settings: Settings) -> dict[str, Path]:
    """The file of each paper venue: as set, with the venue's name in it where there are several."""
    file = settings.venue_file
    if settings.several:
        return {name: file.with_stem(f"{file.stem}-{name}") for name in settings.several}
    return dict.fromkeys(paper_venues(settings), file)


def files_in_backups(settings: Settings) -> dict[str, Path]:
    """The files of the venues, by what they are called in a backup, wherever they are."""
    return {
        f"venue-{name}.sqlite" if settings.several else "venue.sqlite": file
        for name, file in venue_files(settings).items()
    }


def named_together(settings: Settings) -> str:
    """All venues in words, as people and the database's stamp have them."""
    return " and ".join(venue_names(settings))
