"""Trees, tokens and languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.repo.languages import Language, language_of
from agent.repo.syntax import ancestors, first_error, parse, text_of, tokens, walk
from agent.task import RepoPath

PYTHON = Language.PYTHON


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a/b.py", PYTHON),
        ("a.pyi", PYTHON),
        ("a.js", Language.JAVASCRIPT),
        ("a.go", None),
        ("Makefile", None),
        ("a.py/b", None),
    ],
)
def test_languages_are_known_by_suffix(path: str, language: Language | None) -> None:
    assert language_of(RepoPath(path)) is language


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a = 1", "a=1  # why"),
        ("if a:\n    b", "if a:\n\n  b"),
        ("f(a,\n  b)", "f(a, b)"),
    ],
)
def test_layout_and_comments_make_no_difference(one: str, other: str) -> None:
    assert tokens(PYTHON, one.encode()) == tokens(PYTHON, other.encode())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("if a:\n    b\nc", "if a:\n    b\n    c"),
        ("a = 1", "a = 2"),
        ("f(a, b)", "f(b, a)"),
        ("a = 'b  c'", "a = 'b c'"),
    ],
)
def test_meaning_makes_a_difference(one: str, other: str) -> None:
    assert tokens(PYTHON, one.encode()) != tokens(PYTHON, other.encode())


def test_the_first_syntax_error_is_located() -> None:
    assert first_error(parse(PYTHON, b"a = 1\nb = (\nc = 2\n")) is not None
    assert first_error(parse(PYTHON, b"a = 1\n)\n")) == 1
    assert first_error(parse(PYTHON, b"a = 1\n")) is None


def test_walking_can_leave_out_what_is_below() -> None:
    root = parse(PYTHON, b"def f():\n    return g\n").root_node
    seen = [node.type for node in walk(root, into=lambda node: node.type != "block")]
    assert "block" in seen
    assert "return_statement" not in seen


def test_ancestors_come_innermost_first() -> None:
    root = parse(PYTHON, b"f(a)\n").root_node
    name = next(node for node in walk(root) if text_of(node) == "a")
    assert [node.type for node in ancestors(name)] == [
        "argument_list",
        "call",
        "expression_statement",
        "module",
    ]


@given(st.binary(max_size=200))
def test_any_bytes_have_a_tree_and_tokens(data: bytes) -> None:
    assert parse(PYTHON, data).root_node.end_byte <= len(data)
    assert all(part in data for part in tokens(PYTHON, data) if part not in {b"{", b"}"})
