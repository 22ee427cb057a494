"""The command line of a sandbox, read as a list of what is where."""

from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.base import Environment, Mount, SandboxLimits, SandboxSpec
from sandbox.bubblewrap.recipe import (
    Inside,
    User,
    arguments,
    check_mounts,
    files_of,
    interpreter_of,
    own_folders,
)
from sandbox.errors import EnvironmentMissing

ORDINARY = User(uid=501, gid=20, is_root_outside=False)
ROOT = User(uid=1000, gid=1000, is_root_outside=True)


def an_environment(*targets: str, **changes: object) -> Environment:
    mounts = tuple(Mount(source=Path("/host" + target), target=target) for target in targets)
    fields: dict[str, object] = {"kind": "host", "why": "test", "identity": "test"}
    return Environment(mounts=mounts, **{**fields, **changes})  # type: ignore[arg-type]


def a_spec(environment: Environment, workdir: str = "/home/u/repo") -> SandboxSpec:
    return SandboxSpec(environment=environment, workdir=workdir, limits=SandboxLimits())


def inside(user: User = ORDINARY, **changes: object) -> Inside:
    fixed = Inside(
        program="/usr/bin/bwrap",
        user=user,
        files={"/etc/passwd": 7},
        info_descriptor=5,
        filter_descriptor=6,
        shown={},
    )
    return replace(fixed, **changes)  # type: ignore[arg-type]


def order_of(line: list[str], *paths: str) -> list[str]:
    """Return the paths in the order in which they are mounted."""
    places = {
        line[at + (2 if option == "--ro-bind" else 1)]: at
        for at, option in enumerate(line)
        if option in ("--ro-bind", "--tmpfs")
    }
    return sorted(paths, key=lambda path: places[path])


def test_an_ordinary_user_keeps_the_own_id_and_no_right_at_all() -> None:
    line = arguments(a_spec(an_environment()), inside())
    assert "--unshare-user" in line
    assert "--disable-userns" in line
    assert line[line.index("--uid") + 1] == "501"
    assert line[line.index("--gid") + 1] == "20"
    assert "--cap-add" not in line


def test_root_gets_no_user_namespace_and_keeps_what_changing_the_user_takes() -> None:
    line = arguments(a_spec(an_environment()), inside(ROOT))
    assert "--unshare-user" not in line
    rights = [line[at + 1] for at, option in enumerate(line) if option == "--cap-add"]
    assert rights == ["CAP_CHOWN", "CAP_SETUID", "CAP_SETGID"]
    assert line.index("ALL") < line.index("--cap-add")


@pytest.mark.parametrize("user", [ORDINARY, ROOT])
def test_everything_is_unshared_and_dies_together(user: User) -> None:
    line = arguments(a_spec(an_environment()), inside(user))
    assert {
        *("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"),
        *("--die-with-parent", "--new-session", "--as-pid-1", "--clearenv"),
    } <= set(line)
    assert "--share-net" not in line
    assert "--bind" not in line
    assert "--dev-bind" not in line


def test_outer_folders_come_before_what_lies_in_them() -> None:
    environment = an_environment("/home/u/repo/.venv", "/usr", "/home/u/repo/web/node_modules")
    line = arguments(a_spec(environment), inside())
    expected = ["/usr", "/home/u/repo", "/home/u/repo/.venv", "/home/u/repo/web/node_modules"]
    assert order_of(line, *reversed(expected)) == expected


def test_a_tree_below_tmp_lies_on_top_of_it() -> None:
    line = arguments(a_spec(an_environment("/usr"), workdir="/tmp/x/repo"), inside())
    assert order_of(line, "/tmp/x/repo", "/tmp") == ["/tmp", "/tmp/x/repo"]


def test_writable_folders_have_a_size_and_all_else_is_closed_at_the_end() -> None:
    spec = a_spec(an_environment("/usr"))
    line = arguments(spec, inside())
    for at, option in enumerate(line):
        if option == "--tmpfs":
            assert line[at - 2] == "--size"
            assert int(line[at - 1]) <= spec.limits.tree_bytes
    last_mount = max(at for at, option in enumerate(line) if option in ("--tmpfs", "--ro-bind"))
    assert [
        line[at + 1] for at, o in enumerate(line) if o == "--remount-ro" and at > last_mount
    ] == [
        "/dev",
        "/",
    ]


