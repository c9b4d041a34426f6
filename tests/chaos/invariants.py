"""What must hold, whatever happened: along the way, once the faults are over, and in the files at the end."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, get_args

from bot.chat import destinations
from engine.domain.events import Event
from engine.domain.messages import Card
from engine.store import codec
from handlers.cards.telegram_html import render
from handlers.slack import blocks
from handlers.topics import routes
from tests.chaos.firm import EVE
from tests.fakes.program import Json
from tests.fakes.slack_blocks import plain
from tests.fakes.telegram_entities import trimmed

if TYPE_CHECKING:
    from tests.chaos.world import World

_PRICE_THEN = re.compile(r"(?m)(?<=^Price:)[ \n].*$(\n→.*$)?")
"""A card shows the price of the moment at which it was put there; a long one has a line of its own."""
_LEFT = re.compile(r"in \d[^,]* by your clock")
_PROMISE = re.compile(r"You declined (A\d+)\.|You approved (half of )?(A\d+): order (O\d+) ")
EVENTS = {kind.__name__: kind for kind in get_args(Event)}
MAY_ANSWER = {"Ada", "Ben", "Tom"}
PENDING = {
    "cards that are not shown": "SELECT topic, platform FROM outbox WHERE wanted_version > sent_version",
    "questions without an end": "SELECT id, status FROM approvals WHERE status IN ('pending', 'claimed')",
    "orders in doubt": "SELECT id, status FROM orders WHERE status IN ('intent', 'sent', 'unknown')",
}


def unfinished(world: World) -> list[str]:
    """What has not come to its end yet."""
    found = [f"{what}: {rows}" for what, query in PENDING.items() if (rows := world.rows(query))]
    last = world.market_ends.isoformat()
    waiting = [row["key"] for row in world.rows("SELECT key FROM deliberations") if last not in row["key"]]
    if waiting:  # what was proposed at the very end is decided on by nobody: no time passes any more
        found.append(f"proposals that nobody decides on: {waiting}")
    if world.telegram.unconfirmed:
        found.append(f"updates that nobody has handled: {world.telegram.unconfirmed}")
    return found


async def of_the_chat(world: World) -> list[str]:
    """Every destination shows every topic as it is now; every delivery was handled once; nobody was let in."""
    return [*await _cards(world), *_alerts(world), *_deliveries(world), *_strangers(world)]


def of_the_files(world: World) -> list[str]:
    """One order a decision, money conserved, the database agrees with the venue; nobody answered who may not."""
    twice = [f"{name} was sent {count} times" for name, count in world.line.sent.items() if count > 1]
    return [
        *world.files.complaints(world.positions.lots),
        *_money(world),
        *twice,
        *_votes(world),
        *_promises(world),
        *world.loop.troubles,
    ]


async def _cards(world: World) -> list[str]:
    program = world.app.program if world.app else None
    if program is None:
        return ["the program does not run"]
    render_now = program.chat.outbox._render
    found = []
    for row in world.rows("SELECT * FROM outbox ORDER BY number"):
        card = await render_now(row["topic"])
        if card is None:
            continue
        shown = _shown(world, row)
        wanted = _wanted_on_slack(world, card) if row["platform"] == "slack" else _wanted(row["platform"], card)
        if _timeless(shown) != _timeless(wanted):
            found.append(f"{row['topic']} on {row['platform']}: {_differences(shown, wanted)}")
    return found


def _timeless(shown: object) -> str:
    """What is shown without the time that is left: the market ends while somebody may still press."""
    return _LEFT.sub("in time by your clock", repr(shown))


def _wanted_on_slack(world: World, card: Card) -> object:
    program = world.app.program if world.app else None
    assert program
    speech = next(platform for platform in program.chat.remote if platform.name == "slack")._sender._speech
    parts = [list(part.blocks) for part in blocks.render(speech.shown(card))]
    labels = [[] for _ in parts[1:]] + [[button.label for button in card.buttons]]
    return [(_slack_text(plain(part)), own) for part, own in zip(parts, labels, strict=True)]


def _slack_text(text: str) -> str:
    return re.sub(r"(?m)(?<=^Price)(\W+).*$(\n→.*$)?", "", text)


def _alerts(world: World) -> list[str]:
    """Everything that happened is shown wherever it is to be shown."""
    shown = {(row["topic"], row["platform"]) for row in world.rows("SELECT * FROM outbox WHERE ref <> ''")}
    route = routes(destinations(world.settings))
    rows = world.rows("SELECT kind, body FROM events ORDER BY id")
    wanted = {
        (topic, place.platform): row["kind"]
        for row in rows
        for topic, places in route(codec.load(EVENTS[row["kind"]], row["body"])).items()
        for place in places
    }
    return [
        f"{topic} is not shown on {platform} ({kind})"
        for (topic, platform), kind in wanted.items()
        if (topic, platform) not in shown
    ]


def _money(world: World) -> list[str]:
    """The books and the venue agree on what the account owns."""
    theirs = {row["currency"]: Decimal(row["current"]) for row in world.files.venue("SELECT * FROM balances")}
    ours = {row["currency"]: Decimal(row["amount"]) for row in world.rows("SELECT currency, amount FROM balances")}
    for row in world.rows("SELECT symbol, quantity FROM positions WHERE status = 'open'"):
        base = row["symbol"].partition("/")[0]
        ours[base] = ours.get(base, Decimal(0)) + Decimal(row["quantity"])
    owned = {name for name, amount in {**theirs, **ours}.items() if amount}
    return [
        f"{name}: {ours.get(name)} in the books, {theirs.get(name)} at the venue"
        for name in sorted(owned)
        if abs(ours.get(name, Decimal(0)) - theirs.get(name, Decimal(0))) > Decimal("1e-12")
    ]


def _promises(world: World) -> list[str]:
    """Who was told that their no counted, or which order theirs became, was told the truth."""
    status = {row["id"]: row for row in world.rows("SELECT id, status, state FROM approvals")}
    found = []
    for row in world.rows("SELECT person, outcome FROM audit"):
        said = _PROMISE.match(row["outcome"])
        if said is None:
            continue
        declined, _, approved, order = said.groups()
        state = status[declined or approved]["state"]
        kept = f'"by":"{row["person"]}"' in state if declined else f'"order_id":"{order}"' in state
        found += [] if kept else [f"{row['person']} was told {row['outcome']!r}, but it is {state}"]
    return found


def _shown(world: World, row: Json) -> object:
    platform, ref = row["platform"], row["ref"]
    if not ref:
        return None
    messages = json.loads(ref)["messages"]
    if platform == "web":
        (row,) = world.rows("SELECT card FROM chat_messages WHERE id = ?", int(messages[0]))
        return _settled(codec.load(Card, row["card"]))
    if platform == "slack":
        at = world.slack.at.channel(row["address"]).messages
        return [(_slack_text(at[ts].text), "deleted" if at[ts].deleted else at[ts].labels) for ts in messages]
    chat = world.telegram.chat(int(row["address"]))
    there = [chat.messages[int(name)] for name in messages]
    return [(_PRICE_THEN.sub("", m.text), m.labels if not m.deleted else "deleted") for m in there]


def _wanted(platform: str, card: Card) -> object:
    if platform == "web":
        return _settled(card)
    parts = render(card)
    labels = [[] for _ in parts[1:]] + [[button.label for button in card.buttons]]
    return [(_PRICE_THEN.sub("", trimmed(part.plain, [])[0]), own) for part, own in zip(parts, labels, strict=True)]


def _differences(shown: object, wanted: object) -> str:
    """Where two descriptions part."""
    left, right = str(shown), str(wanted)
    same = next((at for at, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    start = max(0, same - 40)
    return f"shows …{left[start : same + 80]}…, should show …{right[start : same + 80]}…"


def _settled(card: Card) -> Card:
    return replace(card, fields=tuple((name, _PRICE_THEN.sub("", f"{name}: {value}")) for name, value in card.fields))


def _deliveries(world: World) -> list[str]:
    """Each thing that somebody did was handled to its end, once."""
    seen = {row["id"] for row in world.rows("SELECT id FROM deliveries")}
    deeds = [deed for deed in world.people.deeds if not _is_excused(world, deed.delivery)]
    lost = [
        f"{d.who.name}: {d.what} ({d.delivery}) was never handled"
        for d in deeds
        if f"{d.delivery}:finished" not in seen
    ]
    audited = world.rows("SELECT count(*) AS n FROM audit")[0]["n"]
    finished = sum(name.endswith(":finished") for name in seen)
    return [*lost, *([] if audited == finished else [f"{finished} deliveries, {audited} entries in the audit"])]


def _is_excused(world: World, delivery: str) -> bool:
    """Whether nobody can expect a delivery to be handled: it never came in, or the power was cut after its receipt."""
    if delivery.startswith("slack:"):
        life = world.people.acked.get(delivery)
        return life is None or life.dead
    return delivery in world.people.given_up


def _strangers(world: World) -> list[str]:
    told = [m.text for m in world.telegram.chat(EVE.telegram).messages.values() if m.sender == world.telegram.me]
    told += [
        message.text
        for channel in world.slack.at.channels.values()
        for message in channel.messages.values()
        if message.is_bots and EVE.slack in (channel.user, message.only_for)
    ]
    outcomes = world.rows(
        "SELECT DISTINCT outcome FROM audit WHERE user IN (?, ?, ?)", str(EVE.telegram), EVE.slack, EVE.web
    )
    known = [row for row in outcomes if not row["outcome"].startswith("stranger")]
    return [f"a stranger was told: {text}" for text in told] + [f"a stranger got in: {row}" for row in known]


def _votes(world: World) -> list[str]:
    """Only who may answer has answered, and enough of them."""
    found = []
    for row in world.rows("SELECT * FROM approvals"):
        state = json.loads(row["state"])
        people = [vote["person"] for vote in state.get("votes", ())] + ([state["by"]] if "by" in state else [])
        found += [f"{row['id']} was answered by {name}" for name in people if name not in MAY_ANSWER]
        if row["status"] == "ordered" and len(set(people)) < row["votes_needed"]:
            found.append(f"{row['id']} needed {row['votes_needed']} people, and had {people}")
    halts = world.rows("SELECT * FROM halts WHERE kind = 'pause'")
    found += [f"{halt['id']} was made by {halt['by']}" for halt in halts if halt["by"] not in MAY_ANSWER]
    return found
