"""Observes what patches do beyond the tests: answers two kinds of JSON lines on stdin.

The first line opens it: the tests are collected and run on the untouched code while calls of the
edited functions are recorded, then every patch replays these and inputs near them in a fork of its
own. Lines after it try ready-made tests on patches. What the code under test prints goes nowhere.
"""

# Pathlib would cost the start of every process that is forked here.
# ruff: noqa: PTH109, PTH118
from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
import types
from collections.abc import Iterator
from typing import Any

from .items import ItemRunner  # noqa: TID252
from .observe_call_text import call_of  # noqa: TID252
from .observe_calls import Function, Recorder  # noqa: TID252 - see inside/__init__
from .observe_fresh import Fresh, packed  # noqa: TID252
from .observe_inputs import Input, make_inputs  # noqa: TID252
from .observe_replay import limited, replay, run_jobs  # noqa: TID252
from .session import collect, outside_modules  # noqa: TID252
from .swapping import Equal, Swapper, Unsound  # noqa: TID252

RECORD_SHARE = 0.35
"""Share of the time in which the tests are run and their calls recorded."""
COPY_SHARE = 0.1
"""Share of the time for copying arguments."""
BASE_SHARE = 0.4
"""Share of the time left after that for the untouched code, which tells how many inputs fit."""
SWAPPED_SHARE = 0.6
"""Share of the time left then for patches whose code can be swapped in; the others come last."""
FEWEST_INPUTS = 10
"""Inputs that each patch is asked, however late it is."""
MOST_AROUND = 20
"""Functions of a file that are observed where an edit lies outside of all of them."""
SHORTEST_S = 1.0
"""What each step gets at least, however late it is."""
MOST_HANGING = 2
"""Inputs kept on which the untouched code does not end."""
MOST_HANGS = 3
"""Calls over their limit after which a patch is not asked any more."""
BASE_HANGS = 6
"""The same for the untouched code: not to end may be its bug."""


