"""Regions, scopes and units of Python files."""

import pytest

from agent.edits.spans import ByteEdit
from agent.repair.lang.base import Kind, Trouble
from agent.repair.proposal import Unit
from agent.repo.syntax import walk
from agent.task import RepoPath
from tests.support.repair import a_source

MODULE = """\
import os
from sys import argv as arguments

LIMIT = 3


class Box:
    size: int = 1

    @property
    def area(self):
        total = 0
        for side in self.sides:
            total += side
        return total

    def grow(self, by=LIMIT, *more, **rest):
        def inner(step):
            return step + by
        return [inner(one) for one in more]


async def run(a):
    if a:
        return 1
    elif LIMIT:
        return 2
    else:
        pass
    try:
        import json as j
    except OSError as problem:
        raise
    with open(a) as file:
        (first, *others) = file
    if (n := len(a)) > 1:
        return n
"""


def unit_of(text: str, mark: str) -> Unit | None:
    source = a_source(text)
    at = source.data.index(mark.encode())
    return source.unit((ByteEdit(at, at + len(mark), b""),))


def test_every_statement_is_a_region_without_its_body() -> None:
    source = a_source(MODULE)
    lines = MODULE.split("\n")
    headers = {lines[region.first_row].strip() for region in source.regions}
    assert {
        "import os",
        "class Box:",
        "size: int = 1",
        "def area(self):",
        "for side in self.sides:",
        "total += side",
        "if a:",
        "elif LIMIT:",
        "else:",
        "except OSError as problem:",
        "with open(a) as file:",
        "return step + by",
    } <= headers
    loop = next(r for r in source.regions if "for side" in lines[r.first_row])
    assert {source.text(node) for node in loop.nodes}.isdisjoint({"total"})
    assert loop.first_row == loop.last_row


def test_a_statement_over_several_lines_is_one_region() -> None:
    source = a_source("a = f(\n    b,\n    c,\n)\nd = 1\n")
    assert [(region.first_row, region.last_row) for region in source.regions] == [(0, 3), (4, 4)]


def test_names_are_looked_up_outwards() -> None:
    source = a_source(MODULE)
    node = next(n for n in walk(source.tree.root_node) if source.text(n) == "step + by")
    scope = source.grammar.scope(source.tree, node)
    assert scope.values == ("step", "self", "by", "more", "rest", "inner")
    assert scope.globals == ("LIMIT",)
    assert scope.callables[:5] == ("os", "arguments", "Box", "run", "len")
    assert set(scope.attributes["self"]) >= {"sides", "size", "area", "grow"}


def test_all_ways_of_binding_are_seen() -> None:
    source = a_source(MODULE)
    node = next(n for n in walk(source.tree.root_node) if source.text(n) == "return n")
    assert set(source.grammar.scope(source.tree, node).values) == {
        "a",
        "j",
        "problem",
        "file",
        "first",
        "others",
        "n",
    }


def test_a_comprehension_has_its_own_names() -> None:
    source = a_source(MODULE)
    call = next(n for n in walk(source.tree.root_node) if source.text(n) == "inner(one)")
    assert source.grammar.scope(source.tree, call).values[0] == "one"


@pytest.mark.parametrize("mark", ["total = 0", "+= side", "return total"])
def test_an_edit_in_a_method_belongs_to_the_method(mark: str) -> None:
    unit = unit_of(MODULE, mark)
    assert unit is not None
    assert (unit.name, unit.classes, unit.headers) == ("area", ("Box",), ("class Box:",))
    assert (unit.first_line, unit.def_line) == (10, 11)
    assert MODULE.encode()[unit.start :].startswith(b"    def area(self):\n")
    assert MODULE.encode()[: unit.end].endswith(b"        return total\n")


def test_an_edit_in_a_closure_belongs_to_the_outer_function() -> None:
    unit = unit_of(MODULE, "step + by")
    assert unit is not None
    assert unit.name == "grow"


