"""Tests that stand in the docstrings of code: the code may change, what they say may not."""

import ast
from pathlib import PurePosixPath

from agent.edits.changes import Content
from agent.task import RepoPath
from agent.verify.report import TestReport, TestResult

_PROMPT = ">>>"
_OTHER_WAYS = (b"__doc__", b"__test__")
"""How code itself sets what a docstring says, or adds tests to it."""


def is_doctest(result: TestResult) -> bool:
    """Tell by its id, `a/b.py::a.b.function`, whether a test stands in a docstring of code."""
    path = PurePosixPath(result.path or result.id.partition("::")[0])
    module = path.parent.name if path.stem == "__init__" else path.stem
    name = result.id.partition("::")[2]
    return path.suffix == ".py" and "." in name and module in name.split(".")


def modules_with_doctests(report: TestReport) -> frozenset[RepoPath]:
    """Return the files of which every test stands in a docstring."""
    doctests, others = set[RepoPath](), set[RepoPath]()
    for result in report.results.values():
        if result.path:
            (doctests if is_doctest(result) else others).add(result.path)
    return frozenset(doctests - others)


def says_the_same(before: Content | None, after: Content | None) -> bool:
    """Tell whether two states of a module have the same examples at the same places.

    Not where one cannot be parsed, or where the code sets docstrings otherwise than before.
    """
    if before is None or after is None:
        return False
    if any(before.data.count(way) != after.data.count(way) for way in _OTHER_WAYS):
        return False
    said, says = _examples(before.data), _examples(after.data)
    return said is not None and said == says


def _examples(data: bytes) -> list[tuple[str, str]] | None:
    """Return the docstrings that hold examples, by the name of what they describe."""
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found: list[tuple[str, str]] = []
    left: list[tuple[str, ast.AST]] = [("", tree)]
    while left:
        name, node = left.pop()
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node, clean=False)
            if text is not None and _PROMPT in text:
                found.append((name, text))
        inside = ast.iter_child_nodes(node)
        left.extend((f"{name}.{getattr(inner, 'name', '')}", inner) for inner in inside)
    return sorted(found)
