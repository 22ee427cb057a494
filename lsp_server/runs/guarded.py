"""Keeps an error of ours in one run from reaching the others: it is logged, they go on."""

import logging
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import TypeVarTuple

logger = logging.getLogger(__name__)

Args = TypeVarTuple("Args")


@contextmanager
def errors_logged(what: str, run: str) -> Generator[None, None, None]:
    """Log what nobody expected and go on after the block; cancellation passes."""
    try:
        yield
    except Exception:
        logger.exception("%s of run %s failed", what, run)


async def guarded(
    what: str, run: str, function: Callable[[*Args], Awaitable[None]], *args: *Args
) -> None:
    """Await a function such that its errors end it and nothing else."""
    with errors_logged(what, run):
        await function(*args)
