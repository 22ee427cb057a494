"""All reviews of this process, shared by its clients."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lsp_server.core import Core
    from lsp_server.runs.state import HunkCount


class Reviews:
    """The reviews of the runs in the store."""

    def __init__(self, core: "Core") -> None:
        self._core = core

    def counts(self, run: str) -> "HunkCount | None":
        """Return how many hunks of a run are open, accepted and rejected, where that is known."""
        return None
