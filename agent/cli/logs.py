"""What developers of Greenloop want to know of a command: warnings, into a file of the user's."""

import logging
from collections.abc import Generator
from contextlib import contextmanager, suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from agent.journal.redaction import Redactor, log_filter

LOG_BYTES: Final = 1024 * 1024
"""Of the log, and of the one before it; older lines are dropped."""
_PATTERN: Final = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"


@contextmanager
def logged(path: Path, redactor: Redactor) -> Generator[None, None, None]:
    """Write warnings and worse to the file, without secrets, while the context is open.

    The file and its folder appear with the first line. A log that cannot be written disturbs
    nobody.
    """

    def make_room(_: logging.LogRecord) -> bool:
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return True

    handler = RotatingFileHandler(
        path,
        maxBytes=LOG_BYTES,
        backupCount=1,
        encoding="utf-8",
        errors="backslashreplace",
        delay=True,
    )
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter(_PATTERN))
    handler.addFilter(log_filter(redactor))
    handler.addFilter(make_room)
    root, loud = logging.getLogger(), logging.raiseExceptions
    logging.raiseExceptions = False
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()
        logging.raiseExceptions = loud
