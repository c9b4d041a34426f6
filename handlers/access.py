"""Who may come in: a platform's identity of a person → the person and their role. Nobody else exists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.domain.errors import ConfigError, NotAllowed
from engine.domain.messages import Person, Role

PROGRAM = Person(name="api", role=Role.ADMIN)
"""Who shows the API's token. It stands for nobody: no person may have its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What one platform calls one person. A person on two platforms has two identities."""

    person: Person
    platform: str
    user: str


class Access:
    """The allow-list. The person is authorised, never the chat; an empty list lets nobody in.

    Raises:
        ConfigError: Two people share an identity, one name stands for two roles, or is the program's.
    """

    def __init__(self, identities: Sequence[Identity]) -> None:
        self._people: dict[tuple[str, str], Person] = {}
        people: dict[str, Person] = {}
        for identity in identities:
            person = identity.person
            if person.name.casefold() == PROGRAM.name:
                raise ConfigError(
                    f"Nobody can be called {person.name}: that is how the API's token is named.", "Choose another name."
                )
            if people.setdefault(person.name, person) != person:
                raise ConfigError(f"{person.name} is listed with two roles.", "Give every person one entry.")
            if identity.user:  # a person who is not on this platform has no id there
                self._admit(identity)

        self.approvers = tuple(name for name, person in people.items() if person.role.includes(Role.TRADER))
        """The names of those who may answer approvals, as they are listed."""

    def _admit(self, identity: Identity) -> None:
        key = (identity.platform, identity.user)
        other = self._people.setdefault(key, identity.person)
        if other != identity.person:
            raise ConfigError(
                f"{other.name} and {identity.person.name} have the same {identity.platform} id.",
                "Every person needs their own.",
            )

    def person(self, platform: str, user: str) -> Person | None:
        """The person behind a platform's user id; ``None`` for strangers."""
        return self._people.get((platform, user))


def require(person: Person, role: Role, what: str) -> None:
    """Check that a person's role allows something.

    Raises:
        NotAllowed: It does not; names the role that would.
    """
    if not person.role.includes(role):
        raise NotAllowed(
            f"{what} needs the role {role}; yours is {person.role}.", "Ask an admin if you should have it."
        )
