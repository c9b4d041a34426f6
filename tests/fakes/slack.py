"""A Slack on loopback, as strict as the real one, with a test's hands on the other side of the chat.

It runs in a thread of its own, so that it serves the test's own event loop and a bot started as a process alike, and
goes on while either is stopped. What people did is delivered over Socket Mode, or to a URL after
:meth:`FakeSlack.delivers_to`.

    async with FakeSlack() as fake:
        fake.channel("C1")                         # the bot was invited
        ...                                        # run a bot on fake.api_url with fake.bot_token, fake.app_token
        act = fake.user("U1").command("status", "C1")
        await act.finished()                       # acknowledged within 3 s, or act.failed says what U1 sees
        await fake.wait_for(lambda: fake.messages("C1"))
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Self

from aiohttp import web

from tests.fakes import slack_payloads as payloads
from tests.fakes.slack_delivery import EVENTS, TICK, Act, Dispatcher, HttpLine, Patience, Signing
from tests.fakes.slack_http import Call, Fault, WebApi
from tests.fakes.slack_limits import Limits
from tests.fakes.slack_methods import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, Methods
from tests.fakes.slack_people import SCOPE_OF, Person
from tests.fakes.slack_socket import SocketLine
from tests.fakes.slack_state import BOT_USER, Channel, Json, Message, View, Workspace
from tests.fakes.troubles import Trouble

SUBSCRIPTIONS = frozenset({"app_mention", "message.im", "app_home_opened"})


class FakeSlack:
    """The server; see the module's text. ``fake.at`` holds the workspace, ``fake.sockets`` the connections."""

    def __init__(
        self,
        *,
        command: str = "/bot",
        subscriptions: frozenset[str] = SUBSCRIPTIONS,
        ack_within: float = 3.0,
        retry_after: tuple[float, ...] = (0.0, 60.0, 300.0),
        trigger_lives: float = 3.0,
    ) -> None:
        self.bot_token, self.app_token, self.signing_secret = BOT_TOKEN, APP_TOKEN, SIGNING_SECRET
        self.command, self.subscriptions = command, subscriptions
        self.patience = Patience(ack_within=ack_within, retry_after=retry_after)
        self._trigger_lives = trigger_lives
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._port = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self.api_url = f"{self.url}/api/"
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._runner: web.AppRunner | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._holding = False
        self.reset()

    def reset(self) -> None:
        """Forget everything that happened and every fault; the address stays, connections are not counted on."""
        self.at = Workspace()
        self.at.told = self._tell_of_own
        self.sockets = SocketLine(
            patience=self.patience, complaints=self.at.complaints, address=f"ws://127.0.0.1:{self._port}"
        )
        self._dispatcher = Dispatcher(line=self.sockets, patience=self.patience, answered=self._answered)
        self.methods = Methods(self.at, self.sockets.ticket, self._trigger_lives)
        self.methods.files.address = self.url
        self.http = WebApi(self)

    # Life

    def start(self) -> None:
        """Serve; after :meth:`stop` again at the same address, with everything as it was."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
            self._thread.start()
        if self._listening.fileno() == -1:
            self._listening = socket.create_server(("127.0.0.1", self._port))
        self._call(self._open())

    def stop(self) -> None:
        """Stop serving: connections are cut, and from now on refused."""
        self._call(self._shut())

    def close(self) -> None:
        """Stop, and give up whatever waits to be delivered."""
        self.stop()
        self._call(self._give_up())
        self._loop.call_soon_threadsafe(self._loop.stop)
        assert self._thread
        self._thread.join()
        self._loop.close()

    async def _open(self) -> None:
        app = web.Application(client_max_size=2**22)
        app.router.add_get("/link/", self._link)
        app.router.add_post("/hook/{name}", self._hook)
        app.router.add_post("/upload/{file}", self._upload)
        app.router.add_route("*", "/api/{method}", self._api)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.SockSite(self._runner, self._listening).start()

    async def _link(self, request: web.Request) -> web.StreamResponse:
        return await self.sockets.serve(request)

    async def _hook(self, request: web.Request) -> web.StreamResponse:
        return await self.http.hook(request)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        return await self.http.upload(request)

    async def _api(self, request: web.Request) -> web.StreamResponse:
        return await self.http.serve(request)

    async def _shut(self) -> None:
        self.http.recover()
        self.sockets.cut()
        if self._runner:
            await self._runner.cleanup()
        self._runner = None

    async def _give_up(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.close)

    # People and places

    def user(self, user: str) -> Person:
        """Somebody of the workspace."""
        self.at.person(user)
        return Person(id=user, fake=self)

    def channel(self, channel: str, *people: str, **more: Any) -> Channel:
        """A channel with the bot and these people in it."""
        made = self.at.channel(channel, **more)
        made.members |= {self.at.person(user)["id"] for user in people}
        return made

    def remove_bot(self, channel: str) -> None:
        """Throw the bot out of a channel."""
        self.at.channels[channel].members.discard(BOT_USER)

    # Deliveries

    def delivers_to(self, url: str, signing_secret: str = SIGNING_SECRET) -> None:
        """From now on deliver by HTTP requests to this URL, signed."""
        self._dispatcher.line = HttpLine(url=url, secret=signing_secret, patience=self.patience)

    def deliver(self, kind: str, payload: Json, person: str) -> Act:
        """Deliver something that happened; returns at once."""
        act = Act(kind=kind, payload=payload, person=person)
        if not self._holding:
            self.release(act)
        return act

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold back what is done meanwhile, until :meth:`release`, or to :meth:`knock` with it."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False

    def release(self, act: Act) -> None:
        """Deliver what was held back."""
        self._dispatcher.acts.append(act)
        self._begin(self._dispatcher.dispatch(act))

    def redeliver(self, act: Act) -> Act:
        """Deliver the same once more, though it was acknowledged: the network doubled it."""
        return self.deliver(act.kind, act.payload, act.person)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something in the server's own loop, which is given up at the end."""

        def begin() -> None:
            task = self._loop.create_task(work)
            self._running.add(task)
            task.add_done_callback(self._running.discard)

        self._loop.call_soon_threadsafe(begin)

    async def verify_url(self) -> bool:
        """Ask the app's URL to prove itself, as when it is entered in the app's settings."""
        line = self._http_line()
        challenge = {"token": payloads.TOKEN, "challenge": self.at.name("challenge"), "type": "url_verification"}
        status, _, body = await line.send(EVENTS, challenge, {})
        return status == 200 and challenge["challenge"] in body

    async def knock(self, act: Act, signing: Signing) -> int:
        """Send what an act would, signed in whatever way; the status of the answer."""
        status, _, _ = await self._http_line().send(act.kind, act.payload, {}, signing)
        return status

    def _http_line(self) -> HttpLine:
        assert isinstance(self._dispatcher.line, HttpLine), "delivers_to() was not called"
        return self._dispatcher.line

    def _answered(self, act: Act, response: Json) -> None:
        """Show what the app said in its acknowledgement of a slash command."""
        if act.kind == "slash_commands" and (response.get("text") or response.get("blocks")):
            self.methods.messages.answer_hook(self.at.hook(act.payload["channel_id"], act.person), response)

    def _tell_of_own(self, event: Json) -> None:
        """The bot hears of its own messages too where it listens to messages."""
        if self.listens_to(f"message.{event['channel_type']}".replace("channel", "channels")):
            self.deliver(EVENTS, payloads.event(self.at, event), BOT_USER)

    @property
    def scopes(self) -> set[str]:
        """What the app may do."""
        return self.methods.scopes

    @property
    def limits(self) -> Limits:
        """How often it may."""
        return self.methods.limits

    def listens_to(self, kind: str) -> bool:
        """Whether the app wants a kind of event, and was allowed to."""
        return kind in self.subscriptions and SCOPE_OF.get(kind, "") in {"", *self.scopes}

    def hook_url(self, name: str) -> str:
        """A response URL."""
        return f"{self.url}/hook/{name}"

    # What is seen

    @property
    def acts(self) -> list[Act]:
        """Everything that was delivered, or tried to be, oldest first."""
        return list(self._dispatcher.acts)

    def messages(self, channel: str) -> list[Message]:
        """What the bot has in a channel now, oldest first, ephemeral ones too; deleted messages are gone."""
        known = self.at.channels.get(channel)
        found = list(known.messages.values()) if known else []
        return [message for message in found if message.is_bots and not message.deleted]

    def texts(self, channel: str) -> list[str]:
        """The texts of :meth:`messages`."""
        return [message.text for message in self.messages(channel)]

    def home(self, user: str) -> View | None:
        """Somebody's home tab."""
        return self.at.homes.get(user)

    def doubles(self, channel: str) -> list[str]:
        """Texts that stand in a channel, or in one of its threads, more than once."""
        seen = Counter((m.thread_ts, m.only_for, m.text, str(m.labels)) for m in self.messages(channel))
        return [text for (_, _, text, _), count in seen.items() if count > 1]

    @property
    def calls(self) -> list[Call]:
        """The calls of the Web API so far."""
        return list(self.http.calls)

    def called(self, method: str) -> list[Call]:
        """The calls of one method so far."""
        return [call for call in self.calls if call.method == method]

    async def wait_for(self, predicate: Callable[[], object], timeout: float = 10.0) -> None:  # noqa: ASYNC109 - a test's own deadline
        """Return once something holds.

        Raises:
            AssertionError: It did not in time; says what was called and shown.
        """
        deadline = time.monotonic() + timeout
        while not predicate():
            if time.monotonic() > deadline:
                shown = {channel: self.texts(channel) for channel in list(self.at.channels)}
                raise AssertionError(f"not within {timeout} s; last calls {self.calls[-5:]}; shown {shown}")
            await asyncio.sleep(TICK)

    # Trouble

    def fail(self, fault: Fault, *, method: str | None = None, times: int | None = None) -> None:
        """Let calls (of one method, so many times) go wrong until :meth:`recover`."""
        self.http.troubles.append(Trouble(fault=fault, method=method, left=times))

    def recover(self) -> None:
        """End all faults of calls."""
        self.http.recover()

    def cut_sockets(self) -> None:
        """Break every connection without a word."""
        self._loop.call_soon_threadsafe(self.sockets.cut)

    def stall_sockets(self) -> None:
        """Let the connections there are stay open and carry nothing, neither envelopes nor pongs."""
        self._loop.call_soon_threadsafe(self.sockets.stall)

    def refresh_sockets(self, reason: str = "refresh_requested", *, grace: float = 1.0) -> None:
        """Announce the end of the connections there are (also ``warning``, ``link_disabled``), and end them."""
        self._begin(self.sockets.disconnect(reason, grace))
