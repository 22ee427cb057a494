"""What a sandbox does with its tree: how it gets in, is kept in step, and is read."""

# Names are bytes here and pathlib knows only text.
# ruff: noqa: PTH103, PTH211
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.base import (
    TOOLS_DIR,
    FileDelete,
    FileWrite,
    LinkWrite,
    Mount,
    Sandbox,
    SandboxEngine,
    SandboxLimits,
)
from sandbox.errors import SandboxError
from tests.support.sandboxes import MIB, a_spec, host_environment, py, sh

WALK = """
import os, hashlib
for top, folders, files in os.walk(b"."):
    for name in sorted(files + [f for f in folders if os.path.islink(os.path.join(top, f))]):
        path = os.path.join(top, name)
        kind = "link" if os.path.islink(path) else "x" if os.access(path, os.X_OK) else "file"
        data = os.readlink(path) if kind == "link" else open(path, "rb").read()
        print([path, kind, hashlib.sha256(data).hexdigest()])
"""


async def listing(sandbox: Sandbox) -> list[str]:
    end = await py(sandbox, WALK)
    assert end.exit_code == 0, end.output
    return sorted(end.output.decode().splitlines())


async def test_the_tree_is_there_with_links_and_execute_bits(sandbox: Sandbox) -> None:
    end = await sh(sandbox, "cat src/app.py link; ./run.sh; readlink link; touch src/new")
    assert end.output == b"print('app')\nprint('app')\nran\nsrc/app.py\n"


def names_in(tree: Path) -> list[str]:
    return sorted(path.name for path in tree.rglob("*"))


async def test_nothing_written_inside_reaches_the_host(sandbox: Sandbox, tree: Path) -> None:
    await sh(sandbox, "rm -rf *; echo evil > src; chmod 777 .")
    assert names_in(tree) == ["app.py", "link", "run.sh", "src"]
    assert (tree / "src" / "app.py").read_text() == "print('app')\n"


def odd_tree(root: Path) -> list[str]:
    """Make a tree of odd names, and say what it holds in the words of `WALK`."""
    top = os.fsencode(root)
    deep = b"/".join([b"deep" * 20] * 5)
    os.makedirs(top + b"/" + deep)
    names = [b"a\nb", b'it\'s "quoted"', b"\xff\xfe", b"-rf", b"*", b"n" * 250, b" ", deep + b"/f"]
    for name in names:
        Path(os.fsdecode(top + b"/" + name)).write_bytes(name + b"\0\r\n")
    os.symlink(b"x" * 300, top + b"/long link")
    (root / "big").write_bytes(os.urandom(3 * MIB))
    done = subprocess.run([sys.executable, "-c", WALK], cwd=root, capture_output=True, check=True)
    return sorted(done.stdout.decode().splitlines())


async def test_odd_names_and_contents_arrive_byte_for_byte(
    engine: SandboxEngine, tmp_path: Path
) -> None:
    expected = odd_tree(tmp_path / "tree")
    async with engine.open(a_spec(tmp_path / "tree")) as sandbox:
        assert await listing(sandbox) == expected


async def test_an_unreadable_file_is_named(engine: SandboxEngine, tmp_path: Path) -> None:
    tree = tmp_path / "gone"
    with pytest.raises(SandboxError, match="gone"):
        async with engine.open(a_spec(tree)):
            pass


async def test_a_tree_that_does_not_fit_is_refused(engine: SandboxEngine, tree: Path) -> None:
    (tree / "big").write_bytes(bytes(20 * MIB))
    limits = SandboxLimits(
        memory_bytes=128 * MIB, tree_bytes=8 * MIB, tmp_bytes=16 * MIB, processes=64, cpus=1
    )
    with pytest.raises(SandboxError, match="No space left"):
        async with engine.open(a_spec(tree, limits=limits)):
            pass


async def test_without_a_tree_the_workdir_is_empty(engine: SandboxEngine) -> None:
    async with engine.open(a_spec()) as sandbox:
        assert (await sh(sandbox, "pwd; ls -A; touch a")).output == b"/home/dev/project\n"


@pytest.mark.parametrize("workdir", ["/tmp/a/b", "/root/project", "/srv/p q'r", "/usr/local/src"])
async def test_the_tree_may_lie_anywhere(engine: SandboxEngine, tree: Path, workdir: str) -> None:
    async with engine.open(a_spec(tree, workdir=workdir)) as sandbox:
        end = await sh(sandbox, "pwd; cat src/app.py; touch new")
        assert (end.exit_code, end.output.decode()) == (0, f"{workdir}\nprint('app')\n")


