"""The command table: every menu, every help text and every answer to a typed command comes from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from engine.desk import Desk
from engine.domain.approvals import Press, Verb
from engine.domain.errors import BadInput, UnknownId
from engine.domain.messages import Card, Person, Role
from engine.ports import Clock
from engine.views import Views
from handlers import arguments
from handlers.access import require
from handlers.cards import alerts, answers, emergencies, why

PROFIT_DAYS, MOST_DAYS = 7, 365
LONGEST_NAME = 30
TRADES_SHOWN, MOST_TRADES = 10, 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A command as somebody wrote it: who, on which platform, and the words after it."""

    person: Person
    platform: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing people can ask for.

    Attributes:
        args: What may come after it, as usage shows it, e.g. ``ID [half]``.
        role: The least role that may use it.
    """

    name: str
    help: str
    run: Callable[[Call], Awaitable[Card]]
    aliases: tuple[str, ...] = ()
    args: str = ""
    role: Role = Role.VIEWER

    @property
    def usage(self) -> str:
        """How it is written: ``/approve ID [half]``."""
        return f"/{self.name} {self.args}".rstrip()


class CommandTable:
    """The commands of this program, by name and alias."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self.commands = tuple(commands)
        self._by_name = {name: command for command in commands for name in (command.name, *command.aliases)}

    @property
    def names(self) -> tuple[str, ...]:
        """Every name and alias."""
        return tuple(self._by_name)

    def menu(self) -> tuple[tuple[str, str], ...]:
        """Name and help of every command, for the platforms' own menus."""
        return tuple((command.name, command.help) for command in self.commands)

    def find(self, text: str) -> tuple[Command, tuple[str, ...]] | None:
        """The command a text calls and the words after it; ``None`` where the text is not a command.

        Raises:
            BadInput: It begins like a command but is none; names the nearest.
        """
        head, *words = text.split() or [""]
        if not head.startswith("/"):
            return None
        name = head[1:].partition("@")[0].lower()  # in groups Telegram appends the bot's name
        command = self._by_name.get(name)
        if command is None:
            near = arguments.did_you_mean(name, self._by_name, mark="/")
            raise BadInput(f"There is no command /{name[:LONGEST_NAME]}.", near or "/help lists what there is.")
        return command, tuple(words)

    async def run(self, command: Command, call: Call) -> Card:
        """Run a command for a person.

        Raises:
            NotAllowed: Their role does not allow it.
            BadInput: The words after it are not understood; carries the usage.
            GreenlightError: What the engine says to it.
        """
        require(call.person, command.role, f"/{command.name}")
        try:
            return await command.run(call)
        except UnknownId:
            raise
        except BadInput as error:
            raise BadInput(error.message, f"{error.remedy} Usage: {command.usage}".strip()) from error


def build_commands(*, views: Views, desk: Desk, clock: Clock, version: str) -> CommandTable:
    """Make the table of everything this version can do; what is not built is not in it."""
    reads, acts = _Reads(views, clock, version), _Acts(views, desk, clock)

    async def manual(call: Call) -> Card:
        arguments.nothing(call.words)
        roles = [role for role in Role if call.person.role.includes(role)]
        return answers.manual([(role, [(c.usage, c.help) for c in table.commands if c.role is role]) for role in roles])

    trader = Role.TRADER
    table = CommandTable(
        [
            Command(name="start", run=reads.start, help="what to try first"),
            Command(name="help", run=manual, help="the commands you may use"),
            Command(name="whoami", run=reads.whoami, help="who the bot takes you for"),
            Command(name="status", run=reads.status, help="where things stand"),
            Command(name="positions", run=reads.positions, help="open positions with stop and target"),
            Command(name="balance", run=reads.balance, help="what the account owns"),
            Command(name="profit", aliases=("daily",), args="[days]", run=reads.profit, help="profit and loss by day"),
            Command(name="trades", args="[n]", run=reads.trades, help="the last trades"),
            Command(name="pending", run=reads.pending, help="open questions"),
            Command(
                name="approve",
                args="ID [half]",
                role=trader,
                run=acts.approve,
                help="approve a question, or half of its quantity",
            ),
            Command(
                name="reject",
                args="ID [reason]",
                role=trader,
                run=acts.reject,
                help="reject a question",
            ),
            Command(
                name="why", args="ID", run=reads.why, help="the whole story of a decision, question, order or trade"
            ),
            Command(
                name="pause",
                aliases=("stopentry", "stopbuy"),
                args="[duration]",
                role=trader,
                run=acts.pause,
                help="no new entries, for 15m, 1h30m, 1d or until /resume; exits go on; the longer pause holds",
            ),
            Command(
                name="resume",
                args="[market]",
                role=trader,
                run=acts.resume,
                help="allow new entries again; a market that has changed wants its name",
            ),
            Command(
                name="emergency",
                aliases=("panic",),
                args=f"[{emergencies.NOW}]",
                role=Role.ADMIN,
                run=acts.emergency,
                help="sell everything and stop; without its word it only says what that would be",
            ),
            Command(
                name="strangers",
                role=Role.ADMIN,
                run=reads.strangers,
                help="who wrote and is not let in, with the id that would",
            ),
            Command(name="digest", run=reads.digest, help="the figures of today so far"),
            Command(name="health", run=reads.health, help="whether every part is well"),
            Command(name="version", run=reads.version, help="which version this is"),
        ]
    )
    return table


