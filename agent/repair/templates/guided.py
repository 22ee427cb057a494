"""Tier 0: what the error message itself asks for, at the lines that its traceback passed."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from agent.edits.spans import ByteEdit
from agent.repair.lang.base import Kind
from agent.repair.proposal import Flag, Sketch
from agent.repair.source import Site
from agent.repo.syntax import walk

_NAME: Final = re.compile(r"name '(\w+)' is not defined")
_ATTRIBUTE: Final = re.compile(r"'?(\w+)'?(?: object)? has no attribute '(\w+)'")
_UNBOUND: Final = re.compile(r"local variable '(\w+)'")
_KEYWORD: Final = re.compile(r"unexpected keyword argument '(\w+)'")
_NO_MODULE: Final = re.compile(r"(?:No module named|cannot import name) '([\w.]+)'")
_NONE: Final = re.compile(r"NoneType")

_CONVERSIONS: Final = (
    ("list", "sequence"),
    ("str", "str"),
    ("int", "int"),
    ("len", "int"),
    ("tuple", "hash"),
    ("iter", "iterator"),
    ("float", "float"),
    ("sorted", "sorted"),
    ("bytes", "bytes"),
)
"""What a value of the wrong type may be turned into, and the word of a message that asks for it."""

_GUARDED: Final = frozenset(
    {
        "IndexError",
        "ZeroDivisionError",
        "ValueError",
        "TypeError",
        "KeyError",
        "AttributeError",
        "RecursionError",
        "StopIteration",
        "StatisticsError",
        "OverflowError",
    }
)


def undefined_name(site: Site) -> Iterator[Sketch]:
    """`NameError`: a near name of the scope, the object's own member, or a missing import."""
    found = _NAME.search(_message(site, "NameError"))
    if found is None or site.text != found[1] or site.failure is None:
        return
    name = found[1]
    scope = site.scope
    known = dict.fromkeys((*scope.values, *scope.globals, *scope.callables))
    for place, near in enumerate(get_close_matches(name, known, n=6, cutoff=0.5)):
        yield site.replace(near, "near name", 0.95 / (1 + 0.1 * place), tier=0)
    own = scope.attributes.get("self", ())
    if name in own:
        yield site.replace(f"self.{name}", "the object's own", 0.95, tier=0)
    if name in site.grammar.modules:
        line = site.grammar.words.import_module.format(name=name)
        at = _import_place(site)
        yield Sketch((ByteEdit(at, at, line.encode()),), "missing import", 0.95, 0)


def _import_place(site: Site) -> int:
    """Where imports begin; after the docstring and `from __future__` lines where there are none."""
    at = 0
    for region in site.source.regions:
        if region.node.type in {"import_statement", "import_from_statement"}:
            return site.source.line_starts[region.first_row]
        text = site.source.text(region.node)
        if region.node.type == "future_import_statement" or text.startswith(('"', "'")):
            at = site.source.line_starts[region.last_row + 1]
            continue
        break
    return at


def missing_member(site: Site) -> Iterator[Sketch]:
    """`AttributeError`: a near member, anything that the file uses on such an object."""
    found = _ATTRIBUTE.search(_message(site, "AttributeError"))
    parts = site.grammar.member(site.node)
    if found is None or parts is None or site.source.text(parts[1]) != found[2]:
        return
    attributes = site.scope.attributes
    owner = site.source.text(parts[0])
    known = {name for names in attributes.values() for name in names} - {found[2]}
    for place, near in enumerate(get_close_matches(found[2], sorted(known), n=6, cutoff=0.5)):
        prior = 0.9 if near in attributes.get(owner, ()) else 0.8
        yield site.replace(near, "near member", prior / (1 + 0.1 * place), node=parts[1], tier=0)
    if _NONE.search(_message(site, "AttributeError")):
        yield from _only_if_present(site, owner)


def _only_if_present(site: Site, owner: str) -> Iterator[Sketch]:
    words = site.grammar.words
    whole = site.node.parent if site.is_callee and site.node.parent is not None else site.node
    for place, empty in enumerate(words.empties[:5]):
        text = words.choice.format(
            value=site.source.text(whole), condition=words.is_present.format(owner), other=empty
        )
        yield site.replace(text, "none guarded", 0.5 / (1 + 0.2 * place), node=whole, tier=0)


