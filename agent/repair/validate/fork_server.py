"""Tries proposals in children of one collected pytest session, hundreds a second.

The scripts of `agent.repair.inside` run in a sandbox of their own. What they answer is only a
filter: code under test runs in the same processes and could answer in their name.
"""

import importlib.resources
import json
from collections.abc import AsyncGenerator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import Any, Final

import anyio

from agent.repair.proposal import Proposal
from agent.repair.validate.base import Ask, Result, Tried, Watched, part_of
from agent.task import RepoPath, TestId
from agent.verify.bench import Bench
from agent.verify.pytest_runner import CACHE_DIR, PytestRunner
from sandbox.base import TOOLS_DIR, Command, CommandLimits, Process, Reason

PACKAGE: Final = "greenloop_search"
START: Final = f"""
import json, sys
sys.path.insert(0, {TOOLS_DIR!r})
try:
    from {PACKAGE}.server import main
except ImportError as problem:
    print(json.dumps({{"failed": str(problem)}}))
else:
    sys.path.remove({TOOLS_DIR!r})
    main()
"""
_RESULTS: Final = {
    "pass": Result.PASSES,
    "fail": Result.FAILS,
    "crash": Result.FAILS,
    "hang": Result.HANGS,
    "unsound": Result.LATER,
    "invalid": Result.INVALID,
    "equal": Result.INVALID,
}
SHORTEST_LIMIT_S: Final = 0.15
"""CPU seconds that even the quickest test gets at first: a right edit may do more than a crash did.
What runs over it is tried again later with more (see `agent.repair.queue.PATIENCES`)."""
RECHECK_PATIENCE: Final = 20.0
"""How much more time than at first a test gets in a recheck."""
MANY_AHEAD: Final = 8
"""Tries handed in for each worker while they are quick, so that none of them ever waits for us."""
FEW_AHEAD: Final = 2
"""The same while they are slow: what is handed in is waited for, after the time is up as well."""
QUICK_S: Final = 0.05
LONGEST_END_S: Final = 2.0
"""How long the server may take to end after its last request."""
TIMES_SLOWER: Final = 4.0
"""A test may at first take this many times what it took on the base."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """One test, run as it is under a line collector."""

    test: TestId
    passed: bool
    cpu_s: float
    lines: Mapping[RepoPath, tuple[int, ...]]
    """1-based lines that ran, by file below the repository."""
    errors: tuple[Mapping[str, Any], ...]
    """What ended it: type, message, frames, locals; the cause of each after it."""


class ServerEnded(Exception):
    """The server did not start, or is gone; `why` is for a person."""

    def __init__(self, why: str, *, sandbox_lost: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.sandbox_lost = sandbox_lost
        """The engine took it away: says nothing about the repository, a fresh one may do."""


class ForkServer:
    """A running server. Made by `open_fork_server`."""

    is_quick: Final = True

    def __init__(self, process: Process, workers: int) -> None:
        self._process = process
        self.workers = workers
        """Processes that try edits side by side."""
        self._left = b""
        self._next = 0
        self._sent: dict[int, Ask] = {}
        self._watched = Watched(targets=(), passing=())
        self._waiting: set[int] = set()
        self.tests: frozenset[TestId] = frozenset()
        """Ids that were collected."""
        self.collect_s = 0.0

    async def open(
        self, root: str, files: Sequence[str], options: Sequence[str], *, cwd_on_path: bool
    ) -> None:
        """Have the files collected, relative to `root`. Raises: ServerEnded, SandboxLost."""
        await self._send(
            root=root,
            files=list(files),
            options=list(options),
            workers=self.workers,
            cwd_on_path=cwd_on_path,
        )
        answer = (await self._receive())[0]
        if "ready" not in answer:
            raise ServerEnded(str(answer.get("failed", "it did not start")))
        self.tests = frozenset(answer["tests"])
        self.collect_s = float(answer["collect_s"])

    async def cover(
        self,
        tests: Sequence[TestId],
        *,
        seconds: float,
        limit_s: float,
        files: Collection[RepoPath] | None = None,
    ) -> AsyncGenerator[Covered, None]:
        """Run tests on the base, each under the line collector, as many as the time allows.

        With `files` only their lines are told, which is much cheaper before Python 3.12. A test
        that hangs or crashes ends its share of the work. Raises: SandboxLost.
        """
        shares = [tests[worker :: self.workers] for worker in range(self.workers)]
        open_ids = set()
        for share in filter(None, shares):
            open_ids.add(self._new_id())
            await self._send(
                op="cover",
                id=self._next,
                tests=list(share),
                seconds=seconds,
                limit=limit_s,
                files=None if files is None else sorted(files),
            )
        while open_ids:
            for answer in await self._receive():
                if "covered" in answer:
                    open_ids.discard(answer["id"])
                elif "test" in answer:
                    yield _covered(answer)

    async def watch(self, watched: Watched) -> None:
        """See `Validator`."""
        self._watched = watched
        await self._send(
            op="tests",
            targets=[[test, _limit(cpu_s)] for test, cpu_s in watched.targets],
            passing=[[test, _limit(cpu_s)] for test, cpu_s in watched.passing],
            each=watched.runs_each,
        )

    def filter(self, asked: Iterator[Ask]) -> AsyncGenerator[Tried, None]:
        """See `Validator`."""
        return self._try(asked, swap=True)

    def recheck(self, proposals: Iterator[Proposal]) -> AsyncGenerator[Tried, None]:
        """See `Validator`: each in a process that imports the edited file for the first time."""
        asked = (Ask(proposal, RECHECK_PATIENCE) for proposal in proposals)
        return self._try(asked, swap=False)

    async def _try(self, asked: Iterator[Ask], *, swap: bool) -> AsyncGenerator[Tried, None]:
        waiting = self._waiting
        drain = 0
        ahead = FEW_AHEAD
        while True:
            room = max(0, ahead * self.workers - len(waiting))
            new = list(islice(asked, room)) if not drain else []
            requests = [self._request(one, swap=swap) for one in new]
            waiting.update(request["id"] for request in requests)
            if not waiting and not drain:
                drain = self._new_id()
                requests.append({"op": "drain", "id": drain})
            await self._send_all(requests)
            asked_at = anyio.current_time()
            answers = await self._receive()
            is_quick = anyio.current_time() - asked_at < QUICK_S * len(answers)
            ahead = MANY_AHEAD if is_quick else FEW_AHEAD
            for answer in answers:
                if answer["id"] == drain:
                    self._sent.clear()
                    return
                is_late = answer["id"] not in waiting
                waiting.discard(answer["id"])
                if tried := self._tried(answer, is_late=is_late):
                    yield tried

    def _request(self, ask: Ask, *, swap: bool) -> dict[str, Any]:
        id_ = self._new_id()
        self._sent[id_] = ask
        part = part_of(ask.proposal if swap else replace(ask.proposal, unit=None))
        return {"op": "try", "id": id_, **part, "patience": ask.patience}

    def _tried(self, answer: dict[str, Any], *, is_late: bool) -> Tried | None:
        ask = self._sent.get(answer["id"])
        if ask is None:
            return None
        result = _RESULTS.get(answer.get("result", ""), Result.FAILS)
        if is_late and result is not Result.PASSES:
            return None
        targets = self._watched.targets
        fixed = tuple(targets[index][0] for index in answer.get("fixed", ()))
        if result is Result.PASSES and len(fixed) < len(targets):
            result = Result.PARTLY
        if result is Result.FAILS and answer.get("doubtful"):
            result = Result.DOUBTFUL
        if not is_late and result is Result.INVALID:
            del self._sent[answer["id"]]
        return Tried(
            proposal=ask.proposal,
            result=result,
            patience=ask.patience,
            fixed=fixed,
            further=int(answer.get("further", 0)),
            passed=int(answer.get("passed", 0)),
        )

    @property
    def unanswered(self) -> list[Proposal]:
        """What was being tried when the server was lost."""
        return [self._sent[id_].proposal for id_ in sorted(self._waiting) if id_ in self._sent]

    async def end(self) -> None:
        """Let the server end by itself, which is quicker than being killed. Raises: SandboxLost."""
        with anyio.move_on_after(LONGEST_END_S):
            await self._process.close_stdin()
            while isinstance(await self._process.receive(), bytes):
                continue

    def _new_id(self) -> int:
        self._next += 1
        return self._next

    async def _send(self, **message: Any) -> None:
        await self._send_all([message])

    async def _send_all(self, messages: Iterable[Mapping[str, Any]]) -> None:
        data = b"".join(json.dumps(message).encode("ascii") + b"\n" for message in messages)
        if data:
            await self._process.send(data)

    async def _receive(self) -> list[dict[str, Any]]:
        """Wait for at least one whole message. Raises: ServerEnded when the server is gone."""
        while b"\n" not in self._left:
            piece = await self._process.receive()
            if not isinstance(piece, bytes):
                raise ServerEnded(
                    f"the search process ended early ({piece.reason})",
                    sandbox_lost=piece.reason is Reason.ENGINE_LOST,
                )
            self._left += piece
        *lines, self._left = self._left.split(b"\n")
        return [_message(line) for line in lines]


def _message(line: bytes) -> dict[str, Any]:
    """Return what the server said. Raises: ServerEnded for what was printed in its place."""
    try:
        message = json.loads(line)
    except ValueError:
        message = None
    if not isinstance(message, dict):
        said = line.decode("utf-8", "replace").strip()[:200]
        raise ServerEnded(f"something else spoke for the search process: {said}")
    return message


def _limit(cpu_s: float) -> float:
    return max(SHORTEST_LIMIT_S, TIMES_SLOWER * cpu_s)


def _covered(answer: dict[str, Any]) -> Covered:
    return Covered(
        test=TestId(answer["test"]),
        passed=bool(answer["passed"]),
        cpu_s=float(answer["cpu_s"]),
        lines={RepoPath(path): tuple(lines) for path, lines in answer["lines"].items()},
        errors=tuple(answer["errors"]),
    )


@asynccontextmanager
async def open_fork_server(
    bench: Bench, runner: PytestRunner, files: Sequence[RepoPath], *, workers: int, wall_s: float
) -> AsyncGenerator[ForkServer, None]:
    """Collect the files in a fresh sandbox, and serve from there until the context ends.

    Raises: ServerEnded, SandboxError.
    """
    async with bench.open() as sandbox:
        await sandbox.install(inside_files())
        root = sandbox.spec.workdir
        command = Command(
            argv=(runner.interpreter, *runner.command.interpreter_options, "-B", "-c", START),
            cwd=runner.directory(root),
            env=runner.variables(),
            limits=CommandLimits(wall_s=wall_s, output_bytes=1024**3),
        )
        async with sandbox.start(command) as process:
            server = ForkServer(process, workers)
            options = [*runner.command.arguments, "-s", "-q", "-o", f"cache_dir={CACHE_DIR}"]
            await server.open(root, files, options, cwd_on_path=runner.command.cwd_on_path)
            yield server
            await server.end()


@cache
def inside_files() -> Mapping[str, bytes]:
    """Return the scripts that run inside, by their names below `TOOLS_DIR`."""
    folder = importlib.resources.files("agent.repair.inside")
    scripts = [file for file in folder.iterdir() if file.name.endswith(".py")]
    return {f"{PACKAGE}/{script.name}": script.read_bytes() for script in scripts}
