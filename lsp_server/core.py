"""What all connections of a process share: the way to the engine, the store, runs and reviews.

Opened once, after a first client is there: nothing here may be imported before it was answered.
"""

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Literal

import anyio
from anyio.abc import TaskGroup

from agent.config import load_settings
from agent.errors import ConfigError
from agent.host.api import Host
from agent.host.client import open_host
from agent.journal.redaction import Redactor
from agent.journal.store import RunStore
from lsp_server.review import open_reviews
from lsp_server.runs.registry import Registry
from lsp_server.runs.shelf import Shelf
from lsp_server.tested.results import Results

logger = logging.getLogger(__name__)

_PLACES: Final = ("HOME", "XDG_STATE_HOME", "GREENLOOP_STATE_DIR")
_NO_FOLDER: Final = "/dev/null"


class Core:
    """Shared by every connection; outlives each of them."""

    def __init__(
        self, host: Host, tasks: TaskGroup, *, state_dir: Path, redactor: Redactor
    ) -> None:
        """Put it together; `tasks` end with the process."""
        self.host: Final = host
        self.tasks: Final = tasks
        self.state_dir: Final = state_dir
        self.store: Final = RunStore(state_dir, redactor=redactor)
        self.reviews: Final = open_reviews(self)
        self.runs: Final = Registry(
            host, Shelf(state_dir / "runs"), tasks, counts=self.reviews.counts
        )
        self.results: Final = Results()
        """What tests came to, for every client that joins."""
        self.runs.listen(self.results.take)

    async def close(self, wish: Literal["cancel", "finish"]) -> None:
        """Leave the host: its runs are ended, or go on without anybody watching."""
        await self.host.close(runs=wish)


@asynccontextmanager
async def open_core(*, variables: Mapping[str, str]) -> AsyncGenerator[Core, None]:
    """Open the core for a user's environment. Starts no host before one is needed."""
    async with open_host(variables=variables) as host, core_over(host, variables) as core:
        yield core


@asynccontextmanager
async def core_over(host: Host, variables: Mapping[str, str]) -> AsyncGenerator[Core, None]:
    """Put a core together over a host; leaving the context ends its tasks."""
    state_dir = _state_dir(variables)
    async with anyio.create_task_group() as tasks:
        redactor = Redactor.from_variables(variables)
        core = Core(host, tasks, state_dir=state_dir, redactor=redactor)
        try:
            yield core
        finally:
            tasks.cancel_scope.cancel()


def _state_dir(variables: Mapping[str, str]) -> Path:
    """Return where runs are kept, also where the user's configuration cannot be read.

    What is wrong there is told by the first run that is started, and until then the runs that
    there are can be looked at.
    """
    try:
        return load_settings(repo=None, variables=variables, flags={}).state_dir
    except ConfigError as exc:
        logger.warning("%s %s", exc.message, exc.remedy)
        places = {name: variables[name] for name in _PLACES if name in variables}
        without_file = {**places, "XDG_CONFIG_HOME": _NO_FOLDER}
        return load_settings(repo=None, variables=without_file, flags={}).state_dir
