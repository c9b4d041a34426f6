"""What is shown to people and what comes back, without a word about any platform."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from engine.domain.adjuster_modes import ModeChoice
from engine.domain.approvals import Verb
from engine.domain.charts import Chart
from engine.domain.closing import Choice
from engine.domain.confirmations import Consent
from engine.domain.policy_proposals import ProposalChoice

CALLBACK_BYTES = 64
"""The tightest limit of any platform on what a button may carry (Telegram's callback data)."""

BREAK = "\N{ZERO WIDTH SPACE}"
"""Stands in a line of a card where the line is broken first if there is no room for it. Never shown.

A line that has none is prose, which readers break by themselves.
"""


class Role(StrEnum):
    """What a person may do; each role includes the ones before it."""

    VIEWER = "viewer"
    TRADER = "trader"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Whether this role may do what the other may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody on the allow-list, whichever platform they come by."""

    name: str
    role: Role


class Lane(StrEnum):
    """How loud a card is."""

    URGENT = "urgent"
    NORMAL = "normal"
    QUIET = "quiet"


class CardKind(StrEnum):
    """What a card is about, for those who choose where which cards go."""

    APPROVALS = "approvals"
    TRADES = "trades"
    ALERTS = "alerts"
    DIGESTS = "digests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """Something to press. It carries a verb and an id, never state: the state is read again at the press.

    Attributes:
        verb: What it does: answer an approval, or confirm what somebody asked for.
        about: The id of what it does that to.
    """

    label: str
    verb: Verb | Choice | Consent | ModeChoice | ProposalChoice
    about: str

    def __post_init__(self) -> None:
        if len(self.data.encode()) > CALLBACK_BYTES:
            raise ValueError(f"the button {self.label!r} carries more than {CALLBACK_BYTES} bytes")

    @property
    def data(self) -> str:
        """What travels with the press, e.g. ``approve:A17``."""
        return f"{self.verb}:{self.about}"

    @staticmethod
    def parse(data: str) -> tuple[Verb | Choice | Consent | ModeChoice | ProposalChoice, str] | None:
        """Read what a press carried; ``None`` where it is none of ours."""
        word, _, about = data.partition(":")
        known = {str(verb): verb for verb in (*Verb, *Choice, *Consent, *ModeChoice, *ProposalChoice)}
        return (known[word], about) if word in known and about else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under a head, for platforms to lay out; numbers are already text."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One of several like things, in short lines: what it is, and below that how it stands."""

    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One thing to show. Its texts are plain: each platform escapes them in its own way, and breaks their lines.

    Attributes:
        topic: What it is about, e.g. ``approval:A17``; empty for most replies to one person. A reply that has one takes
            the place of the message whose button was pressed, where the platform can do that.
        thread: The topic under whose card it belongs where a platform has threads; empty where it stands alone.
        lane: How loud it is.
        fields: Short facts, name and value.
        text: Prose; may have several lines.
        items: Like things, one below the other.
        graph: Numbers over time to draw as a small picture (equity), oldest first.
        picture: What is to be drawn beside it; only replies have one, for what is drawn is not edited.
        buttons: One row of buttons.
        pinned: Whether it stays on top of the chat.
        alarm: Whether it is about a danger that lasts: red, or under a red sign where nothing has a colour.
        private: Whether it is for the one who asked alone, wherever that was: only replies are.
    """

    title: str
    topic: str = ""
    thread: str = ""
    lane: Lane = Lane.NORMAL
    fields: tuple[tuple[str, str], ...] = ()
    text: str = ""
    items: tuple[Item, ...] = ()
    table: Table | None = None
    graph: tuple[float, ...] = ()
    picture: Chart | None = None
    buttons: tuple[Button, ...] = ()
    pinned: bool = False
    alarm: bool = False
    private: bool = False

    @property
    def plain(self) -> str:
        """The whole card as plain text, for screen readers, logs and platforms that refuse markup."""
        parts = [self.title, *(f"{name}: {value}" for name, value in self.fields), self.text]
        parts += [line for item in self.items for line in (item.title, item.text)]
        if self.table:
            parts += ["  ".join(self.table.head), *("  ".join(row) for row in self.table.rows)]
        return "\n".join(part for part in parts if part).replace(BREAK, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where cards go: a platform and an address on it (a chat id, a channel, a room)."""

    platform: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """A platform's own names of the messages that show a card; more than one where it had to be split."""

    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """Somebody wrote a text: a command, or something we take for one."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """Somebody pressed a button."""

    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """Something a person did on a platform.

    Attributes:
        user: The platform's own id of the person; nothing else identifies them.
        delivery_id: The platform's id of this delivery; a second one with the same id has no effect.
        sent_at: When it was sent at the earliest, by the wall clock; ``None`` where the platform does not say, and it
            was sent while the program ran.
        address: Where it was sent, for the reply.
        ref: The message that was pressed, on a press.
        is_carried: Whether that message carries the button, so that an answer may take its place.
        name: What they call themselves there: anything they like, of any length; empty where it is not said.
        is_private: Whether nobody else reads it, nor the answer: then a command needs no slash.
    """

    platform: str
    user: str
    delivery_id: str
    sent_at: datetime | None
    address: str
    action: Typed | Pressed
    ref: Ref | None = None
    is_carried: bool = True
    name: str = ""
    is_private: bool = False