@pytest.mark.parametrize("mark", ["by=LIMIT", "LIMIT = 3", "int = 1", "import os", "property"])
def test_what_runs_at_import_has_no_unit(mark: str) -> None:
    assert unit_of(MODULE, mark) is None


def test_a_conditional_definition_keeps_its_indentation() -> None:
    unit = unit_of("if a:\n    class B:\n        def f(self):\n            return 1\n", "return 1")
    assert unit is not None
    assert unit.headers == ("if 1:", "class B:")
    assert unit.classes == ("B",)


def test_a_definition_on_one_line_is_edited_in_its_body_only() -> None:
    text = "def f(a=1): return a\n"
    assert unit_of(text, "return a") is not None
    assert unit_of(text, "a=1") is None


@pytest.mark.parametrize(
    ("path", "is_test"),
    [
        ("tests/helpers.py", True),
        ("src/test_a.py", True),
        ("a_test.py", True),
        ("conftest.py", True),
        ("src/testing/fake.py", True),
        ("src/contest.py", False),
        ("latest/a.py", False),
    ],
)
def test_tests_are_known_by_their_paths(path: str, is_test: bool) -> None:
    assert a_source("").grammar.is_test(RepoPath(path)) is is_test


def test_members_of_an_index_with_several_keys_are_not_taken_apart() -> None:
    source = a_source("a[b, c]\na[b]\n")
    grammar = source.grammar
    nodes = [n for n in walk(source.tree.root_node) if grammar.kind(n) is Kind.INDEX]
    assert grammar.member(nodes[0]) is None
    assert grammar.member(nodes[1]) is not None


def test_words_bound_outside_of_functions() -> None:
    source = a_source("a = b, c = 1, 2\nclass D:\n    pass\ndel a\n")
    bound = [set(source.grammar.binds(region.node)) for region in source.regions]
    assert {"a"} <= bound[0]
    assert bound[1] == {"D"}
    assert bound[-1] == set()


@pytest.mark.parametrize(
    ("error", "message", "expected"),
    [
        ("NameError", "name 'a' is not defined", (Trouble.UNDEFINED_NAME, "a", "")),
        (
            "NameError",
            "name 'a' is not defined. Did you mean: 'b'?",
            (Trouble.UNDEFINED_NAME, "a", ""),
        ),
        (
            "UnboundLocalError",
            "local variable 'a' referenced before assignment",
            (Trouble.UNBOUND, "a", ""),
        ),
        (
            "UnboundLocalError",
            "cannot access local variable 'a' where it is not associated with a value",
            (Trouble.UNBOUND, "a", ""),
        ),
        ("AttributeError", "'A' object has no attribute 'b'", (Trouble.MISSING_MEMBER, "b", "A")),
        (
            "AttributeError",
            "module 'os.path' has no attribute 'b'",
            (Trouble.MISSING_MEMBER, "b", "os.path"),
        ),
        (
            "AttributeError",
            "type object 'A' has no attribute 'b'",
            (Trouble.MISSING_MEMBER, "b", "A"),
        ),
        (
            "AttributeError",
            "'NoneType' object has no attribute 'b'",
            (Trouble.NOTHING, "b", "NoneType"),
        ),
        ("TypeError", "'NoneType' object is not subscriptable", (Trouble.NOTHING, "", "")),
        ("TypeError", "'int' object is not callable", (Trouble.NOT_CALLABLE, "", "")),
        (
            "TypeError",
            "A.f() got an unexpected keyword argument 'b'",
            (Trouble.WRONG_KEYWORD, "b", ""),
        ),
        (
            "TypeError",
            "A.f() takes 1 positional argument but 2 were given",
            (Trouble.WRONG_COUNT, "", "f"),
        ),
        (
            "TypeError",
            "f() missing 2 required positional arguments: 'a' and 'b'",
            (Trouble.WRONG_COUNT, "a", "f"),
        ),
        (
            "TypeError",
            "unsupported operand type(s) for +: 'int' and 'str'",
            (Trouble.WRONG_TYPE, "", ""),
        ),
        ("ModuleNotFoundError", "No module named 'a.b'", (Trouble.NO_MODULE, "a.b", "")),
        (
            "ImportError",
            "cannot import name 'b' from 'a' (/a.py)",
            (Trouble.NO_MODULE, "b", ""),
        ),
        ("ValueError", "min() arg is an empty sequence", (Trouble.EMPTY_INPUT, "", "")),
        ("ValueError", "min() iterable argument is empty", (Trouble.EMPTY_INPUT, "", "")),
        ("ValueError", "not enough values to unpack", (Trouble.WRONG_VALUE, "", "")),
        ("json.decoder.KeyError", "'a'", (Trouble.MISSING_KEY, "", "")),
        ("AssertionError", "name 'a' is not defined", (Trouble.OTHER, "", "")),
        ("Exception", "", (Trouble.OTHER, "", "")),
    ],
)
def test_messages_are_understood(
    error: str, message: str, expected: tuple[Trouble, str, str]
) -> None:
    found = a_source("").grammar.complaint(error, message)
    assert (found.trouble, found.name, found.owner) == expected


