"""Which files decide what is measured, and why: a candidate does not get to change them unseen.

Pure: paths and contents in, reasons out. The gate puts such files back from the base before it
measures, unless the task allows changing them.
"""

import configparser
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Final

from agent.edits.changes import Content, Delta
from agent.repo.languages import spec_of
from agent.task import RepoPath, TestPolicy
from agent.verify.doctests import modules_with_doctests, says_the_same
from agent.verify.report import TestReport

TEST_FOLDERS: Final = frozenset(
    {"test", "tests", "testing", "testsuite", "unittests", "functests", "__tests__"}
    | {"spec", "specs"}
)
_CONFIG = {
    "conftest.py": "pytest's own plugin file",
    "pytest.ini": "configures pytest",
    ".pytest.ini": "configures pytest",
    "pytest.toml": "configures pytest",
    ".pytest.toml": "configures pytest",
    ".coveragerc": "configures coverage",
    "sitecustomize.py": "Python runs it at every start",
    "usercustomize.py": "Python runs it at every start",
    "noxfile.py": "says how tests are run",
    "jenkinsfile": "CI configuration",
    ".gitlab-ci.yml": "CI configuration",
    ".travis.yml": "CI configuration",
    "azure-pipelines.yml": "CI configuration",
    "appveyor.yml": "CI configuration",
    ".appveyor.yml": "CI configuration",
    "bitbucket-pipelines.yml": "CI configuration",
    ".greenloop.toml": "configures Greenloop",
    ".npmrc": "decides what is installed",
    ".babelrc": "decides how code is loaded",
    ".nycrc": "configures coverage",
}
_CONFIG_OF_SCRIPTS = re.compile(
    r"(jest|vitest|vite|babel|karma|ava|playwright)\.(config|workspace|setup)\b.*"
    r"|vitest\.(shims|workspace)\..*|\.(mocha|swc|babel|nyc)rc\..*|tsconfig[^/]*\.json"
)
_SCRIPT_SETTINGS = (
    *("scripts", "jest", "vitest", "mocha", "nyc", "c8", "babel", "type", "imports"),
    *("dependencies", "devDependencies", "peerDependencies", "overrides", "resolutions"),
)
"""What in a `package.json` decides how tests are run and what they load."""
_USED_BY_TESTS = frozenset({"__mocks__", "__snapshots__", "__fixtures__"})
_CI_FOLDERS = (".github/", ".circleci/", ".buildkite/", ".ci/", ".gitlab/")
_LOCKS = frozenset(
    {
        "uv.lock",
        "poetry.lock",
        "pdm.lock",
        "pipfile.lock",
        "pylock.toml",
        "package-lock.json",
        "npm-shrinkwrap.json",
        "pnpm-lock.yaml",
        "yarn.lock",
        "bun.lock",
        "cargo.lock",
        "go.sum",
        "gemfile.lock",
        "composer.lock",
    }
)
_INI_SECTIONS = re.compile(r"(tool:)?pytest$|coverage:|testenv|tox$")
_TOML_TABLES = ("pytest", "coverage", "tox", "hatch.envs", "greenloop")
_TEST_FILE = re.compile(r"(test_[^/]*|[^/]*_tests?|tests)\.py$")
_RUNNER_MODULES = frozenset({"pytest", "_pytest", "pluggy", "iniconfig", "unittest", "xdist"})
_COMPILED = (".so", ".pyd", ".pyc", ".pyo", ".dll", ".dylib")


def protected_changes(
    delta: Delta,
    read: Callable[[RepoPath], Content | None],
    report: TestReport,
    policy: TestPolicy,
) -> dict[RepoPath, str]:
    """Return the changed paths that must be put back for measuring, each with its reason."""
    is_test = _test_files(report)
    with_doctests = modules_with_doctests(report)
    reasons: dict[RepoPath, str] = {}
    for path, after in sorted(delta.items()):
        before = read(path)
        if reason := why_protected(path, before, after, is_test):
            reasons[path] = reason
        elif path in with_doctests and not says_the_same(before, after):
            reasons[path] = "has tests in its docstrings, which would change"
    if policy.may_edit:
        return {path: why for path, why in reasons.items() if _is_never_allowed(path)}
    if policy.may_add:
        return {path: why for path, why in reasons.items() if not is_new_test(path, read)}
    return reasons


def why_protected(
    path: RepoPath,
    before: Content | None,
    after: Content | None,
    is_test: Callable[[RepoPath], bool],
) -> str:
    """Return why a change of this path touches the measuring; empty when it does not."""
    name = PurePosixPath(path).name.lower()
    if name in _CONFIG:
        return _CONFIG[name]
    if path.lower().startswith(_CI_FOLDERS):
        return "CI configuration"
    if name in _LOCKS or re.fullmatch(r"(requirements|constraints)[^/]*\.(txt|in)", name):
        return "decides what is installed"
    if name.endswith(".pth"):
        return "Python runs it at every start"
    if _CONFIG_OF_SCRIPTS.fullmatch(name):
        return "configures how tests are run"
    if is_test(path):
        return "a test, or a file that tests use"
    if name in {"pyproject.toml", "setup.cfg", "tox.ini", "package.json"}:
        same = _runner_settings(name, before) == _runner_settings(name, after)
        return "" if same else "configures how tests are run"
    return ""