def missing_key(site: Site) -> Iterator[Sketch]:
    """`KeyError`: `d[k]` → `d.get(k)`, with an empty value."""
    parts = site.grammar.member(site.node)
    if parts is None or not _message(site, "KeyError") or not site.grammar.is_read(site.node):
        return
    owner, key = (site.source.text(part) for part in parts)
    yield site.replace(f"{owner}.get({key})", "get", 0.7, tier=0)
    for place, empty in enumerate(site.grammar.words.empties[1:7]):
        yield site.replace(f"{owner}.get({key}, {empty})", "get", 0.65 / (1 + 0.1 * place), tier=0)
    for name in site.scope.values[:8]:
        if name not in {key, owner}:
            yield site.replace(f"{owner}.get({key}, {name})", "get", 0.4, tier=0)


def index_too_far(site: Site) -> Iterator[Sketch]:
    """`IndexError`: one less, the last one, or nothing where the container is empty."""
    parts = site.grammar.member(site.node)
    if parts is None or not _message(site, "IndexError"):
        return
    owner, index = (site.source.text(part) for part in parts)
    yield site.replace(f"{index} - 1", "off by one", 0.85, node=parts[1], tier=0)
    yield site.replace("-1", "another index", 0.6, node=parts[1], tier=0)
    if site.grammar.is_read(site.node):
        for place, empty in enumerate(site.grammar.words.empties):
            text = site.grammar.words.choice.format(value=site.text, condition=owner, other=empty)
            yield site.replace(text, "empty guarded", 0.5 / (1 + 0.15 * place), tier=0)


def divided_by_zero(site: Site) -> Iterator[Sketch]:
    """`ZeroDivisionError`: a value for the case that the divisor is zero."""
    operands, operators = site.grammar.operands(site.node), site.grammar.operators(site.node)
    if len(operands) != 2 or not _message(site, "ZeroDivisionError"):
        return
    if site.source.text(operators[0]) not in {"/", "//", "%"}:
        return
    divisor = site.source.text(operands[1])
    for place, empty in enumerate(("0", "0.0", "None", "1", site.source.text(operands[0]))):
        text = site.grammar.words.choice.format(value=site.text, condition=divisor, other=empty)
        yield site.replace(text, "zero guarded", 0.7 / (1 + 0.1 * place), tier=0)


def unbound_local(site: Site) -> Iterator[Sketch]:
    """`UnboundLocalError`: give the variable a value before the function's first statement."""
    found = _UNBOUND.search(_message(site, "UnboundLocalError"))
    if found is None or site.text != found[1]:
        return
    statement = _first_statement(site)
    if statement is None:
        return
    row = statement.node.start_point.row
    for place, empty in enumerate(site.grammar.words.empties):
        line = site.grammar.words.initialise.format(
            indent=site.source.indent_at(row), name=found[1], value=empty
        )
        prior = 0.7 / (1 + 0.1 * place)
        yield statement.insert_before(line, "initialised", prior, tier=0)
    yield from (
        site.replace(near, "near name", 0.5, tier=0)
        for near in get_close_matches(found[1], site.scope.values, n=3)
        if near != found[1]
    )


def _first_statement(site: Site) -> Site | None:
    node = site.node.parent
    while node is not None:
        body = node.child_by_field_name("body")
        if site.grammar.is_function(node) and body is not None and body.named_children:
            return Site(site.source, body.named_children[0], Kind.OTHER, site.failure)
        node = node.parent
    return None


def absent_operand(site: Site) -> Iterator[Sketch]:
    """`TypeError` over None: `x` → `(x or [])`; wrong type: `x` → `str(x)`, `int(x)`."""
    message = _message(site, "TypeError")
    if not message or site.is_callee or not site.grammar.is_read(site.node):
        return
    types = site.failure.local_types if site.failure is not None else {}
    type_ = types.get(site.text, "")
    if _NONE.search(message) and type_ in {"", "NoneType"}:
        prior = 0.8 if type_ else 0.4
        for place, empty in enumerate(site.grammar.words.empties[1:7]):
            text = f"({site.text} or {empty})"
            yield site.replace(text, "none guarded", prior / (1 + 0.1 * place), tier=0)
    else:
        for function, word in _CONVERSIONS:
            prior = 0.6 if word in message else 0.3
            yield site.replace(f"{function}({site.text})", "converted", prior, tier=0)


