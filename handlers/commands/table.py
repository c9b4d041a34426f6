"""What a command is, and the table that finds and runs one by what somebody wrote."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from engine.domain.errors import BadInput, UnknownId
from engine.domain.messages import Card, Person, Role
from handlers import arguments
from handlers.access import require

LONGEST_NAME = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A command as somebody wrote it: who, on which platform, and the words after it.

    Attributes:
        delivery: The delivery's own name, which no other has.
    """

    person: Person
    platform: str
    words: tuple[str, ...] = ()
    delivery: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing people can ask for.

    Attributes:
        args: What may come after it, as usage shows it, e.g. ``ID [half]``.
        role: The least role that may use it.
        private: Whether its answer is for the one who asked alone, also where others read along.
        acts: Whether it changes anything: it is then on record before it is done.
        interim: What is said at once, where the answer takes long.
    """

    name: str
    help: str
    run: Callable[[Call], Awaitable[Card]]
    aliases: tuple[str, ...] = ()
    args: str = ""
    role: Role = Role.VIEWER
    private: bool = False
    acts: bool = False
    interim: Callable[[Call], Card | None] | None = None

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

    def slashed(self, text: str) -> str:
        """A text with the slash that was left out before the name of a command; any other as it is."""
        written = text.strip()
        return f"/{written}" if (written.split() or [""])[0].lower() in self._by_name else text

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

    def interim(self, command: Command, call: Call) -> Card | None:
        """What is said at once of a command whose answer takes long; ``None`` of any other.

        Raises:
            NotAllowed: Their role does not allow it.
            GreenlightError: It will be refused.
        """
        require(call.person, command.role, f"/{command.name}")
        return command.interim(call) if command.interim else None

    async def run(self, command: Command, call: Call) -> Card:
        """Run a command for a person.

        Raises:
            NotAllowed: Their role does not allow it.
            BadInput: The words after it are not understood; carries the usage.
            GreenlightError: What the engine says to it.
        """
        require(call.person, command.role, f"/{command.name}")
        try:
            card = await command.run(call)
        except UnknownId:
            raise
        except BadInput as error:
            raise BadInput(error.message, f"{error.remedy} Usage: {command.usage}".strip()) from error
        return replace(card, private=True) if command.private else card
