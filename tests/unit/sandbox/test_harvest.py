"""What may come back out of a sandbox, and what may not."""

import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.base import FileDelete, FileWrite, Harvest, HarvestLimits, Refused
from sandbox.harvest import check_harvest, name_fault
from tests.support.archives import a_member, an_archive, an_archive_of

LIMITS = HarvestLimits(files=4, file_bytes=100, total_bytes=250)
NOT_A_NAME = "the name cannot exist on a file system"


def harvest(archive: bytes, *deleted: str, refused: tuple[Refused, ...] = ()) -> Harvest:
    return check_harvest(archive, deleted, refused, LIMITS)


def reasons(result: Harvest) -> list[tuple[str, str]]:
    return [(item.path, item.why) for item in result.refused]


def test_written_and_deleted_files_come_back_sorted_by_path() -> None:
    archive = an_archive_of(
        (a_member("src/b.py"), b"b"), (a_member("run.sh", mode=0o755), b"#!/bin/sh\n")
    )
    assert harvest(archive, "src/a.py") == Harvest(
        changes=(
            FileWrite(path="run.sh", data=b"#!/bin/sh\n", executable=True),
            FileDelete(path="src/a.py"),
            FileWrite(path="src/b.py", data=b"b"),
        ),
        refused=(),
    )


def test_an_empty_archive_is_an_empty_harvest() -> None:
    assert harvest(b"") == Harvest(changes=(), refused=())
    assert harvest(an_archive({})) == Harvest(changes=(), refused=())


def test_of_the_mode_only_the_execute_bit_comes_back() -> None:
    archive = an_archive_of((a_member("tool", mode=0o4777), b""))
    assert harvest(archive).changes == (FileWrite(path="tool", data=b"", executable=True),)


def test_a_leading_dot_slash_is_the_tree_itself() -> None:
    assert harvest(an_archive({"./a.py": b"x"})).changes == (FileWrite(path="a.py", data=b"x"),)


def test_a_name_that_is_not_utf8_comes_back_unchanged() -> None:
    name = b"caf\xe9.txt".decode("utf-8", "surrogateescape")
    assert harvest(an_archive({name: b"x"})).changes == (FileWrite(path=name, data=b"x"),)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (tarfile.SYMTYPE, "a symlink"),
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "a fifo"),
        (tarfile.GNUTYPE_SPARSE, "a sparse archive entry"),
        (b"Z", "an unknown kind of entry"),
    ],
)
def test_what_is_not_a_regular_file_is_refused(kind: bytes, said: str) -> None:
    result = harvest(an_archive_of((a_member("thing", kind=kind, target="/etc/passwd"), b"")))
    assert result.changes == ()
    assert reasons(result) == [("thing", f"it is {said}; only regular files come out of a sandbox")]


def test_folders_are_passed_over_in_silence() -> None:
    archive = an_archive_of((a_member("../outside", kind=tarfile.DIRTYPE), b""))
    assert harvest(archive) == Harvest(changes=(), refused=())


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "..",
        "../evil",
        "a/../../evil",
        "a/./b",
        "a//b",
        "a/",
        "a\\..\\..\\evil",
        ".git",
        ".git/config",
        ".GIT/hooks/pre-commit",
        "sub/.git",
        "sub/.Git/config",
        ".git./config",
        ".git /config",
        ".git. . /config",
        ".git::$INDEX_ALLOCATION/config",
        "git~1/config",
        "GIT~1",
        "sub\\.git\\config",
        ".g\u200cit/config",
        "\u206a.git/config",
        ".git\ufeff",
        "a\nb",
        "a\x1b[2Jb",
        "a\tb",
        "nul\0byte",
        "a\x7f",
        "a\x9b1mb",
        "line\u2028separator",
        "txt\u202egnp.py",
        "x" * 256,
        "/".join(["d" * 200] * 21),
        "lone\ud800surrogate",
    ],
)
def test_a_path_that_could_do_harm_is_refused(path: str) -> None:
    assert name_fault(path) is not None
    result = harvest(b"", path)
    assert result.changes == ()
    assert len(result.refused) == 1


@pytest.mark.parametrize(
    "path",
    [
        "a",
        ".gitignore",
        ".github/workflows/ci.yml",
        ".gitattributes",
        "git/config",
        "..a/b..",
        "a b/c'd\"e",
        "naïve/日本.py",
        "family👩‍👩‍👧.txt",
        "x" * 255,
    ],
)
def test_an_ordinary_path_passes(path: str) -> None:
    assert name_fault(path) is None


@pytest.mark.parametrize("path", ["../../evil.py", "/etc/cron.d/evil", ".git/config", "a/../../b"])
def test_zip_slip_in_an_archive_is_refused(path: str) -> None:
    result = harvest(an_archive({path: b"x"}))
    assert result.changes == ()
    assert [item.path for item in result.refused] == [path]


