"""Run by the scorer in a process of its own: all cases, and the right program beside the patched.

`python -m tests.bench.repair.quixbugs_driver FOLDER NAME COUNT SECONDS`: FOLDER holds the patched
program, `all_cases.py` with every test, and the right program below `correct`. Prints one JSON
object.
"""

import importlib
import importlib.util
import json
import math
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.bench.repair.quixbugs_inputs import GRAPHS, arguments

MEMORY_BYTES = 2 * 1024**3
LONGEST = 5_000
"""Items that are read of what a program gives back."""


class TookTooLong(BaseException):
    """Not an `Exception`: a program under test may catch these."""


def main(folder: Path, name: str, count: int, seconds: float) -> dict[str, Any]:
    """Return which cases pass, and on how many inputs both programs do the same."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    sys.path.insert(0, str(folder))
    try:
        with within(5 * seconds):
            patched = getattr(importlib.import_module(name), name)
            cases = importlib.import_module("all_cases")
    except (Exception, TookTooLong) as problem:  # noqa: BLE001 - the program may do anything
        return {"passed": [], "failed": [], "import": repr(problem)}
    right = getattr(_load(folder / "correct" / f"{name}.py", "right_program"), name)
    outcome: dict[str, Any] = {"passed": [], "failed": []}
    for case, function in vars(cases).items():
        if case.startswith("test") and callable(function):
            outcome["passed" if _passes(function, 5 * seconds) else "failed"].append(case)
    return {**outcome, **_compared(name, patched, right, count, seconds)}


def _compared(
    name: str, patched: Callable[..., Any], right: Callable[..., Any], count: int, seconds: float
) -> dict[str, Any]:
    equal = total = 0
    first = ""
    node = importlib.import_module("node").Node if name in GRAPHS and _has_node() else _no_node
    for number in range(count):
        expected = _answer(right, arguments(name, number, node), seconds)
        if expected[0] != "returns":
            continue  # outside of what the program is meant for
        total += 1
        got = _answer(patched, arguments(name, number, node), seconds)
        if _same(name, arguments(name, number, node), expected, got):
            equal += 1
        elif not first:
            shown = [_plain(each) for each in arguments(name, number, node)]
            first = f"{name}{tuple(shown)}: {expected[1]!r} expected, {got[0]} {got[1]!r}"[:300]
        if total - equal >= 5:
            break  # it is another program; no need to wait for more
    return {"equal": equal, "inputs": total, "first": first}


def _has_node() -> bool:
    return importlib.util.find_spec("node") is not None


def _no_node(*_values: Any) -> None:
    return None


def _passes(function: Callable[[], None], seconds: float) -> bool:
    try:
        with within(seconds):
            function()
    except (Exception, TookTooLong):  # noqa: BLE001 - the program may do anything
        return False
    return True


def _answer(function: Callable[..., Any], given: list[Any], seconds: float) -> tuple[str, Any]:
    try:
        with within(seconds):
            return "returns", _plain(function(*given))
    except TookTooLong:
        return "takes too long", None
    except Exception as problem:  # noqa: BLE001 - the program may do anything
        return "raises", type(problem).__name__


def _plain(value: Any) -> Any:
    """Return what is compared: values and their order, whatever they came in."""
    if hasattr(value, "successors"):
        return _chain(value)
    if isinstance(value, float):
        return value if math.isinf(value) else round(value, 9)
    if isinstance(value, Mapping):
        return sorted(([_plain(key), _plain(each)] for key, each in value.items()), key=repr)
    if isinstance(value, set | frozenset):
        return sorted((_plain(each) for each in value), key=repr)
    if isinstance(value, list | tuple | Iterator):
        return [_plain(each) for each in islice(value, LONGEST)]
    return value


def _chain(node: Any) -> list[Any]:
    """Return the values of a linked list, or of the one node."""
    values: list[Any] = []
    while node is not None and len(values) < 50:
        values.append(node.value)
        node = node.successor
    return values


def _same(name: str, given: list[Any], expected: tuple[str, Any], got: tuple[str, Any]) -> bool:
    if got == expected and type(got[1]) is type(expected[1]):
        return True
    if got[0] != "returns":
        return False
    if name == "sqrt":
        return isinstance(got[1], int | float) and abs(got[1] - expected[1]) <= given[1]
    if name == "longest_common_subsequence" and isinstance(got[1], str):
        as_long = len(got[1]) == len(expected[1])
        return as_long and all(_is_within(got[1], text) for text in given)
    return False


def _is_within(part: str, whole: str) -> bool:
    letters = iter(whole)
    return all(letter in letters for letter in part)


def _load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise `TookTooLong` inside after so many seconds of CPU."""

    def ring(_signal: int, _frame: object) -> None:
        raise TookTooLong

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


if __name__ == "__main__":
    where, which, number_of, limit = sys.argv[1:5]
    sys.stdout.write(
        json.dumps(main(Path(where), which, int(number_of), float(limit)), default=repr)
    )
