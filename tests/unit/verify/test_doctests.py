"""Modules with tests in their docstrings: code may change, what the docstrings say may not."""

from dataclasses import replace

import pytest

from agent.edits.changes import Content
from agent.task import RepoPath, TestPolicy
from agent.verify.doctests import is_doctest, modules_with_doctests, says_the_same
from agent.verify.protect import protected_changes
from tests.support.reports import a_report, a_result

MODULE = RepoPath("shop/prices.py")
CODE = b'''"""Prices.

>>> total(2, 3)
6
"""


def total(price, count):
    """Return the total.

    >>> total(1, 4)
    4
    """
    return price + count


def plain():
    """Say nothing."""
'''
REPORT = a_report(
    a_result("shop/prices.py::shop.prices"),
    a_result("shop/prices.py::shop.prices.total"),
    a_result("tests/test_prices.py::test_total"),
)


@pytest.mark.parametrize(
    ("id_", "expected"),
    [
        ("a/b.py::a.b.f", True),
        ("a/b.py::b.f", True),
        ("a/__init__.py::a.f", True),
        ("a/b.py::test_f", False),
        ("a/b.py::TestF::test_f[1.5]", False),
        ("a/b.js::a.b.f", False),
        ("a/b.py", False),
    ],
)
def test_a_doctest_is_known_by_its_id(id_: str, expected: bool) -> None:
    assert is_doctest(a_result(id_)) is expected


def test_a_module_with_other_tests_as_well_is_a_test_file() -> None:
    assert modules_with_doctests(REPORT) == {MODULE}
    mixed = a_report(a_result("a/b.py::a.b.f"), a_result("a/b.py::test_f"))
    assert modules_with_doctests(mixed) == frozenset()


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        (b"price + count", b"price * count", True),
        (b"Say nothing.", b"Say little.", True),
        (b"    4\n", b"    5\n", False),
        (b">>> total(2, 3)\n6", b">>> total(2, 3)\n5", False),
        (b"\n    >>> total(1, 4)\n    4\n", b"", False),
        (b"Say nothing.", b">>> plain()\n    ", False),
        (b"def total", b"def sum_up", False),
        (b"    return price + count", b"    return price * count\n\n\ntotal.__doc__ = ''", False),
        (b"    return price + count", b"    return (", False),
    ],
)
def test_code_may_change_and_examples_may_not(old: bytes, new: bytes, allowed: bool) -> None:
    before, after = Content(data=CODE), Content(data=CODE.replace(old, new))
    assert before != after
    assert says_the_same(before, after) is allowed
    reasons = protected_changes({MODULE: after}, {MODULE: before}.get, REPORT, TestPolicy())
    assert (MODULE not in reasons) is allowed


def test_a_module_with_examples_may_not_go() -> None:
    before = Content(data=CODE)
    assert protected_changes({MODULE: None}, {MODULE: before}.get, REPORT, TestPolicy())


def test_a_plugin_with_examples_stays_protected() -> None:
    report = replace(REPORT, plugins=(MODULE,))
    after = Content(data=CODE.replace(b"price + count", b"price * count"))
    before = Content(data=CODE)
    assert protected_changes({MODULE: after}, {MODULE: before}.get, report, TestPolicy())
