"""How the program reaches what outlives it: files, clocks, and other people's servers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from bot.retraining import Train
from engine.exchanges.paper import PaperExchange
from engine.ports import ModelProvider, Panel
from engine.store.database import Database
from engine.timing.clocks import wall

if TYPE_CHECKING:  # what is slow to import
    from aiohttp import ClientSession
    from httpx import AsyncBaseTransport

    from handlers.web.server import WebServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Externals:
    """A test that wants to cut the power at an exact point, or to be the whole world, gives its own.

    Attributes:
        store: How the database is opened.
        venue: How the paper venue is opened.
        wall: The wall clock.
        telegram: Makes what carries requests to Telegram; ``None`` for the network.
        slack: Makes the connections to Slack, each answer within so many seconds; ``None`` for the network.
        server: Serves the web; ``None`` for a real port.
        panel: Who is heard before an entry is decided on; ``None`` for those whom the settings name.
        models: Runs the models of a provider; ``None`` for the providers themselves.
        retrain: Trains a policy anew, in a process of its own; ``None`` for the training of the program.
    """

    store: type[Database] = Database
    venue: type[PaperExchange] = PaperExchange
    wall: Callable[[], datetime] = wall
    telegram: Callable[[], AsyncBaseTransport] | None = None
    slack: Callable[[float], ClientSession] | None = None
    server: type[WebServer] | None = None
    panel: Panel | None = None
    models: Callable[[str], ModelProvider] | None = None
    retrain: Train | None = None


EXTERNALS = Externals()
