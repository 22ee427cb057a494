"""Ctrl-C and its relatives: the first ends the work cleanly, the third leaves at once."""

import os
import signal
from collections.abc import Callable
from typing import Final

import anyio
from anyio.abc import TaskStatus

INTERRUPTED: Final = 130


async def heed_signals(
    cancel: Callable[[], None], say: Callable[[str], None], *, task_status: TaskStatus[None]
) -> None:
    """Cancel the work when asked to end; runs until it is cancelled itself."""
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    with anyio.open_signal_receiver(*wanted) as signals:
        task_status.started()
        await anext(signals)
        cancel()
        say("stopping: removing the sandbox ...")
        await anext(signals)
        say("still stopping; a third time leaves at once")
        await anext(signals)
        os._exit(INTERRUPTED)  # what is left of the sandbox is removed by the next command's reaper
