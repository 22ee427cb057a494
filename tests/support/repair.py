"""Builders for the offline search: a base without git, a bench over Docker, cases as data."""

import os
import subprocess
import sys
import tomllib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.abc

from agent.edits.changes import Delta
from agent.edits.spans import ByteEdit, apply_edits
from agent.events import Event
from agent.job import Candidate, GaveUp, Job
from agent.repair.lang import grammar_for
from agent.repair.offline import OfflineSearch
from agent.repair.proposal import Proposal, Sketch
from agent.repair.source import Failure, Source
from agent.repair.templates import drawn
from agent.repair.validate.fork_server import START, ForkServer, inside_files
from agent.repo.languages import Language
from agent.task import RepoPath, TaskSpec, TestId
from agent.verify.bench import Bench, Selection
from agent.verify.report import Baseline, TestReport
from agent.verify.runners import choose_runner
from agent.verify.verdict import Verdict
from agent.workspace.base import Base
from sandbox.base import TOOLS_DIR, Completed, Reason
from sandbox.docker.engine import DockerEngine
from sandbox.environments import resolve_environment
from tests.support.runs import not_measured

DATA = Path(__file__).parents[1] / "data" / "repair"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A small project with a bug, and what a search should make of it."""

    name: str
    targets: tuple[str, ...]
    file: str
    """The file that the fix edits; empty where none can be found."""
    fixes: tuple[str, ...]
    """Texts of which the fixed file has to hold one, and the broken one none."""
    labels: tuple[str, ...]
    """Confidences that may come out; empty: any."""

    @property
    def project(self) -> Path:
        return DATA / self.name / "project"


def load_case(name: str) -> Case:
    values = tomllib.loads((DATA / name / "case.toml").read_text())
    return Case(
        name=name,
        targets=tuple(values["targets"]),
        file=values.get("file", ""),
        fixes=tuple(values.get("fixes", ())),
        labels=tuple(values.get("labels", ())),
    )


def base_of(folder: Path) -> Base:
    return Base(repo=folder, dir=folder, commit="", tree="", dirty_files=0)


def a_bench(folder: Path, *, test_command: str | None = None, junit: str | None = None) -> Bench:
    """A bench over real Docker, with the Python that runs these tests."""
    base = base_of(folder)
    environment = resolve_environment(folder, image=None, variables=os.environ)
    runner = choose_runner(base, environment, test_command=test_command, junit_path=junit)
    return Bench(
        base=base,
        engine=DockerEngine(variables=os.environ),
        environment=environment,
        runner=runner,
    )


async def a_baseline(bench: Bench, targets: Sequence[str]) -> Baseline:
    """One run of everything; flakiness is not looked for."""
    async with bench.open() as sandbox:
        report = await bench.runner.run(sandbox, Selection(), wall_s=60)
    assert isinstance(report, TestReport), report
    wanted = tuple(TestId(target) for target in targets)
    assert set(wanted) <= set(report.failing), report.failing
    return Baseline(report=report, targets=wanted, flaky=(), wall_s=2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Everything a search said."""

    proposals: tuple[Candidate | GaveUp, ...]
    events: tuple[Event, ...]

    @property
    def first(self) -> Candidate | GaveUp:
        return self.proposals[0]


async def search_in(
    bench: Bench,
    baseline: Baseline,
    *,
    search_s: float = 60.0,
    candidates: int = 1_000_000,
    verdict: Verdict | None = None,
) -> Found:
    """Drive the strategy as a run does, with the same verdict for each candidate."""
    events: list[Event] = []
    job = Job(
        task=TaskSpec(repo=bench.base.repo),
        bench=bench,
        baseline=baseline,
        emit=events.append,
        measure=not_measured,
        run_dir=bench.base.repo,
    )
    proposals: list[Candidate | GaveUp] = []
    stream = OfflineSearch(search_s=search_s, candidates=candidates).propose(job)
    try:
        proposals.append(await anext(stream))
        while not isinstance(proposals[-1], GaveUp):
            proposals.append(await stream.asend(verdict))
    except StopAsyncIteration:
        pass
    return Found(proposals=tuple(proposals), events=tuple(events))


def patched(delta: Delta, path: str) -> str:
    content = delta[RepoPath(path)]
    assert content is not None
    return content.data.decode()


def a_source(text: str, path: str = "module.py") -> Source:
    return Source(RepoPath(path), text.encode(), grammar_for(Language.PYTHON))


def results_of(text: str, failure: Failure | None = None) -> dict[str, Sketch]:
    """Every text that one edit of the given one may become, with the best sketch for it."""
    source = a_source(text)
    found: dict[str, Sketch] = {}
    for region in source.regions:
        for sketch in drawn(source, region, failure):
            after = apply_edits(source.data, sketch.edits).decode()
            if after not in found or found[after].prior < sketch.prior:
                found[after] = sketch
    return found


class LocalProcess:
    """`sandbox.base.Process` over a process of this machine: for scripts of ours alone."""

    def __init__(self, process: anyio.abc.Process) -> None:
        self._process = process

    async def send(self, data: bytes) -> None:
        assert self._process.stdin is not None
        await self._process.stdin.send(data)

    async def close_stdin(self) -> None:
        assert self._process.stdin is not None
        await self._process.stdin.aclose()

    async def receive(self) -> bytes | Completed:
        assert self._process.stdout is not None
        try:
            return await self._process.stdout.receive()
        except anyio.EndOfStream:
            code = await self._process.wait()
            return Completed(
                exit_code=code,
                head=b"",
                tail=b"",
                output_bytes=0,
                wall_s=0.0,
                reason=Reason.EXITED,
            )


@asynccontextmanager
async def a_local_server(
    folder: Path, files: Sequence[str], *, options: Sequence[str] = (), workers: int = 1
) -> AsyncGenerator[ForkServer, None]:
    """The fork server on a project of these tests, without a sandbox."""
    tools = folder.parent / f"{folder.name}-tools"
    for name, data in inside_files().items():
        (tools / name).parent.mkdir(parents=True, exist_ok=True)
        (tools / name).write_bytes(data)
    start = START.replace(TOOLS_DIR, str(tools))
    process = await anyio.open_process(
        [sys.executable, "-B", "-c", start], cwd=folder, stderr=subprocess.DEVNULL
    )
    try:
        server = ForkServer(LocalProcess(process), workers)
        await server.open(
            folder.as_posix(),
            files,
            ["-q", "-s", "-o", f"cache_dir={tools}/cache", *options],
            cwd_on_path=True,
        )
        yield server
        await server.end()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.aclose()


def a_unit_proposal(source: Source, before: str, after: str, *, swap: bool = True) -> Proposal:
    """Replace the first such text of a file."""
    start = source.data.index(before.encode())
    edits = (ByteEdit(start, start + len(before.encode()), after.encode()),)
    return Proposal(
        path=source.path,
        sketch=Sketch(edits, "test", 0.5),
        line=1,
        suspicion=1.0,
        unit=source.unit(edits) if swap else None,
        before=before,
        after=after,
    )
