"""Holds the one `Core` of this process: opened when somebody first needs it, closed at the end.

It lives in a task of its own, so that it outlasts the connection that needed it first.
"""

import gc
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final, Literal

import anyio

from agent.errors import AgentError, Infrastructure

if TYPE_CHECKING:
    from lsp_server.core import Core

logger = logging.getLogger(__name__)

Wish = Literal["cancel", "finish"]
CLOSING_S: Final = 1.5
"""VS Code kills a server 2 s after it asked it to go; the host cleans up on its own."""


class CoreKeeper:
    """Opens and closes the core."""

    def __init__(self, open_core: "Callable[[], AbstractAsyncContextManager[Core]]") -> None:
        self._open_core = open_core
        self._core: Core | None = None
        self._failure: AgentError | None = None
        self._wanted = anyio.Event()
        self._answered = anyio.Event()
        self._over = anyio.Event()
        self.wish: Wish = "cancel"
        """What becomes of runs at the end, as the last client to leave has it."""

    @property
    def core(self) -> "Core | None":
        """The core, if it is open."""
        return self._core

    async def get(self) -> "Core":
        """Return the core, opened if need be.

        Raises:
            AgentError: It could not be opened.
        """
        self._wanted.set()
        await self._answered.wait()
        if self._core is None:
            raise self._failure or Infrastructure("the server is closing.")
        return self._core

    def end(self) -> None:
        """Let `run` come to its end."""
        self._over.set()
        self._wanted.set()

    async def run(self) -> None:
        """Open the core when it is wanted, and close it after `end`; cancelling ends nothing."""
        with anyio.CancelScope(shield=True):
            await self._wanted.wait()
            try:
                if not self._over.is_set():
                    await self._keep()
            except AgentError as exc:
                self._failure = exc
            except Exception as exc:
                logger.exception("the core could not be opened or closed")
                message = f"the server could not start its inner part ({type(exc).__name__})."
                self._failure = Infrastructure(message, remedy="Its log has the details.")
            finally:
                self._core = None
                self._answered.set()

    async def _keep(self) -> None:
        async with self._open_core() as core:
            # What was imported stays: looking through it for garbage holds up every answer.
            gc.freeze()
            self._core = core
            self._answered.set()
            await self._over.wait()
            with anyio.move_on_after(CLOSING_S) as limit:
                await core.close(self.wish)
            if limit.cancelled_caught:
                logger.warning("the host was left behind; it ends by itself")
