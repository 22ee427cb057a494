"""Puts the rooms of this package together for one connection. Decides nothing."""

from lsp_server import following, review, runs, starting, tested
from lsp_server.keeping import CoreKeeper
from lsp_server.server import GreenloopServer
from lsp_server.session import Session

ROOMS = (following, starting, tested, runs, review)


def make_server(keeper: CoreKeeper) -> GreenloopServer:
    """Return a connection with everything registered that it can be asked for."""
    server = GreenloopServer(keeper)
    server.session = Session(ask=server.ask, tell=server.tell)
    for room in ROOMS:
        room.register(server)
    return server
