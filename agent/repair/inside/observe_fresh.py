"""A second interpreter that imports edited files anew, for patches that cannot be swapped in.

It is started with another hash seed than the first and never collects a test: what a call gives
here as well does not depend on the order of sets, on the time, or on what tests left behind.
Ready-made tests are tried here too.
"""

# Pathlib would cost the start of every process that is forked here.
# ruff: noqa: PTH118, PTH123
from __future__ import annotations

import base64
import contextlib
import gc
import importlib
import json
import os
import pickle
import signal
import subprocess
import sys
import time
import types
from functools import partial
from typing import Any

from .observe_calls import Call, Function  # noqa: TID252 - see inside/__init__
from .observe_inputs import Input  # noqa: TID252
from .observe_replay import replay, run_jobs, set_limit  # noqa: TID252
from .reimport import serve_instead  # noqa: TID252
from .swapping import apply_edits  # noqa: TID252

HASH_SEED = "1789"
TEST_S = 2.0
"""Seconds of CPU for a ready-made test."""
IMPORT_S = 10.0
"""Seconds that a fork may take beside its calls, most of it for imports."""
START = """
import sys
sys.path.insert(0, {tools!r})
from {package}.observe_fresh import main
sys.path.remove({tools!r})
main()
"""


class Fresh:
    """The end of it that asks."""

    def __init__(self) -> None:
        tools = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
        code = START.format(tools=tools, package=__name__.rpartition(".")[0])
        flags: list[str] = getattr(subprocess, "_args_from_interpreter_flags")()  # noqa: B009 - private since ever, used by multiprocessing
        self._process = subprocess.Popen(
            [sys.executable, *flags, "-B", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(os.environ, PYTHONHASHSEED=HASH_SEED),  # noqa: TID251 - in the sandbox
        )

    @property
    def files(self) -> list[int]:
        """File descriptors that forks must not keep."""
        pipes = (self._process.stdin, self._process.stdout)
        return [pipe.fileno() for pipe in pipes if pipe is not None]

    def ask(self, **message: Any) -> Any:
        """Send one message and return its answer; None when it is gone."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            return None
        try:
            stdin.write(json.dumps(message).encode("ascii") + b"\n")
            stdin.flush()
            line = stdout.readline()
            return json.loads(line) if line else None
        except (OSError, ValueError):
            return None

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()


def packed(one: Input) -> str:
    """Return what `unpacked` makes the input of again, in another process; empty if it cannot."""
    function = one.call.function
    try:
        data = pickle.dumps(one.call.values)
        pickle.loads(data)  # noqa: S301 - our own
    except Exception:  # noqa: BLE001 - anything in it may refuse
        return ""
    held = base64.b64encode(data).decode("ascii")
    place = [function.live.__module__, function.live.__qualname__, function.path]
    return json.dumps([*place, one.is_recorded, held])


class Inside:
    """The end of it that answers."""

    def __init__(self) -> None:
        self._root = ""
        self._inputs: list[tuple[int, list[Any]]] = []
        self._until = 0.0
        self._workers = 1

    def answer(self, message: dict[str, Any], closing: list[int]) -> Any:
        """Do what a message asks."""
        self._until = time.monotonic() + message["seconds"]
        jobs: list[Any]
        if "inputs" in message:
            sys.path[:] = message["path"]
            self._root = message["root"]
            self._workers = message["workers"]
            self._inputs = [(at, json.loads(text)) for at, text in message["inputs"]]
            for name in message["modules"]:
                with contextlib.suppress(BaseException):  # the forks import it again, and will see
                    importlib.import_module(name)
            return {}
        if "tests" in message:
            jobs = [partial(self._test, patch, message["tests"]) for patch in message["patches"]]
        else:
            jobs = [partial(self._replay, patch) for patch in message["patches"]]
        return run_jobs(
            jobs, workers=self._workers, seconds=IMPORT_S, until=self._until, closing=closing
        )

    def _replay(self, patch: list[dict[str, Any]], emit: Any) -> None:
        self._edit(patch)
        modules = {place[0] for _at, place in self._inputs}
        for name in sorted(modules):
            with contextlib.suppress(Exception):
                importlib.import_module(name)
        functions: dict[tuple[str, str], Function | None] = {}
        for at, (module, qualname, path, is_recorded, data) in self._inputs:
            if (qualname, path) not in functions:
                functions[qualname, path] = self._function(module, qualname, path)
            function = functions[qualname, path]
            if function is None:
                continue
            try:
                values = pickle.loads(base64.b64decode(data))  # noqa: S301 - our own
                one = Input(Call(function, values), is_recorded=is_recorded)
            except Exception:  # noqa: BLE001, S112 - edited classes may not take it
                continue
            emit(dict(replay(one, function.live), at=at))

    def _edit(self, patch: list[dict[str, Any]]) -> None:
        for path in dict.fromkeys(part["path"] for part in patch):
            filename = os.path.join(self._root, path)
            with open(filename, "rb") as file:
                edits = [edit for part in patch if part["path"] == path for edit in part["edits"]]
                text = apply_edits(file.read(), edits)
            serve_instead(filename, partial(bytes, text))

    def _function(self, module: str, qualname: str, path: str) -> Function | None:
        """Find the function itself, below whatever decorators made of it."""
        filename = os.path.join(self._root, path)
        for thing in gc.get_objects():
            is_it = type(thing) is types.FunctionType and thing.__qualname__ == qualname
            if is_it and thing.__module__ == module and thing.__code__.co_filename == filename:
                return Function(thing, path)
        return None

    def _test(self, patch: list[dict[str, Any]], tests: list[str], emit: Any) -> None:
        """Run ready-made tests, each the one function of a module of its own."""
        self._edit(patch)
        for source in tests:
            names: dict[str, Any] = {"__name__": "question"}
            try:
                exec(compile(source, "question.py", "exec"), names)  # noqa: S102 - in the sandbox
                test = [value for name, value in names.items() if name.startswith("test_")][-1]
                set_limit(TEST_S)
                test()
                set_limit(0)
                emit({"passes": True})
            except BaseException:  # noqa: BLE001 - a test fails by any exception
                set_limit(0)
                emit({"passes": False})


def main() -> None:
    """Answer messages until stdin ends."""
    stdin, output = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    inside = Inside()
    with os.fdopen(stdin, "rb") as messages:
        for line in messages:
            answer = inside.answer(json.loads(line), [stdin, output])
            data = json.dumps(answer).encode("ascii") + b"\n"
            while data:
                data = data[os.write(output, data) :]
