"""The templates, and how figures read in them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from engine.domain.adjuster_modes import ModeChoice
from engine.domain.approvals import Verb
from engine.domain.closing import Choice
from engine.domain.confirmations import Consent
from engine.domain.messages import BREAK
from engine.domain.policy_proposals import ProposalChoice
from handlers.cards import alerts, wording
from handlers.cards.lines import flowing
from handlers.cards.times import marked
from handlers.charts.scenes import scene_of
from handlers.web.drawing import curve

STATIC = Path(__file__).parent / "static"

PRESSED = {
    Verb.APPROVE: "Approving…",
    Verb.HALF: "Approving half…",
    Verb.REJECT: "Rejecting…",
    Choice.CLOSE: "Closing…",
    Choice.KEEP: "Keeping…",
    Consent.YES: "Confirming…",
    Consent.NO: "Declining…",
    ModeChoice.SET: "Setting…",
    ModeChoice.LEAVE: "Leaving…",
    ProposalChoice.ADOPT: "Adopting…",
    ProposalChoice.DECLINE: "Declining…",
    ProposalChoice.TAKE_BACK: "Taking back…",
}
"""What a button says while its press is being handled."""


def render(template: str, **values: Any) -> str:
    """Fill in a template. Every value is escaped; a name that is missing is an error."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("handlers.web"), PackageLoader("handlers.charts")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "amount": lambda value, currency: wording.amount(Decimal(value), currency),
        "share_of": _share_of,
        "signed": wording.signed_amount,
        "figure": wording.figure,
        "quote": wording.quote,
        "gain": wording.gain_amount,
        "signed_percent": wording.signed_percent,
        "price": wording.price,
        "quantity": wording.quantity,
        "percent": wording.percent,
        "moment": wording.moment,
        "words": wording.words,
        "sentence": wording.sentence,
        "meanwhile": alerts.meanwhile,
        "times": _times,
        "prose": _prose,
        "iso": _iso,
        "trend": _trend,
        "pressed": lambda verb: PRESSED[verb],
    }
    environment.globals |= {"curve": curve, "scene": scene_of}
    return environment


def _times(text: str) -> Markup:
    """A text with its times marked, for the page to show them in the reader's zone; where it breaks is the page's."""

    def time(words: str, at: datetime) -> str:
        return f'<time class="whole" datetime="{_iso(at)}">{words}</time>'

    return Markup(marked(flowing(text), lambda piece: str(escape(piece)), time))  # noqa: S704 - every piece is escaped


def _prose(text: str) -> Markup:
    """Such a text of several lines; what a line that may be broken has below it is set in."""
    html = ""
    for line in text.split("\n"):
        html += Markup('<span class="line">{}</span>').format(_times(line)) if BREAK in line else _times(line) + "\n"
    return Markup(html.removesuffix("\n"))  # noqa: S704 - every line is escaped


def _share_of(part: Decimal, whole: Decimal, currency: str) -> str:
    """An amount, and what it is of another in per cent; its currency stands beside."""
    return f"{wording.amount(part, currency)}{wording.in_brackets(part, whole)}"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _trend(value: Decimal) -> str:
    """The class that colours a profit or a loss."""
    return "gain" if value > 0 else "loss" if value < 0 else "even"