class Observer:
    """One collected session and what was learnt in it."""

    def __init__(self, opening: dict[str, Any], fresh: Fresh, closing: list[int]) -> None:
        self._opening = opening
        self._fresh = fresh
        self._closing = [*closing, *fresh.files]
        self._root: str = opening["root"]
        self._workers: int = opening["workers"]
        self._until = 0.0
        self._inputs: list[Input] = []
        self._swapped: dict[int, list[tuple[Any, Any]]] = {}
        """By patch: functions and the code that makes it live."""

    def observe(self, session: Any) -> dict[str, Any]:
        """Record, replay, and return what the patches did."""
        seconds = self._opening["seconds"]
        started = time.monotonic()
        self._until = started + seconds
        swapper = Swapper(self._root)
        functions = self._functions(swapper)
        if not functions:
            return {"note": "no function that they edit is live after the tests were collected"}
        recorder = Recorder(functions, COPY_SHARE * seconds)
        self._record(session, recorder, started + RECORD_SHARE * seconds)
        self._inputs = make_inputs(recorder.kept)
        if not self._inputs:
            return {"note": "no test that was run calls what they edit"}
        for at, patch in enumerate(self._opening["patches"]):
            if swaps := _swaps(swapper, patch):
                self._swapped[at] = swaps
        base = self._base()
        if not base:
            return {"note": "what they edit gives another result each time"}
        return self._replay_all(base)

    def _functions(self, swapper: Swapper) -> list[Function]:
        """Return what the patches edit; of a file edited elsewhere, functions that it holds."""
        found: dict[int, Function] = {}
        for part in (part for patch in self._opening["patches"] for part in patch):
            filename = os.path.join(self._root, part["path"])
            if part["unit"] is None:
                live = functions_in(filename)[:MOST_AROUND]
            else:
                try:
                    live = swapper.live(filename, part["unit"])[:1]
                except Unsound:
                    continue
            for one in live:
                found.setdefault(id(one), Function(one, part["path"]))
        return list(found.values())

    def _record(self, session: Any, recorder: Recorder, until: float) -> None:
        items = {item.nodeid: item for item in session.items}
        runner = ItemRunner()
        for test, limit in self._opening["tests"]:
            left_s = until - time.monotonic()
            if left_s <= 0 or recorder.is_full:
                return
            if test in items:
                recorder.start()
                try:
                    runner.passes(items[test], min(limit, left_s / 2), gently=True)
                finally:
                    recorder.stop()

    def _base(self) -> dict[int, dict[str, Any]]:
        """Replay the untouched code, forwards and backwards; return what is always the same."""
        started = time.monotonic()
        order = list(range(len(self._inputs)))
        forwards, backwards = self._run(
            [self._job([], turn, BASE_HANGS, {}) for turn in (order, order[::-1])], BASE_SHARE
        )
        digests = {record["at"]: record["digest"] for record in forwards}
        differing = {r["at"] for r in backwards if digests.get(r["at"], r["digest"]) != r["digest"]}
        found: dict[int, dict[str, Any]] = {}
        hanging = 0
        # Where it hangs a lot, one way came only to the first inputs and the other to the last
        for record in [*forwards, *backwards]:
            if record["at"] not in found and record["at"] not in differing:
                hanging += record["how"] == "hangs"
                if record["how"] != "hangs" or hanging <= MOST_HANGING:
                    found[record["at"]] = record
        cpu_s = max(sum(one["cpu_s"] for one in way) for way in (forwards, backwards))
        wall_s = time.monotonic() - started
        return self._fitting(found, wall_s / cpu_s if 0 < cpu_s < wall_s else 1.0)

    def _fitting(
        self, base: dict[int, dict[str, Any]], slowness: float
    ) -> dict[int, dict[str, Any]]:
        """Keep as many inputs as all patches can be asked in the time left.

        Slowness is how many seconds one of CPU took, with forking and all else that goes on here.
        """
        patches = len(self._opening["patches"]) + 1
        left_s = SWAPPED_SHARE * (self._until - time.monotonic()) * self._workers / patches
        found: dict[int, dict[str, Any]] = {}
        for at, record in sorted(base.items()):
            left_s -= slowness * record["cpu_s"]
            if left_s < 0 and len(found) >= FEWEST_INPUTS:
                break
            found[at] = record
        return found

    def _replay_all(self, base: dict[int, dict[str, Any]]) -> dict[str, Any]:
        patches = self._opening["patches"]
        order = sorted(base)
        jobs = [self._job(swaps, order, MOST_HANGS, base) for swaps in self._swapped.values()]
        records = self._run(jobs, SWAPPED_SHARE)
        told = {at: records[turn] for turn, at in enumerate(self._swapped)}
        others = [at for at in range(len(patches)) if at not in told]
        texts, packs = self._run([self._texts_job(base), self._packs_job(order)], 1.0)
        alone = self._in_fresh({one["at"]: one["pack"] for one in packs}, others, told)
        standing = {r["at"] for r in alone if r["digest"] == base[r["at"]]["digest"]}
        calls = {one["at"]: one for one in texts}
        for at in others:
            told[at] = [record for record in told.get(at, []) if record["at"] in standing]
        return {
            "inputs": [
                {
                    "at": at,
                    "recorded": self._inputs[at].is_recorded,
                    "nothing": self._inputs[at].is_nothing,
                    "function": self._inputs[at].call.function.live.__qualname__,
                    "text": calls.get(at) if at in standing else None,
                }
                for at in order
            ],
            "base": [base[at] for at in order],
            "patches": [told.get(at, []) for at in range(len(patches))],
        }

    def _texts_job(self, base: dict[int, dict[str, Any]]) -> Any:
        """Write the inputs down; runs the repository's own constructors, so in a fork."""

        def job(emit: Any) -> None:
            for at in base:
                text = limited(call_of, self._inputs[at])
                if text is not None:
                    emit(dict(vars(text), at=at))

        return job

    def _packs_job(self, order: list[int]) -> Any:
        def job(emit: Any) -> None:
            for at in order:
                pack = limited(packed, self._inputs[at])
                if pack:
                    emit({"at": at, "pack": pack})

        return job

    def _in_fresh(
        self, portable: dict[int, str], others: list[int], told: dict[int, Any]
    ) -> list[dict[str, Any]]:
        """Replay the untouched code, and patches that could not be swapped, in new imports."""
        left_s = self._until - time.monotonic()
        self._fresh.ask(
            path=sys.path,
            root=self._root,
            workers=self._workers,
            inputs=list(portable.items()),
            modules=outside_modules(self._root),
            seconds=left_s,
        )
        patches = self._opening["patches"]
        asked = [[], *(patches[at] for at in others)]
        left_s = max(SHORTEST_S, self._until - time.monotonic())
        base, *records = self._fresh.ask(patches=asked, seconds=left_s) or [[]]
        told.update({others[turn]: one for turn, one in enumerate(records)})
        found: list[dict[str, Any]] = base
        return found

    def _job(
        self,
        swaps: list[tuple[Any, Any]],
        order: list[int],
        most_hangs: int,
        known: dict[int, dict[str, Any]],
    ) -> Any:
        def job(emit: Any) -> None:
            for function, code in swaps:
                function.__code__ = code
            hangs = 0
            for at in order:
                one = self._inputs[at]
                digest = known[at]["digest"] if at in known else ""
                found = replay(one, one.call.function.live, digest)
                emit(dict(found, at=at))
                hangs += found["how"] == "hangs"
                if hangs > most_hangs:
                    return

        return job

    def _run(self, jobs: list[Any], share: float) -> list[list[dict[str, Any]]]:
        """Run jobs in forks, for a share of the time that is left."""
        seconds = max(SHORTEST_S, share * (self._until - time.monotonic()))
        until = time.monotonic() + seconds
        return run_jobs(
            jobs, workers=self._workers, seconds=seconds, until=until, closing=self._closing
        )

    def test(self, request: dict[str, Any]) -> dict[str, Any]:
        """Try tests on patches by index, -1 being none; return who passes what."""
        every = [[], *self._opening["patches"]]
        patches = [every[at + 1] for at in request["patches"]]
        seconds = request["seconds"]
        answer = self._fresh.ask(patches=patches, tests=request["tests"], seconds=seconds)
        return {"passes": [[one["passes"] for one in records] for records in answer or []]}


