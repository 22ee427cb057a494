"""Replays inputs in forked processes, each call within limits, and tells what came of each.

A process that hangs where no exception reaches it is killed from outside; what it told until then
counts.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import inspect
import json
import os
import select
import signal
import time
from itertools import islice
from typing import Any

from .items import Hung  # noqa: TID252
from .observe_inputs import RECEIVERS, Input  # noqa: TID252 - see inside/__init__
from .observe_text import (  # noqa: TID252
    MOST_DRAINED,
    Text,
    express,
    is_importable,
    is_iterator,
    text_of,
    without_addresses,
)
from .session import bound_resources  # noqa: TID252

CALL_S = 0.1
"""Seconds of CPU for one call and for writing down what it gave."""
SHOWN = 160
FLUSH_S = 0.02
"""What a fork has found by then it tells: it may be killed at any time."""

_WORDED_BY_PYTHON = (
    *(TypeError, AttributeError, NameError, ArithmeticError),
    *(RecursionError, MemoryError, IndexError),
)
"""Exceptions whose message says how the code is written, not what it does."""

Job = Any
"""Takes a function that emits one record, and emits one for each of its inputs, in order."""


def run_jobs(
    jobs: list[Job], *, workers: int, seconds: float, until: float, closing: list[int]
) -> list[list[dict[str, Any]]]:
    """Run each job in a fork of its own; return what each emitted until it ended or was ended.

    `closing` are files that a fork must not keep.
    """
    found: list[list[dict[str, Any]]] = [[] for _job in jobs]
    waiting = list(enumerate(jobs))
    running: dict[int, tuple[int, int, float]] = {}
    left: dict[int, bytes] = {}
    while waiting or running:
        while waiting and len(running) < workers and time.monotonic() < until:
            at, job = waiting.pop(0)
            pid, fd = _start(job, [*closing, *running])
            running[fd] = (at, pid, min(until, time.monotonic() + seconds))
            left[fd] = b""
        if not running:
            break
        nearest = min(deadline for _at, _pid, deadline in running.values())
        ready = select.select(list(running), [], [], max(0.0, nearest - time.monotonic()))[0]
        for fd in list(running):
            at, pid, deadline = running[fd]
            data = os.read(fd, 1 << 16) if fd in ready else b""
            if data:
                *lines, left[fd] = (left[fd] + data).split(b"\n")
                found[at].extend(json.loads(line) for line in lines)
            if (fd in ready and not data) or time.monotonic() > deadline:
                del running[fd]
                _end(pid, fd)
    return found


def _start(job: Job, closing: list[int]) -> tuple[int, int]:
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return pid, ours
    try:
        os.setsid()
        for fd in (ours, *closing):
            os.close(fd)
        bound_resources()
        gc.disable()
        for number in (signal.SIGPROF, signal.SIGALRM):
            signal.signal(number, _hang)

        held: list[bytes] = []
        last = time.monotonic()

        def emit(record: dict[str, Any]) -> None:
            nonlocal last
            held.append(json.dumps(record).encode("ascii") + b"\n")
            if time.monotonic() - last > FLUSH_S:
                flush()
                last = time.monotonic()

        def flush() -> None:
            data = b"".join(held)
            held.clear()
            while data:
                data = data[os.write(theirs, data) :]

        job(emit)
        flush()
    finally:
        os._exit(0)


def _end(pid: int, fd: int) -> None:
    os.close(fd)
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except OSError:
            continue


def _hang(_number: int, _frame: Any) -> None:
    raise Hung("ran over its time limit")


def set_limit(seconds: float) -> None:
    """Have `Hung` raised after so much CPU time, or a dozen times that in all; 0 takes it back."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, 12 * seconds and 12 * seconds + 1)


def limited(work: Any, one: Input) -> Any:
    """Return what a function makes of an input within the limit of a call; None where it cannot."""
    try:
        set_limit(CALL_S)
        found = work(one)
        set_limit(0)
    except BaseException:  # noqa: BLE001 - it runs the repository's own methods
        set_limit(0)
        return None
    return found


def replay(one: Input, live: Any, known: str = "") -> dict[str, Any]:
    """Return what one call comes to, and how a person and a test would say it.

    For an outcome whose digest is known that is not worked out again.

    `digest` is equal for calls that do the same: value or exception, and what became of the
    arguments.
    """
    started = time.process_time()
    try:
        set_limit(CALL_S)
        found = _outcome(one, live, known)
        set_limit(0)
    except Hung:
        set_limit(0)
        found = {"how": "hangs", "digest": "hangs", "shown": "does not end"}
    except BaseException as problem:  # noqa: BLE001 - not even its text can be told
        set_limit(0)
        found = {
            "how": "odd",
            "digest": f"odd {type(problem).__name__}",
            "shown": "cannot be shown",
        }
    found["cpu_s"] = time.process_time() - started
    return found


def _outcome(one: Input, live: Any, known: str) -> dict[str, Any]:
    drained = False
    value: Any = None
    error: BaseException | None = None
    try:
        value = one.call.run(live)
        if inspect.iscoroutine(value):
            value = asyncio.run(value)
        elif is_iterator(value):
            value, drained = list(islice(value, MOST_DRAINED)), True
    except Hung:
        raise
    except BaseException as problem:  # noqa: BLE001 - what a call raises is what is asked
        error = problem
    after = {name: text_of(held) for name, held in one.call.values.items()}
    changed = [name for name in after if after[name] != one.parts[name]]
    if error is None:
        told = ("drained " if drained else "") + Text().of(value)
        found: dict[str, Any] = {"how": "drains" if drained else "returns"}
    else:
        kind = type(error).__name__
        told = kind if isinstance(error, _WORDED_BY_PYTHON) else f"{kind}: {_message(error)}"
        found = {"how": "raises", "error": kind}
    text = repr((found["how"], told, [(name, after[name]) for name in changed]))
    found["digest"] = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=12).hexdigest()
    if found["digest"] == known:
        return {"how": found["how"], "digest": known}
    found.update(_error(error) if error is not None else _value(value, told))
    found["changed"] = [_changed(one, name) for name in changed]
    return found


def _message(error: BaseException) -> str:
    return without_addresses(str(error))[:500]


def _value(value: Any, told: str) -> dict[str, Any]:
    found = express(value)
    shown = found.source if found is not None else told
    return {
        "shown": shown[:SHOWN],
        "source": found.source if found is not None else "",
        "imports": found.imports() if found is not None else [],
    }


def _error(error: BaseException) -> dict[str, Any]:
    kind = type(error)
    text = _message(error)
    is_builtin = kind.__module__ == "builtins"
    return {
        "shown": f"{kind.__name__}: {text}"[:SHOWN] if text else kind.__name__,
        "source": kind.__name__ if is_builtin or is_importable(kind) else "",
        "imports": [] if is_builtin else [f"from {kind.__module__} import {kind.__name__}"],
    }


def _changed(one: Input, name: str) -> dict[str, Any]:
    """Tell what became of an argument; of a receiver nothing that a test could say."""
    if name in RECEIVERS:
        return {"name": name, "shown": "another state", "source": "", "imports": []}
    value = one.call.values[name]
    return dict(_value(value, text_of(value)), name=name)
