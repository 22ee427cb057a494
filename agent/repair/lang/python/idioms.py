"""Other ways to put an expression that only Python has."""

import re
from collections.abc import Iterator
from typing import Final

from agent.repair.lang.base import Idiom
from agent.repo.syntax import SyntaxNode, text_of

_EMPTY: Final = {
    "[]": ("[[]]", "{}", "()", "set()"),
    "[[]]": ("[]",),
    "{}": ("[]", "set()", "()"),
    "()": ("[]", "{}"),
    "list()": ("set()", "dict()"),
    "dict()": ("set()", "list()"),
    "set()": ("[]", "dict()"),
}
_STRING: Final = re.compile(r"""([A-Za-z]*)("|')""")
_FIELD: Final = re.compile(r"\{\w+(?:[.!:\[][^{}]*)?\}")
_NEXT: Final = re.compile(r"(.+)\.next\(\)\Z", re.DOTALL)
_TYPE: Final = re.compile(r"type\((\w+)\) (?:is|==) (\w+)\Z")
_GET: Final = re.compile(r"([\w.]+)\.(?:get|pop)\(([^(),]+)(, [^(),]+)?\)\Z")


def idioms(node: SyntaxNode) -> Iterator[Idiom]:
    """Yield the other ways to write the node."""
    match node.type:
        case "yield" if node.is_named:
            yield from _other_yield(text_of(node))
        case "string":
            yield from _other_prefix(node)
        case "concatenated_string":
            yield from _all_filled(node)
        case "list" | "dictionary" | "tuple":
            yield from _other_empty(text_of(node))
        case "call":
            yield from _other_call(node)
        case "subscript":
            keys = [text_of(key) for key in node.children_by_field_name("subscript")]
            value = node.child_by_field_name("value")
            if len(keys) == 2 and value is not None:
                text = f"{text_of(value)}[{keys[1]}, {keys[0]}]"
                yield Idiom(text=text, template="keys swapped", prior=0.35)
        case "comparison_operator":
            if found := _TYPE.match(text_of(node)):
                text = f"isinstance({found[1]}, {found[2]})"
                yield Idiom(text=text, template="class tested", prior=0.4)
        case _:
            pass


def _other_yield(text: str) -> Iterator[Idiom]:
    """`yield x` ↔ `yield from x`, for generators that call themselves or flatten."""
    if text.startswith("yield from "):
        other = text.replace("yield from ", "yield ", 1)
    elif text.startswith("yield "):
        other = text.replace("yield ", "yield from ", 1)
    else:
        return
    yield Idiom(text=other, template="another yield", prior=0.4)


def _other_prefix(node: SyntaxNode) -> Iterator[Idiom]:
    """`'x'` ↔ `b'x'`, `r'x'`; `f'x'` where names stand in braces."""
    if node.parent is None or node.parent.type == "expression_statement":
        return
    text = text_of(node)
    found = _STRING.match(text)
    if found is None:
        return
    prefix, rest = found[1].lower(), text[len(found[1]) :]
    if "f" in prefix:
        yield Idiom(text=rest, template="another prefix", prior=0.1)
        return
    if _FIELD.search(rest) and "b" not in prefix:
        yield Idiom(text=f"f{text}", template="another prefix", prior=0.4)
    other = "b" if "b" not in prefix else ""
    yield Idiom(text=f"{other}{rest}", template="another prefix", prior=0.08)
    if "\\" in rest:
        raw = rest if "r" in prefix else f"r{text}"
        yield Idiom(text=raw, template="another prefix", prior=0.2)


def _all_filled(node: SyntaxNode) -> Iterator[Idiom]:
    """`'{x} ' '{y}'` → `f'{x} ' f'{y}'`."""
    start = node.start_byte
    data = node.text or b""
    found = False
    for child in reversed(node.named_children):
        text = text_of(child)
        if child.type == "string" and text[:1] in "\"'" and _FIELD.search(text):
            at = child.start_byte - start
            data = data[:at] + b"f" + data[at:]
            found = True
    if found:
        text = data.decode("utf-8", "surrogateescape")
        yield Idiom(text=text, template="another prefix", prior=0.5)


def _other_empty(text: str) -> Iterator[Idiom]:
    for other in _EMPTY.get(text, ()):
        yield Idiom(text=other, template="another empty container", prior=0.25)


def _other_call(node: SyntaxNode) -> Iterator[Idiom]:
    """`x.next()` → `next(x)`, `d.get(k)` ↔ `d[k]`, `set()` → `[]`."""
    text = text_of(node)
    yield from _other_empty(text)
    if found := _NEXT.match(text):
        yield Idiom(text=f"next({found[1]})", template="another idiom", prior=0.4)
    if found := _GET.match(text):
        yield Idiom(text=f"{found[1]}[{found[2]}]", template="looked up", prior=0.15)
        if found[3]:
            other = f"({found[1]}.get({found[2]}) or {found[3][2:]})"
            yield Idiom(text=other, template="none or empty", prior=0.3)
