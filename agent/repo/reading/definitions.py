"""Definitions of a file: what is named, what it stands in, its tests and stubs.

Everything captured is nested by its extent: a name belongs to the innermost definition around it,
and a wrapper (`@whole`: decorators, `export`) lends its extent to the definition in it.
"""

import re
from collections.abc import Sequence
from typing import Final

from tree_sitter import Node

from agent.repo.facts import Definition
from agent.repo.languages import LanguageSpec
from agent.repo.reading.captures import Captures
from agent.repo.reading.documents import DocComments, first_line
from agent.task import RepoPath

_ORDER: Final = {
    "body": -1, "whole": 0, "scope": 1,
    "test": 2, "module": 2, "class": 3, "interface": 2, "enum": 2,
    "method": 4, "function": 5, "type": 6, "field": 7, "macro": 7, "constant": 8,
    "owner": 9, "name": 10, "doc": 11,
}  # fmt: skip
"""Of captures with the same extent: what is around goes first, and the closer kind of two.

A body never has the extent of its own definition, but may have that of the only one in it."""
_NO_NODES: Final = frozenset({"name", "owner", "body", "doc"})
_HOLDING: Final = frozenset({"class", "interface", "enum", "type", "scope"})
"""A function in one of these is a method."""
_SIGNATURE_CHARACTERS: Final = 200
_USING: Final = frozenset({"test", "scope"})
_FUNCTIONS: Final = frozenset({"function", "method"})
_EMPTY_BYTES: Final = 400
_FRAME: Final = b"{} \t\r\n"
_TO_DO: Final = re.compile(rb"\b(?:TODO|FIXME|NotImplementedError)\b")
_DOCSTRING: Final = re.compile(rb"""\A[rRuU]?("{3}|'{3}|"|')(?s:.*?)\1""")
_DOING_NOTHING: Final = re.compile(
    rb"(?:#|//|/?\*|--|pass\b|\.{3}|raise NotImplementedError\b|"
    rb"return(?: None| null| undefined| nil)?[ \t]*;?[ \t]*(?:#|//|$)|$)"
)
_VALUES: Final = frozenset({"constant", "field"})
_VALUE_CHARACTERS: Final = 80
_TAIL: Final = "{:=; \r\n"
_BLANKS: Final = re.compile(r"\s+")


class _Open:
    """A definition while its parts are met."""

    __slots__ = ("around", "body", "doc", "kind", "name", "node", "owner", "place", "whole")

    def __init__(self, kind: str, node: Node, around: "_Open | None") -> None:
        self.kind = kind
        self.node = node
        self.around = around
        """What it stands in: a definition, a scope, or a wrapper."""
        self.whole: Node = around.whole if around is not None and around.kind == "whole" else node
        self.name: Node | None = None
        self.owner = ""
        self.body: Node | None = None
        self.doc = ""
        self.place = -1


def read_definitions(
    spec: LanguageSpec, path: RepoPath, captures: Captures
) -> tuple[tuple[Definition, ...], frozenset[int]]:
    """Return the definitions in source order, and where names stand that are no uses.

    Names of tests and of scopes are uses: `describe Cart do`, `impl Cart {`.
    """
    found = [one for one in _nested(captures) if one.name and _has_text(one.name)]
    if not found:
        return (), frozenset()
    comments = DocComments(captures)
    tests = {(node.start_byte, node.end_byte) for node in captures.of("test")}
    stubs = captures.spans("stub")
    meant_so = captures.spans("stub.not")
    empty_on_purpose: set[int] = set()
    in_test_file = spec.is_test_file(path)
    made: list[Definition] = []
    for one in found:
        if one.kind == "scope":
            continue
        one.place = len(made)
        made.append(_made(one, captures, comments, made))
        definition = made[-1]
        is_test = (one.node.start_byte, one.node.end_byte) in tests or _is_named_test(
            spec, definition, made, in_test_file=in_test_file
        )
        if one.node.start_byte in meant_so or definition.parent in empty_on_purpose:
            empty_on_purpose.add(one.place)
        is_stub = one.place not in empty_on_purpose and (
            one.node.start_byte in stubs or _is_empty(one, made, captures.data)
        )
        if is_test or is_stub:
            made[-1] = definition._replace(is_test=is_test, is_stub=is_stub)
    names = [one.name.start_byte for one in found if one.name and one.kind not in _USING]
    return tuple(made), frozenset(names)


def _has_text(node: Node) -> bool:
    return node.end_byte > node.start_byte


def _nested(captures: Captures) -> list[_Open]:
    """Return all definitions and scopes with their parts, by start."""
    pieces = captures.below("definition")
    pieces += [
        (name, node)
        for name in ("whole", "scope", "owner", "name", "doc", "body")
        for node in captures.of(name)
    ]
    keyed = [
        (node.start_byte, -node.end_byte, _ORDER[kind], at)
        for at, (kind, node) in enumerate(pieces)
    ]
    keyed.sort()
    found: list[_Open] = []
    stack: list[tuple[int, _Open]] = []
    for start, minus_end, _, at in keyed:
        while stack and stack[-1][0] <= start:
            stack.pop()
        kind, node = pieces[at]
        inner = stack[-1][1] if stack else None
        if kind not in _NO_NODES:
            if inner is None or inner.node != node or inner.kind == "whole":
                opened = _Open(kind, node, inner)
                stack.append((-minus_end, opened))
                if kind != "whole":
                    found.append(opened)
        elif inner is not None and inner.kind != "whole":
            extra = _take(inner, kind, node, captures)
            if extra is not None:
                found.append(extra)
    return found