@pytest.mark.parametrize("workdir", ["/", "/proc/x", TOOLS_DIR, "relative", "/a/../b"])
async def test_a_tree_that_cannot_lie_there_is_refused(
    engine: SandboxEngine, tree: Path, workdir: str
) -> None:
    with pytest.raises(SandboxError, match="cannot be put"):
        async with engine.open(a_spec(tree, workdir=workdir)):
            pass


async def test_a_mount_inside_the_tree_wins_over_what_the_tree_holds_there(
    engine: SandboxEngine, tree: Path, tmp_path: Path
) -> None:
    venv = tmp_path / "venv"
    venv.mkdir()
    (venv / "here").write_text("mounted")
    (tree / "sub" / "venv").mkdir(parents=True)
    (tree / "sub" / "venv" / "stale").write_text("from the tree")
    (tree / "sub" / "other").write_text("other")
    environment = host_environment()
    mount = Mount(source=venv, target="/home/dev/project/sub/venv")
    environment = _with_mount(environment, mount)
    async with engine.open(a_spec(tree, environment=environment)) as sandbox:
        end = await sh(sandbox, "ls sub/venv; cat sub/other; echo n > sub/new; touch sub/venv/x")
        assert end.output.startswith(b"here\nother")
        assert end.exit_code != 0
        await sandbox.sync([FileWrite(path="sub/venv/here", data=b"no")])
        harvest = await sandbox.harvest()
        assert [change.path for change in harvest.changes] == ["sub/new"]
    assert (venv / "here").read_text() == "mounted"


def _with_mount(environment, mount):
    from dataclasses import replace

    return replace(environment, mounts=(*environment.mounts, mount))


async def test_sync_writes_links_and_deletes(sandbox: Sandbox) -> None:
    await sandbox.sync(
        [
            FileWrite(path="new/deep/file.txt", data=b"text\r\n"),
            FileWrite(path="tool", data=b"#!/bin/sh\necho tool\n", executable=True),
            FileWrite(path="run.sh", data=b"plain"),
            LinkWrite(path="src/app.py", target="../new/deep/file.txt"),
            FileDelete(path="link"),
            FileDelete(path="never/was/there"),
        ]
    )
    end = await sh(sandbox, "cat src/app.py; ./tool; ls; test -x run.sh")
    assert (end.exit_code, end.output) == (1, b"text\r\ntool\nnew\nrun.sh\nsrc\ntool\n")


async def test_sync_wins_over_whatever_commands_left_in_the_way(sandbox: Sandbox) -> None:
    await sh(
        sandbox,
        "rm -r src; ln -s /tmp src; mkdir -p run.sh.d link2/sub; rm run.sh; mkdir -p run.sh/x;"
        " mkdir locked; chmod 000 locked; touch afile",
    )
    await sandbox.sync(
        [
            FileWrite(path="src/app.py", data=b"1"),
            FileWrite(path="run.sh", data=b"2"),
            LinkWrite(path="link2", target="t"),
            FileWrite(path="locked/f", data=b"3"),
            FileWrite(path="afile/below", data=b"4"),
        ]
    )
    end = await sh(sandbox, "cat src/app.py run.sh locked/f afile/below; readlink link2; ls /tmp")
    assert end.output == b"1234t\nhome\n"


async def test_a_delete_does_not_follow_links_out_of_the_tree(sandbox: Sandbox) -> None:
    await sh(sandbox, "mkdir /tmp/out; touch /tmp/out/keep; ln -s /tmp/out away")
    await sandbox.sync([FileDelete(path="away/keep")])
    assert (await sh(sandbox, "ls /tmp/out")).output == b"keep\n"


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../b", "", ".", "a//b", "a\0b"])
async def test_a_path_outside_the_tree_is_refused(sandbox: Sandbox, path: str) -> None:
    with pytest.raises(SandboxError, match="not a path inside the tree"):
        await sandbox.sync([FileWrite(path=path, data=b"")])


async def test_a_sync_that_does_not_fit_is_an_error_and_the_sandbox_stays_usable(
    sandbox: Sandbox,
) -> None:
    with pytest.raises(SandboxError, match="No space left"):
        await sandbox.sync([FileWrite(path="big", data=bytes(60 * MIB))])
    await sandbox.sync([FileWrite(path="other", data=b"small")])
    assert (await sh(sandbox, "cat other; ls src; ls big")).output.startswith(b"smallapp.py\n")


