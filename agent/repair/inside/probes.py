"""Puts a probe before every statement of some files: what it costs is a call of `set.add`.

For Pythons whose trace functions are dear. Functions that were made already get the code with the
probes in the place of their own; files that are imported later are compiled with them. A statement
counts with all of its lines, without the blocks below it. Where a function cannot be told from
another it is left as it is. The process is of no use for anything else afterwards.
"""

# Pathlib would cost the start of every process that is forked here.
# ruff: noqa: PTH113, PTH123
from __future__ import annotations

import ast
import contextlib
import gc
import importlib.machinery
import os
import types
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

MOST_BYTES = 4 * 1024 * 1024
"""More source takes longer to compile (about 1 s a MB) than a trace function costs."""
_MARK = "\0probe"
"""Stands for the probe in the constants of compiled code, until it is put there."""


class Probes:
    """Files with probes, and which of them were hit."""

    def __init__(self, files: Iterable[str]) -> None:
        self._hit: dict[str, set[int]] = {path: set() for path in files}
        self._spans: dict[str, dict[int, set[int]]] = {}

    @classmethod
    def into(cls, files: Iterable[str]) -> Probes | None:
        """Put probes into files, imported already or not; None where that would take too long."""
        present = [path for path in files if os.path.isfile(path)]
        if sum(map(os.path.getsize, present)) > MOST_BYTES:
            return None
        probes = cls(present)
        probes._replace(_functions(set(present)))
        probes._replace_later_imports()
        return probes

    def clear(self) -> None:
        """Begin with nothing hit."""
        for lines in self._hit.values():
            lines.clear()

    def lines(self) -> dict[str, set[int]]:
        """Return the lines of the statements that were hit, by file."""
        return {
            path: set().union(*(self._spans[path][line] for line in hit))
            for path, hit in self._hit.items()
            if hit
        }

    def _replace(self, functions: Iterable[types.FunctionType]) -> None:
        codes: dict[str, dict[object, types.CodeType | None]] = {}
        for function in functions:
            path = function.__code__.co_filename
            if path not in codes:
                codes[path] = _by_key(self._compiled(path))
            if code := codes[path].get(_key(function.__code__)):
                with contextlib.suppress(ValueError):  # it closes over something else
                    function.__code__ = code

    def _replace_later_imports(self) -> None:
        loader: Any = importlib.machinery.SourceFileLoader
        get_code = loader.get_code

        def code_with_probes(this: Any, name: str) -> Any:
            path = this.get_filename(name)
            code = self._compiled(path) if path in self._hit else None
            return get_code(this, name) if code is None else code

        loader.get_code = code_with_probes

    def _compiled(self, path: str) -> types.CodeType | None:
        try:
            with open(path, "rb") as file:
                code, self._spans[path] = with_probes(file.read(), path, self._hit[path].add)
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        return code


def with_probes(
    text: bytes, path: str, add: Callable[[int], object]
) -> tuple[types.CodeType, dict[int, set[int]]]:
    """Compile a file so that `add` is called with the first line of each statement before it runs.

    Returns with it which lines stand for that one. Raises: SyntaxError, ValueError.
    """
    tree = ast.parse(text, path)
    spans: dict[int, set[int]] = {}
    _put_into(tree, spans)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one would say that the mark cannot be called
        code: types.CodeType = compile(tree, path, "exec", dont_inherit=True)
    return _filled(code, add), spans


def _filled(code: types.CodeType, add: Callable[[int], object]) -> types.CodeType:
    consts: list[object] = []
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            consts.append(_filled(const, add))
        else:
            consts.append(add if isinstance(const, str) and const == _MARK else const)
    return code.replace(co_consts=tuple(consts))


def _put_into(node: ast.AST, spans: dict[int, set[int]]) -> None:
    """Put a call of the mark before each statement below a node, and into each lambda."""
    for child in ast.iter_child_nodes(node):
        _put_into(child, spans)
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            setattr(node, name, list(_with_marks(block, spans)))
    if isinstance(node, ast.Lambda):
        lines = set(range(node.body.lineno, _end(node.body) + 1))
        both = [_call(node.body, lines, spans), node.body]  # what `add` returns is false
        node.body = ast.copy_location(ast.BoolOp(op=ast.Or(), values=both), node.body)
    # Clauses that were looked at in vain count as well; `cases` is newer than the oldest Python
    tried: set[int] = set()
    for clause in [*getattr(node, "handlers", ()), *getattr(node, "cases", ())]:
        header = getattr(clause, "pattern", clause)
        tried |= set(range(header.lineno, clause.body[0].lineno)) or {header.lineno}
        clause.body.insert(0, _statement(header, tried, spans))


def _with_marks(block: list[ast.stmt], spans: dict[int, set[int]]) -> Iterator[ast.stmt]:
    for index, statement in enumerate(block):
        if not _has_to_come_first(statement, index):
            yield _statement(statement, _own_lines(statement), spans)
        yield statement


def _own_lines(statement: ast.stmt) -> set[int]:
    """Return the lines of a statement without its blocks and without its lambdas' bodies."""
    cases = [case.pattern for case in getattr(statement, "cases", ())]
    body: list[ast.stmt] = getattr(statement, "body", cases)
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(one.lineno for one in decorators)])
    last = max(statement.lineno, body[0].lineno - 1) if body else _end(statement)
    lines = set(range(first, last + 1))
    for node in ast.walk(statement) if not body and last > first else ():
        if isinstance(node, ast.Lambda) and node.body.lineno > first:
            lines.difference_update(range(node.body.lineno, _end(node.body) + 1))
    return lines


def _end(node: ast.expr | ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _has_to_come_first(statement: ast.stmt, index: int) -> bool:
    if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
        return True
    is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return index == 0 and is_text


def _statement(at: Any, lines: set[int], spans: dict[int, set[int]]) -> ast.stmt:
    return ast.copy_location(ast.Expr(_call(at, lines, spans)), at)


def _call(at: Any, lines: set[int], spans: dict[int, set[int]]) -> ast.expr:
    spans.setdefault(at.lineno, set()).update(lines)
    mark, line = ast.Constant(_MARK), ast.Constant(at.lineno)
    call = ast.Call(func=mark, args=[line], keywords=[])
    for node in (mark, line, call):
        ast.copy_location(node, at)
    return call


def _functions(paths: set[str]) -> list[types.FunctionType]:
    """Return every function that was made from code of some files."""
    gc.unfreeze()
    found = [
        one
        for one in gc.get_objects()
        if isinstance(one, types.FunctionType) and one.__code__.co_filename in paths
    ]
    gc.freeze()
    return found


def _by_key(module: types.CodeType | None) -> dict[object, types.CodeType | None]:
    """Return all code inside of a module's; None stands for what cannot be told apart."""
    found: dict[object, types.CodeType | None] = {}
    left = [module] if module is not None else []
    while left:
        for const in left.pop().co_consts:
            if isinstance(const, types.CodeType):
                found[_key(const)] = None if _key(const) in found else const
                left.append(const)
    return found


def _key(code: types.CodeType) -> object:
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return (code.co_name, code.co_firstlineno, names, code.co_freevars, code.co_flags)
