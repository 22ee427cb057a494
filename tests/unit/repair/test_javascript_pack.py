"""JavaScript and TypeScript behind the grammar that the templates ask."""

import subprocess
from pathlib import Path

import pytest

from agent.edits.spans import apply_edits
from agent.repair.lang import grammar_for
from agent.repair.lang.base import Kind, Trouble
from agent.repair.source import Failure, Site, Source
from agent.repair.templates import drawn
from agent.repo.languages import Language, language_of
from agent.repo.syntax import first_error, parse, walk
from agent.task import RepoPath

DATA = Path(__file__).parents[2] / "data"
GRAMMAR = grammar_for(Language.JAVASCRIPT)


def a_source(text: str, path: str = "cart.js") -> Source:
    language = language_of(RepoPath(path))
    assert language is not None
    return Source(RepoPath(path), text.encode(), grammar_for(language))


def edits_of(text: str, failure: Failure | None = None, path: str = "cart.js") -> set[str]:
    """Every text that one edit may make of the given one."""
    source = a_source(text, path)
    return {
        apply_edits(source.data, sketch.edits).decode()
        for region in source.regions
        for sketch in drawn(source, region, failure)
    }


def in_function(line: str) -> str:
    return f"function f(a, b, items) {{\n  {line}\n}}\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("return a < b;", "return a <= b;"),
        ("return a === b;", "return a !== b;"),
        ("return a == b;", "return a === b;"),
        ("return a || b;", "return a ?? b;"),
        ("return a && b;", "return a || b;"),
        ("return a + 1;", "return a - 1;"),
        ("return a - b;", "return b - a;"),
        ("if (a < b) return 1;", "if (!(a < b)) return 1;"),
        ("if (a) return 1;", "if (!a) return 1;"),
        ("if (!a) return 1;", "if (a) return 1;"),
        ("if (a) return 1;", "if (a != null) return 1;"),
        ("while (a || b) a--;", "while (!(a || b)) a--;"),
        ("for (let i = 1; i < a; i++) b++;", "for (let i = 0; i < a; i++) b++;"),
        ("for (let i = 0; i < a; i++) b++;", "for (let i = 0; i <= a; i++) b++;"),
        ("for (let i = a; i < b; i++) b++;", "for (let i = a; i < b; i--) b++;"),
        ("for (const k in items) a += k;", "for (const k of items) a += k;"),
        ("a += b;", "a -= b;"),
        ("a = b;", "a += b;"),
        ("return items[0];", "return items[1];"),
        ("return items[a];", "return items[a - 1];"),
        ("return items[a];", "return items[items.length - 1];"),
        ("return items.length;", "return items.length - 1;"),
        ("return a.b;", "return a?.b;"),
        ("return items.pop();", "return items.shift();"),
        ("return items.some(a);", "return items.every(a);"),
        ("return Math.floor(a);", "return Math.ceil(a);"),
        ("return Math.min(a, b);", "return Math.max(a, b);"),
        ("return f(a, b);", "return f(b, a);"),
        ("return a ? b : items;", "return a ? items : b;"),
        ("return true;", "return false;"),
        ("return null;", "return [];"),
        ("return a;", "return b;"),
        ("return items.map((x) => { x.y; });", "return items.map((x) => x.y);"),
        ("return typeof a === 'string';", "return typeof b === 'string';"),
        ("return `${a}-${b}`;", "return `${b}-${b}`;"),
        ("return new Map(a);", "return new Set(a);"),
        ("return -a;", "return a;"),
        ("for (;;) { break; }", "for (;;) { continue; }"),
    ],
)
def test_usual_slips_are_within_one_edit(line: str, expected: str) -> None:
    assert in_function(expected) in edits_of(in_function(line))


def test_await_is_added_in_async_functions_only() -> None:
    assert "async function f(a) {\n  return await g(a);\n}\n" in edits_of(
        "async function f(a) {\n  return g(a);\n}\n"
    )
    assert not any("await" in text for text in edits_of(in_function("return g(a);")))