def test_a_path_through_a_symlink_of_the_same_archive_leads_nowhere() -> None:
    archive = an_archive_of(
        (a_member("link", kind=tarfile.SYMTYPE, target="/etc"), b""), (a_member("link/x"), b"x")
    )
    result = harvest(archive)
    assert result.changes == (FileWrite(path="link/x", data=b"x"),)
    assert [item.path for item in result.refused] == ["link"]


def test_the_second_member_of_one_name_is_refused() -> None:
    archive = an_archive_of((a_member("a"), b"first"), (a_member("./a"), b"second"))
    result = harvest(archive)
    assert result.changes == (FileWrite(path="a", data=b"first"),)
    assert reasons(result) == [("a", "the archive names it twice")]


def test_a_path_cannot_be_file_and_folder_at_once() -> None:
    result = harvest(an_archive({"a/b/c": b"1", "a": b"2", "a.b": b"3"}))
    assert [change.path for change in result.changes] == ["a", "a.b"]
    assert reasons(result) == [("a/b/c", "a folder above it is reported as a file")]


def test_a_path_cannot_be_written_and_deleted_at_once() -> None:
    result = harvest(an_archive({"a": b"1"}), "a")
    assert result.changes == (FileWrite(path="a", data=b"1"),)
    assert reasons(result) == [("a", "it is reported as written and as deleted")]


def test_a_deletion_named_twice_counts_once() -> None:
    assert harvest(b"", "a", "a").changes == (FileDelete(path="a"),)


def test_a_file_over_the_cap_is_refused_and_the_rest_comes_back() -> None:
    result = harvest(an_archive({"big": b"x" * 101, "small": b"x" * 100}))
    assert [change.path for change in result.changes] == ["small"]
    assert reasons(result) == [("big", "101 bytes are over the limit of 100 a file")]


def test_all_files_together_stay_under_the_cap() -> None:
    result = harvest(an_archive(dict.fromkeys("abc", b"x" * 100) | {"d": b"x" * 50}))
    assert [change.path for change in result.changes] == ["a", "b", "d"]
    assert reasons(result) == [("c", "all changes together are over the limit of 250 bytes")]


def test_writes_and_deletions_together_stay_under_the_count() -> None:
    result = harvest(an_archive(dict.fromkeys("abc", b"")), "d", "e", "d")
    assert [change.path for change in result.changes] == ["a", "b", "c", "d"]
    assert reasons(result) == [("e", "more than 4 files were changed")]
    result = harvest(an_archive(dict.fromkeys("abcde", b"")))
    assert reasons(result) == [("e", "more than 4 files were changed")]


def test_refusals_of_the_sandbox_itself_are_passed_on_fit_for_a_terminal() -> None:
    result = harvest(b"", refused=(Refused(path="a\x1b[2J\n", why="a socket\r"),))
    assert result.refused == (Refused(path="a\\x1b[2J\\n", why="a socket\\r"),)


def test_a_name_that_is_not_utf8_is_spelled_out_when_refused() -> None:
    result = harvest(b"", refused=(Refused(path="caf\udce9", why="a socket"),))
    assert result.refused == (Refused(path="caf\\udce9", why="a socket"),)


def test_a_long_refused_name_is_cut() -> None:
    (refused,) = harvest(b"", "x" * 5000).refused
    assert refused.path == "x" * 200 + "…"


def test_a_flood_of_refusals_is_summed_up() -> None:
    result = harvest(b"", *(f"../{n}" for n in range(1_500)))
    assert len(result.refused) == 1_001
    assert result.refused[-1] == Refused(path="", why="500 more entries were refused")


def test_a_damaged_archive_gives_what_was_whole_and_says_so() -> None:
    archive = an_archive({"a": b"1", "b": b"2" * 90})
    result = harvest(archive[: 512 * 3 + 40])
    assert [change.path for change in result.changes] == ["a"]
    assert reasons(result) == [("", "the archive ends in the middle of a file")]


@given(st.binary(max_size=3_000))
def test_no_archive_whatever_brings_an_exception(noise: bytes) -> None:
    result = harvest(an_archive({"a": b"1"})[:1024] + noise)
    assert result.changes[:1] == (FileWrite(path="a", data=b"1"),) or result.refused


hostile_names = st.lists(
    st.one_of(
        st.sampled_from(["..", ".", "", ".git", ".GIT", "git~1", "a", "b", "/", "a\\..", "\n"]),
        st.text(max_size=6),
    ),
    max_size=5,
).map("/".join)


@given(st.lists(hostile_names, max_size=8), st.lists(hostile_names, max_size=4))
def test_whatever_passes_is_inside_the_tree_unique_and_no_dot_git(
    written: list[str], deleted: list[str]
) -> None:
    encodable = [name for name in written if name_fault(name) != NOT_A_NAME]
    result = harvest(an_archive_of(*((a_member(name), b"x") for name in encodable)), *deleted)
    paths = [change.path for change in result.changes]
    assert len(set(paths)) == len(paths) <= LIMITS.files
    for path in paths:
        names = path.split("/")
        assert not path.startswith("/")
        assert not {"", ".", "..", ".git"} & {name.casefold() for name in names}
