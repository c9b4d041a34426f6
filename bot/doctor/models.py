"""Language models: who is asked, with which key and at which price; and whether they answer, where that is wanted."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.doctor.check import Case, Check
from bot.model_chains import all_links, faults, price_list
from config.models import key_of
from config.settings import Settings
from engine.domain.errors import GreenlightError
from engine.domain.figures import plain
from engine.llm.answers import Link
from handlers.cards.models import dollars


def _models(case: Case) -> str:
    """Each needs a key and a price, or no call of it could be made, or kept within a cap."""
    for fault in faults(case.settings):
        raise fault
    llm = case.settings.llm
    if llm.tape is not None:
        return f"{llm.tape} answers in their place, for nothing"
    told = "; ".join(f"{link}{_terms(case.settings, link)}" for link in all_links(llm))
    day = f"${plain(llm.max_daily_cost_usd, 2)} a day and " if llm.max_daily_cost_usd is not None else ""
    return f"{told}; at most {day}${plain(llm.max_monthly_cost_usd, 2)} a month"


def _terms(settings: Settings, link: Link) -> str:
    """Whether there is a key, and what a million tokens cost."""
    if link.is_offline:
        return ""
    price = price_list(settings.llm).of(link.provider, link.model)
    cost = f"${plain(price.input)} read, ${plain(price.output)} written" if price.input or price.output else "free"
    key = "its key is set" if key_of(link.provider, settings.llm.providers) else "without a key"
    return f" ({key}; {cost})"


def _answers(case: Case) -> str:
    return asyncio.run(_asked(case.settings))


async def _asked(settings: Settings) -> str:
    """Ask each a small question, booked like any other; never answered from an earlier one."""
    from bot.models import models_beside
    from engine.llm.canary import ask_canary

    fresh = settings.llm.model_copy(update={"cache_ttl": timedelta(0)})
    told, wrong = list[str](), list[str]()
    async with models_beside(settings.model_copy(update={"llm": fresh})) as models:
        for link in (link for link in all_links(fresh) if not link.is_offline):
            answer = await ask_canary(models.manager, link)
            told.append(f"{link} ({answer.latency:.1f} s, {dollars(answer.cost)})")
            wrong += [answer.reason] if answer.abstains else []
    if wrong:
        raise GreenlightError("; ".join(wrong), "The others are asked all the same; see llm.providers and llm.chain.")
    return ", ".join(told)


def _are_asked(settings: Settings) -> bool:
    return settings.asks_models


def _can_answer(settings: Settings) -> bool:
    return settings.asks_models and settings.llm.tape is None


CHECKS = (Check(name="models", look=_models, asked=_are_asked),)
ANSWERS = (Check(name="answers of models", look=_answers, needs=("models",), asked=_can_answer),)
"""They cost what calls cost, and are made where somebody asks for them."""
