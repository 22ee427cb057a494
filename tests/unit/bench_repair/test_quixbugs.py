"""Programs, cases and figures of the QuixBugs benchmark, on a checkout made here."""

from pathlib import Path

import pytest

from agent.errors import ConfigError
from tests.bench.repair import quixbugs, quixbugs_table
from tests.bench.repair.quixbugs_inputs import GRAPHS, PLAIN, arguments
from tests.bench.repair.quixbugs_oracle import Judged, judge
from tests.bench.repair.quixbugs_programs import (
    Program,
    is_published_fix,
    load_programs,
    project_files,
    shown_half,
)
from tests.bench.repair.quixbugs_runs import Option, Outcome, patched

BROKEN = "def gcd(a, b):\n    if b == 0:\n        return a\n    return gcd(a % b, b)\n"
CORRECT = BROKEN.replace("gcd(a % b, b)", "gcd(b, a % b)")
FLATTENS = "def flatten(arr):\n    for x in arr:\n        yield x\n"
WALKS = "def detect_cycle(node):\n    return node.successor is node\n"
NODE = """\
class Node:
    def __init__(self, value, successor=None):
        self.successor = successor
"""
GRAPH_TESTS = """\
import pytest
from node import Node

if pytest.use_correct:
    from correct_python_programs.detect_cycle import detect_cycle
else:
    from python_programs.detect_cycle import detect_cycle


node1 = Node(1)


def test1():
    assert not detect_cycle(node1)


def test2():
    node1.successor = node1
    assert detect_cycle(node1)
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for folder, gcd in (("python_programs", BROKEN), ("correct_python_programs", CORRECT)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "gcd.py").write_text(gcd)
        (tmp_path / folder / "flatten.py").write_text(FLATTENS)
        (tmp_path / folder / "detect_cycle.py").write_text(WALKS)
        (tmp_path / folder / "node.py").write_text(NODE)
    (tmp_path / "json_testcases").mkdir()
    (tmp_path / "json_testcases" / "gcd.json").write_text(
        "[[17, 0], 17]\n[[13, 13], 13]\n[[37, 600], 1]\n\n[[20, 100], 20]\n"
    )
    (tmp_path / "json_testcases" / "flatten.json").write_text("[[[1, 2]], [1, 2]]\n")
    (tmp_path / "python_testcases").mkdir()
    for name in ("gcd", "flatten"):
        (tmp_path / "python_testcases" / f"test_{name}.py").write_text("import pytest\n")
    (tmp_path / "python_testcases" / "test_detect_cycle.py").write_text(GRAPH_TESTS)
    (tmp_path / "python_testcases" / "node.py").write_text(NODE)
    return tmp_path


def a_program(checkout: Path, name: str = "gcd") -> Program:
    return next(each for each in load_programs(checkout) if each.name == name)


def test_programs_without_tests_of_their_own_are_left_out(checkout: Path) -> None:
    assert [each.name for each in load_programs(checkout)] == ["detect_cycle", "flatten", "gcd"]


def test_a_folder_that_is_not_the_benchmark_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigError, match="no checkout of QuixBugs"):
        load_programs(tmp_path)
    assert quixbugs.main(["--checkout", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_program_that_is_not_there_is_one_line(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert quixbugs.main(["--checkout", str(checkout), "--only", "gdc"]) == 2
    assert "no program 'gdc'" in capsys.readouterr().err


def test_each_line_of_the_data_is_a_test(checkout: Path) -> None:
    program = a_program(checkout)
    assert program.names == ("test_case_1", "test_case_2", "test_case_3", "test_case_4")
    assert program.cases[2].source == "def test_case_3():\n    assert gcd(37, 600) == 1\n"


def test_a_generator_is_read_to_its_end(checkout: Path) -> None:
    (case,) = a_program(checkout, "flatten").cases
    assert "assert list(flatten([1, 2])) == [1, 2]" in case.source


def test_written_tests_no_longer_change_what_others_use(checkout: Path) -> None:
    program = a_program(checkout, "detect_cycle")
    assert [case.source.count("node1 = Node(1)") for case in program.cases] == [1, 1]


def test_a_project_holds_the_bug_and_only_the_cases_that_may_be_seen(checkout: Path) -> None:
    files = project_files(a_program(checkout), ["test_case_2"])
    assert files["gcd.py"] == BROKEN
    assert "test_case_2" in files["test_gcd.py"]
    assert "test_case_1" not in files["test_gcd.py"]
    assert "node.py" in project_files(a_program(checkout, "detect_cycle"), ["test1"])


def test_half_of_the_cases_is_hidden_and_one_that_fails_is_not(checkout: Path) -> None:
    program = a_program(checkout)
    for failing in program.names:
        shown = shown_half(program, frozenset({failing}))
        assert len(shown) == 2
        assert failing in shown
        assert shown == shown_half(program, frozenset({failing}))


def test_layout_and_texts_do_not_make_another_fix(checkout: Path) -> None:
    program = a_program(checkout)
    assert is_published_fix(program, f'{CORRECT}\n\n"""What it does."""\n')
    assert not is_published_fix(program, BROKEN)


def test_a_patch_is_put_on_the_program_with_the_bug(checkout: Path) -> None:
    diff = (
        "--- a/gcd.py\n+++ b/gcd.py\n@@ -4 +4 @@\n"
        "-    return gcd(a % b, b)\n+    return gcd(b, a % b)\n"
    )
    assert patched(a_program(checkout), diff) == CORRECT


def test_the_right_program_passes_and_equals_itself(checkout: Path) -> None:
    judged = judge(a_program(checkout), CORRECT, inputs=20)
    assert judged.is_equal
    assert judged.inputs == 20


def test_a_program_that_never_ends_fails_its_cases(checkout: Path) -> None:
    endless = BROKEN.replace("    return gcd(a % b, b)", "    while True:\n        pass")
    judged = judge(a_program(checkout), endless, inputs=0)
    assert judged.failed == ("test_case_2", "test_case_3", "test_case_4")
    assert judged.passed == ("test_case_1",)


def test_cases_are_not_enough_to_be_equal(checkout: Path) -> None:
    table = "{(17, 0): 17, (13, 13): 13, (37, 600): 1, (20, 100): 20}"
    judged = judge(a_program(checkout), f"def gcd(a, b):\n    return {table}.get((a, b), 0)\n")
    assert judged.passes_all
    assert not judged.is_equal
    assert "expected" in judged.first


def test_what_cannot_be_imported_passes_nothing(checkout: Path) -> None:
    judged = judge(a_program(checkout), "import nothing_like_that\n")
    assert not judged.passes_all


class Node:
    def __init__(self, value: object = None, successor: object = None, *more: object) -> None:
        self.value, self.successor = value, successor
        self.successors, *_ = (*more, [])
        self.incoming_nodes: list[object] = []
        self.outgoing_nodes: list[object] = []


@pytest.mark.parametrize("program", [*PLAIN, *GRAPHS])
def test_the_same_number_gives_the_same_input_anew(program: str) -> None:
    first, second = arguments(program, 7, Node), arguments(program, 7, Node)
    assert len(first) == len(second)
    if program in PLAIN:
        assert first == second
        assert len({repr(arguments(program, number, Node)) for number in range(20)}) > 3


def an_option(*, right: bool = True, equal: bool = True, rank: int = 1) -> Option:
    judged = Judged(
        passed=("a",), failed=() if right else ("b",), equal=9 if equal else 8, inputs=9
    )
    return Option(rank=rank, text="", diff="", judged=judged, is_published=right and equal)


def an_outcome(*options: Option, label: str = "likely", first_s: float = 0.5) -> Outcome:
    return Outcome(
        program="gcd",
        shown=4,
        cases=4,
        verdict="green" if options else "none",
        label=label if options else "",
        options=options,
        first_s=first_s if options else None,
        tried=7,
        whole_s=3.0,
    )


def test_figures_count_what_is_proposed_first() -> None:
    outcomes = [
        an_outcome(an_option()),
        an_outcome(an_option(equal=False), label="plausible"),
        an_outcome(an_option(right=False), an_option(rank=2)),
        an_outcome(),
    ]
    shown = quixbugs_table.figures(outcomes)
    assert shown["a patch is proposed"] == "3"
    assert shown["first: passes every case"] == "2"
    assert shown["first: and equal on random inputs"] == "1"
    assert shown["one of five passes every case"] == "3"
    assert shown["of these, right"] == "1 (50%)"
    assert shown["seconds to the first, 90 %"] == "inf"


def test_each_floor_that_is_missed_is_told() -> None:
    good = [an_outcome(an_option())] * 38 + [an_outcome(label="")] * 2
    slow = [an_outcome(an_option(), first_s=9.0)] * 40
    assert quixbugs_table.floors_missed({"whole": good}) == []
    assert len(quixbugs_table.floors_missed({"whole": slow})) == 2
    lines = quixbugs_table.floors_missed({"half": [an_outcome(an_option(right=False))] * 40})
    assert [line.split(":")[0] for line in lines] == ["half of the cases hidden"] * 2
