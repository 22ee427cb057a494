"""What terminals get, where it depends on the content."""

import io

from rich.console import Console, RenderableType

from agent.cli import choices, paint
from agent.cli.diffs import changed_lines
from agent.events import BaselineMeasured, PhaseStarted, RunFinished
from agent.telling.board import Board
from tests.support.cli import a_patch, a_result, an_ambiguous_result, diff_of


def drawn(renderable: RenderableType, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


def test_panel_of_a_bare_verdict_has_only_its_headline() -> None:
    shown = drawn(paint.verdict_panel({"verdict": "error", "run": "r"}, []))
    assert "could not be carried out" in shown
    assert len(shown.splitlines()) == 2


def test_file_of_unknown_kind_is_shown_in_the_signs_colours() -> None:
    patch = a_patch(b"first\n", b"second\n", path="notes.unknown")
    (removed, added) = paint.highlighted(
        "notes.unknown", [line for hunk in _hunks(patch) for line in hunk.lines]
    )
    assert {str(span.style) for span in removed.spans} == {"red"}
    assert {str(span.style) for span in added.spans} == {"green"}


def _hunks(patch):
    from agent.cli.diffs import parse_diff

    return [hunk for file in parse_diff(diff_of(patch)) for hunk in file.hunks]


def test_missing_line_end_is_told() -> None:
    assert "No newline at end of file" in drawn(paint.diff_view(diff_of(a_patch(b"a", b"b")), {}))


def test_every_table_fits_its_terminal() -> None:
    ambiguous = an_ambiguous_result()
    rows = [("r" * 20, "green plausible", "now", "1.0 s", "t" * 90, "/repo" * 30)]
    for width in (40, 60, 90, 140):
        for renderable in (
            choices.options_view(ambiguous, width=width),
            choices.question_view(ambiguous["question"]),
            paint.tests_table([("t" * 120, "fails", "passes")]),
            paint.diff_view(a_result()["patch"], {}),
        ):
            assert max(map(len, drawn(renderable, width).splitlines())) <= width
        assert "r" * 20 in drawn(paint.runs_table(rows, ["green"], width=width), width)


def test_long_change_is_cut() -> None:
    patch = a_patch(b"", b"".join(b"line %d\n" % number for number in range(20)))
    lines = changed_lines(diff_of(patch))
    assert len(lines) == 8
    assert lines[-1] == ("\\", "... 14 more lines")


def test_board_counts_what_was_asked_for_apart() -> None:
    board = Board()
    board.apply(PhaseStarted(phase="baseline"), 0.0)
    board.apply(
        BaselineMeasured(targets=("a",), failing=("a", "b"), passing=3, flaky=(), wall_s=1.0), 1.0
    )
    board.apply(RunFinished(verdict="none", confidence="", message="", wall_s=1.0), 1.0)
    assert board.steps["baseline"].detail == "2 failing (1 to fix), 3 passing"


def test_patches_stand_side_by_side_where_there_is_room() -> None:
    result = an_ambiguous_result()
    for width, abreast in ((150, 3), (100, 2), (60, 1)):
        shown = drawn(choices.options_view(result, width=width), width)
        tops = [line.count("ambiguous, behaviour") for line in shown.splitlines()]
        assert max(tops) == abreast
        assert sum(tops) == 3
    assert "2 behaviours with which the same tests pass" in shown
    assert "2 patches with which the same tests pass" in drawn(
        choices.options_view(a_result(), width=100), 100
    )


def test_question_lists_its_answers_by_number() -> None:
    shown = drawn(choices.question_view(an_ambiguous_result()["question"]), 100)
    assert "Which is right?  median([1, 2])" in shown
    assert "1  returns 1.5" in shown
    assert "2  raises IndexError: list index out of range  patches 2 and 3, as the code does" in (
        " ".join(shown.split())
        .replace("range patches", "range  patches")
        .replace(" 1 r", " 1  r")
        .replace(" 2 raises", " 2  raises")
    )