@pytest.mark.parametrize(
    ("error", "message", "before", "after"),
    [
        ("ReferenceError", "itmes is not defined", "return itmes[0];", "return items[0];"),
        (
            "TypeError",
            "items.pus is not a function",
            "items.push(a); items.pus(b);",
            "items.push(a); items.push(b);",
        ),
        (
            "TypeError",
            "Cannot read properties of undefined (reading 'name')",
            "return a.name;",
            "return (a != null ? a.name : undefined);",
        ),
        (
            "TypeError",
            "Reduce of empty array with no initial value",
            "return items.reduce(a);",
            "return items.reduce(a, 0);",
        ),
        ("TypeError", "a is not iterable", "return new Set(a);", "return new Set([...a]);"),
    ],
)
def test_error_messages_lead_to_edits(error: str, message: str, before: str, after: str) -> None:
    failure = Failure(error=error, message=message, is_crash=True)
    assert in_function(after) in edits_of(in_function(before), failure)


@pytest.mark.parametrize(
    ("error", "message", "trouble", "name"),
    [
        ("ReferenceError", "total is not defined", Trouble.UNDEFINED_NAME, "total"),
        (
            "ReferenceError",
            "Cannot access 'sum' before initialization",
            Trouble.UNBOUND,
            "sum",
        ),
        (
            "TypeError",
            "Cannot read properties of null (reading 'x')",
            Trouble.NOTHING,
            "x",
        ),
        ("TypeError", "Cannot set properties of undefined (setting 'x')", Trouble.NOTHING, "x"),
        ("TypeError", "Cannot read property 'x' of undefined", Trouble.NOTHING, "x"),
        (
            "TypeError",
            "Cannot destructure property 'x' of 'o' as it is undefined.",
            Trouble.NOTHING,
            "x",
        ),
        ("TypeError", "undefined is not iterable", Trouble.NOTHING, ""),
        ("TypeError", "a.b(...).c is not a function", Trouble.MISSING_MEMBER, "c"),
        ("TypeError", "fn is not a function", Trouble.NOT_CALLABLE, "fn"),
        ("TypeError", "x is not iterable", Trouble.WRONG_TYPE, ""),
        ("TypeError", "Assignment to constant variable.", Trouble.WRONG_TYPE, ""),
        ("RangeError", "Maximum call stack size exceeded", Trouble.ENDLESS, ""),
        ("RangeError", "Invalid array length", Trouble.WRONG_VALUE, ""),
        ("Error", "Cannot find module './x'", Trouble.NO_MODULE, "./x"),
        ("AssertionError", "2 !== 3", Trouble.OTHER, ""),
        ("Timeout", "x is not defined", Trouble.OTHER, ""),
    ],
)
def test_messages_are_understood(error: str, message: str, trouble: Trouble, name: str) -> None:
    found = GRAMMAR.complaint(error, message)
    assert (found.trouble, found.name) == (trouble, name)


CLASS = """import fs, { join as merge } from 'node:path';
import * as all from './all.js';
const { one, two: [three], ...rest } = require('./x');
const total = (list, start = 0) => { const sum = start; return sum; };
let count = 0;
export class Cart extends Base {
  #items = [];
  static limit = 3;
  get size() { return this.#items.length; }
  async add(item, { price, tax: rate = 1 }, ...others) {
    for (const other of others) { try { other(); } catch (error) { count++; } }
    return item;
  }
}
exports.helper = function helper(x) { return x; };
"""


def a_node(source: Source, text: str) -> Site:
    node = next(one for one in walk(source.tree.root_node) if source.text(one) == text)
    return Site(source, node, source.grammar.kind(node), None)


def test_scopes_hold_what_may_be_named() -> None:
    scope = a_node(a_source(CLASS), "return item;").scope
    assert scope.values == ("item", "price", "rate", "others", "other", "error")
    assert scope.globals == ("count",)
    assert {"fs", "merge", "all", "one", "three", "rest", "total", "Cart", "Math"} <= set(
        scope.callables
    )
    assert set(scope.attributes["this"]) == {"#items", "limit", "size", "add"}


def test_functions_are_named_by_what_holds_them() -> None:
    source = a_source(CLASS)
    names = [
        source.grammar.function_name(node)
        for node in walk(source.tree.root_node)
        if source.grammar.is_function(node)
    ]
    assert names == ["total", "size", "add", "helper"]


def test_statements_of_the_file_bind_names() -> None:
    source = a_source(CLASS)
    bound = {name for region in source.regions for name in source.grammar.binds(region.node)}
    assert {"count", "total", "three", "#items", "limit", "Cart", "helper"} <= bound


