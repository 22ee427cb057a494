"""Carries one connection from its first byte to its last.

It ends with `exit`, the end of what comes in, a client that reads no more, or its own cancellation.
Whatever ended it, handlers are cancelled, answers that were ready are still written, and nothing of
it is left behind.
"""

import logging
from typing import Final

import anyio
from anyio.abc import TaskGroup

from lsp_server.wire.errors import INVALID_REQUEST, PARSE_ERROR
from lsp_server.wire.framing import BODY_LIMIT_BYTES, BrokenFraming, TooLarge
from lsp_server.wire.outbox import Outbox
from lsp_server.wire.protocol import WireProtocol
from lsp_server.wire.streams import Wire

logger = logging.getLogger(__name__)

LAST_WORDS_S: Final = 2.0
"""For what waits to be written at the end; a client that is gone reads nothing of it."""


async def carry(protocol: WireProtocol, wire: Wire) -> bool:
    """Serve a client to its end; return whether it left in order: `shutdown` came first."""
    outbox = Outbox()
    async with anyio.create_task_group() as writing:
        try:
            async with anyio.create_task_group() as tasks:
                protocol.connect(outbox, tasks)
                writing.start_soon(_write, outbox, wire, tasks)
                tasks.start_soon(_stop_at_exit, protocol, tasks)
                await _read(protocol, wire)
                tasks.cancel_scope.cancel()
        finally:
            protocol.end()
            outbox.close()
            with anyio.move_on_after(LAST_WORDS_S, shield=True):
                await outbox.written.wait()
            writing.cancel_scope.cancel()
    return protocol.was_shut_down


async def _read(protocol: WireProtocol, wire: Wire) -> None:
    try:
        while (body := await wire.receive()) is not None and not protocol.exited.is_set():
            if isinstance(body, TooLarge):
                size, limit = body.length_bytes // 2**20, BODY_LIMIT_BYTES // 2**20
                message = f"a message of {size} MiB was passed over; the limit is {limit} MiB"
                logger.warning(message)
                protocol.send_error(None, INVALID_REQUEST, message)
            else:
                protocol.receive(body)
    except BrokenFraming as exc:
        logger.warning("the client's stream cannot be read any further: %s", exc)
        protocol.send_error(None, PARSE_ERROR, f"{exc}; the connection ends here")


async def _write(outbox: Outbox, wire: Wire, tasks: TaskGroup) -> None:
    await outbox.write_to(wire)
    tasks.cancel_scope.cancel()


async def _stop_at_exit(protocol: WireProtocol, tasks: TaskGroup) -> None:
    await protocol.exited.wait()
    tasks.cancel_scope.cancel()
