"""What the account tells a panel of a market: what is held of it, how the last trades in it ended, what is at stake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.ai.brief import Line, safe
from engine.domain.figures import plain
from engine.domain.market import Listing
from engine.domain.positions import Position
from engine.domain.proposals import Proposal
from engine.store.database import Database
from engine.store.unit_of_work import UnitOfWork

MOST_PAST = 3
"""How many trades are told of that have ended."""
_LOOKED_AT = 60
"""Among how many of the account's last trades they are looked for."""
_DIGITS = 4
_ABOUT_A_DOLLAR = frozenset({"USD", "USDT", "USDC", "FDUSD", "BUSD", "DAI", "TUSD", "EUR", "GBP", "CHF"})
"""Currencies that are held against dollars as they are; what others are worth nobody has told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """What is told beside a proposal.

    Attributes:
        lines: For the brief.
        at_risk: What the trade may lose, in the quote currency; ``None`` where nobody knows what that is in dollars.
    """

    lines: tuple[Line, ...] = ()
    at_risk: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReader:
    """Reads the account for a brief.

    Attributes:
        risk_per_trade: What a trade may lose, as a share of the equity.
    """

    store: Database
    risk_per_trade: Decimal

    async def of(self, proposal: Proposal) -> AccountFacts:
        """What is known of a proposal's market."""
        return await self.store.read(lambda uow: self._read(uow, proposal))

    def _read(self, uow: UnitOfWork, proposal: Proposal) -> AccountFacts:
        held = [each for each in uow.positions.open() if each.listing == proposal.listing]
        past = [
            each
            for each in uow.positions.newest(_LOOKED_AT, status="closed")
            if each.listing == proposal.listing and not each.is_external and each.cost > 0
        ]
        price = Decimal(repr(proposal.close)) if proposal.close else None
        at_risk = uow.account.portfolio().equity * self.risk_per_trade
        return AccountFacts(
            lines=(*_held(held, price), *_past(past[:MOST_PAST])),
            at_risk=at_risk if proposal.symbol.partition("/")[2] in _ABOUT_A_DOLLAR else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """Reads what is held of markets, for those who say where these are going.

    Attributes:
        store: Where positions and the decisions behind them are kept.
    """

    store: Database

    async def of(self, prices: Mapping[Listing, Decimal]) -> dict[Listing, tuple[Line, ...]]:
        """What is held of each market at its price: the gain so far, and why it was bought."""
        return await self.store.read(lambda uow: {each: _holdings(uow, each, prices[each]) for each in prices})


def _holdings(uow: UnitOfWork, listing: Listing, price: Decimal) -> tuple[Line, ...]:
    held = [each for each in uow.positions.open() if each.listing == listing and not each.is_external]
    return (*_held(held, price), *_entry_reasons(uow, held))


def _entry_reasons(uow: UnitOfWork, held: list[Position]) -> Iterator[Line]:
    for number, each in enumerate(held, start=1):
        if decision_id := uow.positions.decision_of(each.id):
            reasons = uow.decisions.get(decision_id).decision.reasons
            yield Line(name=f"held.{number}.bought_because", text=safe("; ".join(reasons)))


def _held(held: list[Position], price: Decimal | None) -> Iterator[Line]:
    for number, each in enumerate(held, start=1):
        if price is not None and each.cost > 0:
            gain = (each.realised + each.unrealised(price) - each.fees) / each.cost * 100
            text = f"{each.context} holds it: gain so far in per cent"
            yield Line(name=f"held.{number}", figure=Decimal(plain(gain, _DIGITS)), text=text)


def _past(past: list[Position]) -> Iterator[Line]:
    """How trades ended; where there were none nothing is told, and nothing made up."""
    for number, each in enumerate(past, start=1):
        gain = Decimal(plain(each.net / each.cost * 100, _DIGITS))
        text = f"{each.context} of {each.opened_at:%Y-%m-%d}: gain in per cent, closed by {each.closed_by}"
        yield Line(name=f"past.{number}", figure=gain, text=text)
