"""How much of a Python file's code differs between two versions; comments and docstrings are none.

Reads with the Python that runs it, so a file in the syntax of Python 2 is not read at all.
"""

import ast
import io
import tokenize
import warnings
from difflib import SequenceMatcher

from agent.repair.forms import form
from agent.repo.languages import Language


def code_lines(source: bytes) -> tuple[str, ...] | None:
    """Return the lines without docstrings, comments and blank ones; None where it is no Python 3.

    A comment behind code is taken from its line.
    """
    try:
        text = source.decode("utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (SyntaxError, ValueError, tokenize.TokenError, RecursionError):
        return None
    lines: list[str] = text.splitlines()
    for token in tokens:
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for first, last in _docstrings(tree):
        lines[first - 1 : last] = [""] * (last - first + 1)
    return tuple(line.rstrip() for line in lines if line.strip())


def changed_lines(old: bytes, new: bytes) -> int | None:
    """Return how many lines of code differ, of each hunk the larger side; None: not readable."""
    before, after = code_lines(old), code_lines(new)
    if before is None or after is None:
        return None
    matcher = SequenceMatcher(a=before, b=after, autojunk=False)
    return sum(
        max(old_end - old_start, new_end - new_start)
        for what, old_start, old_end, new_start, new_end in matcher.get_opcodes()
        if what != "equal"
    )


def code_form(source: bytes) -> object:
    """Return what is equal for two versions that say the same to a reader of the code."""
    lines = code_lines(source)
    if lines is None:
        return source
    return form(Language.PYTHON, "\n".join(lines).encode())


def _docstrings(tree: ast.AST) -> list[tuple[int, int]]:
    """Return first and last line of every string that is a statement."""
    return [
        (node.lineno, node.end_lineno or node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]
