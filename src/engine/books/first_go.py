"""The first go: at an account that orders really go to nothing is entered before an admin has said that it may begin.

    start ─▶ is this the account that somebody has agreed to? ─▶ else ask, and enter nothing ─▶ an admin's press

What was agreed to is kept by venue and key: another key, or the venue in place of its test net, is asked about anew.
What reduces risk is never held up by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from engine.domain.confirmations import Confirmation, Consent, FirstGo
from engine.domain.events import ConfirmationAsked, ConfirmationChanged, LiveStarted
from engine.domain.live import LiveAccount, LiveNotice
from engine.ports import Clock
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork

_KEPT = "first_go."
"""How the keys begin under which it is kept who may begin."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstGoes:
    """Knows which accounts may begin.

    Attributes:
        accounts: Those that orders really go to.
        limits: What they are held to, for people.
    """

    store: Database
    clock: Clock
    accounts: Sequence[LiveAccount] = ()
    limits: tuple[tuple[str, str], ...] = ()
    _waiting: dict[str, LiveAccount] = field(default_factory=dict, init=False)

    async def open(self) -> None:
        """Tell people whose money it is, and ask where nobody has said that it may begin."""
        if not self.accounts:
            return
        waiting = await self.store.transact(self._open)
        self._waiting.update({account.venue: account for account in waiting})
        for account in self.accounts:
            _log.info(
                "orders are real",
                venue=account.venue,
                kind=account.kind,
                key_ends_in=account.key,
                limits=dict(self.limits),
                waits_for_first_go=account.venue in self._waiting,
            )

    def no_entry(self, venue: str) -> str:
        """Why nothing may be entered at a venue; empty where something may."""
        account = self._waiting.get(venue)
        if account is None:
            return ""
        return f"an admin has not yet given {venue} its first go with the key that ends in {account.key}"

    def answer(
        self, uow: UnitOfWork, asked: Confirmation, subject: FirstGo, consent: Consent, person: str
    ) -> Confirmation:
        """Keep an admin's answer, within the transaction of it."""
        now, account = self.clock.now(), subject.account
        if account not in self.accounts:
            return asked.voided(now, "the account is another one now")
        if consent is Consent.YES:
            uow.settings.set(_KEPT + account.venue, account.fingerprint)
            uow.once_kept.append(lambda: self._begin(account))
        return asked.answered(consent, person, now)

    def _begin(self, account: LiveAccount) -> None:
        self._waiting.pop(account.venue, None)
        _log.info("first go", venue=account.venue, key_ends_in=account.key)

    def _open(self, uow: UnitOfWork) -> tuple[LiveAccount, ...]:
        now = self.clock.now()
        waiting = tuple(each for each in self.accounts if uow.settings.get(_KEPT + each.venue) != each.fingerprint)
        notice = LiveNotice(
            id=f"{now:%Y%m%d%H%M%S}",
            at=now,
            accounts=tuple(self.accounts),
            limits=self.limits,
            waiting=tuple(each.venue for each in waiting),
        )
        uow.live_notices.put(notice)
        uow.emit(LiveStarted(at=now, notice_id=notice.id))
        open_ones = uow.confirmations.open(FirstGo)
        for asked in open_ones:
            if not isinstance(asked.subject, FirstGo) or asked.subject.account not in waiting:
                uow.confirmations.settle(asked.voided(now, "the account is another one now"))
                uow.emit(ConfirmationChanged(at=now, confirmation_id=asked.id, stage="void"))
        asked_about = [each.subject.account for each in open_ones if isinstance(each.subject, FirstGo)]
        for account in waiting:
            if account not in asked_about:
                self._ask(uow, account)
        return waiting

    def _ask(self, uow: UnitOfWork, account: LiveAccount) -> None:
        now, subject = self.clock.now(), FirstGo(account=account, limits=self.limits)
        asked = Confirmation(id=uow.confirmations.next_id(), subject=subject, asked_at=now)
        uow.confirmations.add(asked)
        uow.emit(ConfirmationAsked(at=now, confirmation_id=asked.id))