def test_parts_of_statements_are_found() -> None:
    source = a_source(
        "@cached\ndef f(self, a, *b, c: int = 1, d, **e):\n"
        "    if a:\n        return c\n"
        "    for x in b:\n        raise ValueError(x)\n"
        "    if d:\n        pass\n    else:\n        return e\n"
    )
    grammar = source.grammar
    statements = grammar.statements
    assert statements is not None
    function = next(r.node for r in source.regions if grammar.is_function(r.node))
    known = [(p.name, p.default is not None) for p in statements.parameters(function)]
    assert known == [
        ("self", False),
        ("a", False),
        ("b", False),
        ("c", True),
        ("d", False),
        ("e", False),
    ]
    open_to_default = [p.name for p in statements.parameters(function) if p.may_have_default]
    assert open_to_default == ["a", "c", "d"]
    assert [source.text(one) for one in statements.decorators(function)] == ["@cached"]
    guard, loop, branch = grammar.body(function)
    assert [statements.is_guard(one) for one in (guard, loop, branch)] == [True, False, False]
    raising = grammar.body(loop)[0]
    raised = statements.raised(raising)
    assert raised is not None
    assert source.text(raised) == "ValueError"
    assert statements.is_loop_around(raising)
    assert not statements.is_loop_around(guard)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'a'", ("'", "a", "'", False)),
        ("rb'\\d'", ("rb'", "\\d", "'", False)),
        ("f'{a}'", ("f'", "{a}", "'", True)),
        ('"""a"b"""', ('"""', 'a"b', '"""', False)),
        ("''", ("'", "", "'", False)),
    ],
)
def test_literals_are_taken_apart(text: str, expected: tuple[str, str, str, bool]) -> None:
    source = a_source(f"x = {text}\n")
    node = next(n for n in walk(source.tree.root_node) if n.type == "string")
    found = source.grammar.quoted(node)
    assert found is not None
    assert (found.start, found.body, found.end, found.is_filled) == expected


def test_only_common_modules_are_asked_what_they_offer() -> None:
    grammar = a_source("").grammar
    assert "commonpath" in grammar.module_members("os.path")
    assert grammar.module_members("this") == ()


def test_names_of_a_class_body_are_known_in_it_and_not_in_its_methods() -> None:
    source = a_source("class A:\n    b = 1\n    c = b\n    def f(self):\n        return 2\n")
    grammar = source.grammar
    inside = next(n for n in walk(source.tree.root_node) if source.text(n) == "c = b")
    method = next(n for n in walk(source.tree.root_node) if source.text(n) == "return 2")
    assert "b" in grammar.scope(source.tree, inside).values
    assert "b" not in grammar.scope(source.tree, method).values
