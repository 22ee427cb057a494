"""What only bubblewrap has: its owner's death, control groups, its lease, an ordinary user."""

import importlib.util
import os
import secrets
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

import sandbox as package
from sandbox.base import Command, Environment, Reason
from sandbox.bubblewrap import BubblewrapEngine
from sandbox.errors import EnvironmentMissing, SandboxError
from tests.support.attacks import left_behind, living
from tests.support.sandboxes import SMALL, a_spec, host_environment, sh

pytestmark = pytest.mark.bwrap

PRODUCT = Path(package.__file__).parents[1]
NOBODY = 65534

OWNER = """
import os, sys, anyio
from pathlib import Path
from sandbox.base import Command
from sandbox.bubblewrap import BubblewrapEngine
from tests.support.sandboxes import a_spec, sh

async def main():
    engine = BubblewrapEngine(variables={"PATH": os.environ["PATH"]})
    async with engine.open(a_spec(Path(sys.argv[1]))) as sandbox:
        print(sandbox.promises, flush=True)
        end = await sh(sandbox, sys.argv[2], env={"GREENLOOP_ATTACK": sys.argv[3]}, wall_s=60)
        print(end.reason.value, end.output.decode(), flush=True)

anyio.run(main)
"""


@pytest.fixture
def bubblewrap() -> BubblewrapEngine:
    return BubblewrapEngine(variables=dict(os.environ))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "README").write_text("hello\n")
    return folder


@pytest.fixture
def token() -> str:
    return secrets.token_hex(8)


def owner(
    tree: Path, script: str, token: str, *, python: str = sys.executable, **how: object
) -> "subprocess.Popen[str]":
    """Start a process that opens a sandbox and runs the script in it."""
    how = {"cwd": PRODUCT, **how}
    line = [python, "-c", OWNER, str(tree), script, token]
    return subprocess.Popen(line, stdout=subprocess.PIPE, text=True, **how)  # type: ignore[call-overload]


@pytest.fixture
def killed_owner(tree: Path, token: str) -> Iterator[tuple[int, str]]:
    """A process that was killed in the middle of a command: its pid and what it was promised."""
    with owner(tree, "setsid sleep 500 & sleep 500", token) as process:
        assert process.stdout is not None
        promises = process.stdout.readline()
        assert "bubblewrap" in promises
        inside = wait_for_two(token)
        process.kill()
        process.wait()
        for hold in inside:
            assert select.select([hold], [], [], 20)[0], "a process outlived its owner"
            os.close(hold)
        yield process.pid, promises


def groups_of(pid: int) -> list[Path]:
    """Return the control groups that a process made."""
    return list(Path("/sys/fs/cgroup").glob(f"**/greenloop-{pid}-*"))


def wait_for_two(token: str) -> list[int]:
    """Return pidfds of what runs inside, once both processes do."""
    for _ in range(2_000):
        pids = [int(line.split()[0]) for line in living(token) if "sleep" in line]
        if len(pids) >= 2:
            return [os.pidfd_open(pid) for pid in pids]
        os.sched_yield()
    raise AssertionError(f"the command never started: {living(token)}")


async def test_when_its_owner_is_killed_everything_inside_dies_and_is_reaped(
    killed_owner: tuple[int, str], bubblewrap: BubblewrapEngine, token: str
) -> None:
    pid, promises = killed_owner
    assert living(token) == []
    removed = [name for name in await bubblewrap.reap() if name.startswith(f"greenloop-{pid}-")]
    assert bool(removed) == ("memory_limited=True" in promises)
    assert groups_of(pid) == []


async def test_what_is_in_use_is_not_reaped(bubblewrap: BubblewrapEngine, tree: Path) -> None:
    async with bubblewrap.open(a_spec(tree)) as sandbox:
        assert not [n for n in await bubblewrap.reap() if f"-{os.getpid()}-" in n]
        assert (await sh(sandbox, "echo here")).output == b"here\n"


