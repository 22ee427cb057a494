"""Which lines a test ran: every way of looking has to see the same statements."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from agent.repair.inside import probes
from agent.repair.inside.probes import Probes, with_probes
from agent.repair.validate.fork_server import inside_files

CODE = '''\
"""Has one of everything that a line can be."""

from __future__ import annotations

import functools


def branches(value):
    """Not a line that runs."""
    if (
        value > 3
        and value < 9
    ):
        return "some"
    elif value == 0:
        return "none"
    for step in range(value):
        if step == 2:
            break
    else:
        value = -value
    while value > 100:
        value -= 1
    return [
        value
        for _ in range(2)
    ]


def fails(kind):
    try:
        raise kind
    except KeyError:
        return 1
    except ValueError:
        return 2
    finally:
        kind = None


def later(
    first,
    second=2,
):
    return lambda: (
        first
        + second
    )


def oneline(value): return value - 1


def logged(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


@logged
def decorated(value):
    with open("/dev/null") as file:
        file.read()
    return value


@functools.lru_cache(maxsize=None)
def cached(value):
    import lazy
    return lazy.twice(value)


def numbers():
    yield 1
    received = yield 2
    if received:
        yield 3


class Box:
    size = 1

    def __init__(self, items):
        super().__init__()
        self.__items = items

    def last(self):
        def inner():
            return self.__items[-1]

        return inner()

    @property
    def name(self):
        return "box"


PAIR = (lambda a: a, lambda b: b)
'''
LAZY = "def twice(value):\n    return value * 2\n"
SCRIPT = """
import json, sys
sys.path[:0] = [{tools!r}, {project!r}]
from {package}.lines import LineCollector
import everything as e

def raising(kind):
    return lambda: e.fails(kind)

TESTS = [
    lambda: e.branches(5), lambda: e.branches(0), lambda: e.branches(2), lambda: e.branches(103),
    raising(KeyError), raising(ValueError),
    lambda: e.later(1), lambda: e.later(1)(), lambda: e.oneline(2), lambda: e.decorated(3),
    lambda: e.cached(4), lambda: list(e.numbers()), lambda: e.Box([1]).last(),
    lambda: e.Box([1]).name, lambda: [f(1) for f in e.PAIR], lambda: None,
]
collector = LineCollector({project!r}, {files!r})
found = []
for test in TESTS:
    collector.start()
    test()
    found.append(collector.stop())
print(json.dumps(found))
"""
PYTHONS = [
    sys.executable,  # and neighbours of it, where there are any: oldest that is served, and newest
    *(str(path) for path in Path(sys.base_prefix).parent.glob("3.8*/bin/python3")),
    *(str(path) for path in Path(sys.base_prefix).parent.glob("3.13*/bin/python3")),
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    tools = tmp_path / "tools"
    for name, data in inside_files().items():
        (tools / name).parent.mkdir(parents=True, exist_ok=True)
        (tools / name).write_bytes(data)
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "everything.py").write_text(CODE)
    (folder / "lazy.py").write_text(LAZY)
    return folder


def lines_in(project: Path, files: list[str] | None, python: str) -> list[dict[str, list[int]]]:
    """What each of the tests in the script above runs, in a process of its own."""
    package = next(path.name for path in (project.parent / "tools").iterdir())
    script = SCRIPT.format(
        tools=str(project.parent / "tools"), project=str(project), package=package, files=files
    )
    done = subprocess.run(
        [python, "-B", "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, list[int]]] = json.loads(done.stdout)
    return found


def number_of(text: str) -> int:
    return next(
        number for number, line in enumerate(CODE.splitlines(), 1) if line.strip() == text.strip()
    )


@pytest.mark.parametrize("python", PYTHONS)
def test_with_files_given_the_same_statements_are_seen(project: Path, python: str) -> None:
    every = lines_in(project, None, python)
    chosen = lines_in(project, ["everything.py", "lazy.py"], python)
    for path in ("everything.py", "lazy.py"):
        known = {line for lines in every for line in lines.get(path, ())}
        for seen, wanted in zip(chosen, every, strict=True):
            assert set(wanted.get(path, ())) <= set(seen.get(path, ()))
            assert statements(known.intersection(seen.get(path, ()))) == statements(
                wanted.get(path, ())
            )


def statements(lines: Iterable[int]) -> set[int]:
    """The first lines of the statements that lines belong to."""
    rows = ["", *CODE.splitlines()]
    starts = {
        line + more: line
        for line, row in enumerate(rows)
        if row.strip() in {"if (", "return ["}
        for more in range(4)
    }
    return {starts.get(line, line) for line in lines}


@pytest.mark.parametrize("files", [None, ["everything.py"]])
def test_what_did_not_run_is_not_seen(project: Path, files: list[str] | None) -> None:
    five, zero, two, *_ = lines_in(project, files, sys.executable)
    some, none = number_of('return "some"'), number_of('return "none"')
    assert (some in five["everything.py"], none in five["everything.py"]) == (True, False)
    assert (some in zero["everything.py"], none in zero["everything.py"]) == (False, True)
    assert number_of("value = -value") in two["everything.py"]
    assert number_of("break") not in two["everything.py"]


def test_files_that_nobody_asked_for_are_left_alone(project: Path) -> None:
    found = lines_in(project, ["lazy.py", "gone.py"], sys.executable)
    assert {path for lines in found for path in lines} == {"lazy.py"}
    assert found[-1] == {}


def test_a_lambda_that_only_came_to_be_did_not_run(project: Path) -> None:
    found = lines_in(project, ["everything.py"], sys.executable)
    made, called = found[6]["everything.py"], found[7]["everything.py"]
    assert number_of("+ second") not in made
    assert number_of("+ second") in called


def hits(text: str, name: str, argument: object) -> set[int]:
    """The lines that a call of a function hits, by probes in this process."""
    hit: set[int] = set()
    code, spans = with_probes(text.encode(), "made_up.py", hit.add)
    names: dict[str, Any] = {}
    exec(code, names)
    hit.clear()
    names[name](argument)
    return {line for first in hit for line in spans[first]}


def test_clauses_that_were_looked_at_in_vain_count() -> None:
    text = (
        "def f(value):\n"  # 1
        "    match value:\n"
        "        case 1:\n"  # 3
        "            return 'one'\n"
        "        case 2:\n"  # 5
        "            return 'two'\n"
        "        case _:\n"  # 7
        "            return 'many'\n"
    )
    assert hits(text, "f", 1) == {2, 3, 4}
    assert hits(text, "f", 2) == {2, 3, 5, 6}
    assert hits(text, "f", 9) == {2, 3, 5, 7, 8}


def test_the_header_of_a_compound_statement_counts_without_its_block() -> None:
    text = (
        "def f(value):\n"
        "    with open(\n"
        "        value\n"
        "    ) as file:\n"
        "        file.read()\n"
        "        if False: file.write('x')\n"
    )
    assert hits(text, "f", "/dev/null") == {2, 3, 4, 5, 6}


def test_more_source_than_can_be_compiled_in_time_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "large.py").write_text("value = 1\n" * 20)
    monkeypatch.setattr(probes, "MOST_BYTES", 100)
    assert Probes.into([str(tmp_path / "large.py")]) is None
