"""Where control groups can be made, and what is written into them."""

from pathlib import Path

import pytest

from sandbox.bubblewrap.groups import (
    Group,
    Hierarchy,
    find_hierarchies,
    left_groups,
    make_group,
    remove_folders,
)


def a_group_folder(folder: Path, handed_down: str | None = None) -> Path:
    """Make what the kernel shows for a group."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup.procs").write_text("")
    if handed_down is not None:
        (folder / "cgroup.subtree_control").write_text(handed_down)
    return folder


def old_mounts(root: Path) -> str:
    return (
        f"tmpfs {root} tmpfs rw 0 0\n"
        f"cgroup {root}/memory cgroup rw,memory 0 0\n"
        f"cgroup {root}/pids cgroup rw,pids 0 0\n"
        f"cgroup {root}/cpu cgroup rw,cpu 0 0\n"
    )


def test_old_hierarchies_take_a_group_below_the_own_one(tmp_path: Path) -> None:
    memory = a_group_folder(tmp_path / "memory/own/group")
    pids = a_group_folder(tmp_path / "pids")
    found = find_hierarchies(old_mounts(tmp_path), "4:memory:/own/group\n3:pids:/\n1:cpu:/\n")
    assert found == (Hierarchy(memory, ("memory",), False), Hierarchy(pids, ("pids",), False))


def test_controllers_mounted_together_take_one_group(tmp_path: Path) -> None:
    both = a_group_folder(tmp_path / "both/own")
    mounts = f"cgroup {tmp_path}/both cgroup rw,pids,memory 0 0\n"
    assert find_hierarchies(mounts, "4:memory,pids:/own\n") == (
        Hierarchy(both, ("memory", "pids"), False),
    )


def test_inside_a_container_the_mount_is_the_own_group(tmp_path: Path) -> None:
    memory = a_group_folder(tmp_path / "memory")
    pids = a_group_folder(tmp_path / "pids")
    found = find_hierarchies(old_mounts(tmp_path), "4:memory:/docker/abc\n3:pids:/docker/abc\n")
    assert [hierarchy.folder for hierarchy in found] == [memory, pids]


def test_half_of_the_controllers_is_as_good_as_none(tmp_path: Path) -> None:
    a_group_folder(tmp_path / "memory")
    assert find_hierarchies(old_mounts(tmp_path), "4:memory:/\n3:pids:/\n") == ()
    assert find_hierarchies(old_mounts(tmp_path), "4:memory:/\n") == ()
    assert find_hierarchies("", "") == ()


def test_the_unified_hierarchy_takes_it_where_controllers_are_handed_down(tmp_path: Path) -> None:
    a_group_folder(tmp_path, "cpu memory pids")
    slice_ = a_group_folder(tmp_path / "user.slice", "memory pids")
    a_group_folder(tmp_path / "user.slice/session.scope", "")
    mounts = f"cgroup2 {tmp_path} cgroup2 rw,nsdelegate 0 0\n"
    assert find_hierarchies(mounts, "0::/user.slice/session.scope\n") == (
        Hierarchy(slice_, ("memory", "pids"), True),
    )


def test_nothing_handed_down_is_nowhere(tmp_path: Path) -> None:
    a_group_folder(tmp_path, "cpu")
    a_group_folder(tmp_path / "own")
    mounts = f"cgroup2 {tmp_path} cgroup2 rw 0 0\n"
    assert find_hierarchies(mounts, "0::/own\n") == ()


def test_a_unified_hierarchy_beside_the_old_ones_is_passed_over(tmp_path: Path) -> None:
    memory = a_group_folder(tmp_path / "memory")
    pids = a_group_folder(tmp_path / "pids")
    a_group_folder(tmp_path / "unified", "memory pids")
    mounts = old_mounts(tmp_path) + f"cgroup2 {tmp_path}/unified cgroup2 rw 0 0\n"
    found = find_hierarchies(mounts, "4:memory:/\n3:pids:/\n0::/\n")
    assert [hierarchy.folder for hierarchy in found] == [memory, pids]


def written(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_bounds_are_written_into_old_groups(tmp_path: Path) -> None:
    memory, pids = a_group_folder(tmp_path / "memory"), a_group_folder(tmp_path / "pids")
    found = (Hierarchy(memory, ("memory",), False), Hierarchy(pids, ("pids",), False))
    group = make_group(found, "x", memory_bytes=1000, processes=7)
    assert group == Group(
        (memory / "greenloop-x", pids / "greenloop-x"), memory / "greenloop-x", False
    )
    assert written(memory / "greenloop-x") == {
        "memory.limit_in_bytes": "1000",
        "memory.memsw.limit_in_bytes": "1000",
    }
    assert written(pids / "greenloop-x") == {"pids.max": "7"}
    assert group.join_files == (
        f"{memory}/greenloop-x/cgroup.procs",
        f"{pids}/greenloop-x/cgroup.procs",
    )


def test_bounds_are_written_into_a_unified_group(tmp_path: Path) -> None:
    group = make_group(
        (Hierarchy(tmp_path, ("memory", "pids"), True),), "x", memory_bytes=1000, processes=7
    )
    assert group is not None
    assert written(tmp_path / "greenloop-x") == {
        "memory.max": "1000",
        "memory.swap.max": "0",
        "pids.max": "7",
    }


def test_a_group_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    first = Hierarchy(a_group_folder(tmp_path / "first"), (), False)
    gone = Hierarchy(tmp_path / "gone", ("pids",), False)
    assert make_group((first, gone), "x", memory_bytes=1, processes=1) is None
    assert list(first.folder.glob("greenloop-*")) == []


@pytest.mark.parametrize(
    ("unified", "name", "text", "inside"),
    [
        (False, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
         "/sys/fs/cgroup/memory/memory.oom_control"),
        (True, "memory.events", "low 0\noom 4\noom_kill 3\noom_group_kill 0\n",
         "/sys/fs/cgroup/memory.events"),
    ],
)  # fmt: skip
def test_killings_for_want_of_memory_are_counted(
    tmp_path: Path, unified: bool, name: str, text: str, inside: str
) -> None:
    group = Group((tmp_path,), tmp_path, unified)
    assert group.oom_file == (tmp_path / name, inside)
    assert group.oom_kills() == 0
    (tmp_path / name).write_text(text)
    assert group.oom_kills() == 3


def test_groups_are_found_by_prefix_and_removed(tmp_path: Path) -> None:
    first, second = a_group_folder(tmp_path / "memory"), a_group_folder(tmp_path / "pids")
    for path in (first / "greenloop-a", second / "greenloop-a", second / "greenloop-b"):
        path.mkdir()
    (first / "somebody-else").mkdir()
    hierarchies = (Hierarchy(first, ("memory",), False), Hierarchy(second, ("pids",), False))
    left = left_groups(hierarchies)
    assert left == {
        "a": [first / "greenloop-a", second / "greenloop-a"],
        "b": [second / "greenloop-b"],
    }
    assert remove_folders([*left["a"], *left["b"], first / "never-was"]) == []
    assert left_groups(hierarchies) == {}
    assert (first / "somebody-else").is_dir()


def test_a_group_that_cannot_be_removed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.bubblewrap.groups._REMOVE_S", 0.0)
    (tmp_path / "greenloop-a").mkdir()
    (tmp_path / "greenloop-a" / "child").mkdir()
    assert remove_folders([tmp_path / "greenloop-a"]) == [tmp_path / "greenloop-a"]
