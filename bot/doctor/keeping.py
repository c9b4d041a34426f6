"""What is kept: the database, the account in it, and the venue's file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from bot.account import owner_of
from bot.at_work import at_work_of
from bot.doctor.check import Case, Check
from bot.markets import source
from bot.own_files import is_own_folder, open_folders, wider_files, wider_folders
from bot.venues import real_venues, venue_files
from config.kinds import mask_url
from engine.domain.errors import StoreError
from engine.domain.figures import plain
from engine.domain.halts import HaltKind
from engine.domain.trade_views import PositionView
from engine.exchanges.paper_file import VenueFile
from engine.store import migrate
from engine.store.database import Database, stamp
from engine.store.location import file_of
from engine.store.unit_of_work import UnitOfWork
from engine.views import reports
from handlers.cards import alerts, phrases, wording

T = TypeVar("T")
MOST_STEP = 1.0
"""Seconds by which an account may be ahead of the clock."""


def revision(case: Case) -> tuple[str, str]:
    """The database's revision and the program's; a file that is not there is not made by looking."""
    file = file_of(case.settings.database.url)
    if file and not file.exists():
        return "", ""
    return migrate.versions(case.settings.database.url)


def _private_files(case: Case) -> str:
    """In the files are the account, and the key of the web chat's sessions: who has it is an admin."""
    files, wide = wider_files(case.settings), wider_folders(case.settings)
    own = [folder for folder in wide if is_own_folder(folder)]
    others = [folder for folder in open_folders(case.settings) if folder not in own]
    found = {
        "read or write": files,
        "look into": own,
        "put another file in the place of those in": others,
    }
    if any(found.values()):
        may = "; ".join(f"{what} {' '.join(map(str, paths))}" for what, paths in found.items() if paths)
        raise StoreError(f"Others on this machine may {may}.", _narrowed((*files, *own), others))
    shared = f"; others may look into {' '.join(map(str, wide))}, and see their names" if wide else ""
    return f"nobody else on this machine may read them{shared}"


def _narrowed(private: Sequence[Path], others: Sequence[Path]) -> str:
    """How files and folders are made private, and folders of somebody else's left to be read."""
    own = f"chmod go= {' '.join(map(str, private))} (bot run does it to its own)" if private else ""
    return "; ".join(filter(None, (own, f"chmod go-w {' '.join(map(str, others))}" if others else "")))


def _database(case: Case) -> str:
    url = case.settings.database.url
    found, wanted = revision(case)
    if not found:
        return f"{mask_url(url)} is new: it is made at the start"
    if found != wanted:
        raise StoreError(f"{mask_url(url)} has revision {found}, the program {wanted}.", "Run bot db upgrade.")
    if damage := migrate.integrity(url):
        raise StoreError(f"{mask_url(url)} is damaged: {damage[0]}.", "Restore a backup.")
    return f"{mask_url(url)} is sound, revision {found}"


def _account(case: Case) -> str:
    """The database must be this profile's and this market's, and its past must be past."""
    owner = owner_of(case.settings, source(case.settings))
    if not revision(case)[0]:
        venues = case.settings.several
        if real := real_venues(case.settings):
            return f"new: it begins with what there is at {wording.listing(real)}"
        return f"new: it begins with {_money(case)}{f' at each of {wording.listing(venues)}' if venues else ''}"

    def work(uow: UnitOfWork) -> datetime | None:
        stamp(uow, owner)
        return uow.last_event_at()

    reached = asyncio.run(looked_up(case.settings.database.url, work))
    if case.settings.market.clock == "wall" and reached and reached > case.wall() + timedelta(seconds=MOST_STEP):
        raise StoreError(
            f"The account's last event is of {reached:%Y-%m-%d %H:%M} UTC: that is yet to come.", "Set the clock."
        )
    return f"{owner['profile']}, {owner['market']}; " + (
        f"it has reached {reached:%Y-%m-%d %H:%M} UTC" if reached else "empty"
    )


async def looked_up(url: str, work: Callable[[UnitOfWork], T]) -> T:
    """What a look into the database gives."""
    store = Database(url)
    try:
        return await store.read(work)
    finally:
        await store.close()


def _positions(case: Case) -> str:
    """What is held must have its strategy, or nobody sells it but its stop."""
    if not revision(case)[0]:
        return "none are open"
    contexts = at_work_of(case.settings, source(case.settings))

    def work(uow: UnitOfWork) -> list[PositionView]:
        account = uow.account.portfolio()
        return [reports.position(uow, held, account, contexts) for held in account.positions]

    held = asyncio.run(looked_up(case.settings.database.url, work))
    if alone := [view for view in held if view.unmanaged]:
        named = " ".join(map(phrases.unmanaged, alone))
        raise StoreError(f"No strategy manages {named}", wording.sentence("; ".join(map(phrases.ways_on, alone))) + ".")
    return f"{len(held)} open; each of the bot's own has its strategy" if held else "none are open"


def _balances(case: Case) -> str:
    """Where a venue has not what the books say, nothing is entered there: somebody must know why."""
    if not revision(case)[0]:
        return "nothing is in the books yet"
    standing = asyncio.run(looked_up(case.settings.database.url, lambda uow: uow.halts.open()))
    if wrong := [found for found in standing if found.halt.kind is HaltKind.BALANCES]:
        raise StoreError(
            " ".join(f"{wording.sentence(found.halt.reason)} ({found.id})." for found in wrong),
            wording.sentence(alerts.meanwhile(wrong[0].halt)),
        )
    return "no venue lacked what is in the books when that was last seen"


def _venue_file(case: Case) -> str:
    """Of several venues each has its own."""
    files = venue_files(case.settings)
    return "; ".join(_told_of(case, name, file) for name, file in files.items()) or "none: every order is real"


def _told_of(case: Case, name: str, file: Path) -> str:
    if not file.exists() or not file.stat().st_size:
        return f"{file} is new: it begins with {_money(case)}"
    venue = VenueFile(file, name, case.settings.venue.balances)
    try:
        reached = venue.advanced_to
    finally:
        venue.close()
    return f"{file} is sound, " + (
        f"it has reached {reached:%Y-%m-%d %H:%M} UTC" if reached else "nothing has happened"
    )


def _money(case: Case) -> str:
    return (
        ", ".join(f"{plain(amount)} {currency}" for currency, amount in case.settings.venue.balances.items())
        or "nothing"
    )


CHECKS = (
    Check(name="private files", look=_private_files),
    Check(name="database", look=_database, needs=("folders",)),
    Check(name="account", look=_account, needs=("database", "market")),
    Check(name="positions", look=_positions, needs=("account",)),
    Check(name="balances", look=_balances, needs=("account",)),
    Check(name="venue file", look=_venue_file, needs=("folders",)),
)