def functions_in(filename: str) -> list[Any]:
    """Return the live functions of a file that can be reached by their names, in its order."""
    found = [
        thing
        for thing in gc.get_objects()
        if type(thing) is types.FunctionType
        and thing.__code__.co_filename == filename
        and "<" not in thing.__qualname__
    ]
    return sorted(found, key=lambda one: one.__code__.co_firstlineno)


def _swaps(swapper: Swapper, patch: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
    """Return functions with the code that makes the patch live; empty where it cannot be so."""
    found: list[tuple[Any, Any]] = []
    undo: list[Any] = []
    try:
        for part in patch:
            if part["unit"] is None:
                return []
            undo.append(swapper.swap(part["path"], part["edits"], part["unit"]))
            found.extend((function, function.__code__) for function, _old in undo[-1])
    except (Unsound, Equal, SyntaxError, RecursionError, MemoryError):
        return []
    finally:
        for swapped in reversed(undo):
            swapper.undo(swapped)
    return found


def serve(opening: dict[str, Any], stdin: int, output: int) -> None:
    """Collect, observe, then answer until stdin ends."""
    fresh = Fresh()
    closing = [stdin, output]

    def say(message: dict[str, Any]) -> None:
        data = json.dumps(message).encode("ascii") + b"\n"
        while data:
            data = data[os.write(output, data) :]

    def work(session: Any, _errors: list[str]) -> None:
        observer = Observer(opening, fresh, closing)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        say(observer.observe(session))
        for request in _requests(stdin):
            say(observer.test(request))

    try:
        code = collect(opening["options"], opening["files"], work)
        say({"note": f"pytest ended with exit code {code} before the tests ran"})
    finally:
        fresh.end()
        os._exit(0)


def _requests(stdin: int) -> Iterator[dict[str, Any]]:
    left = b""
    while True:
        data = os.read(stdin, 1 << 16)
        if not data:
            return
        *lines, left = (left + data).split(b"\n")
        yield from map(json.loads, lines)


def main() -> None:
    """Open by the first line of stdin."""
    stdin, output = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(stdin, 1)
    opening = json.loads(line)
    if opening["cwd_on_path"]:
        sys.path.insert(0, os.getcwd())
    serve(opening, stdin, output)
