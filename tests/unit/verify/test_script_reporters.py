"""Our reporters inside of real runners, without a sandbox around them."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.verify.javascript.results import Script, read_lines
from agent.verify.javascript.runner import inside_files
from tests.support.scripts import installed_runners

pytestmark = pytest.mark.node

ROOT = Path(__file__).parents[3]
NODE = ROOT / ".cache" / "node" / "bin" / "node"
INSIDE = ROOT / "agent" / "verify" / "inside"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def told_by(folder: Path, *argv: object) -> Script:
    """What a run of node with our reporter tells; the report lies beside."""
    subprocess.run(
        [NODE, *argv],
        cwd=folder,
        env={"PATH": f"{NODE.parent}{os.pathsep}{os.defpath}"},
        capture_output=True,
        check=False,
        timeout=60,
    )
    told = read_lines((folder / "report").read_bytes(), str(folder))
    assert isinstance(told, Script)
    return told


def by_node(folder: Path, *more: str) -> Script:
    reporter = f"--test-reporter={INSIDE / 'greenloop_node_reporter.mjs'}"
    return told_by(folder, reporter, "--test-reporter-destination=report", *more)


def outcomes(told: Script) -> dict[str, str]:
    return {id_: result.outcome.value for id_, result in told.results.items()}


NESTED = """
import test, { describe, it } from 'node:test';
import assert from 'node:assert';
test('plain', () => {});
describe('a suite', () => {
  it('fails', () => { assert.equal(1, 2); });
  it.skip('skipped', () => {});
  it.todo('todo', () => { throw new Error('later'); });
  describe('deep', () => { it('rejects', async () => { throw new TypeError('no'); }); });
});
test('outer', async (t) => { await t.test('inner', () => { throw 'words'; }); });
"""


def test_tests_of_node_are_told_with_their_suites(folder: Path) -> None:
    write(folder, {"test/a.test.mjs": NESTED})
    told = by_node(folder, "--test")
    assert told.is_whole
    assert outcomes(told) == {
        "test/a.test.mjs::plain": "passed",
        "test/a.test.mjs::a suite::fails": "failed",
        "test/a.test.mjs::a suite::skipped": "skipped",
        "test/a.test.mjs::a suite::todo": "xfailed",
        "test/a.test.mjs::a suite::deep::rejects": "failed",
        "test/a.test.mjs::outer::inner": "failed",
        "test/a.test.mjs::outer": "failed",
    }
    lines = {id_.rpartition("::")[2]: result.line for id_, result in told.results.items()}
    assert (lines["plain"], lines["fails"], lines["rejects"]) == (4, 6, 9)
    rejected = next(r for id_, r in told.results.items() if id_.endswith("rejects"))
    assert (rejected.error_type, rejected.message) == ("TypeError", "no")
    assert [(frame.path, frame.line) for frame in rejected.frames] == [("test/a.test.mjs", 9)]


def test_one_file_alone_is_told_as_among_others(folder: Path) -> None:
    write(folder, {"test/a.test.mjs": NESTED})
    together = outcomes(by_node(folder, "--test"))
    assert outcomes(by_node(folder, "test/a.test.mjs")) == together


def test_files_that_cannot_be_loaded_and_files_without_tests_are_told_by_path(
    folder: Path,
) -> None:
    write(
        folder,
        {
            "test/broken.mjs": "import './nowhere.mjs';\n",
            "test/wrong.cjs": "let = ;\n",
            "test/script.cjs": "require('node:assert').equal(1, 1);\n",
        },
    )
    told = by_node(folder, "--test")
    assert outcomes(told) == {
        "test/broken.mjs": "error",
        "test/wrong.cjs": "error",
        "test/script.cjs": "passed",
    }
    results = list(told.results.values())
    messages = {result.path: (result.error_type, result.message) for result in results}
    assert "Cannot find module" in messages["test/broken.mjs"][1]
    assert messages["test/wrong.cjs"][0] == "SyntaxError"


def test_a_file_that_does_not_end_is_told_as_late(folder: Path) -> None:
    write(
        folder,
        {
            "test/loop.cjs": "require('node:test')('x', () => { for (;;); });\n",
            "test/good.cjs": "require('node:test')('y', () => {});\n",
        },
    )
    told = by_node(folder, "--test-timeout=2000", "--test")
    late = [result for result in told.results.values() if result.error_type == "Timeout"]
    assert [result.path for result in late] == ["test/loop.cjs"]
    assert outcomes(told)["test/good.cjs::y"] == "passed"


def test_patterns_are_looked_up_below_the_folder(folder: Path) -> None:
    write(
        folder,
        {
            "test/a.test.cjs": "require('node:test')('a', () => {});\n",
            "test/deep/er/b.test.cjs": "require('node:test')('b', () => {});\n",
            "test/c.helper.cjs": "throw 1;\n",
            "node_modules/x/test/d.test.cjs": "throw 1;\n",
        },
    )
    reporter = f"--test-reporter={INSIDE / 'greenloop_node_reporter.mjs'}"
    told = told_by(
        folder,
        INSIDE / "greenloop_node_files.mjs",
        *("--test", reporter, "--test-reporter-destination=report"),
        *("--", "./test/**/*.{test,spec}.cjs"),
    )
    assert set(outcomes(told)) == {"test/a.test.cjs::a", "test/deep/er/b.test.cjs::b"}


HOOKS = """
const assert = require('node:assert');
describe('first', function () {
  before(function () { throw new Error('hook'); });
  it('is kept', function () {});
  it('is kept too', function () {});
});
describe('second', function () {
  it('fails', function () { assert.strictEqual(1, 2); });
  it('passes', function () {});
  it('is pending');
  it('throws words', function () { throw 'words'; });
});
describe('third', function () {
  it('was good', function () {});
  after(function () { throw new Error('afterwards'); });
});
"""


def test_tests_of_mocha_are_told_with_what_hooks_keep_from_running(folder: Path) -> None:
    write(folder, {"test/a.test.js": HOOKS})
    mocha = installed_runners() / "mocha" / "bin" / "mocha.js"
    reporter = INSIDE / "greenloop_mocha_reporter.cjs"
    told = told_by(
        folder,
        *(mocha, "--reporter", reporter, "--reporter-option", "output=report"),
        *("--full-trace", "--no-parallel"),
    )
    assert told.is_whole
    assert outcomes(told) == {
        "test/a.test.js::first::is kept": "failed",
        "test/a.test.js::first::is kept too": "failed",
        "test/a.test.js::second::fails": "failed",
        "test/a.test.js::second::passes": "passed",
        "test/a.test.js::second::is pending": "skipped",
        "test/a.test.js::second::throws words": "failed",
        "test/a.test.js::third::was good": "failed",
    }
    failed = told.results[next(id_ for id_ in told.results if id_.endswith("::fails"))]
    assert (failed.error_type, failed.line) == ("AssertionError", 9)
    assert [(frame.path, frame.line) for frame in failed.frames] == [("test/a.test.js", 9)]


def test_every_script_for_packages_is_installed() -> None:
    names = {name.rpartition("/")[2] for name in inside_files()}
    assert names == {path.name for path in INSIDE.glob("greenloop_*.*js")}
