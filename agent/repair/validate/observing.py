"""Has patches observed in a sandbox of their own, and reads what the scripts there tell.

What comes back may be forged by the code under test: it decides how patches are shown and labelled,
never whether one is green.
"""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from agent.repair.confirm import Patch
from agent.repair.validate.base import Watched, part_of
from agent.repair.validate.fork_server import PACKAGE, inside_files
from agent.task import RepoPath
from agent.verify.bench import Bench
from agent.verify.pytest_runner import CACHE_DIR, PytestRunner
from sandbox.base import TOOLS_DIR, Command, CommandLimits, Process

START: Final = f"""
import json, sys
sys.path.insert(0, {TOOLS_DIR!r})
try:
    from {PACKAGE}.observe import main
except ImportError as problem:
    print(json.dumps({{"note": str(problem)}}))
else:
    sys.path.remove({TOOLS_DIR!r})
    main()
"""
HASH_SEED: Final = "20"
"""So that the same run gives the same observations; the second interpreter inside has another."""
SHORTEST_LIMIT_S: Final = 0.5
TIMES_SLOWER: Final = 5.0
"""A test may take this many times what it took on the base."""
_NONSENSE: Final = "the process that observes them told nonsense"
_ANSWER_BYTES: Final = 64 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A value, for a person and for a test."""

    shown: str
    source: str
    """Expression that gives it; for an exception its class; empty where a test cannot say it."""
    imports: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one call came to."""

    how: str
    """`returns`, `drains` (an iterator, here as a list), `raises`, `hangs` or `odd`."""
    digest: str
    """Equal for calls that came to the same."""
    value: Shown
    error: str = ""
    """Class of what it raises."""
    changed: tuple[tuple[str, Shown], ...] = ()
    """Arguments that the call changed, by parameter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A call as source."""

    inline: str
    named: str
    """The same with variables for what the call may change."""
    setup: tuple[str, ...]
    """Assignments of these variables."""
    imports: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """An input and what the untouched code does with it."""

    function: str
    """Qualified name."""
    is_recorded: bool
    """The tests' own call; else one near it."""
    is_nothing: bool
    """Near the tests' own by a None where they have a value."""
    typed: Typed | None
    """None: it cannot be typed, or gives something else in a process of its own."""
    base: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Everything that was observed."""

    inputs: tuple[Tried, ...] = ()
    patches: tuple[Mapping[int, Outcome], ...] = ()
    """For each patch what it does, by index of the input; those missing are not known."""
    note: str = ""
    """Why nothing was observed."""


class Observing:
    """The scripts at work. Made by `open_observing`."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._left = b""

    async def observe(self, opening: Mapping[str, object]) -> Seen:
        """Send the opening and wait for what was seen. Raises: SandboxLost."""
        answer = await self._ask(opening)
        try:
            return _seen(answer)
        except (KeyError, TypeError, AttributeError):
            return Seen(note=_NONSENSE)

    async def passing(
        self, tests: Sequence[str], patches: Sequence[int], *, seconds: float
    ) -> list[list[bool]]:
        """Return for each patch (-1: none) which tests pass with it; shorter where that is open.

        Raises: SandboxLost.
        """
        answer = await self._ask(
            {"tests": list(tests), "patches": list(patches), "seconds": seconds}
        )
        found = answer.get("passes")
        rows = found if isinstance(found, list) else []
        return [[one is True for one in row] for row in rows if isinstance(row, list)]

    async def _ask(self, message: Mapping[str, object]) -> dict[str, Any]:
        await self._process.send(json.dumps(message).encode("ascii") + b"\n")
        while b"\n" not in self._left:
            piece = await self._process.receive()
            if not isinstance(piece, bytes):
                return {"note": f"the process that observes them ended early ({piece.reason})"}
            self._left += piece
        line, self._left = self._left.split(b"\n", 1)
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            answer = None
        return answer if isinstance(answer, dict) else {"note": _NONSENSE}


@asynccontextmanager
async def open_observing(
    bench: Bench, runner: PytestRunner, *, wall_s: float
) -> AsyncGenerator[Observing, None]:
    """Start the scripts in a fresh sandbox; they are gone when the context ends.

    Raises: SandboxError.
    """
    async with bench.open() as sandbox:
        await sandbox.install(inside_files())
        command = Command(
            argv=(runner.interpreter, *runner.command.interpreter_options, "-B", "-c", START),
            cwd=runner.directory(sandbox.spec.workdir),
            env={**runner.variables(), "PYTHONHASHSEED": HASH_SEED},
            limits=CommandLimits(wall_s=wall_s, output_bytes=_ANSWER_BYTES),
        )
        async with sandbox.start(command) as process:
            yield Observing(process)


def opening(
    bench: Bench,
    runner: PytestRunner,
    watched: Watched,
    files: Sequence[RepoPath],
    patches: Sequence[Patch],
    *,
    seconds: float,
) -> dict[str, object]:
    """Return what the scripts need to know."""
    return {
        "root": str(bench.base.repo),
        "files": list(files),
        "options": [*runner.command.arguments, "-s", "-q", "-o", f"cache_dir={CACHE_DIR}"],
        "cwd_on_path": runner.command.cwd_on_path,
        "workers": max(1, round(bench.limits.cpus)),
        "seconds": seconds,
        "tests": [
            [test, max(SHORTEST_LIMIT_S, TIMES_SLOWER * cpu_s)]
            for test, cpu_s in (*watched.targets, *watched.passing)
        ],
        "patches": [[part_of(proposal) for proposal in patch] for patch in patches],
    }


def _seen(answer: Mapping[str, Any]) -> Seen:
    if "inputs" not in answer:
        return Seen(note=str(answer.get("note", "nothing was told")))
    place = {one["at"]: index for index, one in enumerate(answer["inputs"])}
    base = {record["at"]: record for record in answer["base"]}
    return Seen(
        inputs=tuple(
            Tried(
                function=str(one["function"]),
                is_recorded=bool(one["recorded"]),
                is_nothing=bool(one["nothing"]),
                typed=_typed(one["text"]) if one["text"] else None,
                base=_outcome(base[one["at"]]),
            )
            for one in answer["inputs"]
        ),
        patches=tuple(
            {
                place[r["at"]]: _outcome(base[r["at"]] if _is_same(r, base) else r)
                for r in records
                if r["at"] in place
            }
            for records in answer["patches"]
        ),
    )


def _is_same(record: Mapping[str, Any], base: Mapping[int, Mapping[str, Any]]) -> bool:
    """Tell whether it is what the base does; then only that is told in full."""
    return bool(record["digest"] == base[record["at"]]["digest"])


def _typed(text: Mapping[str, Any]) -> Typed:
    return Typed(
        inline=str(text["inline"]),
        named=str(text["named"]),
        setup=tuple(map(str, text["setup"])),
        imports=tuple(map(str, text["imports"])),
    )


def _outcome(record: Mapping[str, Any]) -> Outcome:
    return Outcome(
        how=str(record["how"]),
        digest=str(record["digest"]),
        value=_shown(record),
        error=str(record.get("error", "")),
        changed=tuple((str(one["name"]), _shown(one)) for one in record.get("changed", ())),
    )


def _shown(record: Mapping[str, Any]) -> Shown:
    return Shown(
        shown=str(record.get("shown", "")),
        source=str(record.get("source", "")),
        imports=tuple(map(str, record.get("imports", ()))),
    )