def _take(one: _Open, kind: str, node: Node, captures: Captures) -> _Open | None:
    """Give the definition a part; a second name makes a second definition: `a, b = 1, 2`."""
    match kind:
        case "name" if one.name is None:
            one.name = node
        case "name":
            if node != one.name and one.kind in _VALUES:
                second = _Open(one.kind, one.node, one.around)
                second.name = node
                return second
        case "owner":
            one.owner = captures.text(node)
        case "body" if one.body is None:
            one.body = node
        case "doc" if not one.doc:
            one.doc = first_line(captures.text(node))
        case _:
            pass
    return None


def _made(
    one: _Open, captures: Captures, comments: DocComments, made: Sequence[Definition]
) -> Definition:
    assert one.name is not None  # noqa: S101 - those without a name are left out before
    text = captures.text(one.name)
    name = text.strip("`:\"'" if one.kind == "test" else "`:") or text
    parent, scope = _around(one)
    outer = made[parent].qualified if parent >= 0 else ""
    is_method = one.kind == "function" and (
        bool(scope) or bool(one.owner) or (parent >= 0 and made[parent].kind in _HOLDING)
    )
    owner = ".".join(part for part in (outer, scope, _dotted(one.owner)) if part)
    first = one.whole.start_point.row
    lead = comments.above(first)
    return Definition(
        name=name,
        kind="method" if is_method else one.kind,
        line=lead.first_row + 1,
        name_line=one.name.start_point.row + 1,
        end_line=max(_last_row(one.whole), first) + 1,
        start=one.whole.start_byte,
        end=one.whole.end_byte,
        parent=parent,
        qualified=f"{owner}.{name}" if owner else name,
        signature=_signature(one, captures.data),
        doc=one.doc or lead.doc,
    )


def _around(one: _Open) -> tuple[int, str]:
    """Return the place of the definition around it, and the name of a scope between the two."""
    scope = ""
    outer = one.around
    while outer is not None and outer.place < 0:
        if outer.kind == "scope" and outer.name is not None and not scope:
            scope = _dotted((outer.name.text or b"").decode("utf-8", "surrogateescape"))
        outer = outer.around
    return (outer.place if outer is not None else -1), scope


def _dotted(owner: str) -> str:
    return owner.replace("::", ".").replace(":", ".").replace("\\", ".").strip(".* &")


def _last_row(node: Node) -> int:
    """Return the row of the last byte; a node that ends with a line break ends on its line."""
    point = node.end_point
    return point.row - (point.column == 0)


def _signature(one: _Open, data: bytes) -> str:
    same_row = one.whole.start_point.row == one.node.start_point.row
    start = (one.whole if same_row else one.node).start_byte
    if one.kind in _VALUES or one.body is None:
        most = _VALUE_CHARACTERS if one.kind in _VALUES else _SIGNATURE_CHARACTERS
        end = data.find(b"\n", start, one.node.end_byte)
        end = one.node.end_byte if end < 0 else end
    else:
        most, end = _SIGNATURE_CHARACTERS, one.body.start_byte
    line = data[start : min(end, start + 4 * most)].decode("utf-8", "replace").rstrip(_TAIL)
    line = line.removesuffix("=>").rstrip(_TAIL)
    if "\n" in line:
        line = _BLANKS.sub(" ", line).replace("( ", "(").replace(", )", ")").replace(" )", ")")
    return line if len(line) <= most else f"{line[:most]}…"


def _is_empty(one: _Open, made: Sequence[Definition], data: bytes) -> bool:
    """Tell whether a function's body is `{}` or only says what is to do; a constructor's may."""
    body, definition = one.body, made[one.place]
    if body is None or definition.kind not in _FUNCTIONS:
        return False
    start, end = body.start_byte, body.end_byte
    if end - start > _EMPTY_BYTES:
        return False
    text = data[start:end].strip(_FRAME)
    if text and not _is_to_do(data[one.node.start_byte : start], text):
        return False
    return definition.parent < 0 or made[definition.parent].name != definition.name


def _is_to_do(head: bytes, body: bytes) -> bool:
    """Tell whether a body does nothing, and says so: a comment, its documentation, its error.

    Comments above the first statement stand in the head, in languages without braces.
    """
    above = head.partition(b"#")[2]
    if not _TO_DO.search(above + b"\n" + body):
        return False
    lines = _DOCSTRING.sub(b"", body).splitlines()
    return all(_DOING_NOTHING.match(line.strip()) for line in lines)


def _is_named_test(
    spec: LanguageSpec, one: Definition, made: Sequence[Definition], *, in_test_file: bool
) -> bool:
    if one.kind in _FUNCTIONS:
        if spec.test_functions is None or not spec.test_functions.search(one.name):
            return False
        return in_test_file or (one.parent >= 0 and made[one.parent].is_test)
    return (
        one.kind == "class"
        and spec.test_classes is not None
        and in_test_file
        and spec.test_classes.search(one.name) is not None
    )
