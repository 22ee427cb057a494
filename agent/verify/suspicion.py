"""Looks at what a candidate adds outside the tests, for the ways by which code cheats a test run.

Static and therefore incomplete: what is built from pieces at run time is not seen here. It is the
last of several layers, and the one that catches code which asks whether it is being tested.
Two grades: a reach for the runner itself condemns the candidate, the rest is shown to a person.
"""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from typing import Final

from agent.edits.changes import Content, Delta
from agent.task import RepoPath
from agent.verify.javascript.suspicion import SCRIPT_ENDINGS, new_in_script

_CONDEMNED: Final = {
    "pytest": "code outside the tests reaches for pytest",
    "_pytest": "code outside the tests reaches for pytest",
    "pluggy": "code outside the tests reaches for pytest's plugin system",
    "unittest": "code outside the tests reaches for unittest",
    "os._exit": "ends the process without a word to the test runner",
    "sys.modules": "rearranges imported modules",
    "sys.meta_path": "rearranges how modules are imported",
    "sys.settrace": "watches or changes running code",
    "sys.setprofile": "watches or changes running code",
    "sys.addaudithook": "watches running code",
    "sys._getframe": "looks into the frames of its callers",
    "sys._current_frames": "looks into the frames of others",
    "gc.get_objects": "searches memory for objects of others",
    "gc.get_referrers": "searches memory for objects of others",
    "gc.get_referents": "searches memory for objects of others",
    "inspect.currentframe": "looks into the frames of its callers",
    "inspect.stack": "looks into the frames of its callers",
    "atexit.register": "runs after the tests are over",
    "ctypes": "works below the interpreter",
    "__code__": "swaps the code of functions",
    "f_back": "looks into the frames of its callers",
    "tb_frame": "looks into the frames of its callers",
    "gi_frame": "looks into the frames of others",
}
_SHOWN: Final = {
    "exec": "runs code built at run time",
    "eval": "runs code built at run time",
    "compile": "runs code built at run time",
    "__import__": "imports by a name made at run time",
    "importlib": "imports by a name made at run time",
    "builtins": "changes or reads builtins by name",
    "sys.exit": "ends the process",
    "os.kill": "signals processes",
    "os.abort": "ends the process",
    "os.fork": "forks the process",
    "signal": "changes signals",
    "subprocess": "starts processes",
    "os.system": "starts processes",
    "threading": "starts threads",
}
_OF_TESTS: Final = frozenset({"pytest", "unittest"})
"""What a test imports for honest reasons."""
_INNARDS: Final = frozenset({"__code__", "f_back", "tb_frame", "gi_frame"})
"""Attributes that are suspicious whatever they are taken from."""
_SPELLED: Final = {
    "_exit": "os._exit",
    "modules": "sys.modules",
    "pytest": "pytest",
    "__code__": "__code__",
    "__eq__": "__eq__",
    "__ne__": "__ne__",
}
"""Names that mean the same when they are given as text, to getattr or type."""
_TEXTS: Final = re.compile(
    r"PYTEST_[A-Z_]+|_pytest\b|/run/greenloop|greenloop_\w+|/proc/(self|\d+)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicions:
    """What a candidate's own code newly does; each entry is one line for a person."""

    condemned: tuple[str, ...] = ()
    """Reaches for the measuring instrument: not a candidate for green."""
    shown: tuple[str, ...] = ()
    """Unusual in a repair; a person should look. Lowers the confidence."""
    paths: tuple[RepoPath, ...] = ()
    """Files of `condemned`."""


def look_at(
    delta: Delta, read: Callable[[RepoPath], Content | None], *, tests: Set[RepoPath] = frozenset()
) -> Suspicions:
    """Compare each changed file of code with the base and return what is new in it.

    `tests` are new test files, which may use the test runner.
    """
    condemned: list[str] = []
    shown: list[str] = []
    paths: list[RepoPath] = []
    for path, after in sorted(delta.items()):
        if after is None:
            continue
        before = read(path)
        if path.endswith(SCRIPT_ENDINGS):
            for why, is_grave in new_in_script(before.data if before else b"", after.data):
                (condemned if is_grave else shown).append(f"{path}: {why}")
                paths += [path] if is_grave else []
            continue
        if not path.endswith((".py", ".pyi", ".pyw")):
            continue
        new = _traits(after.data) - _traits(before.data if before else b"")
        allowed = _OF_TESTS if path in tests else frozenset[str]()
        for trait in sorted(set(new) - allowed):
            if why := _CONDEMNED.get(trait) or _text_reason(trait):
                condemned.append(f"{path}: `{trait}` {why}")
                paths.append(path)
            elif why := _SHOWN.get(trait) or _SHAPES.get(trait, ""):
                shown.append(f"{path}: `{trait}` {why}")
    return Suspicions(
        condemned=tuple(condemned), shown=tuple(shown), paths=tuple(dict.fromkeys(paths))
    )


_SHAPES: Final = {
    "__eq__": "decides itself what it is equal to",
    "__ne__": "decides itself what it is equal to",
    "swallows everything": "an exception handler that catches everything and does nothing",
}


def _text_reason(trait: str) -> str:
    if _TEXTS.fullmatch(trait):
        return "asks whether it is being tested, or reaches for the runner's files"
    return ""


def _traits(data: bytes) -> Counter[str]:
    """Count the suspicious names, texts and shapes of a source file."""
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # Written for another Python than ours, or not Python: look at the words.
        return Counter(_words(data.decode("utf-8", "replace")))
    try:
        return Counter(_names(tree))
    except RecursionError:
        return Counter(_words(data.decode("utf-8", "replace")))


def _words(text: str) -> Iterator[str]:
    for name in (*_CONDEMNED, *_SHOWN):
        yield from re.findall(rf"(?<![\w.]){re.escape(name)}\b", text)
    yield from (found[0] for found in _TEXTS.finditer(text))


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for name in names:
                    yield name.name.partition(".")[0]
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield module.partition(".")[0]
                yield from (f"{module}.{name.name}" for name in names)
            case ast.Attribute(value=ast.Name(id=owner), attr=attr):
                yield f"{owner}.{attr}"
                if attr in _INNARDS:
                    yield attr
                yield from _shapes(node)
            case ast.Attribute(attr=attr) if attr in _INNARDS:
                yield attr
            case ast.Name(id=name) if name in {"exec", "eval", "compile", "__import__"}:
                yield name
            case ast.Constant(value=str(text)):
                yield from (found[0] for found in _TEXTS.finditer(text))
                if text in _SPELLED:
                    yield _SPELLED[text]
            case _:
                yield from _shapes(node)


def _shapes(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name="__eq__" | "__ne__" as name):
            yield name
        case ast.Name(id="__eq__" | "__ne__" as name, ctx=ast.Store()):
            yield name
        case ast.Attribute(attr="__eq__" | "__ne__" as name, ctx=ast.Store()):
            yield name
        case ast.ExceptHandler(type=None | ast.Name(id="BaseException"), body=[ast.Pass()]):
            yield "swallows everything"
        case _:
            return
