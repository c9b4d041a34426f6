"""Every method of the Web API behind its externals: the token, the scope, the rate limit."""

from __future__ import annotations

from collections.abc import Callable

from tests.fakes.slack_api import ME, SCOPES, Messages
from tests.fakes.slack_files import Files
from tests.fakes.slack_limits import Limits
from tests.fakes.slack_state import Json, SlackError, Workspace
from tests.fakes.slack_views import Views

CONNECT = "apps.connections.open"
BOT_TOKEN = "xoxb-110201543-2201543110-AAHdqTcvCH1vGWJxfSeofSAs"
APP_TOKEN = "xapp-1-A0GREEN01-110201543-d1b2c3d4e5f60718293a4b5c6d7e8f90"
SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


class Methods:
    """Calls by name.

    Args:
        at: The workspace.
        ticket: Makes the URL of a new connection.
        trigger_lives: Seconds for which a modal can be opened after somebody did something.
    """

    def __init__(self, at: Workspace, ticket: Callable[[], str], trigger_lives: float) -> None:
        self._at, self._ticket = at, ticket
        self.scopes = set(SCOPES)
        self.limits = Limits(at.monotonic)
        self.messages = Messages(at)
        self.views = Views(at, trigger_lives)
        self.files = Files(at, self.messages)
        self._known: dict[str, tuple[str, Callable[[Json], Json]]] = {
            **self.messages.methods,
            **self.views.methods,
            **self.files.methods,
            "auth.test": ("", lambda _: ME),
            CONNECT: ("", lambda _: {"url": self._ticket()}),
        }

    def call(self, method: str, token: str, params: Json) -> Json:
        """Do what a method does and return its result.

        Raises:
            SlackError: As the real server would.
            RateLimited: There were too many.
        """
        if method not in self._known:
            raise SlackError("unknown_method", req_method=method)
        scope, do = self._known[method]
        self._authorize(method, token, scope)
        self.limits.check(method, str(params.get("channel", "")))
        with self._at.lock:
            return {"ok": True, **do(params)}

    def _authorize(self, method: str, token: str, scope: str) -> None:
        if not token:
            raise SlackError("not_authed")
        if token not in {BOT_TOKEN, APP_TOKEN}:
            raise SlackError("invalid_auth")
        if (token == APP_TOKEN) != (method == CONNECT) and method != "auth.test":
            raise SlackError("not_allowed_token_type")
        if scope and scope not in self.scopes:
            raise SlackError("missing_scope", needed=scope, provided=",".join(sorted(self.scopes)))