class _Reads:
    """The commands that change nothing."""

    def __init__(self, views: Views, clock: Clock, version: str) -> None:
        self._views = views
        self._clock = clock
        self._version = version

    async def start(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return answers.start(call.person)

    async def whoami(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return answers.whoami(call.person, call.platform)

    async def status(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return answers.status(await self._views.status())

    async def positions(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return answers.positions(await self._views.positions())

    async def balance(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return answers.balance(await self._views.balance())

    async def profit(self, call: Call) -> Card:
        days = arguments.number(call.words, default=PROFIT_DAYS, most=MOST_DAYS, noun="days")
        return answers.profit(await self._views.profit(days))

    async def trades(self, call: Call) -> Card:
        count = arguments.number(call.words, default=TRADES_SHOWN, most=MOST_TRADES, noun="trades")
        return answers.trades(await self._views.trades(count))

    async def pending(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return answers.pending(await self._views.pending(), self._clock.now())

    async def why(self, call: Call) -> Card:
        wanted = arguments.any_id(_only(call.words))
        try:
            return why.card(await self._views.why(wanted))
        except UnknownId as error:
            newest = [view.approval.id for view in await self._views.approvals(1)]
            raise UnknownId(error.message, f"Try /why {newest[0]}." if newest else error.remedy) from error

    async def strangers(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return answers.strangers(await self._views.strangers())

    async def digest(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return alerts.digest(await self._views.latest_digest())

    async def health(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return answers.health(await self._views.health())

    async def version(self, call: Call) -> Card:
        arguments.nothing(call.words)
        return answers.version(self._version)


class _Acts:
    """The commands that do something."""

    def __init__(self, views: Views, desk: Desk, clock: Clock) -> None:
        self._views = views
        self._desk = desk
        self._clock = clock

    async def approve(self, call: Call) -> Card:
        wanted = _first(call.words)
        verb = Verb.HALF if arguments.half(call.words[1:]) else Verb.APPROVE
        return await self._answer(wanted, Press(person=call.person.name, verb=verb))

    async def reject(self, call: Call) -> Card:
        reason = " ".join(call.words[1:])
        return await self._answer(_first(call.words), Press(person=call.person.name, verb=Verb.REJECT, reason=reason))

    async def _answer(self, approval_id: str, press: Press) -> Card:
        try:
            answer = await self._desk.answer(approval_id, press)
        except UnknownId as error:
            raise UnknownId(error.message, await self._nearest(approval_id)) from error
        return answers.answered(answer.reply, answer.approval)

    async def _nearest(self, approval_id: str) -> str:
        open_ids = [view.approval.id for view in await self._views.pending()]
        if not open_ids:
            return "No question is open."
        return f"Did you mean {min(open_ids, key=lambda known: abs(int(known[1:]) - int(approval_id[1:])))}?"

    async def pause(self, call: Call) -> Card:
        length = arguments.duration(call.words)
        until = self._clock.now() + length if length else None
        return answers.paused(await self._desk.pause(call.person, until))

    async def resume(self, call: Call) -> Card:
        market = arguments.market(call.words)
        if market:
            return answers.resumed(await self._desk.accept_change(call.person, market))
        return answers.resumed(await self._desk.resume(call.person))

    async def emergency(self, call: Call) -> Card:
        if not arguments.flag(call.words, emergencies.NOW):
            return emergencies.preview(await self._views.exposed())
        halt_id = await self._desk.stop_everything(call.person)
        return emergencies.progress(await self._views.emergency(halt_id))


def _first(words: Sequence[str]) -> str:
    if not words:
        raise BadInput("Which question? Its id is missing; /pending lists them.")
    return arguments.approval_id(words[0])


def _only(words: Sequence[str]) -> str:
    if len(words) != 1:
        raise BadInput("One id belongs here.")
    return words[0]
