from contextlib import AbstractAsyncContextManager
from pathlib import Path

from sandbox.base import ProbeLine, Sandbox, SandboxSpec
from sandbox.doctor import examine


class QuietEngine:
    """An engine that answers the probe and nothing else."""

    name = "quiet"

    async def probe(self) -> tuple[ProbeLine, ...]:
        return (ProbeLine(name="engine", value="27.0", ok=True),)

    def open(self, spec: SandboxSpec) -> AbstractAsyncContextManager[Sandbox]:
        raise AssertionError("doctor opens nothing")

    async def reap(self) -> tuple[str, ...]:
        raise AssertionError("doctor removes nothing")


async def test_lines_of_the_engine_come_before_those_of_the_repository(tmp_path: Path):
    lines = await examine(QuietEngine(), tmp_path, variables={"HOME": str(tmp_path), "PATH": ""})

    assert lines[0] == ProbeLine(name="engine", value="27.0", ok=True)
    assert lines[-1].name == "environment"
    assert not lines[-1].ok


async def test_without_a_repository_only_the_engine_is_examined():
    lines = await examine(QuietEngine(), None, variables={})

    assert [line.name for line in lines] == ["engine"]
