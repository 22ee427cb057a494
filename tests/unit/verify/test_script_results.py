"""What the runners of JavaScript write, read as results of tests."""

import json

import pytest

from agent.task import RepoPath, TestId
from agent.verify.javascript.results import Script, Useless, read_jest, read_lines
from agent.verify.javascript.stack import read_crash, read_stack
from agent.verify.report import Frame, Outcome

ROOT = "/work/shop"


def lines(*told: dict[str, object]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in told)


def ended(name: str, outcome: str = "passed", **more: object) -> dict[str, object]:
    return {
        "at": "end",
        "file": f"{ROOT}/test/a.test.js",
        "names": [name],
        "line": 3,
        "seconds": 0.5,
        "outcome": outcome,
        **more,
    }


def test_a_stack_gives_class_message_and_the_frames_of_the_repository() -> None:
    thrown = read_stack(
        "TypeError: x is not a function\n"
        f"    at Object.total (file://{ROOT}/src/my%20cart.js:4:9)\n"
        f"    at async Cart.sum [as add] ({ROOT}/src/cart.ts?t=1:8:3)\n"
        f"    at {ROOT}/test/a.test.js:10:5\n"
        f"    at run ({ROOT}/node_modules/jest/x.js:1:1)\n"
        "    at node:internal/main:1:1\n",
        ROOT,
    )
    assert (thrown.type, thrown.message) == ("TypeError", "x is not a function")
    assert thrown.frames == (
        Frame(path=RepoPath("test/a.test.js"), line=10, function=""),
        Frame(path=RepoPath("src/cart.ts"), line=8, function="Cart.sum [as add]"),
        Frame(path=RepoPath("src/my cart.js"), line=4, function="Object.total"),
    )


@pytest.mark.parametrize(
    ("text", "type_", "message"),
    [
        ("Error: \x1b[31mexpected\x1b[0m\n\nReceived: 2\n    at f (/x:1:1)", "Error", "expected"),
        ("AssertionError [ERR_ASSERTION]: 1 == 2\n    at f (/x:1:1)", "AssertionError", "1 == 2"),
        ("RangeError\n    at f (/x:1:1)", "RangeError", ""),
        ("plain words", "", "plain words"),
        ("Expected: 3", "", "Expected: 3"),
        ("", "", ""),
    ],
)
def test_the_message_goes_without_class_colours_and_trace(
    text: str, type_: str, message: str
) -> None:
    thrown = read_stack(text, ROOT)
    assert (thrown.type, thrown.message.splitlines()[:1]) == (type_, message.splitlines()[:1])


def test_a_crash_is_read_from_what_node_prints() -> None:
    syntax = (
        f"file://{ROOT}/src/a.js:7\n  let = ;\n      ^\n\nSyntaxError: Unexpected token ';'\n"
        "    at compile (node:internal/vm:1:1)\n\nNode.js v20.20.2\n"
    )
    thrown = read_crash(syntax, ROOT)
    assert (thrown.type, thrown.message) == ("SyntaxError", "Unexpected token ';'")
    assert thrown.frames == (Frame(path=RepoPath("src/a.js"), line=7, function=""),)
    assert read_crash("one\ntwo\n", ROOT).message == "one\ntwo"


def test_tests_are_named_by_file_and_titles() -> None:
    told = read_lines(
        lines(
            {"at": "start", "file": f"{ROOT}/test/a.test.js", "names": ["cart", "adds"]},
            ended("cart", "failed", suite=True, kind="subtestsFailed"),
            ended("adds\n  two", "failed", type="TypeError", message="no", stack=""),
            ended("later", "skipped"),
            ended("known", "xfailed", stack="Error: x"),
            {"at": "over"},
        ),
        ROOT,
    )
    assert isinstance(told, Script)
    assert told.is_whole
    assert {id_: result.outcome for id_, result in told.results.items()} == {
        "test/a.test.js::adds two": Outcome.FAILED,
        "test/a.test.js::later": Outcome.SKIPPED,
        "test/a.test.js::known": Outcome.XFAILED,
    }
    failed = told.results[TestId("test/a.test.js::adds two")]
    assert (failed.error_type, failed.message, failed.path, failed.line) == (
        "TypeError",
        "no",
        "test/a.test.js",
        3,
    )
    assert told.running == "test/a.test.js::cart::adds"


