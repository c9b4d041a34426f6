"""Whether another bot uses an account that orders really go to: two on one would trade with each other's money."""

from __future__ import annotations

import asyncio

from bot.doctor.check import Case, Check
from bot.doctor.keeping import looked_up, revision
from bot.real_venues import account_of
from bot.venues import real_venues
from config.settings import Settings
from engine.domain.errors import StoreError
from engine.domain.halts import Halt, HaltKind
from engine.domain.orders import OrderState
from engine.domain.signatures import signature_of
from engine.exchanges.ccxt import orders
from engine.execution import other_bots
from engine.store.unit_of_work import UnitOfWork
from engine.timing.clocks import WallClock
from handlers.cards import alerts, wording


def _other_bots(case: Case) -> str:
    found = asyncio.run(_look_at_all(case))
    if found:
        what_to_do = alerts.meanwhile(Halt(kind=HaltKind.OTHER_BOT, reason=found[0], since=case.wall()))
        raise StoreError(" ".join(f"{wording.sentence(each)}." for each in found), what_to_do)
    return "none has an order at a venue"


async def _look_at_all(case: Case) -> list[str]:
    """What tells of another bot: an order that stands at a venue, or what was seen while this one ran."""
    there = {name: await _open_at(case.settings, name) for name in real_venues(case.settings)}
    if not revision(case)[0]:
        strange = ((name, each) for name, found in there.items() for each in found if signature_of(each.client_id))
        return [f"order {other_bots.named(each)} at {name} is another bot's" for name, each in strange]

    def work(uow: UnitOfWork) -> list[str]:
        seen = [each.halt.reason for each in uow.halts.open() if each.halt.kind is HaltKind.OTHER_BOT]
        standing = [
            other_bots.in_words(uow, name, each)
            for name, found in there.items()
            for each in other_bots.of_others(uow, found)
        ]
        return list(dict.fromkeys([*seen, *standing]))

    return await looked_up(case.settings.database.url, work)


async def _open_at(settings: Settings, name: str) -> list[OrderState]:
    account = account_of(name, settings.exchanges[name], WallClock())
    try:
        await account.open()
        found = orders.order_states(await account.open_orders())
    finally:
        await account.close()
    return [orders.as_whole(each)[0] for each in found]


CHECKS = (
    Check(
        name="other bots",
        look=_other_bots,
        needs=("keys", "account"),
        asked=lambda settings: bool(real_venues(settings)),
    ),
)