async def test_a_tree_that_commands_filled_does_not_stop_a_sync(sandbox: Sandbox) -> None:
    end = await sh(sandbox, "head -c 100000000 /dev/zero > full")
    assert end.exit_code != 0
    await sandbox.sync([FileWrite(path="new", data=b"fits" * 100_000)])
    assert (await sh(sandbox, "wc -c < new; ls")).output == b"400000\nlink\nnew\nrun.sh\nsrc\n"


async def test_installed_files_lie_in_the_tools_folder_and_can_be_run(sandbox: Sandbox) -> None:
    await sandbox.install({"bin/hello": b"#!/bin/sh\necho hello\n", "data": b"\0"})
    assert (await sandbox_run(sandbox, f"{TOOLS_DIR}/bin/hello")) == b"hello\n"
    assert (await sh(sandbox, f"touch {TOOLS_DIR}/report; ls {TOOLS_DIR}")).exit_code == 0
    with pytest.raises(SandboxError, match="not a path"):
        await sandbox.install({"../escape": b""})


async def sandbox_run(sandbox: Sandbox, program: str) -> bytes:
    return (await sh(sandbox, program)).output


async def test_a_regular_file_is_read_by_relative_and_absolute_path(sandbox: Sandbox) -> None:
    await sh(sandbox, f"printf 'r\\0' > {TOOLS_DIR}/r; head -c 700000 /dev/zero > big")
    assert await sandbox.read_file("src/app.py", limit_bytes=100) == b"print('app')\n"
    assert await sandbox.read_file(f"{TOOLS_DIR}/r", limit_bytes=2) == b"r\0"
    assert await sandbox.read_file("big", limit_bytes=700_000) == bytes(700_000)


async def test_links_folders_pipes_and_large_files_are_not_read(sandbox: Sandbox) -> None:
    await sh(sandbox, "mkfifo pipe; ln -s src dir; truncate -s 5M sparse")
    for path in ("link", "dir/app.py", "src", "pipe", "missing", "run.sh/x", "sparse", "/dev/zero"):
        assert await sandbox.read_file(path, limit_bytes=1000) is None, path
    assert await sandbox.read_file("src/app.py", limit_bytes=5) is None


async def test_harvest_returns_what_commands_changed_and_only_once(sandbox: Sandbox) -> None:
    assert (await sandbox.harvest()).changes == ()
    await sh(
        sandbox,
        "echo more >> src/app.py; mkdir -p d/e; printf 1 > d/e/f; chmod +x d/e/f; rm run.sh;"
        " ln -s / evil; mkfifo pipe; touch -d @0 src/old",
    )
    harvest = await sandbox.harvest()
    assert harvest.changes == (
        FileWrite(path="d/e/f", data=b"1", executable=True),
        FileDelete(path="run.sh"),
        FileWrite(path="src/app.py", data=b"print('app')\nmore\n"),
        FileWrite(path="src/old", data=b""),
    )
    assert [refused.path for refused in harvest.refused] == ["evil", "pipe"]
    assert (await sandbox.harvest()).changes == ()


async def test_what_the_host_synced_is_not_harvested_and_loses_nothing(sandbox: Sandbox) -> None:
    await sh(sandbox, "echo by-command > mine")
    await sandbox.sync([FileWrite(path="ours", data=b"host"), FileDelete(path="run.sh")])
    assert (await sandbox.harvest()).changes == (FileWrite(path="mine", data=b"by-command\n"),)


async def test_a_change_with_the_old_size_and_time_is_still_seen(sandbox: Sandbox) -> None:
    await sh(sandbox, "touch -r src/app.py /tmp/t; echo \"print('APP')\" > src/app.py;"
             " touch -r /tmp/t src/app.py")  # fmt: skip
    assert [change.path for change in (await sandbox.harvest()).changes] == ["src/app.py"]


NAMES = st.text(
    st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=30
).filter(lambda name: name not in (".", "..") and len(name.encode()) <= 200)
CONTENTS = st.dictionaries(st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.binary())


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(files=CONTENTS)
async def test_any_synced_file_is_read_back_as_it_was(
    sandbox: Sandbox, files: dict[str, bytes]
) -> None:
    kept = {p: d for p, d in files.items() if not any(q.startswith(p + "/") for q in files)}
    await sandbox.sync([FileWrite(path=path, data=data) for path, data in kept.items()])
    for path, data in kept.items():
        assert await sandbox.read_file(path, limit_bytes=10_000) == data
    await sandbox.sync([FileDelete(path=path) for path in kept])
    for path in kept:
        assert await sandbox.read_file(path, limit_bytes=10_000) is None
