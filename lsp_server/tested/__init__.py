"""What tests came to, shown in the editor: diagnostics, outcomes by file, tests of a document.

Runs no test; it listens to those that the registry runs.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lsp_server.server import GreenloopServer


def register(server: "GreenloopServer") -> None:
    """Give a connection what this room answers."""
    del server