def test_folders_above_a_mount_can_be_passed_by_everybody() -> None:
    line = arguments(a_spec(an_environment("/root/.pyenv/versions/3.12")), inside())
    made = [line[at - 1 : at + 2] for at, option in enumerate(line) if option == "--dir"]
    assert ["0755", "--dir", "/root"] in made
    assert ["0755", "--dir", "/root/.pyenv"] in made


def test_links_files_and_shown_files_are_laid_in() -> None:
    environment = an_environment("/usr", links={"/bin": "usr/bin"})
    counter = Path("/sys/fs/cgroup/memory/greenloop-x/memory.oom_control")
    line = arguments(a_spec(environment), inside(shown={"/sys/fs/cgroup/counter": counter}))
    text = " ".join(line)
    assert "--symlink usr/bin /bin" in text
    assert "--perms 0644 --file 7 /etc/passwd" in text
    assert f"--ro-bind {counter} /sys/fs/cgroup/counter" in text
    assert text.endswith("--chdir / --info-fd 5 --seccomp 6 --")


def test_without_a_filter_none_is_named() -> None:
    line = arguments(a_spec(an_environment()), inside(filter_descriptor=None))
    assert "--seccomp" not in line


def test_the_tree_and_what_lies_between_it_and_mounts_belongs_to_commands() -> None:
    environment = an_environment("/usr", "/home/u/repo/.venv", "/home/u/repo/a/b/node_modules")
    assert own_folders(a_spec(environment)) == [
        "/run/greenloop",
        "/home/u/repo",
        "/home/u/repo/a",
        "/home/u/repo/a/b",
    ]


def test_small_files_of_etc_name_the_user_and_localhost() -> None:
    files = files_of(an_environment("/usr", variables={"HOME": "/tmp/h", "USER": "dev"}), ORDINARY)
    assert b"dev:x:501:20::/tmp/h:/bin/sh\n" in files["/etc/passwd"]
    assert b"dev:x:20:" in files["/etc/group"]
    assert b"127.0.0.1 localhost\n" in files["/etc/hosts"]
    assert b"hosts: files\n" in files["/etc/nsswitch.conf"]


def test_small_files_give_way_to_what_is_mounted() -> None:
    assert files_of(an_environment("/etc"), ORDINARY) == {}
    assert "/etc/hosts" not in files_of(an_environment("/etc/hosts"), ORDINARY)


def test_the_interpreter_is_the_environments_own_where_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").write_text("")
    own = Mount(source=tmp_path, target="/opt/py")
    system = Mount(source=tmp_path, target="/usr")
    environment = an_environment(interpreter="/opt/py/bin/python3")
    assert interpreter_of(replace(environment, mounts=(own, system))) == "/opt/py/bin/python3"
    assert interpreter_of(replace(environment, mounts=(system,))) == "/usr/bin/python3"


def test_the_innermost_mount_decides_what_a_path_is(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").write_text("")
    outer = Mount(source=tmp_path, target="/usr")
    inner = Mount(source=tmp_path / "nothing", target="/usr/bin")
    with pytest.raises(EnvironmentMissing, match="no Python"):
        interpreter_of(replace(an_environment(), mounts=(outer, inner)))


def test_an_image_is_refused_with_the_way_out() -> None:
    with pytest.raises(EnvironmentMissing, match=r"no images.*python:3") as caught:
        check_mounts(an_environment(kind="image", image="python:3"))
    assert "Docker" in caught.value.remedy


def test_a_mount_that_is_gone_is_named(tmp_path: Path) -> None:
    environment = replace(an_environment(), mounts=(Mount(source=tmp_path / "gone", target="/x"),))
    with pytest.raises(EnvironmentMissing, match="gone"):
        check_mounts(environment)
    check_mounts(replace(environment, mounts=(Mount(source=tmp_path, target="/x"),)))
