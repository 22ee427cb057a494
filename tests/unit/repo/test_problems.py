import threading

import pytest

from agent.repo.languages import Language, parser_for
from agent.repo.problems import Problem, Unread, find_problems, is_certain
from agent.task import RepoPath


def problems(text: str):
    found = find_problems(RepoPath("a.py"), text.encode())
    assert not isinstance(found, Unread)
    return found


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("def f(:\n    pass\n", 1, "`)` is missing"),
        ("x = (1,\n\ny = 2\n", 1, "`(` is never closed"),
        ("def f():\n    return (total\n", 2, "`(` is never closed"),
        ("a = = 2\n", 1, "unexpected `=`"),
        ("x = ]\n" + "y" * 90 + " " + "z" * 90 + "\n", 1, "unexpected"),
        ("def f():\n    '''doc\n", 2, "the string that begins here is never closed"),
        ("else:\n    pass\n", 1, "unexpected"),
        (
            "def f():\n    x = 1\n      y = 2\n",
            3,
            "indented by 6 spaces, the lines of its block by 4",
        ),
        ("def f():\nreturn 1\n", 1, "an indented block has to follow this line"),
        ("def f(x):\n    if x:\n    return 1\n", 2, "an indented block has to follow"),
        (" x = 1\n", 1, "indented by 1 space, the lines of its block by nothing"),
        (
            "if x:\n\ty = 1\n        z = 2\n",
            3,
            "indented by 8 spaces, the lines of its block by 1 tab",
        ),
        (
            "class A:\n    def f(self):\n        pass\n   def g(self):\n        pass\n",
            4,
            "3 spaces",
        ),
        ("try:\n    x\ny = 1\n", 1, "`try` has neither"),
    ],
)
def test_a_fault_is_named_where_it_is(text, line, what):
    found = problems(text)
    assert found[0].line == line
    assert what in found[0].what


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\ufeffx = 1\n",
        "def f():\n    # c\n  # d\n    x = 1; y = 2\n    if x: pass\n    elif y:\n        pass\n",
        "match x:\n    case 1:\n        pass\n",
        "x = [\n  1,\n      2,\n]\n",
        "try:\n    pass\nfinally:\n    pass\n",
        "try:\n    pass\nexcept* E:\n    pass\n",
        "\x0cclass A: ...\n",
        "if x:\r\n    y = 1\r\n    z = 2\r\n",
        "def f[T](x: T) -> T:\n    return x\n",
        "x = f'{a!r:>{b}}'\n",
        "async def f():\n    async with a, b:\n        await c\n",
    ],
)
def test_sound_source_has_no_problem(text):
    assert problems(text) == ()


def test_a_problem_names_the_smallest_definition_around_it():
    found = problems("class A:\n    def f(self):\n        x = 1\n          y = 2\n")
    assert found == (
        Problem(
            line=4,
            column=11,
            what="indented by 10 spaces, the lines of its block by 8 spaces",
            around="def f",
            first_line=2,
            last_line=4,
        ),
    )
    assert problems("x = (\n")[0].around == ""


def test_problems_are_bounded_and_in_order():
    found = problems("x = = 1\n" * 60)
    assert len(found) == 20
    assert [p.line for p in found] == sorted(p.line for p in found)


def test_without_a_grammar_nothing_is_known():
    assert find_problems(RepoPath("a.dart"), b"func (") == Unread(suffix="dart")
    assert find_problems(RepoPath("Makefile"), b"") == Unread(suffix="")


def test_any_language_with_a_grammar_tells_where_it_does_not_parse():
    data = b"function f() {\n  g(\n}\n"
    assert find_problems(RepoPath("a.js"), b"function f() {\n}\n") == ()
    (problem,) = find_problems(RepoPath("a.js"), data)
    assert (problem.around, problem.first_line) == ("function f", 1)
    assert not is_certain(RepoPath("a.js"))


def test_each_thread_has_its_own_parser():
    parsers = [parser_for(Language.PYTHON)]
    thread = threading.Thread(target=lambda: parsers.append(parser_for(Language.PYTHON)))
    thread.start()
    thread.join()
    assert parsers[0] is parser_for(Language.PYTHON)
    assert parsers[0] is not parsers[1]
