"""What developers want to know of the server: onto stderr, which editors show, or into a file.

Never a payload: pygls' own lines, which hold them, are kept to warnings.
"""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from agent.errors import ConfigError

LOG_BYTES: Final = 4 * 1024 * 1024
"""Of a log file, and of the one before it; older lines are dropped."""
_PATTERN: Final = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"


@contextmanager
def log_to(path: Path | None, level: str) -> Generator[None, None, None]:
    """Log while the context is open.

    Raises:
        ConfigError: The file cannot be written.
    """
    try:
        handler = logging.StreamHandler() if path is None else _file(path)
    except OSError as exc:
        raise ConfigError(
            f"cannot log to {path}: {exc.strerror}.", remedy="Name another --log-file."
        ) from exc
    handler.setFormatter(logging.Formatter(_PATTERN))
    root, before, loud = logging.getLogger(), logging.getLogger().level, logging.raiseExceptions
    logging.raiseExceptions = False
    root.addHandler(handler)
    root.setLevel(level.upper())
    logging.getLogger("pygls").setLevel(logging.WARNING)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        handler.close()
        logging.raiseExceptions = loud


def _file(path: Path) -> logging.Handler:
    from logging.handlers import RotatingFileHandler

    path.parent.mkdir(parents=True, exist_ok=True)
    return RotatingFileHandler(
        path, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8", errors="backslashreplace"
    )
