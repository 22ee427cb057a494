"""Reads docs/protocol.md: its interfaces and its tables of methods, as JSON Schema.

Knows the little TypeScript that the page uses: interfaces, inline objects, arrays, unions of texts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One row of a table of methods."""

    name: str
    to_client: bool
    params: Schema
    result: Schema | None
    """None: a notification."""


def interfaces(page: str) -> dict[str, Schema]:
    """Return every interface of the page's ts blocks, by name."""
    found: dict[str, Schema] = {}
    for block in re.findall(r"^```ts\n(.*?)^```", page, re.DOTALL | re.MULTILINE):
        tokens = _Tokens(block)
        while tokens.peek():
            tokens.take("interface")
            name = tokens.next()
            parent = ""
            if tokens.peek() == "extends":
                tokens.next()
                parent = tokens.next()
            schema = _object(tokens)
            found[name] = {"allOf": [_reference(parent)], **schema} if parent else schema
    return found


def methods(page: str) -> list[Method]:
    """Return what the tables list."""
    return list(_methods(page))


def _methods(page: str) -> Iterator[Method]:
    head = ""
    for line in page.splitlines():
        cells = [each.strip() for each in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not cells:
            head = ""
        elif not head:
            head = cells[0]
        elif (named := re.fullmatch(r"`(greenloop/[\w/]+)`", cells[0])) and head in _HEADS:
            is_request = head == "request"
            yield Method(
                name=named[1],
                to_client=head == "notification to the client",
                params=_cell(cells[1]),
                result=_cell(cells[2]) if is_request else None,
            )


_HEADS = {"request", "notification to the client", "notification to the server"}


def _cell(text: str) -> Schema:
    """Return what stands between the first backquotes of a cell."""
    found = re.match(r"`([^`]*)`", text)
    assert found, f"no type in {text!r}"
    tokens = _Tokens(found[1].replace("\\|", "|"))
    schema = _type(tokens)
    assert not tokens.peek(), f"left over in {text!r}"
    return schema


class _Tokens:
    def __init__(self, text: str) -> None:
        text = re.sub(r"//[^\n]*", "", text)
        self._rest = re.findall(r'"[^"]*"|\w+|\S', text)

    def peek(self) -> str:
        return self._rest[0] if self._rest else ""

    def next(self) -> str:
        return self._rest.pop(0)

    def take(self, expected: str) -> None:
        got = self.next() if self._rest else "the end"
        assert got == expected, f"expected {expected}, got {got}"


def _type(tokens: _Tokens) -> Schema:
    choices = [_one(tokens)]
    while tokens.peek() == "|":
        tokens.next()
        choices.append(_one(tokens))
    if len(choices) == 1 and "const" not in choices[0]:
        return choices[0]
    return {"enum": [each["const"] for each in choices]}


def _one(tokens: _Tokens) -> Schema:
    if tokens.peek() == "|":  # a union may begin with its bar
        tokens.next()
    schema = _atom(tokens)
    while tokens.peek() == "[":
        tokens.next()
        tokens.take("]")
        schema = {"type": "array", "items": schema}
    return schema


def _atom(tokens: _Tokens) -> Schema:
    if tokens.peek() == "{":
        return _object(tokens)
    token = tokens.next()
    if token.startswith('"'):
        return {"const": token[1:-1]}
    if token in {"string", "number", "boolean"}:
        return {"type": token}
    if token == "Partial":
        tokens.take("<")
        inner = tokens.next()
        tokens.take(">")
        return {"partial": inner}
    return _reference(token)


def _object(tokens: _Tokens) -> Schema:
    tokens.take("{")
    fields: dict[str, Schema] = {}
    required = []
    while tokens.peek() != "}":
        name = tokens.next()
        if tokens.peek() == "?":
            tokens.next()
        else:
            required.append(name)
        tokens.take(":")
        fields[name] = _type(tokens)
        if tokens.peek() in {";", ","}:
            tokens.next()
    tokens.take("}")
    schema: Schema = {"type": "object", "properties": fields}
    return {**schema, "required": required} if required else schema


def _reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}
