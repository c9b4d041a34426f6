"""Start and stop, in order: lock, migrate, build, reconcile, web, platforms, outbox, jobs; and back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import TracebackType

import structlog

from bot.engine import Engine
from bot.externals import EXTERNALS, Externals
from bot.instance import Instance, local_url, note_file, remove, write
from bot.lock import only_instance
from bot.markets import Source, source
from bot.own_files import is_own_folder, narrow_own_files
from bot.platforms import VERSION
from bot.real_venues import follow_news
from bot.summary import Summary, as_json, summary, text
from bot.trade_log import TradeLog, writes_trades
from bot.venues import named_together, venue_files
from bot.wiring import Program, build
from config.kinds import mask_url
from config.settings import Settings
from engine.backtest.replay import Replay
from engine.domain.errors import StoreError, VenueError
from engine.domain.market import Listing
from engine.execution import other_bots
from engine.execution.reconcile import agree, reconcile, refuse_another_venue
from engine.jobs.table import Job
from engine.store.advisory_lock import alone_on_server
from engine.store.database import DatabaseReader
from engine.store.location import file_of
from engine.store.migrate import upgrade
from engine.support import private_files
from handlers.commands import RecentLogs

_log = structlog.get_logger(__name__)

START_AGAIN = "Nothing was bought, and what is held keeps its stops there. Start again once it answers."
"""What to do where a venue cannot be asked what happened meanwhile."""
LAST_CARDS_WITHIN = 30.0
"""Wall seconds without a single card getting through after which a replay that has ended lets go."""
FIRST_PRICES_WITHIN = 15.0
"""Wall seconds after which people at the terminal are told that a venue is not well."""
STOP_WITHIN = 6.0
"""Wall seconds that a replay has to finish what is due when the program is told to stop."""


class App:
    """The running program.

    Args:
        settings: What to run.
        announce: Where lines for the person at the terminal go.
        more_jobs: Further jobs on the same clock, see ``wiring.build``.
        externals: How the store and the venue are opened, see ``bot.externals``.
        accept_balances: Book what the venue has more or less than the books as paid in or out.
        logs: Tells the last so many warnings and errors of the log.
        opened: Called once everything is open and people can ask.

    Attributes:
        stopping: Whether it has been asked to stop, or stops by itself.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        announce: Callable[[str], None],
        more_jobs: Callable[[Engine], Sequence[Job]] = lambda _: (),
        externals: Externals = EXTERNALS,
        accept_balances: bool = False,
        logs: RecentLogs = lambda _: (),
        opened: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._accept_balances = accept_balances
        self._logs = logs
        self._announce = announce
        self._more_jobs = more_jobs
        self._externals = externals
        self._opened = opened
        self.stopping = asyncio.Event()
        self._ready = False
        self._failure: StoreError | None = None
        self._began: float | None = None
        self.program: Program | None = None

    def stop(self) -> None:
        """Ask the program to stop; it finishes what is under way."""
        self.stopping.set()

    def give_up(self, error: StoreError) -> None:
        """Stop, because the program cannot go on."""
        self._failure = error
        self.stop()

    async def run(self) -> None:
        """Run until the data ends (with ``until_end``) or somebody stops it.

        Raises:
            GreenlightError: It cannot start or go on, in words for the person who started it.
        """
        market = source(self._settings)  # where it cannot be opened, nothing is left behind
        async with AsyncExitStack() as closing:
            closing.enter_context(only_instance(self._settings))
            narrow_own_files(self._settings)
            await asyncio.to_thread(_migrate, self._settings.database.url)
            if market.live is not None:
                market = source(self._settings, await _held(self._settings.database.url))
            with _asked_at_the_start():
                program = await build(
                    self._settings,
                    market=market,
                    ready=lambda: self._ready,
                    give_up=self.give_up,
                    more_jobs=self._more_jobs,
                    externals=self._externals,
                    logs=self._logs,
                )
            self.program = program
            closing.push_async_callback(program.engine.store.close)
            closing.push_async_exit(_unless_cancelled(partial(self._note_end, program)))
            if writes_trades(self._settings):
                self._log_trades(program, closing)
            for venue in program.engine.venues.values():
                closing.callback(venue.close)
            for real in program.engine.real.values():
                closing.push_async_callback(real.close)
            closing.push_async_callback(program.engine.emergency.stop)
            closing.push_async_callback(program.engine.closings.stop)
            closing.push_async_callback(program.engine.desk.confirming.cancelling.stop)
            closing.callback(program.retraining.close)
            closing.push_async_callback(program.engine.deliberations.stop)
            if program.engine.predictions is not None:
                closing.push_async_callback(program.engine.predictions.stop)
            closing.push_async_callback(program.engine.services.derivatives.stop)
            closing.push_async_callback(program.engine.models.close)
            if program.engine.sentiment is not None:
                closing.push_async_callback(program.engine.sentiment.close)
            closing.push_async_callback(program.engine.books.stop)
            closing.push_async_callback(program.engine.approvals.stop)
            with _asked_at_the_start():
                await self._come_back(program.engine)
            await self._open_chat(program, closing)
            self._note_begin(program)
            await self._work(program, closing)
        if self._failure:
            raise self._failure

    def _log_trades(self, program: Program, closing: AsyncExitStack) -> None:
        trades = TradeLog(program.engine.store)
        closing.push_async_exit(_unless_cancelled(trades.flush))
        writing = asyncio.create_task(trades.run(), name="trade log")
        closing.push_async_callback(_cancel, writing)

    def _note_begin(self, program: Program) -> None:
        self._began = program.engine.clock.monotonic()
        contexts = program.engine.market.contexts
        _log.info(
            "started",
            version=VERSION,
            profile=self._settings.profile,
            venue=named_together(self._settings),
            prices=program.engine.market.label,
            markets=sorted({symbol for context in contexts for symbol in context.markets}),
            contexts=[context.name for context in contexts],
            market_time=program.engine.clock.now().isoformat(),
        )

    async def _note_end(self, program: Program) -> None:
        """Note the end of what had begun; what is held stays untold where the database is why it ends."""
        if self._began is None:
            return
        engine, facts = program.engine, dict[str, object]()
        with suppress(StoreError):
            held = await engine.store.read(lambda uow: uow.positions.open())
            facts["open_positions"] = [f"{position.id} {position.symbol}" for position in held]
        uptime = round(engine.clock.monotonic() - self._began)
        _log.info("stopped", uptime_seconds=uptime, market_time=engine.clock.now().isoformat(), **facts)

    async def _come_back(self, engine: Engine) -> None:
        """Agree with the venue on what happened meanwhile, before anything trades."""
        store, orchestrator = engine.store, engine.services.orchestrator
        for venue in engine.exchanges.values():
            await refuse_another_venue(store, venue)
        doubtful = await reconcile(store, orchestrator)
        if doubtful:
            _log.warning("orders were in doubt and have been asked for", orders=doubtful)
        for name in engine.real:
            await engine.balance_watch.book_transfers(name, engine.clock.now())
        for venue in engine.exchanges.values():
            accepted = await agree(store, venue, orchestrator, engine.clock.now(), accept=self._accept_balances)
            where = "the venue" if len(engine.exchanges) == 1 else venue.name
            for currency, (here, there) in accepted.items():
                self._announce(f"Booked as paid in or out: {currency} was {here:f} here and is {there:f} at {where}.")
        for real in engine.real.values():
            await other_bots.look(store, real, engine.clock.now())
        await engine.approvals.recover()
        await engine.models.begin()
        if halt_id := await engine.emergency.standing():
            self._announce(
                f"The emergency stop ({halt_id}) stands and is gone on with; an admin's /resume with a reason ends it."
            )
            await engine.approvals.decline_all_open("the emergency stop stands")
            engine.emergency.start()
        await engine.watch.let_go(engine.clock.now())
        for held in await engine.unmanaged.observe():
            self._announce(f"No strategy manages {held.id} ({held.symbol}, opened by {held.context}): see /positions.")

    async def _open_chat(self, program: Program, closing: AsyncExitStack) -> None:
        chat, engine = program.chat, program.engine
        at = f"{engine.clock.now():%Y-%m-%d %H:%M} UTC"
        self._announce(f"Greenlight {VERSION}: profile {self._settings.profile}, {engine.market.label}, {at}.")
        for note in (*engine.market.notes, *([_how_to_begin_anew(self._settings)] if engine.resumed else [])):
            self._announce(note)
        if chat.web is not None:
            await chat.web.server.start()
            closing.push_async_callback(chat.web.server.stop)
            self._invite(program, closing)
        for platform in chat.remote:
            closing.push_async_callback(platform.stop)  # before it starts: it opens connections, and then waits
            await platform.start()
        closing.callback(chat.draughtsman.close)
        closing.callback(chat.backtests.close)

    def _invite(self, program: Program, closing: AsyncExitStack) -> None:
        """Print the one-time link of everybody who may use the web chat, and note where the API answers."""
        web = program.chat.web
        if web is None:
            return
        url = local_url(self._settings.web.host, web.server.port)
        note, instance = note_file(self._settings), Instance(url=url, token=program.api_token)
        write(note, instance)
        closing.callback(remove, note, instance)
        invited = [person for person in self._settings.people if person.web]
        for person in invited:
            self._announce(f"Web chat for {person.name}: {url}/enter/{web.links.issue(person.web or '')}")
        if invited:
            self._announce("The link works once. Ctrl-C stops; the next start goes on from there.")
        else:
            self._announce(f"Web: {url} (nobody in `people` has a `web` name, so nobody can enter)")

    def _follow_news(self, program: Program, closing: AsyncExitStack) -> None:
        """Have what real venues tell by themselves taken in at once."""
        for name, real in program.engine.real.items():
            if self._settings.exchanges[name].websocket:
                following = asyncio.create_task(
                    follow_news(real, program.engine.services.orchestrator.sync_venue_events), name=f"news of {name}"
                )
                closing.push_async_callback(_cancel, following)

    async def _work(self, program: Program, closing: AsyncExitStack) -> None:
        showing = asyncio.create_task(program.chat.show(), name="outbox")
        closing.push_async_callback(_cancel, showing)
        watching = asyncio.create_task(program.engine.unmanaged.run(), name="unmanaged positions")
        closing.push_async_callback(_cancel, watching)
        self._follow_news(program, closing)
        self._ready = True
        self._opened()
        if isinstance(program.driver, Replay):
            await self._replay(program, program.driver)
        else:
            self._begin_market(program, closing)
            program.driver.start()
            await self.stopping.wait()
            await program.driver.stop()
        self._ready = False

    def _begin_market(self, program: Program, closing: AsyncExitStack) -> None:
        """Begin to follow a real venue from where it was followed before; people can look at the rest meanwhile."""
        market = program.engine.market
        if market.live is None:
            return
        market.live.start(program.engine.advanced)
        closing.push_async_callback(market.live.stop)
        telling = asyncio.create_task(self._tell_of(market), name="first prices")
        closing.push_async_callback(_cancel, telling)

    async def _tell_of(self, market: Source) -> None:
        found = await market.live.first(FIRST_PRICES_WITHIN) if market.live else "ok"
        told = "prices and candles are in." if found == "ok" else f"{found}. The bot goes on asking."
        self._announce(f"Market data: {told}")

    async def _replay(self, program: Program, replay: Replay) -> None:
        clock, end = program.engine.clock, program.engine.market.end
        began, from_time = clock.monotonic(), clock.now()
        playing = asyncio.create_task(replay.run(end), name="replay")
        stopping = asyncio.create_task(self.stopping.wait(), name="stop")
        await asyncio.wait({playing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if playing.done():
            playing.result()
            took = clock.monotonic() - began
            await self._show_the_rest(program)
            came_to = await summary(program.engine, from_time, took)
            self._announce(text(came_to))
            if file := self._settings.replay.summary:
                self._keep(came_to, file)
            if not self._settings.replay.until_end:
                await stopping
        replay.stop()
        await asyncio.wait({playing}, timeout=STOP_WITHIN)
        await _cancel(playing)
        await _cancel(stopping)

    def _keep(self, came_to: Summary, file: Path) -> None:
        try:
            private_files.make_folder(file.absolute().parent)
            with open(file, "w", encoding="utf-8", opener=private_files.opener) as out:
                out.write(as_json(came_to))
        except OSError as error:
            self._announce(
                f"{file} cannot be written: {error.strerror}. Nothing else is amiss; what it came to is above."
            )

    async def _show_the_rest(self, program: Program) -> None:
        """Let the last cards be shown, as long as any still get through; what does not stays due for the next start."""
        outbox, clock = program.chat.outbox, program.engine.clock
        due, since = await outbox.flush(), clock.monotonic()
        if due:
            self._announce(f"{due} cards wait for their platform; Ctrl-C leaves them for the next start.")
        while due and clock.monotonic() - since < LAST_CARDS_WITHIN and not self.stopping.is_set():
            await asyncio.sleep(0.1)
            still = await outbox.flush()
            due, since = still, (clock.monotonic() if still < due else since)


def _migrate(url: str) -> None:
    """Bring the database up to date, unless another host's bot runs on it."""
    with alone_on_server(url):
        upgrade(url)


@contextmanager
def _asked_at_the_start() -> Iterator[None]:
    """Say what to do where a venue does not answer before anything has begun."""
    try:
        yield
    except VenueError as error:
        error.remedy = error.remedy or START_AGAIN
        raise


async def _held(url: str) -> frozenset[Listing]:
    """The markets that something is held of."""
    reader = DatabaseReader(url)
    try:
        return frozenset(held.listing for held in await reader.read(lambda uow: uow.positions.open()))
    finally:
        await reader.close()


def _how_to_begin_anew(settings: Settings) -> str:
    """Only a folder of the program's own may go as a whole: any other may hold what is not the program's."""
    url, file = settings.database.url, file_of(settings.database.url)
    goes = " and ".join(map(str, ([file] if file else []) + list(venue_files(settings).values())))
    if file and file.parent == settings.venue_file.parent and is_own_folder(file.parent):
        goes = str(file.parent)
    return f"It goes on with {mask_url(url)}; to begin anew, " + (
        f"delete {goes}." if file else f"empty that database and delete {goes}."
    )


def _unless_cancelled(
    end: Callable[[], Awaitable[None]],
) -> Callable[[type[BaseException] | None, BaseException | None, TracebackType | None], Awaitable[None]]:
    """Does something at the end, but not where nobody waits for it any more."""

    async def close(kind: type[BaseException] | None, *_: object) -> None:
        if kind is not asyncio.CancelledError:
            await end()

    return close


async def _cancel(task: asyncio.Task[object]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
