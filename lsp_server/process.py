"""The server process: one core, the clients that share it, and an orderly end.

Ends with its client or clients, with SIGTERM, SIGINT or SIGHUP, or with the process that it was
told to watch; in each case the core is closed first, within a bound.
"""

import logging
import signal
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final

import anyio

from lsp_server.app import make_server
from lsp_server.keeping import CoreKeeper
from lsp_server.wire.connection import carry
from lsp_server.wire.parent import until_gone
from lsp_server.wire.serving import Serve
from lsp_server.wire.streams import Wire

if TYPE_CHECKING:
    from lsp_server.core import Core

logger = logging.getLogger(__name__)

ENDING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


async def run_process(way: Callable[[Serve], Awaitable[bool]], *, parent_pid: int | None) -> bool:
    """Serve until the end; return whether the last client left in order."""
    keeper = CoreKeeper(open_core)

    async def serve(wire: Wire, *, watches_parent: bool) -> bool:
        return await _serve_client(keeper, wire, watches_parent=watches_parent)

    left_in_order = False
    async with anyio.create_task_group() as process:
        process.start_soon(keeper.run)
        try:
            async with anyio.create_task_group() as clients:
                clients.start_soon(_stop_at_signal, clients.cancel_scope)
                if parent_pid is not None:
                    clients.start_soon(_stop_with, parent_pid, clients.cancel_scope)
                left_in_order = await way(serve)
                clients.cancel_scope.cancel()
        finally:
            keeper.end()
    return left_in_order


def open_core() -> "AbstractAsyncContextManager[Core]":
    """Import the core, which is the heavy part of the server, and open it."""
    from agent.config import host_variables
    from lsp_server.core import open_core as open_real_core

    return open_real_core(variables=host_variables())


async def _serve_client(keeper: CoreKeeper, wire: Wire, *, watches_parent: bool) -> bool:
    server = make_server(keeper)
    server.watches_parent = watches_parent
    try:
        return await carry(server.protocol, wire)
    except Exception:
        logger.exception("a connection broke; the process goes on")
        return False
    finally:
        keeper.wish = server.wish
        server.leave()


async def _stop_at_signal(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(*ENDING) as signals:
        async for number in signals:
            logger.info("ended by %s", number.name)
            scope.cancel()


async def _stop_with(pid: int, scope: anyio.CancelScope) -> None:
    if not await until_gone(pid):
        logger.warning("there is no process %s to end with: ending now", pid)
    scope.cancel()
