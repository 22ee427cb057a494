"""One connection of an editor: where the rooms register, and through which they speak.

Owns no run: those belong to the core, which all connections of the process share.
"""

import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVarTuple

import anyio.to_thread
from anyio.abc import TaskGroup
from lsprotocol import types
from pygls.lsp.server import LanguageServer

from agent import __version__
from lsp_server.keeping import CoreKeeper, Wish
from lsp_server.wire.checking import check_params, load_checks
from lsp_server.wire.errors import BadParams, Refused
from lsp_server.wire.parent import until_gone
from lsp_server.wire.protocol import MessageId, WireProtocol

if TYPE_CHECKING:
    from lsp_server.core import Core
    from lsp_server.session import Session
    from lsp_server.tested.publisher import Publisher
    from lsp_server.tested.showing import Showing

logger = logging.getLogger(__name__)

NAME: Final = "greenloop"
COMMAND_PREFIX: Final = "greenloop.server."

Verb = Callable[[Mapping[str, Any]], Awaitable[object]]
Args = TypeVarTuple("Args")
AtReady = Callable[[], Coroutine[Any, Any, None]]


class GreenloopServer(LanguageServer):
    """One client."""

    protocol: WireProtocol  # type: ignore[mutable-override] # set once, by pygls, to what we give
    session: "Session"
    """What is known of this client; given by `lsp_server.app`."""
    publisher: "Publisher"
    """The one way of diagnostics to this client; given by its room."""
    showing: "Showing"
    """What this client is shown of tests; given by its room."""

    def __init__(self, keeper: CoreKeeper) -> None:
        super().__init__(NAME, __version__, protocol_cls=WireProtocol)
        self._keeper = keeper
        self.watches_parent = False
        """Whether the connection ends with the process that the client says it is."""
        self.wish: Wish = "cancel"
        """What becomes of runs when this client leaves as the last one; set from its settings."""
        self._at_ready: list[AtReady] = []
        self._joined: Core | None = None
        self._can_check = False
        self.protocol.fm.features[types.INITIALIZED] = self._initialized

    @property
    def core(self) -> "Core":
        """What all connections share. Inside a verb it is always open.

        Raises:
            Refused: It is not open yet; `await opened()` instead where one can wait.
        """
        core = self._keeper.core
        if core is None:
            raise Refused("not_ready", "the server is still starting.", "Try again in a moment.")
        return core

    @property
    def tasks(self) -> TaskGroup:
        """Tasks that end with this connection."""
        return self.protocol.tasks()

    @property
    def request_token(self) -> MessageId | None:
        """The work-done token that came with the request that is being handled, if one did."""
        return self.protocol.request_token.get()

    def start_soon(
        self, function: Callable[[*Args], Coroutine[Any, Any, object]], *args: *Args
    ) -> None:
        """Start a task that ends with this connection; an error of its own ends nothing else."""
        self.tasks.start_soon(_logged, function, *args)

    async def opened(self) -> "Core":
        """Return the core as soon as it is open, and let this connection hear of its runs."""
        core = await self._keeper.get()
        if self._joined is None:
            self._joined = core
            core.runs.join(self)
        return core

    def at_ready(self, callback: AtReady) -> None:
        """Have something done once the client is initialized and the core is open."""
        self._at_ready.append(callback)

    def verb(self, name: str, handler: Verb) -> None:
        """Serve `greenloop/<name>` and the command `greenloop.server.<name>`."""
        method = f"greenloop/{name}"

        async def carry_out(params: object) -> object:
            given = await self._checked(method, params)
            await self.opened()
            return await handler(given)

        async def as_command(arguments: Sequence[object]) -> object:
            if len(arguments) > 1:
                raise BadParams("arguments: at most one, the params as an object")
            return await carry_out(arguments[0] if arguments else None)

        self.protocol.own_requests.add(method)
        self.protocol.fm.features[method] = carry_out
        self.protocol.fm.commands[COMMAND_PREFIX + name] = as_command

    async def ask(self, method: str, params: object = None) -> Any:
        """Ask the client and return its answer as plain JSON; waits as long as the client does.

        Raises:
            ClientGone: The connection ended first.
            ClientRefused: The client answered with an error.
        """
        return await self.protocol.asking.ask(method, self.protocol.plain(params))

    def tell(self, method: str, params: object = None) -> None:
        """Send a notification; never raises."""
        self.protocol.notify(method, params)

    def leave(self) -> None:
        """The client has gone: hear of nothing more."""
        if self._joined is not None:
            self._joined.runs.leave(self)
            self._joined = None

    async def _checked(self, method: str, params: object) -> Mapping[str, Any]:
        if not self._can_check:
            await anyio.to_thread.run_sync(load_checks)
            self._can_check = True
        return check_params(method, params)

    async def _initialized(self, _: types.InitializedParams) -> None:
        if self.watches_parent and self.process_id is not None:
            self.tasks.start_soon(self._end_with, self.process_id)
        await self.opened()
        for callback in self._at_ready:
            self.start_soon(callback)

    async def _end_with(self, pid: int) -> None:
        if await until_gone(pid):
            logger.info("the editor's process is gone")
            self.protocol.exited.set()


async def _logged(function: Callable[[*Args], Coroutine[Any, Any, object]], *args: *Args) -> None:
    try:
        await function(*args)
    except Exception:
        logger.exception("a task failed; the connection goes on")
