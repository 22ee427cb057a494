"""The 40 Python programs of QuixBugs as small projects: a program, and a test for each case.

Reads a checkout of the benchmark (github.com/jkoppel/QuixBugs) and changes nothing in it. Runs
nothing.
"""

import ast
import hashlib
import json
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.errors import ConfigError

SLOWEST: Final = {
    "knapsack": "6404180",
    "levenshtein": "amanaplanacanalpanama",
}
"""What the one case holds that the benchmark itself leaves out: minutes with the right program."""
TEST_S: Final = 2
"""What pytest-timeout gives a test, which the benchmark's own page asks for: three programs never
end, and some that are edited."""
CALLS: Final = {
    "flatten": "list({})",
    "kheapsort": "list({})",
}
"""How a result is read that is not compared as it is."""
EXPECTED: Final = {
    "hanoi": "[tuple(step) for step in {}]",
    "sqrt": "pytest.approx({}, abs={})",
}
"""The same for what is expected; the second blank is the last argument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test."""

    name: str
    source: str
    """The whole function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program with its bug."""

    name: str
    broken: str
    correct: str
    cases: tuple[Case, ...]
    helpers: tuple[tuple[str, str], ...] = ()
    """Further files of the project: name and text."""

    @property
    def path(self) -> str:
        """The file of the program in its project."""
        return f"{self.name}.py"

    @property
    def names(self) -> tuple[str, ...]:
        """Of all cases, in order."""
        return tuple(case.name for case in self.cases)


def load_programs(checkout: Path) -> tuple[Program, ...]:
    """Return the programs by name. Raises: ConfigError where the folder is not the benchmark."""
    folder = checkout / "python_programs"
    if not folder.is_dir():
        raise ConfigError(
            f"{checkout} is no checkout of QuixBugs: it has no folder python_programs.",
            remedy="Give --checkout the folder of a clone of github.com/jkoppel/QuixBugs.",
        )
    tests = {path.stem.removeprefix("test_") for path in checkout.glob("python_testcases/test_*")}
    return tuple(
        _program(checkout, path.stem) for path in sorted(folder.glob("*.py")) if path.stem in tests
    )


def _program(checkout: Path, name: str) -> Program:
    data = checkout / "json_testcases" / f"{name}.json"
    tests = (checkout / "python_testcases" / f"test_{name}.py").read_text()
    node = checkout / "python_testcases" / "node.py"
    return Program(
        name=name,
        broken=(checkout / "python_programs" / f"{name}.py").read_text(),
        correct=(checkout / "correct_python_programs" / f"{name}.py").read_text(),
        cases=tuple(_from_data(name, data.read_text()) if data.exists() else _written(tests)),
        helpers=()
        if data.exists() or "import Node" not in tests
        else (("node.py", node.read_text()),),
    )


def _from_data(name: str, text: str) -> Iterator[Case]:
    """Return a test for each line: arguments and result as JSON."""
    for number, line in enumerate(filter(None, map(str.strip, text.splitlines())), 1):
        if name in SLOWEST and SLOWEST[name] in line:
            continue
        given, expected = json.loads(line)
        arguments = given if isinstance(given, list) else [given]
        call = f"{name}({', '.join(map(repr, arguments))})"
        shown = EXPECTED.get(name, "{}").format(repr(expected), repr(arguments[-1]))
        read = CALLS.get(name, "{}").format(call)
        case = f"test_case_{number}"
        yield Case(name=case, source=f"def {case}():\n    assert {read} == {shown}\n")


def _written(text: str) -> Iterator[Case]:
    """Return the test functions of a test file, each with what the file sets up for all of them.

    As they stand some change what others use, so that their order would matter.
    """
    body = ast.parse(text).body
    imports = ast.FunctionDef | ast.Import | ast.ImportFrom | ast.If
    shared = [ast.get_source_segment(text, node) for node in body if not isinstance(node, imports)]
    setting = textwrap.indent("".join(f"{each}\n" for each in shared), "    ")
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            head, _, rest = (ast.get_source_segment(text, node) or "").partition("\n")
            yield Case(name=node.name, source=f"{head}\n{setting}{rest}\n")


def project_files(program: Program, cases: Iterable[str]) -> dict[str, str]:
    """Return the files of the project with the bug and only these cases, by path."""
    return {
        program.path: program.broken,
        **dict(program.helpers),
        f"test_{program.name}.py": tests_text(program, cases),
        "pytest.ini": f"[pytest]\ntimeout = {TEST_S}\n",
        ".gitignore": ".venv/\n__pycache__/\n.pytest_cache/\n",
    }


def tests_text(program: Program, cases: Iterable[str]) -> str:
    """Return a test file with these cases."""
    wanted = frozenset(cases)
    sources = [case.source for case in program.cases if case.name in wanted]
    body = "\n\n".join(sources)
    imports = [f"from {program.name} import {program.name}"]
    imports += ["from node import Node"] if program.helpers else []
    head = ["import pytest", ""] if "pytest." in body else []
    return "\n".join([*head, *imports, "", "", body])


def shown_half(program: Program, failing: frozenset[str]) -> tuple[str, ...]:
    """Return the cases that the search may see where the others are hidden.

    Every second one in the order of their hashes; one that fails is put among them where chance
    hid them all.
    """
    ordered = sorted(program.names, key=lambda name: _hash(f"{program.name}/{name}"))
    shown = ordered[::2]
    if not failing.intersection(shown):
        shown = [*shown[:-1], *[name for name in ordered if name in failing][:1]]
    return tuple(name for name in program.names if name in shown)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def is_published_fix(program: Program, text: str) -> bool:
    """Tell whether the code is that of the benchmark's own correct version, layout aside."""
    return _code(text) == _code(program.correct)


def _code(text: str) -> list[str]:
    """Return what is compared: the statements without texts that stand alone."""
    return [ast.dump(node) for node in ast.parse(text).body if not _is_text(node)]


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