async def test_a_sandbox_past_its_lease_ends_itself(
    bubblewrap: BubblewrapEngine, tree: Path
) -> None:
    spec = a_spec(tree, limits=replace(SMALL, lease_s=1))
    async with bubblewrap.open(spec) as sandbox:
        end = await sh(sandbox, "exec >/dev/null 2>&1; sleep 30", wall_s=15)
        assert end.reason is Reason.ENGINE_LOST
        assert end.wall_s < 10
        assert (await sh(sandbox, "cat README")).output == b"hello\n"


async def test_an_image_is_refused(bubblewrap: BubblewrapEngine) -> None:
    image = Environment(kind="image", image="python:3.12", why="test", identity="test")
    with pytest.raises(EnvironmentMissing, match="no images"):
        async with bubblewrap.open(a_spec(environment=image)):
            pass


async def test_a_sandbox_that_cannot_be_built_is_told_and_leaves_nothing(
    bubblewrap: BubblewrapEngine, tree: Path, token: str, tmp_path: Path
) -> None:
    impossible = replace(host_environment(), links={"/usr/bin/env/below": "nowhere"})
    with pytest.raises(SandboxError, match="bwrap: "):
        async with bubblewrap.open(a_spec(tree, environment=impossible)):
            pass
    assert left_behind(token, tmp_path) == []


@pytest.mark.parametrize("after_s", [0.0, 0.02, 0.05, 0.1])
async def test_an_opening_that_is_cancelled_leaves_nothing(
    bubblewrap: BubblewrapEngine, tree: Path, token: str, tmp_path: Path, after_s: float
) -> None:
    with anyio.move_on_after(after_s):
        async with bubblewrap.open(a_spec(tree)) as sandbox:
            await sandbox.run(Command(argv=("sleep", "30")))
    assert left_behind(token, tmp_path) == []


async def test_the_probe_says_what_works(bubblewrap: BubblewrapEngine) -> None:
    lines = {line.name: line for line in await bubblewrap.probe()}
    assert list(lines) == [
        "bubblewrap",
        "bubblewrap sandbox",
        "bubblewrap limits",
        "bubblewrap call filter",
    ]
    assert all(line.ok for line in lines.values())
    assert lines["bubblewrap sandbox"].value == "works"


SELF = """
id -u; touch mine && echo wrote
grep -E 'CapEff|CapBnd|CapPrm' /proc/self/status
n=0; while [ $n -lt 200 ]; do sleep 20 & n=$((n+1)); done 2>&1 | grep -c -m1 -i fork
"""


@pytest.fixture
def open_copy() -> Iterator[Path]:
    """What a sandbox needs of us and of others, where every user may read it."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        root.chmod(0o755)
        shutil.copytree(PRODUCT / "sandbox", root / "sandbox")
        (root / "tests/support").mkdir(parents=True)
        shutil.copy(PRODUCT / "tests/support/sandboxes.py", root / "tests/support")
        for name in ("anyio", "idna", "sniffio", "typing_extensions"):
            found = importlib.util.find_spec(name)
            if found is not None and found.origin is not None:
                source = Path(found.origin)
                if source.name == "__init__.py":
                    shutil.copytree(source.parent, root / name)
                else:
                    shutil.copy(source, root)
        (root / "tree").mkdir()
        yield root


def python_for_all() -> str:
    """Return a Python that every user of this machine may run and that is new enough for us."""
    system = "/usr/bin/python3"
    newer = "import sys; sys.exit(sys.version_info < (3, 11))"
    if Path(system).exists() and subprocess.run([system, "-c", newer], check=False).returncode == 0:
        return system
    return sys.executable


def test_an_ordinary_user_gets_the_same_walls_and_honest_promises(
    token: str, open_copy: Path
) -> None:
    how: dict[str, object] = {"cwd": open_copy, "env": {"PATH": os.defpath}}
    if os.getuid() == 0:
        how |= {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    with owner(open_copy / "tree", SELF, token, python=python_for_all(), **how) as process:
        said = process.communicate(timeout=60)[0]
    promises, _, rest = said.partition("\n")
    assert "no_network=True" in promises
    assert rest.splitlines()[:2] == [f"exited {os.getuid() or NOBODY}", "wrote"]
    assert rest.count("0000000000000000") == 3
    if "processes_limited=True" in promises:
        assert rest.rstrip().endswith("1"), "200 processes were made where 64 may be"
    assert living(token) == []
