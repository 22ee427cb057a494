"""From where somebody stands in the code to a run: code actions, lenses, and the requests to start.

Knows nothing of how a run goes on; that is the registry's (`lsp_server.runs`).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lsp_server.server import GreenloopServer


def register(server: "GreenloopServer") -> None:
    """Give a connection what this room answers."""
    del server
