"""A sandbox over vessels that break: what is remembered, and when a new one is launched."""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sandbox.base import (
    Command,
    Completed,
    FileDelete,
    FileWrite,
    Harvest,
    HarvestLimits,
    Promises,
    Reason,
)
from sandbox.errors import EngineUnavailable, SandboxError, SandboxLost
from sandbox.held import DEFAULT_VARIABLES, HeldSandbox, open_held
from tests.support.sandboxes import a_spec, host_environment
from tests.unit.sandbox.test_packing import read

PROMISES = Promises(
    backend="fake", no_network=True, memory_limited=True, processes_limited=True, disk_limited=True
)


def ended(reason: Reason = Reason.EXITED) -> Completed:
    code = 0 if reason is Reason.EXITED else None
    return Completed(exit_code=code, head=b"", tail=b"", output_bytes=0, wall_s=0.0, reason=reason)


class FakeProcess:
    """Ends at once, in the way its session was told."""

    def __init__(self, session: "FakeSession") -> None:
        self._session = session
        self.end: Completed | None = None

    async def send(self, data: bytes) -> None:
        self._session.log.append(("send", data))

    async def close_stdin(self) -> None:
        self._session.log.append(("close", b""))

    async def receive(self) -> bytes | Completed:
        if self._session.dies:
            self._session.lost = True
            raise SandboxLost("gone")
        self.end = ended(self._session.reason)
        return self.end

    def cut_off(self, reason: Reason) -> Completed:
        self.end = ended(reason)
        return self.end


class FakeSession:
    """Keeps what it was given."""

    def __init__(self) -> None:
        self.lost = False
        self.dies = False
        self.reason = Reason.EXITED
        self.refuses = ""
        self.log: list[object] = []
        self.env: Mapping[str, str] = {}
        self.tree: dict[str, bytes] = {}
        self.tools: dict[str, bytes] = {}

    @asynccontextmanager
    async def process(
        self, command: Command, *, cwd: str, env: Mapping[str, str], interactive: bool
    ) -> AsyncGenerator[FakeProcess, None]:
        self.log.append((command.argv, cwd, interactive))
        self.env = env
        yield FakeProcess(self)

    async def change(
        self,
        root: str,
        *,
        delete: Sequence[str],
        tar: Iterator[bytes] | None,
        over: Sequence[str] = (),
    ) -> None:
        files = (
            {name: data for name, (_, data, _) in read(b"".join(tar or [b""])).items()}
            if (tar)
            else {}
        )
        if self.refuses and self.refuses in files:
            raise SandboxError("No space left")
        target = self.tree if root == "tree" else self.tools
        for path in delete:
            target.pop(path, None)
        target.update(files)

    async def read_file(self, path: str, limit_bytes: int) -> bytes | None:
        return self.tree.get(path)

    async def harvest(self, limits: HarvestLimits) -> Harvest:
        return Harvest(changes=(), refused=())

    def close(self) -> None:
        self.lost = True


class FakeVessel:
    def __init__(self) -> None:
        self.session = FakeSession()
        self.oom = False
        self.is_destroyed = False

    async def saw_oom(self) -> bool:
        return self.oom

    async def destroy(self) -> None:
        self.is_destroyed = True


class Yard:
    """Launches vessels and keeps them in view."""

    def __init__(self) -> None:
        self.vessels: list[FakeVessel] = []
        self.fails: SandboxError | None = None
        self.refuses = ""

    async def __call__(self) -> FakeVessel:
        if self.fails is not None:
            raise self.fails
        vessel = FakeVessel()
        vessel.session.refuses = self.refuses
        self.vessels.append(vessel)
        return vessel

    @property
    def session(self) -> FakeSession:
        return self.vessels[-1].session


@asynccontextmanager
async def held(tree: Path | None = None) -> AsyncGenerator[tuple[HeldSandbox, Yard], None]:
    yard = Yard()
    async with open_held(a_spec(tree), PROMISES, yard, variables={"GOMAXPROCS": "1"}) as sandbox:
        yield sandbox, yard
    assert all(vessel.is_destroyed for vessel in yard.vessels)


async def test_a_command_gets_the_default_the_backends_and_its_own_variables() -> None:
    async with held() as (sandbox, yard):
        await sandbox.run(Command(argv=("x",), env={"HOME": "/mine"}))
        assert yard.session.env == {**DEFAULT_VARIABLES, "GOMAXPROCS": "1", "HOME": "/mine"}
        assert yard.session.log == [(("x",), "/home/dev/project", False)]
        assert sandbox.promises is PROMISES


async def test_a_spent_vessel_is_replaced_with_everything_that_was_put_in(tmp_path: Path) -> None:
    (tmp_path / "base").write_bytes(b"0")
    (tmp_path / "gone").write_bytes(b"0")
    async with held(tmp_path) as (sandbox, yard):
        await sandbox.sync([FileWrite(path="a/b", data=b"1"), FileDelete(path="gone")])
        await sandbox.sync([FileWrite(path="a", data=b"2")])
        await sandbox.install({"tool": b"t"})
        yard.session.dies = True
        assert (await sandbox.run(Command(argv=("x",)))).reason is Reason.ENGINE_LOST
        assert len(yard.vessels) == 1
        await sandbox.run(Command(argv=("x",)))
        assert len(yard.vessels) == 2
        assert yard.vessels[0].is_destroyed
        assert yard.session.tree == {"base": b"0", "a": b"2"}
        assert yard.session.tools == {"tool": b"t"}


