"""How people enter the web: each by their own one-time link, then by a signed cookie."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from engine.timing.clocks import monotonic
from handlers.access import Access
from handlers.web.caller import Caller
from handlers.web.guard import OwnNames, is_unsafe

if TYPE_CHECKING:
    from engine.store.database import Database
    from engine.store.unit_of_work import UnitOfWork

PLATFORM = "web"
KEY_SETTING = "web.session_key"
SESSION_SECONDS = 30 * 24 * 3600
TOKEN_BYTES = 24
_ADDRESSES = 1000


async def session_key(database: Database) -> str:
    """The key that cookies are signed with; made once and kept in the database, so that a restart signs nobody out."""

    def work(uow: UnitOfWork) -> str:
        key = uow.settings.get(KEY_SETTING)
        if key is None:
            key = secrets.token_urlsafe(32)
            uow.settings.set(KEY_SETTING, key)
        return key

    return await database.transact(work)


class SignInLinks:
    """The links that were printed and not yet used. They live as long as the program runs."""

    def __init__(self) -> None:
        self._users: dict[str, str] = {}

    def issue(self, user: str) -> str:
        """A new secret for somebody; their link is ``/enter/<secret>`` and works once."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._users[token] = user
        return token

    def redeem(self, token: str) -> str | None:
        """Whose link this is, once; ``None`` when it was used or never existed."""
        return self._users.pop(token, None)

    def give_back(self, token: str, user: str) -> None:
        """Let a link work again that let nobody in."""
        self._users[token] = user


class Attempts:
    """Counts failures by address within a sliding window.

    Args:
        limit: So many failures are borne.
        window: For so many seconds.
        monotonic: Seconds that only grow.
    """

    def __init__(self, *, limit: int = 10, window: float = 60, monotonic: Callable[[], float] = monotonic) -> None:
        self._limit = limit
        self._window = window
        self._monotonic = monotonic
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def too_many(self, address: str) -> bool:
        """Whether this address has failed too often of late."""
        failures = self._failures.get(address, deque())
        while failures and self._monotonic() - failures[0] >= self._window:
            failures.popleft()
        return len(failures) >= self._limit

    def note(self, address: str) -> None:
        """Count one failure; the addresses unheard of for longest are forgotten."""
        self._failures.setdefault(address, deque(maxlen=self._limit)).append(self._monotonic())
        self._failures.move_to_end(address)
        if len(self._failures) > _ADDRESSES:
            self._failures.popitem(last=False)


class Sessions:
    """Reads and writes the cookie. The person behind it is looked up anew each time: who is removed is locked out.

    Args:
        key: What ``session_key`` gave.
        access: The allow-list; a cookie names its user on the platform ``web``.
        names: Which pages are our own; by default those of the host that is asked for.
    """

    def __init__(self, *, key: str, access: Access, names: OwnNames | None = None) -> None:
        self._names = names or OwnNames.of()
        self._signer = URLSafeTimedSerializer(key, salt="greenlight.web.session")
        self._access = access
        # Browsers share cookies between the ports of a host: two bots on one machine must not sign each other out.
        self.cookie = f"greenlight_{hashlib.sha256(key.encode()).hexdigest()[:8]}"

    def caller(self, request: Request) -> Caller | None:
        """Who a request comes from by its cookie; ``None`` for strangers.

        A request that changes something counts only when the browser says that it comes from our own page.
        """
        if is_unsafe(request.method) and not self._names.is_same_origin(request.url.scheme, request.headers):
            return None
        try:
            user = self._signer.loads(request.cookies.get(self.cookie, ""), max_age=SESSION_SECONDS)
        except BadSignature:
            return None
        return self.known(user) if isinstance(user, str) else None

    def known(self, user: str) -> Caller | None:
        """The caller behind a user of the web, where somebody of that name may still come in."""
        person = self._access.person(PLATFORM, user)
        return Caller(platform=PLATFORM, user=user, person=person) if person else None

    def begin(self, response: Response, user: str, *, secure: bool) -> None:
        """Sign somebody in on this browser."""
        response.set_cookie(
            self.cookie,
            self._signer.dumps(user),
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="strict",
            secure=secure,
        )
