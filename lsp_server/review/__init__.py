"""A run's proposal, hunk by hunk: decided in an editor, put into files, taken out of them again.

    state (pure) ── stored in the run's folder ── reviews: one per process, shared by all clients
      reviewed: hunks over a base, edited by hand      checks: what is left, measured in the sandbox
      laying: three texts compared                     accepting: into buffers and files, and back
    one client: verbs (requests), plain (what a client without a review of its own sees)

Carries out no runs; whether something is green is measured by the host and never decided here.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lsp_server.core import Core
    from lsp_server.review.reviews import Reviews
    from lsp_server.server import GreenloopServer


def register(server: "GreenloopServer") -> None:
    """Give a connection what this room answers."""
    from lsp_server.review.following import register_following
    from lsp_server.review.verbs import register_verbs

    register_verbs(server, register_following(server))


def open_reviews(core: "Core") -> "Reviews":
    """Return the reviews of all runs of a store. Reads nothing yet."""
    from lsp_server.review.reviews import Reviews

    return Reviews(core)
