"""Tests, suites and stubs of a text."""

import textwrap
import time

from agent.task import RepoPath
from lsp_server.convert import lines_of
from lsp_server.units import Unit, read_units


def read(path: str, text: str) -> tuple[Unit, ...]:
    return read_units(RepoPath(path), lines_of(textwrap.dedent(text).lstrip("\n")), "utf-16")


def told(units: tuple[Unit, ...]) -> list[tuple[str, str, int]]:
    return [(unit.kind, unit.id, unit.parent) for unit in units]


def test_ids_are_those_of_the_runner() -> None:
    units = read(
        "tests/test_cart.py",
        """
        import pytest

        @pytest.mark.parametrize("n", [1, 2])
        def test_alone(n):
            assert n

        class TestCart:
            class TestInner:
                def test_deep(self):
                    def test_no_test_at_all():
                        pass
                    assert 1
            def helper(self):
                return 1
            async def test_total(self):
                assert 1

        def helper():
            ...
        """,
    )
    assert told(units) == [
        ("test", "tests/test_cart.py::test_alone", -1),
        ("suite", "tests/test_cart.py::TestCart", -1),
        ("suite", "tests/test_cart.py::TestCart::TestInner", 1),
        ("test", "tests/test_cart.py::TestCart::TestInner::test_deep", 2),
        ("test", "tests/test_cart.py::TestCart::test_total", 1),
        ("stub", "tests/test_cart.py:18", -1),
    ]
    alone = units[0]
    assert (alone.span.start, alone.span.end) == ((2, 0), (4, 12))
    assert (alone.name_span.start, alone.name_span.end) == ((3, 4), (3, 14))


def test_class_without_a_test_is_no_suite() -> None:
    assert told(read("test_a.py", "class TestData:\n    size = 3\n\ndef test_b(): assert 1\n")) == [
        ("test", "test_a.py::test_b", -1)
    ]


def test_stubs_are_what_is_still_to_be_written() -> None:
    units = read(
        "cart.py",
        """
        class Cart:
            def total(self):
                raise NotImplementedError
            def items(self): ...
            def count(self): return 1
        def later():
            '''TODO'''
        """,
    )
    assert [(unit.id, unit.name) for unit in units] == [
        ("cart.py:2", "Cart.total"),
        ("cart.py:4", "Cart.items"),
        ("cart.py:6", "later"),
    ]


def test_declarations_are_no_stubs() -> None:
    assert read("cart.pyi", "def total() -> int: ...\n") == ()


def test_tests_that_are_calls_are_named_by_their_line() -> None:
    units = read(
        "cart.test.js",
        """
        describe("cart", () => {
          it("adds", () => { expect(1).toBe(1) })
          it(`takes ${n}`, async () => { run() })
        })
        test("alone", () => { run() })
        """,
    )
    assert told(units) == [
        ("suite", "cart.test.js:1", -1),
        ("test", "cart.test.js:2", 0),
        ("test", "cart.test.js:3", 0),
        ("test", "cart.test.js:5", -1),
    ]


def test_places_are_counted_as_the_client_counts() -> None:
    (unit,) = read(
        "test_a.py", 'x = "\U0001f600"; y = """\r\n"""\r\ndef test_\u00e9(): assert 1\r\n'
    )
    assert unit.name_span.range.start.line == 2
    assert (unit.name_span.start, unit.name_span.end) == ((2, 4), (2, 10))


def test_text_that_is_no_code_has_none() -> None:
    assert read("notes.txt", "def test_a(): pass\n") == ()
    assert read("test_a.py", "\0") == ()
    assert read("test_a.py", "") == ()
    assert read("test_a.py", "def test_a(: \ud83d\n" * 3) is not None


def test_5_000_lines_are_read_in_well_under_a_second() -> None:
    body = "\n".join(f"def test_{n}():\n    assert total([{n}]) == {n}\n\n\n" for n in range(1250))
    started = time.thread_time()
    assert len(read("test_a.py", body)) == 1250
    assert time.thread_time() - started < 1.5
