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
_PARTS: Final = ("whole", "scope", "owner", "name", "doc", "body")
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

    __slots__ = (
        "around", "body", "body_end", "doc", "end", "kind", "name", "name_end", "node", "owner",
        "place", "start", "whole_end", "whole_start",
    )  # fmt: skip

    def __init__(self, kind: str, node: Node, start: int, end: int, around: "_Open | None") -> None:
        self.kind = kind
        self.node = node
        self.start = start
        self.end = end
        self.around = around
        """What it stands in: a definition, a scope, or a wrapper."""
        is_wrapped = around is not None and around.kind == "whole"
        self.whole_start = around.start if around is not None and is_wrapped else start
        self.whole_end = around.end if around is not None and is_wrapped else end
        self.name = -1
        """Where its name begins; -1: none was met."""
        self.name_end = -1
        self.owner = ""
        self.body = -1
        self.body_end = -1
        self.doc = ""
        self.place = -1


def read_definitions(
    spec: LanguageSpec, path: RepoPath, captures: Captures
) -> tuple[tuple[Definition, ...], dict[int, int]]:
    """Return the definitions in source order, and where names stand that are no uses.

    Names of tests and of scopes are uses: `describe Cart do`, `impl Cart {`.
    """
    found = [one for one in _nested(captures) if one.name_end > one.name]
    if not found:
        return (), {}
    comments = DocComments(captures)
    tests = {(node.start_byte, node.end_byte) for node in captures.nodes("test")}
    stubs = captures.spans("stub")
    meant_so = captures.spans("stub.not")
    empty_on_purpose: set[int] = set()
    in_test_file = spec.is_test_file(path)
    made: list[Definition] = []
    for one in found:
        if one.kind == "scope":
            continue
        one.place = len(made)
        definition = _made(one, captures, comments, made)
        made.append(definition)
        is_test = (one.start, one.end) in tests or _is_named_test(
            spec, definition, made, in_test_file=in_test_file
        )
        if one.start in meant_so or definition.parent in empty_on_purpose:
            empty_on_purpose.add(one.place)
        is_stub = one.place not in empty_on_purpose and (
            one.start in stubs or _is_empty(one, made, captures.data)
        )
        if is_test or is_stub:
            made[-1] = definition._replace(is_test=is_test, is_stub=is_stub)
    return tuple(made), {one.name: one.name_end for one in found if one.kind not in _USING}


def _nested(captures: Captures) -> list[_Open]:
    """Return all definitions and scopes with their parts, by start."""
    pieces = [
        (node.start_byte, -node.end_byte, _ORDER[kind], at, kind, node)
        for kind, nodes in captures.below("definition", _PARTS)
        for at, node in enumerate(nodes)
    ]
    pieces.sort(key=_extent)
    found: list[_Open] = []
    stack: list[_Open] = []
    for start, minus_end, _, _, kind, node in pieces:
        while stack and stack[-1].end <= start:
            stack.pop()
        inner = stack[-1] if stack else None
        if kind not in _NO_NODES:
            if inner is None or inner.kind == "whole" or inner.node != node:
                opened = _Open(kind, node, start, -minus_end, inner)
                stack.append(opened)
                if kind != "whole":
                    found.append(opened)
        elif inner is not None and inner.kind != "whole":
            extra = _take(inner, kind, node, start, -minus_end, captures)
            if extra is not None:
                found.append(extra)
    return found


def _extent(piece: tuple[int, int, int, int, str, Node]) -> tuple[int, int, int, int]:
    return piece[:4]


