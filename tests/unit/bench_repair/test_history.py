"""Commits that look like a fix with its test, out of real git histories."""

from pathlib import Path

import pytest

from tests.bench.places.clones import Clone
from tests.bench.repair.history import Change, changes, is_fix, is_run, is_source
from tests.bench.repair.libraries import Library
from tests.support.repos import a_repo, git, write

CART = b"def total(rows):\n    return sum(rows) + 1\n"
TEST = b"from cart import total\n\n\ndef test_total():\n    assert total([1]) == 1\n"
START = {"cart.py": CART, "tests/test_cart.py": b"", "README.md": b"Cart\n"}
LIBRARY = Library(repository="shop/cart", package="cart", since="2000-01-01")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return a_repo(tmp_path / "repo", START)


def commit(repo: Path, message: str, files: dict[str, bytes]) -> str:
    write(repo, files)
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", message)
    return git(repo, "rev-parse", "HEAD").strip()


def found(repo: Path, library: Library = LIBRARY) -> list[Change]:
    return list(changes(Clone(repo / ".git", "shop/cart"), library))


FIXED = {"cart.py": CART.replace(b" + 1", b""), "tests/test_cart.py": TEST}


def test_a_small_fix_with_its_test_is_found(repo: Path) -> None:
    fix = commit(repo, "Fix the total", FIXED)
    [change] = found(repo)
    assert change.commit == fix
    assert change.sources == ("cart.py",)
    assert change.tests == ("tests/test_cart.py",)
    assert change.names == ("tests/test_cart.py::test_total",)
    assert change.lines == 1


@pytest.mark.parametrize(
    ("message", "files"),
    [
        ("Fix the total", {"cart.py": FIXED["cart.py"]}),
        ("Fix the tests", {"tests/test_cart.py": TEST}),
        ("Fix a comment", {"cart.py": b"# Cart\n" + CART, "tests/test_cart.py": TEST}),
        ("Fix all", {"cart.py": b"x = 1\n" * 40, "tests/test_cart.py": TEST}),
        ("Fix the till", {"till.py": b"x = 1\n", "tests/test_cart.py": TEST}),
        ("Add a feature", FIXED),
    ],
)
def test_what_is_no_small_fix_with_a_test_is_left_out(
    repo: Path, message: str, files: dict[str, bytes]
) -> None:
    commit(repo, message, files)
    assert found(repo) == []


def test_a_change_that_was_picked_twice_is_one_case(repo: Path) -> None:
    commit(repo, "Fix the total", FIXED)
    commit(repo, "Break it again, wrongly", {"cart.py": CART})
    last = commit(repo, "Fix the total once more", {**FIXED, "tests/test_cart.py": TEST + b"\n"})
    assert [change.commit for change in found(repo)] == [last]


def test_merges_are_left_out(repo: Path) -> None:
    git(repo, "checkout", "-q", "-b", "fix")
    fix = commit(repo, "Fix the total", FIXED)
    git(repo, "checkout", "-q", "-")
    commit(repo, "Tell more", {"README.md": b"Cart and till\n"})
    git(repo, "merge", "-q", "--no-ff", "-m", "Merge the fix", "fix")
    assert [change.commit for change in found(repo)] == [fix]


def test_data_files_of_tests_stand_for_the_tests_that_read_them(repo: Path) -> None:
    files = {"cart.py": FIXED["cart.py"], "tests/data.txt": b"1\n"}
    commit(repo, "Fix the total", files)
    library = Library(
        repository="shop/cart",
        package="cart",
        since="2000-01-01",
        readers=("tests/test_cart.py", "tests/gone.py"),
    )
    [change] = found(repo, library)
    assert change.tests == ("tests/test_cart.py",)
    assert change.names == ()
    assert found(repo) == []


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Fix crash on empty input", True),
        ("Support rows (#12)", False),
        ("Handle empty rows", True),
        ("Correctly round up", True),
        ("Rename total, closes #3", False),
        ("Add tests and fix rounding", True),
        ("Tidy up", False),
    ],
)
def test_a_fix_is_told_by_its_message(message: str, expected: bool) -> None:
    assert is_fix(message) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/cart/total.py", True),
        ("cart/tests/helper.py", False),
        ("docs/conf.py", False),
        ("setup.py", False),
        ("cart/total.pyx", False),
    ],
)
def test_source_is_what_the_library_is_made_of(path: str, expected: bool) -> None:
    assert is_source(path) is expected


def test_pytest_collects_by_name() -> None:
    names = ["test_cart.py", "cart_test.py", "conftest.py", "test_data.json"]
    assert [is_run(name) for name in names] == [True, True, False, False]
