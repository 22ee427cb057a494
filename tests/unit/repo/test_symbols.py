import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.repo.problems import Unread, find_problems
from agent.repo.symbols import Symbol, SymbolKind, names_alike, read_symbols
from agent.task import RepoPath

SOURCE = textwrap.dedent(
    '''\
    """Doc."""
    import os

    LIMIT: int = 20
    a, b = 1, 2


    @cache
    def outer(
        x,
        y=1,
    ):
        def inner():
            pass

        return inner


    class Cart(Base):
        """Holds lines."""

        kind = "cart"

        @property
        def total(self) -> int:
            return 1

        @total.setter
        def total(self, value):
            pass

        class Meta:
            pass


    if LIMIT:
        async def late(): ...
    '''
)


def table(text: str, path: str = "a.py"):
    return read_symbols(RepoPath(path), text.encode())


def drawn(text: str, path: str = "a.py") -> list[str]:
    return [f"{s.kind} {s.qualified} {s.line}-{s.end_line}" for s in table(text, path).symbols]


def test_definitions_come_in_source_order_with_all_their_lines():
    assert table(SOURCE).exact
    assert drawn(SOURCE) == [
        "value LIMIT 4-4",
        "value a 5-5",
        "value b 5-5",
        "function outer 8-16",
        "function outer.inner 13-14",
        "class Cart 19-33",
        "value Cart.kind 22-22",
        "method Cart.total 24-26",
        "method Cart.total 28-30",
        "class Cart.Meta 32-33",
        "function late 37-37",
    ]


def test_a_header_is_one_line_without_body_and_decorators():
    outer = table(SOURCE).named("outer")[0]
    assert outer == Symbol(
        name="outer",
        qualified="outer",
        kind=SymbolKind.FUNCTION,
        line=8,
        end_line=16,
        name_line=9,
        header="def outer(x, y=1)",
        depth=0,
    )


def test_a_name_is_found_whole_or_by_its_last_parts():
    symbols = table(SOURCE)
    assert [s.line for s in symbols.named("total")] == [24, 28]
    assert [s.line for s in symbols.named("Cart.total")] == [24, 28]
    assert [s.qualified for s in symbols.named("inner")] == ["outer.inner"]
    assert symbols.named("otal") == ()


@pytest.mark.parametrize(
    ("line", "name"),
    [(1, None), (4, None), (8, "outer"), (14, "outer.inner"), (22, "Cart"), (25, "Cart.total")],
)
def test_the_innermost_definition_around_a_line_is_found(line, name):
    around = table(SOURCE).around(line)
    assert (around.qualified if around else None) == name


def test_a_file_with_errors_is_read_as_far_as_it_goes():
    assert "function g 4-5" in drawn("def f(:\n    pass\n\ndef g():\n    return 1\n")


def test_a_type_alias_and_a_match_are_read():
    text = "type Pair[T] = tuple[T, T]\nmatch x:\n    case 1:\n        def f(): pass\n"
    assert drawn(text) == ["value Pair 1-1", "function f 4-4"]


def test_only_names_are_values():
    text = "os.path = 1\nx[0] = 2\n(a, b.c), d = 1, 2\nx += 1\nprint(x)\n"
    assert drawn(text) == ["value d 3-3"]


@given(st.text(alphabet="abdefclsx:()=,.@ \n\t\"'#", max_size=80))
def test_any_text_is_read_without_harm(text):
    count = text.count("\n") + 1
    for path in ("a.py", "a.js", "a.md"):
        found = table(text, path)
        for symbol in found.symbols:
            assert 1 <= symbol.line <= symbol.name_line <= symbol.end_line <= count
            assert found.named(symbol.qualified)
            assert "\n" not in symbol.header
    problems = find_problems(RepoPath("a.py"), text.encode())
    assert not isinstance(problems, Unread)
    for problem in problems:
        assert problem.what
        assert 1 <= problem.line <= count
        assert problem.first_line <= problem.last_line <= count


def test_a_long_header_is_cut():
    text = f"def f({', '.join(f'argument_{n}' for n in range(60))}): pass\n"
    assert table(text).symbols[0].header.endswith("…")


def test_what_is_no_source_defines_nothing():
    assert table("hello\nworld\n", "notes.txt").symbols == ()
    assert not table("hello\n", "notes.txt").exact


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (
            "a.js",
            "export class Cart {\n  pay(code) {\n    if (x) {\n    }\n  }\n}\n"
            "const half = (x) => x / 2;\nasync function go() {\n}\n",
            [
                "class Cart 1-6",
                "method Cart.pay 2-5",
                "function half 7-7",
                "function go 8-9",
            ],
        ),
        (
            "a.go",
            "type Cart struct {\n\tlines []int\n}\n\nfunc (c *Cart) Total() int {\n\treturn 1\n}\n",
            ["class Cart 1-3", "value Cart.lines 2-2", "method Cart.Total 5-7"],
        ),
        (
            "a.rs",
            "pub(crate) struct A;\n\nimpl<T> Foo for A {\n    pub fn go(&self) {\n    }\n}\n",
            ["class A 1-1", "method A.go 4-5"],
        ),
        (
            "a.c",
            "int\nmain(void)\n{\n}\nstatic int f(int a) {\n  return a;\n}\n",
            ["function main 1-4", "function f 5-7"],
        ),
        ("a.rb", "class A\n  def go\n    1\n  end\nend\n", ["class A 1-5", "method A.go 2-4"]),
    ],
)
def test_other_languages_are_read_by_their_trees(path, text, expected):
    assert table(text, path).exact
    assert drawn(text, path) == expected


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (
            "a.dart",
            "abstract class Cart {\n  int pay(code) {\n    if (x) {\n    }\n  }\n}\n"
            "const half = (x) => x / 2;\n",
            ["class Cart 1-6", "method Cart.pay 2-5", "function half 7-7"],
        ),
        (
            "a.vue",
            "<script>\nfunction go() {\n}\n</script>\n",
            ["function go 2-3"],
        ),
        (
            "a.md",
            "# A\n\n```\n# no\n```\n## B\n\n# C\n",
            ["class A 1-7", "class B 6-7", "class C 8-8"],
        ),
    ],
)
def test_without_a_grammar_a_file_is_read_by_the_look_of_its_lines(path, text, expected):
    assert not table(text, path).exact
    assert drawn(text, path) == expected


def test_names_alike_are_ranked():
    known = ["total", "get_total", "Total", "subtotal_of", "pay", "totl"]
    assert names_alike("TOTAL", known)[:2] == ("total", "Total")
    assert "total" in names_alike("totla", known)
    assert names_alike("get_totals", known) == ("get_total",)
    assert names_alike("zzz", known) == ()
