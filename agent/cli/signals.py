"""Ctrl-C and its relatives: the first ends the work cleanly, the third leaves at once."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Final

import anyio
from anyio.abc import TaskStatus

INTERRUPTED: Final = 130
WAYS_TO_ASK: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def heed_signals(
    cancel: Callable[[], None], say: Callable[[str], None], *, task_status: TaskStatus[None]
) -> None:
    """Cancel the work when asked to end; runs until it is cancelled itself."""
    asked = False
    try:
        with anyio.open_signal_receiver(*WAYS_TO_ASK) as signals:
            task_status.started()
            await anext(signals)
            asked = True
            cancel()
            say("stopping: removing the sandbox ...")
            await anext(signals)
            say("still stopping; a third time leaves at once")
            await anext(signals)
            _show_cursor()
            os._exit(INTERRUPTED)  # the next command removes what is left of the sandbox
    finally:
        if asked:
            ignore_signals()


def _show_cursor() -> None:
    """Undo what drawing progress did to the terminal."""
    if sys.stderr.isatty():
        sys.stderr.write("\x1b[?25h")
        sys.stderr.flush()


def ignore_signals() -> None:
    """Let the little that remains end in peace; an impatient second Ctrl-C must not hit it."""
    for each in WAYS_TO_ASK:
        signal.signal(each, signal.SIG_IGN)
