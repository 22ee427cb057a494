"""Runs a handler as far as it goes without waiting.

pygls' own handlers are generators that yield the registered ones. What does not wait is carried out
at once, so that edits of documents happen in the order in which they were sent.
"""

import inspect
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any


def begin(handler: Callable[..., Any], arguments: Sequence[Any]) -> object:
    """Return the handler's result, or what to await for it.

    Raises:
        Exception: Whatever the handler raises.
    """
    if inspect.isgeneratorfunction(handler):
        return _drive(handler(*arguments), None)
    return handler(*arguments)


def _drive(steps: Generator[Any, Any, Any], value: object) -> object:
    while True:
        try:
            handler, arguments, _ = steps.send(value)
        except StopIteration as end:
            return end.value
        value = begin(handler, arguments)
        if inspect.isawaitable(value):
            return _rest(steps, value)


async def _rest(steps: Generator[Any, Any, Any], waited_for: Awaitable[object]) -> object:
    outcome = _drive(steps, await waited_for)
    return await outcome if inspect.isawaitable(outcome) else outcome
