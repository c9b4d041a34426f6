"""The web server: the app and its life inside the program's own event loop."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Sequence

import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.routing import BaseRoute
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from engine.domain.errors import ConfigError
from handlers.web import api, emergency_api, errors, metrics, pages
from handlers.web.guard import MOST_BODY_BYTES, Guard, OwnNames
from handlers.web.rendering import STATIC
from handlers.web.services import WebServices

SHUTDOWN_SECONDS = 2


def create_app(
    services: WebServices,
    *,
    names: OwnNames | None = None,
    trusted_proxies: Sequence[str] = (),
    hooks: Sequence[BaseRoute] = (),
) -> FastAPI:
    """The app with its API, its page and the guards before them.

    Args:
        services: The parts of the program that it shows and acts on.
        names: Under which names it is called; by default the local ones.
        trusted_proxies: Addresses or networks of proxies that are believed in who calls (``X-Forwarded-For``) and
            whether by https (``X-Forwarded-Proto``).
        hooks: Further routes, where other platforms' servers call. They check for themselves who calls.
    """
    app = FastAPI(
        title="Greenlight",
        version=services.version,
        summary="A crypto trading bot that asks people.",
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
        max_body_size=MOST_BODY_BYTES,
    )
    app.state.services = services
    # Included, each route would be built once more at the first call, and looked for twice at every one.
    for router in (api.open_router, api.router, emergency_api.router, metrics.router, pages.router):
        app.router.routes.extend(router.routes)
    app.router.routes.extend(hooks)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    errors.install(app)
    # The last one added is the outermost: even a refused host gets the headers.
    app.add_middleware(Guard, names=names or OwnNames.of())
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(trusted_proxies))
    return app


class WebServer:
    """Serves an app from ``start`` to ``stop`` in the running loop; signals stay the program's own business.

    Args:
        app: What ``create_app`` made.
        host: The address to listen on.
        port: The port; 0 takes any that is free.
    """

    def __init__(self, app: FastAPI, *, host: str, port: int) -> None:
        self._kit: WebServices = app.state.services
        self._address = (host, port)
        self._sockets: list[socket.socket] = []
        self._serving: asyncio.Task[None] | None = None
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,  # it would write down the one-time links
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            )
        )

    @property
    def port(self) -> int:
        """The port that it listens on; 0 while it does not."""
        return int(self._sockets[0].getsockname()[1]) if self._sockets else 0

    async def start(self) -> None:
        """Listen and serve.

        Raises:
            ConfigError: The address cannot be listened on.
        """
        self._sockets = [listen(*self._address)]
        config = self._server.config
        config.load()
        self._server.lifespan = config.lifespan_class(config)
        await self._server.startup(sockets=self._sockets)
        self._serving = asyncio.create_task(self._server.main_loop(), name="web")

    async def stop(self) -> None:
        """Let the open pages go, finish what is under way, and close."""
        if self._serving is None:
            return
        self._kit.chat.close()
        self._server.should_exit = True
        await self._serving
        self._serving = None
        await self._server.shutdown(sockets=self._sockets)
        self._sockets = []


def listen(host: str, port: int) -> socket.socket:
    """Listen at an address.

    Raises:
        ConfigError: It is taken, or none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, port), family=family)
    except OSError as error:
        raise _unusable(host, port, error) from None
    # asyncio sends at once (TCP_NODELAY) only on sockets that say that they are TCP; else each answer waits 40 ms.
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=bound.detach())


def _unusable(host: str, port: int, error: OSError) -> ConfigError:
    match error.errno:
        case errno.EADDRINUSE:
            return ConfigError(
                f"web.port {port} is in use by another program.",
                "Stop that program (bot doctor says whether it is a bot), or set BOT_WEB__PORT to a free port.",
            )
        case errno.EACCES:
            return ConfigError(f"web.port {port} may not be used.", "Set BOT_WEB__PORT to a port from 1024 on.")
        case _:
            return ConfigError(
                f"web.host {host!r} cannot be listened on: {error.strerror}.", "Set BOT_WEB__HOST, e.g. to 127.0.0.1."
            )
