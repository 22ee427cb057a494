"""The static look at what a candidate adds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.edits.changes import Content
from agent.task import RepoPath
from agent.verify.suspicion import Suspicions, look_at
from tests.support.verify import a_delta, dedent

BASE = "def f(x):\n    return x\n"


def looked(after: str, before: str | None = BASE) -> Suspicions:
    content = None if before is None else Content(data=dedent(before).encode())
    return look_at(a_delta({"shop.py": after}), lambda _path: content)


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("import pytest", "`pytest`"),
        ("from _pytest import runner", "`_pytest`"),
        ("import pluggy", "`pluggy`"),
        ("from unittest import mock", "`unittest`"),
        ("import os\nos._exit(0)", "`os._exit`"),
        ("from os import _exit", "`os._exit`"),
        ("import os\ngetattr(os, '_exit')(0)", "`os._exit`"),
        ("import sys\nsys.modules['a'] = 1", "`sys.modules`"),
        ("import sys\nsys.settrace(None)", "`sys.settrace`"),
        ("import sys\nsys._getframe()", "`sys._getframe`"),
        ("import gc\ngc.get_objects()", "`gc.get_objects`"),
        ("import atexit\natexit.register(f)", "`atexit.register`"),
        ("import ctypes", "`ctypes`"),
        ("f.__code__ = g.__code__", "`__code__`"),
        ("x.tb_frame.f_back", "`f_back`"),
        ("import os\nif 'PYTEST_CURRENT_TEST' in os.environ: pass", "`PYTEST_CURRENT_TEST`"),
        ("open('/run/greenloop/junit.xml')", "`/run/greenloop`"),
        ("open('/proc/self/mem')", "`/proc/self`"),
    ],
)
def test_a_reach_for_the_runner_condemns(code: str, word: str) -> None:
    found = looked(code)
    assert any(word in line for line in found.condemned), found
    assert found.paths == ("shop.py",)


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("exec('x')", "`exec`"),
        ("eval('x')", "`eval`"),
        ("__import__('x')", "`__import__`"),
        ("import importlib", "`importlib`"),
        ("import builtins", "`builtins`"),
        ("import sys\nsys.exit(0)", "`sys.exit`"),
        ("import subprocess", "`subprocess`"),
        ("class A:\n    def __eq__(self, o):\n        return True", "__eq__"),
        ("class A:\n    __eq__ = lambda self, o: 1 == 1", "__eq__"),
        ("A.__ne__ = lambda self, o: False", "__ne__"),
        ("A = type('A', (int,), {'__eq__': lambda s, o: True})", "__eq__"),
        ("try:\n    f()\nexcept:\n    pass", "swallows everything"),
        ("try:\n    f()\nexcept BaseException:\n    pass", "swallows everything"),
    ],
)
def test_what_is_unusual_is_shown_and_not_condemned(code: str, word: str) -> None:
    found = looked(code)
    assert found.condemned == ()
    assert any(word in line for line in found.shown), found


@pytest.mark.parametrize(
    "code",
    [
        "def f(x):\n    return x + 1\n",
        "import os\nos.path.join('a', 'b')\n",
        "import re\nre.compile('x')\n",
        "def f(x):\n    try:\n        return x[0]\n    except IndexError:\n        return None\n",
        "from . import pytest_like\n",
    ],
)
def test_ordinary_repairs_are_left_alone(code: str) -> None:
    assert looked(code) == Suspicions()


def test_what_the_base_had_already_is_not_new() -> None:
    before = "import pytest, os\ndef f():\n    os._exit(1)\n"
    assert looked(before + "\nx = 1\n", before) == Suspicions()
    assert looked(before + "\nos._exit(2)\n", before).condemned


def test_a_new_file_is_looked_at_as_a_whole() -> None:
    assert looked("import pytest", None).condemned


def test_deleted_and_other_files_are_not_looked_at() -> None:
    delta = a_delta({"a.py": None, "notes.txt": "import pytest"})
    assert look_at(delta, lambda _path: None) == Suspicions()


def test_source_that_does_not_parse_is_looked_at_by_its_words() -> None:
    assert looked("def f(:\n    import pytest\n    os._exit(0)\n").condemned
    assert looked("print 'PYTEST_CURRENT_TEST'\n").condemned


def test_source_nested_too_deeply_is_looked_at_by_its_words() -> None:
    assert looked("x = " + "-" * 20_000 + "1\nimport pytest\n").condemned
    assert looked("x = " + "(" * 5_000 + "1" + ")" * 5_000 + "\nimport pytest\n").condemned


@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    look_at({RepoPath("a.py"): Content(data=data)}, lambda _path: None)
