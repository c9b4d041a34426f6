"""What goes wrong between a bot and a fake server, for how long, and for which of its methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

F = TypeVar("F")


@dataclass
class Trouble(Generic[F]):
    """A fault in force: of one method or all, so often or always."""

    fault: F
    method: str | None
    left: int | None

    def hits(self, method: str) -> bool:
        """Whether it is this call's turn."""
        if self.left == 0 or (self.method and self.method.lower() != method.lower()):
            return False
        if self.left is not None:
            self.left -= 1
        return True


def hitting(troubles: Sequence[Trouble[F]], method: str) -> Trouble[F] | None:
    """The trouble that a call meets, if it meets one."""
    return next((trouble for trouble in troubles if trouble.hits(method)), None)