def test_of_several_tests_of_one_name_the_worst_counts() -> None:
    told = read_lines(lines(ended("a"), ended("a", "failed"), ended("a"), {"at": "over"}), ROOT)
    assert isinstance(told, Script)
    assert [result.outcome for result in told.results.values()] == [Outcome.FAILED]


def test_a_file_that_cannot_be_loaded_is_an_error_under_its_path() -> None:
    told = read_lines(
        lines(
            ended("", "failed", names=[], output="ReferenceError: x is not defined\n    at y\n"),
            {"at": "over"},
        ),
        ROOT,
    )
    assert isinstance(told, Script)
    result = told.results[TestId("test/a.test.js")]
    assert (result.outcome, result.error_type) == (Outcome.ERROR, "ReferenceError")
    assert told.collection_errors[0].path == "test/a.test.js"


def test_a_run_that_was_cut_off_is_not_whole() -> None:
    told = read_lines(lines(ended("a")), ROOT)
    assert isinstance(told, Script)
    assert not told.is_whole


@pytest.mark.parametrize(
    "data", [b"nonsense\n", b'{"at": "else"}\n', b"[]\n", b"\xff\n", b"[" * 100_000]
)
def test_lines_that_our_reporter_does_not_write_are_not_believed(data: bytes) -> None:
    assert isinstance(read_lines(data, ROOT), Useless)


def jest(*files: object, **more: object) -> bytes:
    return json.dumps({"testResults": list(files), **more}).encode()


def test_a_report_of_jest_is_read() -> None:
    case = {
        "ancestorTitles": ["cart"],
        "title": "adds",
        "status": "failed",
        "duration": 20,
        "failureMessages": [f"Error: no\n    at f ({ROOT}/src/cart.js:2:1)"],
        "location": {"line": 4, "column": 3},
    }
    good = {"ancestorTitles": [], "title": "ok", "status": "passed", "duration": None}
    todo = {"ancestorTitles": [], "title": "todo", "status": "todo"}
    told = read_jest(
        jest(
            {"name": f"{ROOT}/a.test.js", "status": "failed", "assertionResults": [case, good]},
            {"name": f"{ROOT}/b.test.js", "status": "passed", "assertionResults": [todo]},
            {
                "name": f"{ROOT}/c.test.js",
                "status": "failed",
                "assertionResults": [],
                "message": "  ● Test suite failed to run\n\n    Cannot find module './x'\n",
            },
        ),
        ROOT,
    )
    assert isinstance(told, Script)
    outcomes = {id_: result.outcome for id_, result in told.results.items()}
    assert outcomes == {
        "a.test.js::cart::adds": Outcome.FAILED,
        "a.test.js::ok": Outcome.PASSED,
        "b.test.js::todo": Outcome.SKIPPED,
        "c.test.js": Outcome.ERROR,
    }
    failed = told.results[TestId("a.test.js::cart::adds")]
    assert (failed.duration_s, failed.line) == (0.02, 4)
    assert [(frame.path, frame.line) for frame in failed.frames] == [("src/cart.js", 2)]
    assert "Cannot find module" in told.results[TestId("c.test.js")].message


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b'{"testResults": 1}', b'{"testResults": [1]}', b"\xff", b"[" * 100_000],
)
def test_reports_of_another_form_are_not_believed(data: bytes) -> None:
    assert isinstance(read_jest(data, ROOT), Useless)


def test_values_of_wrong_types_are_passed_over() -> None:
    odd = {"ancestorTitles": 1, "title": None, "status": 3, "duration": "x", "location": []}
    told = read_jest(jest({"name": 7, "status": "passed", "assertionResults": [odd, 5]}), ROOT)
    assert isinstance(told, Script)
    assert [result.outcome for result in told.results.values()] == [Outcome.SKIPPED]
