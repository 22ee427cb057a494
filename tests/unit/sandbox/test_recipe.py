"""How containers are made: sizes, places, mounts, CPUs."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import layout
from sandbox.base import TOOLS_DIR, Environment, Mount, SandboxLimits
from sandbox.docker.image import host_root
from sandbox.docker.recipe import cpu_set, host_config, init_argv, read_only_mounts, tmpfs
from sandbox.errors import SandboxError
from sandbox.held import covered_folders, mounted_paths
from sandbox.layout import RESERVE_BYTES, checked_workdir, ordinary_ids, sizes, worker_variables
from tests.support.sandboxes import a_spec, host_environment
from tests.unit.sandbox.test_packing import read

IMAGE = Environment(kind="image", image="x", why="x", identity="x")


def with_mounts(*targets: str) -> Environment:
    mounts = tuple(Mount(source=Path("/usr"), target=target) for target in targets)
    return replace(host_environment(), mounts=mounts)


@given(tree=st.integers(0, 2**32), tmp=st.integers(0, 2**32), memory=st.integers(0, 2**33))
def test_all_file_systems_together_never_fill_the_memory(tree: int, tmp: int, memory: int) -> None:
    limits = SandboxLimits(memory_bytes=memory, tree_bytes=tree, tmp_bytes=tmp)
    try:
        split = sizes(limits)
    except SandboxError:
        assert tree + tmp + RESERVE_BYTES > memory
    else:
        assert split.tree + split.tmp + split.tools + split.shm + RESERVE_BYTES <= memory


@pytest.mark.parametrize("path", ["/home/a/b c", "/tmp/x", "/root/x", "/usr/src/y", "/run/user/1"])
def test_a_tree_may_lie_nearly_anywhere(path: str) -> None:
    assert checked_workdir(path) == path


@pytest.mark.parametrize(
    "path", ["/", "/tmp", "/run", "/proc/a", "/sys/b", "/dev/c", TOOLS_DIR, "a", "/a/", "/a:b"]
)
def test_a_tree_cannot_lie_where_the_sandbox_itself_is(path: str) -> None:
    with pytest.raises(SandboxError, match="cannot be put"):
        checked_workdir(path)


def test_every_writable_file_system_is_sized_executable_and_ours() -> None:
    found = tmpfs(a_spec())
    assert set(found) == {"/home/dev/project", "/tmp", TOOLS_DIR}
    for options in found.values():
        words = options.split(",")
        assert {"rw", "exec", "nosuid", "nodev"} <= set(words)
        assert any(word.startswith("size=") for word in words)
        assert any(word.startswith("nr_inodes=") for word in words)


def test_a_closed_home_of_root_is_covered_only_in_images() -> None:
    assert "/root" in tmpfs(a_spec(environment=IMAGE, workdir="/root/project"))
    assert "/root" not in tmpfs(a_spec(environment=IMAGE, workdir="/srv/project"))
    assert "/root" not in tmpfs(a_spec(workdir="/root/project"))


def test_host_mounts_below_a_mount_are_read_only_too() -> None:
    info = (
        "1 0 8:1 / / rw - ext4 /dev/a rw\n"
        "2 1 8:2 / /usr/local\\040x rw - ext4 /dev/b rw\n"
        "3 1 8:3 / /usrx rw - ext4 /dev/c rw\n\n"
    )
    mounts = [Mount(source=Path("/usr"), target="/opt/usr")]
    assert read_only_mounts(mounts, info) == [
        Mount(source=Path("/usr"), target="/opt/usr"),
        Mount(source=Path("/usr/local x"), target="/opt/usr/local x"),
    ]


@pytest.mark.parametrize(
    ("cpus", "available", "turn", "expected"),
    [(1.0, 4, 0, "0"), (1.0, 4, 5, "1"), (2.0, 4, 3, "0,3"), (0.5, 1, 9, "0"), (8.0, 2, 0, "0,1")],
)
def test_cpus_are_counted_truly_and_taken_in_turn(
    cpus: float, available: int, turn: int, expected: str
) -> None:
    assert cpu_set(cpus, available, turn) == expected


def test_more_cpus_than_there_are_is_not_asked_for() -> None:
    spec = a_spec(limits=SandboxLimits(cpus=64))
    config = host_config(spec, mounts=[], cpus_available=2, turn=0)
    assert config["NanoCpus"] == 2_000_000_000
    assert worker_variables(0.5)["GOMAXPROCS"] == "1"


def test_commands_have_the_callers_uid_unless_that_is_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout.os, "getuid", lambda: 0)
    assert ordinary_ids() == (1000, 1000)
    monkeypatch.setattr(layout.os, "getuid", lambda: 501)
    monkeypatch.setattr(layout.os, "getgid", lambda: 20)
    assert ordinary_ids() == (501, 20)


def test_mounts_in_the_tree_and_the_folders_around_them_are_known() -> None:
    environment = with_mounts("/usr", "/home/dev/project/a/b/venv", "/home/dev/project/.venv")
    spec = a_spec(environment=environment)
    assert mounted_paths(spec) == ("a/b/venv", ".venv")
    assert covered_folders(spec) == ("/home/dev/project/a", "/home/dev/project/a/b")
    assert init_argv(spec)[-2:] == ["/home/dev/project/a", "/home/dev/project/a/b"]


def test_the_empty_image_holds_links_names_and_folders_only() -> None:
    tar = host_root({"/bin": "usr/bin", "/home/u/.local/bin/py": "/opt/py"}, 501, 20)
    found = read(tar)
    assert found["bin"] == ("link", b"usr/bin", False)
    assert found["home/u/.local/bin"] == ("folder", b"", False)
    assert found["home/u/.local/bin/py"] == ("link", b"/opt/py", False)
    assert b"greenloop:x:501:20:" in found["etc/passwd"][1]
    assert {name for name, (kind, _, _) in found.items() if kind == "file"} == {
        "etc/passwd",
        "etc/group",
        "etc/nsswitch.conf",
    }
