"""What a candidate may not change unseen."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.edits.changes import Content
from agent.task import RepoPath, TestPolicy
from agent.verify.protect import protected_changes, shadowing, why_protected_here
from tests.support.reports import a_report, a_result
from tests.support.verify import a_delta

REPORT = replace(
    a_report(
        a_result("tests/unit/test_a.py::test_one"),
        a_result("pkg/checks.py::test_two"),
        a_result("e2e/run.py::test_three"),
        a_result("testsuite/test_all.py::test_four"),
    ),
    plugins=(RepoPath("pkg/plugin.py"),),
)


def changes(
    files: dict[str, str | None], base: dict[str, str] | None = None, **policy: bool
) -> dict[RepoPath, str]:
    contents = {path: Content(data=text.encode()) for path, text in (base or {}).items()}
    return protected_changes(a_delta(files), contents.get, REPORT, TestPolicy(**policy))


@pytest.mark.parametrize(
    "path",
    [
        "tests/unit/test_a.py",
        "tests/helpers.py",
        "tests/data/expected.json",
        "pkg/checks.py",
        "e2e/run.py",
        "testsuite/support.py",
        "pkg/plugin.py",
        "pkg/test_new.py",
        "pkg/new_test.py",
        "conftest.py",
        "pkg/deep/conftest.py",
        "pytest.ini",
        ".pytest.ini",
        "pytest.toml",
        ".coveragerc",
        ".github/workflows/ci.yml",
        ".gitlab-ci.yml",
        "uv.lock",
        "requirements-dev.txt",
        "constraints.txt",
        "sitecustomize.py",
        "src/usercustomize.py",
        "src/x.pth",
        "noxfile.py",
        "Jenkinsfile",
    ],
)
def test_what_decides_the_measuring_is_protected(path: str) -> None:
    assert list(changes({path: "x"})) == [path]
    assert list(changes({path: None}, {path: "x"})) == [path]


@pytest.mark.parametrize(
    "path",
    ["shop.py", "pkg/shop.py", "pkg/testing.py", "src/test/client.py", "README.md", "setup.py"],
)
def test_code_is_not_protected(path: str) -> None:
    assert changes({path: "x"}) == {}


@pytest.mark.parametrize(
    ("path", "before", "after", "protected"),
    [
        ("pyproject.toml", "[project]\nname='a'\n", "[project]\nname='b'\n", False),
        ("pyproject.toml", "", "[tool.pytest.ini_options]\naddopts='-x'\n", True),
        ("pyproject.toml", "[tool.pytest]\na=1\n", "", True),
        ("pyproject.toml", "[project]\n", "[project]\ndependencies=['x']\n", True),
        ("pyproject.toml", "[project]\n", "[project\n", True),
        ("pyproject.toml", "[project\n", "[project\n", False),
        ("setup.cfg", "[metadata]\nname=a\n", "[metadata]\nname=b\n", False),
        ("setup.cfg", "[metadata]\n", "[metadata]\n[tool:pytest]\naddopts=-x\n", True),
        ("tox.ini", "[pytest]\naddopts=-q\n", "[pytest]\naddopts=-k a\n", True),
        ("tox.ini", "[flake8]\n", "[flake8]\nx=1\n", False),
    ],
)
def test_of_shared_configuration_only_the_runner_s_part_is_protected(
    path: str, before: str, after: str, protected: bool
) -> None:
    assert bool(changes({path: after}, {path: before})) is protected


def test_deleting_runner_configuration_is_protected() -> None:
    assert changes({"tox.ini": None}, {"tox.ini": "[pytest]\n"})
    assert not changes({"tox.ini": None}, {"tox.ini": "[flake8]\n"})


def test_a_policy_that_allows_editing_leaves_only_start_up_files() -> None:
    files = {"tests/unit/test_a.py": "x", "conftest.py": "x", "a.pth": "x", "sitecustomize.py": "x"}
    assert list(changes(files, may_edit=True)) == ["a.pth", "sitecustomize.py"]


def test_a_policy_that_allows_adding_lets_new_tests_in_and_nothing_else() -> None:
    files = {"tests/test_new.py": "x", "tests/unit/test_a.py": "x", "tests/conftest.py": "x"}
    found = changes(files, {"tests/unit/test_a.py": "old"}, may_add=True)
    assert list(found) == ["tests/conftest.py", "tests/unit/test_a.py"]


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("pytest.py", "in place of"),
        ("_pytest/runner.py", "in place of"),
        ("src/pluggy/__init__.py", "in place of"),
        ("unittest.py", "in place of"),
        ("statistics.py", "standard library"),
        ("lib/json/__init__.py", "standard library"),
        ("pkg/fast.so", "compiled"),
        ("pkg/__pycache__/a.cpython-311.pyc", "compiled"),
    ],
)
def test_a_new_file_that_shadows_the_runner_is_found(path: str, word: str) -> None:
    assert word in shadowing(a_delta({path: "x"}), lambda _path: None)[RepoPath(path)]


def test_an_existing_file_of_such_a_name_is_no_shadow() -> None:
    content = Content(data=b"x")
    assert shadowing(a_delta({"pytest.py": "y"}), lambda _path: content) == {}
    assert shadowing(a_delta({"pkg/pytest_x.py": "y", "a.py": None}), lambda _path: None) == {}
    assert shadowing(a_delta({"pkg/json.py": "y", "code/a.py": "y"}), lambda _path: None) == {}


def test_reasons_are_there_for_paths_alone() -> None:
    why = why_protected_here(REPORT)
    assert why(RepoPath("tests/unit/test_a.py"))
    assert why(RepoPath("pyproject.toml"))
    assert not why(RepoPath("shop.py"))


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_configuration_text_makes_it_raise(before: str, after: str) -> None:
    for path in ("pyproject.toml", "setup.cfg", "tox.ini"):
        base = {path: Content(data=before.encode("utf-8", "surrogatepass"))}
        delta = {RepoPath(path): Content(data=after.encode("utf-8", "surrogatepass"))}
        protected_changes(delta, base.get, REPORT, TestPolicy())
