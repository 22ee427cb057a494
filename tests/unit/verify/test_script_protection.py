"""What a candidate may not change, or reach for, in a package of JavaScript."""

import json

import pytest

from agent.edits.changes import Content
from agent.task import RepoPath, TestId, TestPolicy
from agent.verify.protect import is_new_test, protected_changes, shadowing
from agent.verify.report import Outcome, TestReport, TestResult
from agent.verify.suspicion import look_at
from agent.verify.trouble import beyond_repair, needs_network
from tests.support.reports import a_folder_base

REPORT = TestReport(
    results={
        TestId("src/__tests__/a.ts::x"): TestResult(
            id=TestId("src/__tests__/a.ts::x"),
            outcome=Outcome.PASSED,
            duration_s=0.0,
            path=RepoPath("src/__tests__/a.ts"),
        )
    }
)
POLICY = TestPolicy()


def is_put_back(path: str, before: str | None = "", after: str = "x") -> bool:
    delta = {RepoPath(path): Content(data=after.encode())}
    content = None if before is None else Content(data=before.encode())
    return bool(protected_changes(delta, lambda _path: content, REPORT, POLICY))


@pytest.mark.parametrize(
    "path",
    [
        *("src/__tests__/helper.ts", "test/a.js", "src/a.test.ts", "src/a.spec.tsx"),
        *("jest.config.js", "vitest.config.mts", "vite.config.ts", ".mocharc.json", ".npmrc"),
        *("babel.config.cjs", ".swcrc.js", "tsconfig.json", "tsconfig.build.json"),
        *("src/__mocks__/fs.js", "src/__snapshots__/a.test.js.snap", "package-lock.json"),
    ],
)
def test_tests_and_what_configures_them_are_put_back(path: str) -> None:
    assert is_put_back(path)


@pytest.mark.parametrize(
    "path", ["src/a.ts", "lib/contest.js", "src/testing.ts", "index.mjs", "src/config.js"]
)
def test_code_may_be_changed(path: str) -> None:
    assert not is_put_back(path)


def test_a_manifest_is_put_back_where_it_says_how_tests_are_run() -> None:
    before = json.dumps({"name": "a", "scripts": {"test": "jest"}, "version": "1"})
    tests = json.dumps({"name": "a", "scripts": {"test": "true"}, "version": "1"})
    other = json.dumps({"name": "a", "scripts": {"test": "jest"}, "version": "2"})
    assert is_put_back("package.json", before, tests)
    assert is_put_back("package.json", before, "{")
    assert not is_put_back("package.json", before, other)


def test_a_new_package_is_refused() -> None:
    delta = {RepoPath("web/node_modules/chai/index.js"): Content(data=b"")}
    assert shadowing(delta, lambda _path: None)


def test_new_tests_are_known_by_their_names() -> None:
    assert is_new_test(RepoPath("src/b.test.ts"), lambda _path: None)
    assert not is_new_test(RepoPath("src/b.ts"), lambda _path: None)


@pytest.mark.parametrize(
    ("text", "is_condemned"),
    [
        ("if (process.env.NODE_TEST_CONTEXT) x = 3;", True),
        ("if (process.env.VITEST) x = 3;", True),
        ("import { expect } from 'vitest';", True),
        ("const { mock } = require('node:test');", True),
        ("delete require.cache[x];", True),
        ("process.reallyExit(0);", True),
        ("fs.writeFileSync('/run/greenloop/script-report.json', text);", True),
        ("process.exit(1);", False),
        ("try { f(); } catch {}", False),
        ("Array.prototype.sum = f;", False),
    ],
)
def test_what_reaches_for_the_runner_is_noticed(text: str, is_condemned: bool) -> None:
    path = RepoPath("src/a.ts")
    found = look_at({path: Content(data=text.encode())}, lambda _path: None)
    assert bool(found.condemned) is is_condemned
    assert bool(found.shown) is not is_condemned
    same = Content(data=text.encode())
    assert look_at({path: same}, lambda _path: same) == look_at({}, lambda _path: None)


def test_plain_repairs_raise_no_suspicion() -> None:
    text = b"export const f = (a) => a?.b ?? 0; // catches { nothing } and vitest\n"
    found = look_at({RepoPath("a.mjs"): Content(data=text)}, lambda _path: None)
    assert (found.condemned, found.shown) == ((), ())


def failing(message: str, path: str = "a.test.js") -> TestReport:
    id_ = TestId(path)
    result = TestResult(
        id=id_, outcome=Outcome.ERROR, duration_s=0.0, message=message, path=RepoPath(path)
    )
    return TestReport(results={id_: result})


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("Cannot find package '@scope/left' imported from /x/a.test.js", "@scope/left"),
        ("Cannot find module 'left-pad'\nRequire stack:", "left-pad"),
        ("Cannot find module './left'", ""),
        ("Cannot find module '/work/shop/left.js'", ""),
    ],
)
def test_a_package_that_is_not_installed_is_beyond_repair(message, name, tmp_path) -> None:
    report = failing(message)
    found = beyond_repair(report, report.results, a_folder_base(tmp_path))
    assert [f"the package {name} is not installed"] * bool(name) == list(found.values())


def test_a_name_that_is_not_resolved_needs_the_network() -> None:
    report = failing("getaddrinfo ENOTFOUND example.org")
    assert needs_network(report, report.results) == tuple(report.results)