def test_every_statement_has_a_region_without_what_is_inside() -> None:
    source = a_source(
        "function f(a) {\n  if (a)\n    return 1;\n  else {\n    g(x => {\n      h();\n    });\n"
        "  }\n  switch (a) {\n    case 1:\n      return 2;\n  }\n}\n"
    )
    rows = {region.first_row + 1: source.text(region.node)[:8] for region in source.regions}
    assert {1, 2, 3, 4, 5, 6, 9, 10, 11} == set(rows)
    call = next(region for region in source.regions if region.first_row == 4)
    assert call.last_row == 4
    assert not any(source.text(node) == "h()" for node in call.nodes)


def test_names_that_are_bound_or_thrown_away_are_not_read() -> None:
    source = a_source("let a = b; a++; c; ({ d: e }) => f; import('g'); x.y = z;\n")
    read = {
        source.text(node)
        for node in walk(source.tree.root_node)
        if source.grammar.kind(node) is Kind.NAME and source.grammar.is_read(node)
    }
    assert read == {"b", "f", "x", "z"}


def test_types_are_left_alone() -> None:
    text = "export function f(a: number[], b?: Item): string | null {\n  return a as any;\n}\n"
    for other in edits_of(text, path="cart.ts"):
        assert "a: number[], b?: Item): string | null" in other
        assert "as any" in other or "return " in other


@pytest.mark.parametrize(
    ("path", "is_test"),
    [
        *(("src/a.test.ts", True), ("test/a.js", True), ("__tests__/a.js", True)),
        *(("src/a.spec.tsx", True), ("jest.config.js", True), ("vitest.setup.ts", True)),
        *(("types/a.d.ts", True), ("src/__mocks__/fs.js", True), ("dist/a.min.js", True)),
        *(("src/a.ts", False), ("lib/contest.js", False), ("src/config.js", False)),
    ],
)
def test_tests_and_their_set_up_are_known_by_name(path: str, is_test: bool) -> None:
    assert GRAMMAR.is_test(RepoPath(path)) is is_test


FILES = sorted(
    path
    for folder in ("languages/javascript", "languages/typescript", "languages/tsx", "repair_js")
    for path in (DATA / folder).rglob("*.*")
    if language_of(RepoPath(path.name)) in set(Language) - {Language.PYTHON}
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_probes_keep_a_file_readable_and_its_lines_in_place(path: Path) -> None:
    source = a_source(path.read_text(), path.name)
    if first_error(source.tree) is not None:
        return
    for is_test in (True, False):
        probes = source.grammar.probes(RepoPath(path.name), source.tree, is_test=is_test)
        after = apply_edits(source.data, probes)
        assert first_error(parse(source.grammar.language, after)) is None
        lines = source.data.splitlines()
        assert len(after.splitlines()) >= len(lines)
        for line, probed in zip(lines, after.splitlines(), strict=False):
            assert len(probed) >= len(line)
            assert line.lstrip()[:1] in probed


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_hardly_an_edit_breaks_the_syntax(path: Path) -> None:
    source = a_source(path.read_text()[:6000], path.name)
    if first_error(source.tree) is not None:
        return
    texts = edits_of(source.data.decode(), path=path.name)
    broken = [
        text
        for text in sorted(texts)[:400]
        if first_error(parse(source.grammar.language, text.encode())) is not None
    ]
    assert len(broken) <= 0.03 * min(400, len(texts)), broken[:3]


@pytest.mark.node
def test_probes_tell_what_runs(tmp_path: Path) -> None:
    told = tmp_path / "probed"
    text = (
        "const pick = (a) => a ? one() : two();\n"
        "function one() {\n  'use strict';\n  return 1;\n}\n"
        "function two() {\n  return 2;\n}\n"
        "for (const x of [1, 1, 1]) if (x) pick(x); else two();\n"
    )
    source = a_source(text, "a.cjs")
    probes = source.grammar.probes(RepoPath("a.cjs"), source.tree, is_test=False)
    probed = apply_edits(source.data, probes).replace(b"/run/greenloop/probed", bytes(told))
    (tmp_path / "a.cjs").write_bytes(probed)
    node = Path(__file__).parents[3] / ".cache" / "node" / "bin" / "node"
    subprocess.run([node, tmp_path / "a.cjs"], check=True, timeout=30)
    assert told.read_text().split() == ["a.cjs:9", "a.cjs:1", "a.cjs:4"]
