"""Exchanging live code, in this process and on modules written for it."""

import importlib.util
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from _pytest.assertion import rewrite
from hypothesis import given
from hypothesis import strategies as st

from agent.edits.spans import ByteEdit
from agent.edits.spans import apply_edits as ours
from agent.repair.inside.lines import LineCollector
from agent.repair.inside.reimport import serve_instead
from agent.repair.inside.swapping import (
    Equal,
    Swapper,
    Unsound,
    apply_edits,
    same_code,
)
from tests.support.repair import a_source, a_unit_proposal

CODE = """\
import functools
import os


def outer(value):
    return [inner + 1 for inner in value]


class Box:
    class Lid:
        def size(self):
            return self.__hidden + 1

    def path(self):
        return os.path.join("a", "b")

    def parent(self):
        return super().__repr__()[:0]


if os:

    def conditional(a):
        return a + 10


@functools.lru_cache
def cached(a):
    return a + 100


def made(factor):
    def inner(value):
        return value * factor

    return inner


double = made(2)


def default(a=1):
    return a


def oneline(a): return a + 1000
"""


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., tuple[types.ModuleType, Swapper]]:
    def write(text: str = CODE, name: str = "swapped_module") -> tuple[types.ModuleType, Swapper]:
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module, Swapper(str(tmp_path))

    return write


def request(before: str, after: str, text: str = CODE) -> tuple[str, list[Any], dict[str, Any]]:
    proposal = a_unit_proposal(a_source(text, "swapped_module.py"), before, after)
    unit = proposal.unit
    assert unit is not None
    fields = ("name", "start", "end", "first_line", "def_line", "headers", "classes")
    edits = [[e.start, e.end, e.text.decode()] for e in proposal.sketch.edits]
    return proposal.path, edits, {name: getattr(unit, name) for name in fields}


Load = Callable[..., tuple[types.ModuleType, Swapper]]


@pytest.mark.parametrize(
    ("before", "after", "expression", "was", "becomes"),
    [
        ("inner + 1", "inner + 2", "m.outer([1])", [2], [3]),
        ('"a", "b"', '"b", "a"', "m.Box().path()", "a/b", "b/a"),
        ("[:0]", "[:1]", "m.Box().parent()", "", "<"),
        ("a + 10", "a + 20", "m.conditional(1)", 11, 21),
        ("a + 100", "a + 200", "m.cached(1)", 101, 201),
        ("value * factor", "value + factor", "m.double(5)", 10, 7),
        ("a + 1000", "a + 2000", "m.oneline(1)", 1001, 2001),
    ],
)
def test_swapped_code_runs_and_goes_away(
    load: Load, before: str, after: str, expression: str, was: object, becomes: object
) -> None:
    module, swapper = load()
    path, edits, unit = request(before, after)
    assert eval(expression, {"m": module}) == was
    swapped = swapper.swap(path, edits, unit)
    assert eval(expression, {"m": module}) == becomes
    swapper.undo(swapped)
    assert eval(expression, {"m": module}) == was


def test_a_private_name_is_mangled_by_its_class(load: Load) -> None:
    module, swapper = load()
    lid = module.Box.Lid()
    lid._Lid__hidden = 1
    swapper.swap(*request("self.__hidden + 1", "self.__hidden + 5"))
    assert lid.size() == 6


def test_an_edit_that_changes_nothing_is_told(load: Load) -> None:
    _module, swapper = load()
    with pytest.raises(Equal):
        swapper.swap(*request("inner + 1 for", "(inner + 1) for"))


def test_broken_syntax_is_told(load: Load) -> None:
    _module, swapper = load()
    with pytest.raises(SyntaxError):
        swapper.swap(*request("inner + 1 for", "inner + + for"))


def test_other_free_variables_are_unsound(load: Load) -> None:
    _module, swapper = load()
    with pytest.raises(Unsound, match="closure"):
        swapper.swap(*request("value * factor", "value"))


def test_code_that_was_replaced_is_unsound(load: Load) -> None:
    module, swapper = load()
    module.outer.__code__ = (lambda value: value).__code__.replace(
        co_filename=module.outer.__code__.co_filename,
        co_name="outer",
        co_firstlineno=module.outer.__code__.co_firstlineno,
    )
    with pytest.raises(Unsound, match="not what the source says"):
        swapper.swap(*request("inner + 1", "inner + 2"))


def test_a_function_that_is_not_live_is_unsound(load: Load) -> None:
    module, _swapper = load()
    path, edits, unit = request("inner + 1", "inner + 2")
    swapper = Swapper("/nowhere")
    with pytest.raises(Unsound, match="live"):
        swapper.swap(path, edits, unit)
    assert module.outer([1]) == [2]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("x = 1", "x = 1", True),
        ("x = 1", "x = True", False),
        ("x = 0.0", "x = -0.0", False),
        ("x = y in {1, 2}", "x = y in {2, 1}", True),
        ("x = y", "x = z", False),
        ("x = lambda: 1", "x = lambda: 2", False),
    ],
)
def test_code_is_compared_by_what_it_does(one: str, other: str, same: bool) -> None:
    assert same_code(compile(one, "a", "exec"), compile("\n" + other, "b", "exec")) is same


@given(st.binary(max_size=40), st.data())
def test_both_ways_of_applying_edits_agree(data: bytes, draw: st.DataObject) -> None:
    cuts = draw.draw(st.lists(st.integers(0, len(data)), max_size=6, unique=True).map(sorted))
    spans = [(cuts[index], cuts[index + 1]) for index in range(0, len(cuts) - 1, 2)]
    texts = [draw.draw(st.text(max_size=3)) for _span in spans]
    edits = [[start, end, texts[index]] for index, (start, end) in enumerate(spans)]
    expected = ours(data, [ByteEdit(start, end, text.encode()) for start, end, text in edits])
    assert apply_edits(data, edits) == expected


def test_lines_below_the_folder_are_collected(load: Load, tmp_path: Path) -> None:
    module, _swapper = load()
    collector = LineCollector(str(tmp_path))
    collector.start()
    module.outer([1])
    lines = collector.stop()
    module.conditional(1)
    assert set(lines) == {"swapped_module.py"}
    assert 6 in lines["swapped_module.py"]
    assert 22 not in lines["swapped_module.py"]
    collector.start()
    assert collector.stop() == {}


def test_an_edited_file_is_imported_in_the_place_of_the_one_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader: Any = importlib.machinery.SourceFileLoader
    monkeypatch.setattr(loader, "get_data", loader.get_data)
    monkeypatch.setattr(loader, "path_stats", loader.path_stats)
    monkeypatch.setattr(rewrite, "_rewrite_test", rewrite._rewrite_test)
    monkeypatch.setattr(rewrite, "_read_pyc", rewrite._read_pyc)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("edited_one", "untouched_one"):
        (tmp_path / f"{name}.py").write_text("value = 1\n")
    serve_instead(str(tmp_path / "edited_one.py"), lambda: b"value = 2\n")
    edited, untouched = map(importlib.import_module, ("edited_one", "untouched_one"))
    assert (edited.value, untouched.value) == (2, 1)
    del sys.modules["edited_one"], sys.modules["untouched_one"]