def _take(
    one: _Open, kind: str, node: Node, start: int, end: int, captures: Captures
) -> _Open | None:
    """Give the definition a part; a second name makes a second definition: `a, b = 1, 2`."""
    match kind:
        case "name" if one.name < 0:
            one.name, one.name_end = start, end
        case "name":
            if (start, end) != (one.name, one.name_end) and one.kind in _VALUES:
                second = _Open(one.kind, one.node, one.start, one.end, one.around)
                second.name, second.name_end = start, end
                return second
        case "owner":
            one.owner = captures.text(node)
        case "body" if one.body < 0:
            one.body, one.body_end = start, end
        case "doc" if not one.doc:
            one.doc = first_line(captures.text(node))
        case _:
            pass
    return None


def _made(
    one: _Open, captures: Captures, comments: DocComments, made: Sequence[Definition]
) -> Definition:
    text = captures.between(one.name, one.name_end)
    name = text.strip("`:\"'" if one.kind == "test" else "`:") or text
    if not name.isprintable():
        name = _BLANKS.sub(" ", name)
    parent, scope = _around(one, captures)
    outer = made[parent].qualified if parent >= 0 else ""
    owner = _dotted(one.owner) if one.owner else ""
    if one.kind == "function" and (
        scope or one.owner or (parent >= 0 and made[parent].kind in _HOLDING)
    ):
        kind = "method"
    else:
        kind = one.kind
    if scope or owner:
        outer = ".".join(part for part in (outer, scope, owner) if part)
    row_of = captures.row_of
    first = row_of(one.whole_start)
    lead = comments.above(first)
    return Definition(
        name,
        kind,
        lead.first_row + 1,
        row_of(one.name) + 1,
        max(row_of(max(one.whole_end - 1, one.whole_start)), first) + 1,
        one.whole_start,
        one.whole_end,
        parent,
        f"{outer}.{name}" if outer else name,
        _signature(one, captures),
        one.doc or lead.doc,
    )


def _around(one: _Open, captures: Captures) -> tuple[int, str]:
    """Return the place of the definition around it, and the name of a scope between the two."""
    scope = ""
    outer = one.around
    while outer is not None and outer.place < 0:
        if outer.kind == "scope" and outer.name >= 0 and not scope:
            scope = _dotted(captures.between(outer.name, outer.name_end))
        outer = outer.around
    return (outer.place if outer is not None else -1), scope


def _dotted(owner: str) -> str:
    return owner.replace("::", ".").replace(":", ".").replace("\\", ".").strip(".* &")


def _signature(one: _Open, captures: Captures) -> str:
    data = captures.data
    start = one.start
    if one.whole_start != start and captures.row_of(one.whole_start) == captures.row_of(start):
        start = one.whole_start
    if one.kind in _VALUES or one.body < 0:
        most = _VALUE_CHARACTERS if one.kind in _VALUES else _SIGNATURE_CHARACTERS
        end = data.find(b"\n", start, one.end)
        end = one.end if end < 0 else end
    else:
        most, end = _SIGNATURE_CHARACTERS, one.body
    line = data[start : min(end, start + 4 * most)].decode("utf-8", "replace").rstrip(_TAIL)
    line = line.removesuffix("=>").rstrip(_TAIL)
    if "\n" in line:
        line = _BLANKS.sub(" ", line).replace("( ", "(").replace(", )", ")").replace(" )", ")")
    return line if len(line) <= most else f"{line[:most]}…"


def _is_empty(one: _Open, made: Sequence[Definition], data: bytes) -> bool:
    """Tell whether a function's body is `{}` or only says what is to do; a constructor's may."""
    start, end, definition = one.body, one.body_end, made[one.place]
    if start < 0 or end - start > _EMPTY_BYTES or definition.kind not in _FUNCTIONS:
        return False
    text = data[start:end].strip(_FRAME)
    if text and not _is_to_do(data[one.start : start], text):
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
        return (
            (in_test_file or (one.parent >= 0 and made[one.parent].is_test))
            and spec.test_functions is not None
            and spec.test_functions.search(one.name) is not None
        )
    return (
        in_test_file
        and one.kind == "class"
        and spec.test_classes is not None
        and spec.test_classes.search(one.name) is not None
    )
