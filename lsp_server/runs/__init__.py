"""Runs as the editors see them: where each stands, its log, its progress, and the way to end it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lsp_server.server import GreenloopServer


def register(server: "GreenloopServer") -> None:
    """Make the verbs of this room known to a connection."""
