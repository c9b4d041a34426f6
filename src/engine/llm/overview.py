"""How language models are, and what they have cost: read for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from engine.domain.days import Period
from engine.domain.model_ledger import Cap, Spend, billing_day
from engine.domain.model_views import CapView, ModelsView, ModelTotals, ProviderView
from engine.llm.answers import Link
from engine.store.database import DatabaseReader
from engine.store.totals import model_totals
from engine.store.unit_of_work import UnitOfWork

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsOverview:
    """Reads what is kept of calls.

    Attributes:
        links: Every model that any chain asks, in order.
        caps: The most that may be spent.
        trouble: Tells what is wrong with a provider; an empty text where nothing is.
        wall: The wall clock.
        is_on: Whether anybody is asked.
        tape: The file that answers in the place of models; empty where they answer themselves.
    """

    store: DatabaseReader
    links: Sequence[Link]
    caps: Sequence[Cap]
    trouble: Callable[[str], str]
    wall: Callable[[], datetime]
    is_on: bool
    tape: str = ""

    async def view(self) -> ModelsView:
        """How they are now, and what they have cost."""
        now = self.wall()
        first = min([Period.MONTH.first(billing_day(now)), *(cap.first(now) for cap in self.caps)])

        def work(uow: UnitOfWork) -> tuple[tuple[Spend, ...], int, tuple[ModelTotals, ...]]:
            lately = model_totals(uow.connection, now - _DAY)
            return uow.model_calls.spent_since(first), len(uow.model_calls.under_way()), lately

        spends, reserved, lately = await self.store.read(work)
        month = [each for each in spends if each.day >= Period.MONTH.first(billing_day(now))]
        used = _usd(month)
        return ModelsView(
            is_on=self.is_on,
            tape=self.tape,
            providers=tuple(self._provider(name, month) for name in dict.fromkeys(map(_name, self.links))),
            caps=tuple(CapView(cap=cap, used=cap.used(spends, now)) for cap in self.caps),
            today=_usd([each for each in month if each.day == billing_day(now)]),
            month=used,
            forecast=forecast(used, now),
            purposes=_by_purpose(month),
            calls=sum(each.calls for each in month),
            reused=sum(each.reused for each in month),
            input_tokens=sum(each.input_tokens for each in month),
            output_tokens=sum(each.output_tokens for each in month),
            last_day=lately,
            reserved=reserved,
        )

    def _provider(self, name: str, month: Sequence[Spend]) -> ProviderView:
        links, own = [each for each in self.links if each.provider == name], [s for s in month if s.provider == name]
        return ProviderView(
            name=name,
            models=tuple(dict.fromkeys(link.model for link in links)),
            is_offline=links[0].is_offline,
            trouble="" if links[0].is_offline or not self.is_on else self.trouble(name),
            calls=sum(each.calls for each in own),
            usd=_usd(own),
        )


def forecast(used: Decimal, now: datetime) -> Decimal | None:
    """What a month (UTC) will have come to at the pace so far; ``None`` in its first day, which says little."""
    cap = Cap(period=Period.MONTH, usd=Decimal(0))
    began = datetime.combine(cap.first(now), time(), UTC)
    if now - began < _DAY:
        return None
    return used * (Decimal((cap.begins_anew(now) - began) / _DAY) / Decimal((now - began) / _DAY))


def _name(link: Link) -> str:
    return link.provider


def _usd(spends: Sequence[Spend]) -> Decimal:
    return sum((each.usd for each in spends), Decimal(0))


def _by_purpose(spends: Sequence[Spend]) -> tuple[tuple[str, Decimal], ...]:
    names = dict.fromkeys(each.purpose for each in spends)
    found = [(name, _usd([each for each in spends if each.purpose == name])) for name in names]
    return tuple(sorted(found, key=lambda each: (-each[1], each[0])))