@pytest.mark.parametrize("order", ["sync", "install"])
async def test_what_is_put_in_after_a_loss_goes_into_a_new_vessel(order: str) -> None:
    async with held() as (sandbox, yard):
        yard.session.lost = True
        if order == "sync":
            await sandbox.sync([FileWrite(path="a", data=b"1")])
            assert yard.session.tree == {"a": b"1"}
        else:
            await sandbox.install({"a": b"1"})
            assert yard.session.tools == {"a": b"1"}
        assert len(yard.vessels) == 2


async def test_memory_that_ran_out_is_asked_of_the_vessel_when_the_runner_died() -> None:
    async with held() as (sandbox, yard):
        yard.session.dies = True
        yard.vessels[0].oom = True
        assert (await sandbox.run(Command(argv=("x",)))).reason is Reason.OOM


async def test_after_memory_ran_out_files_are_read_and_then_the_vessel_replaced() -> None:
    async with held() as (sandbox, yard):
        await sandbox.sync([FileWrite(path="report", data=b"partial")])
        yard.session.reason = Reason.OOM
        await sandbox.run(Command(argv=("x",)))
        assert await sandbox.read_file("report", limit_bytes=10) == b"partial"
        assert len(yard.vessels) == 1
        await sandbox.run(Command(argv=("x",)))
        assert len(yard.vessels) == 2


async def test_a_lost_vessel_has_nothing_to_read_or_harvest() -> None:
    async with held() as (sandbox, yard):
        yard.session.lost = True
        with pytest.raises(SandboxLost, match="what commands wrote"):
            await sandbox.read_file("x", limit_bytes=1)
        with pytest.raises(SandboxLost):
            await sandbox.harvest()


async def test_a_sync_that_a_vessel_refuses_is_tried_in_a_new_one() -> None:
    async with held() as (sandbox, yard):
        yard.session.refuses = "big"
        await sandbox.sync([FileWrite(path="big", data=b"1")])
        assert len(yard.vessels) == 2
        assert yard.session.tree == {"big": b"1"}


async def test_a_file_that_becomes_a_folder_is_replayed_as_one() -> None:
    async with held() as (sandbox, yard):
        await sandbox.sync([FileWrite(path="a", data=b"1"), FileWrite(path="b", data=b"1")])
        await sandbox.sync([FileDelete(path="b"), FileWrite(path="b", data=b"2")])
        await sandbox.sync([FileWrite(path="a/x/y", data=b"3"), FileDelete(path="b/z")])
        yard.session.lost = True
        await sandbox.run(Command(argv=("x",)))
        assert yard.session.tree == {"b": b"2", "a/x/y": b"3"}


async def test_of_contradictory_changes_the_last_word_counts() -> None:
    async with held() as (sandbox, yard):
        await sandbox.sync([FileWrite(path="a", data=b"1"), FileDelete(path="a")])
        assert yard.session.tree == {}


async def test_a_sync_that_cannot_be_is_forgotten() -> None:
    async with held() as (sandbox, yard):
        await sandbox.sync([FileWrite(path="kept", data=b"1")])
        yard.refuses = yard.session.refuses = "big"
        with pytest.raises(SandboxError, match="No space"):
            await sandbox.sync([FileWrite(path="big", data=b"1")])
        await sandbox.run(Command(argv=("x",)))
        assert yard.session.tree == {"kept": b"1"}


async def test_an_engine_that_is_gone_is_told_and_tried_again_later() -> None:
    async with held() as (sandbox, yard):
        yard.session.lost = True
        yard.fails = EngineUnavailable("down")
        with pytest.raises(EngineUnavailable):
            await sandbox.run(Command(argv=("x",)))
        yard.fails = None
        assert (await sandbox.run(Command(argv=("x",)))).exit_code == 0


async def talk_and_lose(sandbox: HeldSandbox) -> None:
    async with sandbox.start(Command(argv=("x",))) as process:
        await process.send(b"1")
        await process.close_stdin()
        raise SandboxLost("mid")


async def test_a_loss_outside_of_receive_spoils_the_vessel() -> None:
    async with held() as (sandbox, yard):
        with pytest.raises(SandboxLost, match="mid"):
            await talk_and_lose(sandbox)
        assert yard.session.log[1:] == [("send", b"1"), ("close", b"")]
        await sandbox.run(Command(argv=("x",)))
        assert len(yard.vessels) == 2


async def test_nothing_to_do_does_nothing() -> None:
    async with held() as (sandbox, yard):
        yard.session.lost = True
        await sandbox.sync([])
        await sandbox.install({})
        assert len(yard.vessels) == 1


@pytest.mark.parametrize(
    "command",
    [
        Command(argv=()),
        Command(argv=("",)),
        Command(argv=("a\0b",)),
        Command(argv=("\ud800",)),
        Command(argv=("a",), cwd="\0"),
        Command(argv=("a",), env={"A=B": "1"}),
        Command(argv=("a",), env={"": "1"}),
        Command(argv=("a",), env={"A": "\0"}),
    ],
)
async def test_what_no_kernel_could_start_is_refused(command: Command) -> None:
    async with held() as (sandbox, yard):
        with pytest.raises(SandboxError):
            await sandbox.run(command)
        assert yard.session.log == []


async def test_a_closed_sandbox_stays_closed() -> None:
    async with held() as (sandbox, _):
        pass
    with pytest.raises(SandboxLost, match="closed"):
        await sandbox.run(Command(argv=("x",)))
    assert sandbox.spec.environment == host_environment()