def wrong_keyword(site: Site) -> Iterator[Sketch]:
    """`TypeError` over a keyword: drop it, or take a near name."""
    found = _KEYWORD.search(_message(site, "TypeError"))
    if found is None:
        return
    for argument in site.grammar.arguments(site.node):
        name = argument.child_by_field_name("name")
        if name is not None and site.source.text(name) == found[1]:
            known = (*site.scope.values, *(n for v in site.scope.attributes.values() for n in v))
            for near in get_close_matches(found[1], dict.fromkeys(known), n=5, cutoff=0.5):
                yield site.replace(near, "near name", 0.8, node=name, tier=0)


def missing_default(site: Site) -> Iterator[Sketch]:
    """`StopIteration`: `next(x)` → `next(x, None)`."""
    if not _message(site, "StopIteration"):
        return
    arguments = site.grammar.arguments(site.node)
    callee = site.grammar.callee(site.node)
    if callee is not None and site.source.text(callee) == "next" and len(arguments) == 1:
        text = f"next({site.source.text(arguments[0])}, {site.grammar.words.none})"
        yield site.replace(text, "a default", 0.9, tier=0)


def guard(site: Site) -> Iterator[Sketch]:
    """Return early for an empty or absent variable that the crashing statement uses."""
    failure = site.failure
    if failure is None or not failure.is_crash or failure.error not in _GUARDED:
        return
    names = _used_names(site)
    words = site.grammar.words
    indent = site.source.indent_at(site.node.start_point.row)
    for rank, name in enumerate(names[:4]):
        is_none = failure.local_types.get(name) == "NoneType"
        statement = words.none_guard if is_none else words.truthy_guard
        values = dict.fromkeys((name, *words.empties) if not is_none else words.empties)
        for place, value in enumerate(values):
            lines = statement.format(indent=indent, name=name, value=value)
            prior = 0.45 / (1 + 0.12 * place + 0.3 * rank)
            yield site.insert_before(lines, "guarded", prior)


def _used_names(site: Site) -> list[str]:
    visible = set(site.scope.values)
    used = (
        site.source.text(node)
        for node in walk(site.node)
        if site.grammar.kind(node) is Kind.NAME and site.grammar.is_read(node)
    )
    names = [name for name in dict.fromkeys(used) if name in visible and name != "self"]
    types = site.failure.local_types if site.failure is not None else {}
    return sorted(names, key=lambda name: types.get(name) != "NoneType")


def wider_handler(site: Site) -> Iterator[Sketch]:
    """`except KeyError` → also the exception that got through."""
    failure = site.failure
    value = site.node.child_by_field_name("value")
    if failure is None or value is None or not failure.error:
        return
    if site.grammar.kind(value) is Kind.OTHER:
        value = next(iter(value.named_children), None)
    if value is None or failure.error in site.source.text(value):
        return
    caught = site.source.text(value).strip("()").rstrip(",")
    both = f"({caught}, {failure.error})"
    flags = frozenset({Flag.SWALLOWS})
    yield site.replace(both, "also caught", 0.5, node=value, tier=0, flags=flags)


def missing_module(site: Site) -> Iterator[Sketch]:
    """`ImportError`: a near name of the standard library or of the file."""
    message = _message(site, "ModuleNotFoundError") or _message(site, "ImportError")
    found = _NO_MODULE.search(message)
    if found is None or site.text != found[1]:
        return
    known = (*site.grammar.modules, *site.scope.callables)
    for near in get_close_matches(found[1], known, n=5, cutoff=0.5):
        yield site.replace(near, "near name", 0.9, tier=0)


def _message(site: Site, error: str) -> str:
    """The failure's message, where it is such an error (never empty then); else nothing."""
    failure = site.failure
    if failure is None or failure.error != error:
        return ""
    return failure.message or error
