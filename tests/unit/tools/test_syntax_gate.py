from agent.task import RepoPath
from agent.tools.syntax_gate import BreaksSyntax, Passed, judge_syntax

PATH = RepoPath("a.py")


def test_a_sound_file_passes():
    assert judge_syntax(PATH, None, b"x = 1\n") == Passed(note="Syntax is sound.")


def test_a_file_without_a_grammar_passes_unseen():
    assert judge_syntax(RepoPath("a.dart"), b"", b"func (") == Passed(note="")


def test_what_another_grammar_does_not_read_is_told_and_passes():
    note = "Look at line 1 again: it does not parse (source file)."
    assert judge_syntax(RepoPath("a.go"), b"", b"func (") == Passed(note=note)


def test_a_new_file_that_does_not_parse_is_refused():
    judged = judge_syntax(PATH, None, b"x = (\n")
    assert isinstance(judged, BreaksSyntax)
    assert judged.text == "line 1: `(` is never closed\nAs it would look:\n>1\tx = ("


def test_many_errors_are_counted_and_the_first_shown():
    judged = judge_syntax(PATH, b"x = 1\n", b"x = = 1\n" * 5)
    assert isinstance(judged, BreaksSyntax)
    assert judged.text.startswith(
        "line 1: unexpected `=`\nline 2: unexpected `=`\nline 3: unexpected `=`\nand 2 more\n"
    )


def test_what_was_broken_before_passes_with_a_note():
    judged = judge_syntax(PATH, b"x = = 1\n", b"y = = 1\nz = = 2\n")
    assert judged == Passed(
        note="The syntax was broken before (1 error) and still is (2 errors): line 1: "
        "unexpected `=`."
    )
    assert judge_syntax(PATH, b"x = = 1\n", b"x = 1\n") == Passed(note="Syntax is sound.")
