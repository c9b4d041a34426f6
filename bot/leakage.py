"""The leakage card of each model of the chain for predictions, as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.models import models_beside
from bot.predictions import prediction_prompt
from config.settings import Settings
from engine.ai.leakage import Case, Leakage, LeakageProbe, Share, parted
from engine.ai.predictor import PURPOSE
from engine.ai.prompt_files import Prompt
from engine.llm.answers import Link
from engine.llm.manager import LLMManager

_HEAD = ("model", "when", "cases", "answered", "turned", "unmasked", "figures", "right", "")
_LEGEND = """turned    answers that are the opposite once the evidence is turned round
unmasked  answers that are the same without name, date and level of prices
figures   answers that go with the figures where these are another case's: the others go with name and date
right     answers that were what came: far more before a model's training ended than after it is what it knew"""

CutOff = Callable[[str, str], datetime | None]
"""When the training of a provider's model ended; ``None`` where nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A model on the cases of one time."""

    link: Link
    when: str
    found: Leakage


async def measured(
    settings: Settings, cases: Sequence[Case], cut_off: datetime | None, asked: Callable[[], None]
) -> list[Row]:
    """Ask each model on the account's own database, booked and within the caps.

    Args:
        settings: Which models there are, and what their answers may cost.
        cases: What they are asked about.
        cut_off: When the training of all of them ended; ``None`` for what the settings say of each.
        asked: Called after each case.

    Raises:
        GreenlightError: The models cannot be asked by these settings, or the prompt for predictions is none.
    """
    async with models_beside(settings) as models:
        ended = (lambda *_: cut_off) if cut_off else settings.llm.cut_off_of
        return await rows_of(models.manager, prediction_prompt(settings), cases, ended, asked)


async def rows_of(
    manager: LLMManager, prompt: Prompt, cases: Sequence[Case], cut_off: CutOff, asked: Callable[[], None]
) -> list[Row]:
    """What each model of the chain says by itself: none answers for another."""
    rows = list[Row]()
    for link in manager.chain(PURPOSE, ""):
        alone = replace(manager, chain=lambda *_, link=link: (link,))
        probe = LeakageProbe(manager=alone, prompt=prompt, asked=asked)
        for when, some in parted(cases, cut_off(link.provider, link.model)).items():
            rows.append(Row(link=link, when=when, found=await probe.measure(some)))
    return rows


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The rows below one another, and what the columns mean."""
    told = [_HEAD, *map(_cells, rows)]
    widths = [max(len(cells[column]) for cells in told) for column in range(len(_HEAD))]
    for cells in told:
        yield "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
    yield ""
    yield _LEGEND


def _cells(row: Row) -> tuple[str, ...]:
    found = row.found
    shares = (found.turned, found.unmasked, found.figures, found.right)
    return (
        str(row.link),
        row.when,
        str(found.cases),
        str(found.answered),
        *map(_percent, shares),
        found.verdict,
    )


def _percent(share: Share) -> str:
    return "-" if share.value is None else f"{share.value:.0%} of {share.of}"
