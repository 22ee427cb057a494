"""The requests of a review, as docs/protocol.md has them. Carries none of them out itself."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lsp_server.server import GreenloopServer


def register_verbs(server: "GreenloopServer") -> None:
    """Make the requests known to a connection."""
    del server