def why_protected_here(report: TestReport) -> Callable[[RepoPath], str]:
    """Return a function that says why a path of this repository is protected, if it is."""
    is_test = _test_files(report)
    nothing, something = None, Content(data=b"[tool.pytest.ini_options]\n[pytest]\n[tool:pytest]\n")
    return lambda path: why_protected(path, nothing, something, is_test)


def shadowing(delta: Delta, read: Callable[[RepoPath], Content | None]) -> dict[RepoPath, str]:
    """Return new files that would be imported in place of the test runner, or cannot be read."""
    found: dict[RepoPath, str] = {}
    for path, after in sorted(delta.items()):
        if after is None or read(path) is not None:
            continue
        parts = PurePosixPath(path).parts
        inner = parts[1:] if parts[0] in {"src", "lib"} and len(parts) > 1 else parts
        top = inner[0]
        if "node_modules" in parts:
            found[path] = "would be loaded in place of an installed package"
        elif top.removesuffix(".py") in _RUNNER_MODULES:
            found[path] = "would be imported in place of the test runner"
        elif _module_name(inner) in sys.stdlib_module_names:
            found[path] = "would be imported in place of the standard library's"
        elif path.lower().endswith(_COMPILED):
            found[path] = "is compiled code, which cannot be looked at"
    return found


def _module_name(parts: tuple[str, ...]) -> str:
    """Return the module or package that a file is for those who import from beside it."""
    if len(parts) == 2 and parts[1] == "__init__.py":
        return parts[0]
    is_module = len(parts) == 1 and parts[0].endswith(".py")
    return parts[0].removesuffix(".py") if is_module else ""


def _test_files(report: TestReport) -> Callable[[RepoPath], bool]:
    """Return a predicate: collected test files, plugins of the tree, and the test folders."""
    files = {result.path for result in report.results.values() if result.path}
    files -= modules_with_doctests(report)
    files |= set(report.plugins)
    folders = tuple(sorted({folder for file in files if (folder := _test_folder(file))}))

    def is_test(path: RepoPath) -> bool:
        if path in files or (folders and path.startswith(folders)):
            return True
        return _is_named_test(path) or not _USED_BY_TESTS.isdisjoint(path.split("/"))

    return is_test


def _test_folder(file: RepoPath) -> str:
    """Return the outermost folder named like a test folder on the way to a collected file."""
    parts = PurePosixPath(file).parts[:-1]
    for depth, part in enumerate(parts):
        if part.lower() in TEST_FOLDERS:
            return "/".join(parts[: depth + 1]) + "/"
    return ""


def is_new_test(path: RepoPath, read: Callable[[RepoPath], Content | None]) -> bool:
    """Look whether a path is a test file by its name, and not on the base."""
    return read(path) is None and _is_named_test(path)


def _is_named_test(path: RepoPath) -> bool:
    """Look at the name alone; of Python only file names count, as folders hold helpers too."""
    spec = spec_of(path)
    if spec is not None and spec.modules == "javascript":
        return spec.is_test_file(path)
    return bool(_TEST_FILE.fullmatch(PurePosixPath(path).name))


def _is_never_allowed(path: RepoPath) -> bool:
    """What runs before everything else is put back even where tests may be edited."""
    name = PurePosixPath(path).name.lower()
    return name in {"sitecustomize.py", "usercustomize.py"} or name.endswith(".pth")


def _runner_settings(name: str, content: Content | None) -> str:
    """Return the parts of a configuration file that decide how tests are run, in one string."""
    text = content.data.decode("utf-8", "replace") if content else ""
    try:
        if name == "pyproject.toml":
            return _toml_settings(text)
        if name == "package.json":
            return _script_settings(text)
        return _ini_settings(text)
    except (ValueError, configparser.Error, RecursionError):
        return f"unreadable: {text}"


def _toml_settings(text: str) -> str:
    data = tomllib.loads(text)
    tool = data.get("tool", {})
    chosen = {
        "build-system": data.get("build-system"),
        "dependencies": _at(data, "project.dependencies"),
        "plugins": _at(data, "project.entry-points"),
        "groups": data.get("dependency-groups"),
        **{table: _at(tool, table) for table in _TOML_TABLES},
    }
    return json.dumps(chosen, sort_keys=True, default=str)


def _at(data: object, dotted: str) -> object:
    for key in dotted.split("."):
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _script_settings(text: str) -> str:
    data = json.loads(text or "{}")
    chosen = {key: _at(data, key) for key in _SCRIPT_SETTINGS}
    return json.dumps(chosen, sort_keys=True, default=str)


def _ini_settings(text: str) -> str:
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    parser.read_string(text)
    return repr({name: _options(parser, name) for name in _runner_sections(parser.sections())})


def _runner_sections(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if _INI_SECTIONS.match(name))


def _options(parser: configparser.RawConfigParser, section: str) -> list[tuple[str, str]]:
    return sorted((key, str(value)) for key, value in parser.items(section))
