"""What a source file holds, as plain values: definitions, references, imports, errors.

Made by `agent.repo.reading` from one parse, kept by the index, asked by everybody. No trees. Tuples
with names, since an index makes and sends them by the hundred thousand.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from agent.repo.used import Reference, references_in

__all__ = [
    "FACTS_VERSION", "Definition", "FileFacts", "Import", "Reference", "SyntaxProblem", "Unread",
    "place_around",
]  # fmt: skip
FACTS_VERSION: Final = 3
"""Counted up when the same bytes give other facts; what is kept under another one is stale."""


class Definition(NamedTuple):
    """A named thing: function, method, class, type, constant, field."""

    name: str
    kind: str
    """`function`, `method`, `class`, `interface`, `enum`, `type`, `module`, `constant`, `field`,
    `macro`, or `test` (a test that is a call: `it("adds", …)`)."""
    line: int
    """First line, decorators included; 1-based, like all lines here."""
    name_line: int
    end_line: int
    start: int
    """Byte offset, decorators included."""
    end: int
    parent: int = -1
    """Place of the definition around it in the same tuple; -1: none."""
    qualified: str = ""
    """With what is around it, joined by dots whatever the language: `Cart.total`."""
    signature: str = ""
    """Everything up to the body, on one line, shortened."""
    doc: str = ""
    """First line of its documentation."""
    is_test: bool = False
    """A test, or a class of tests."""
    is_stub: bool = False
    """Its body does nothing yet, and is not meant to (an abstract method) either."""


class Import(NamedTuple):
    """What a file takes from elsewhere, as it is written."""

    module: str
    """`a.b`, `./util`, `java.util.List`, `crate::a::b`, `<stdio.h>`; empty for
    `from . import x`."""
    names: tuple[str, ...]
    """Names as they are called there, not here; empty: the module itself; `*`: everything."""
    level: int
    """Leading dots of a relative import (Python); 1 for `require_relative` (Ruby); 0 elsewhere."""
    line: int
    is_reexport: bool = False


class SyntaxProblem(NamedTuple):
    """Where a file does not parse."""

    line: int
    end_line: int
    around: str
    """What the grammar calls the smallest named node around it: `argument_list`."""
    inside: int = -1
    """Place of the innermost definition around it; -1: none."""


class FileFacts(NamedTuple):
    """Everything that is kept of a file."""

    language: str
    lines: int
    definitions: tuple[Definition, ...]
    """In source order, outer ones before what is in them."""
    imports: tuple[Import, ...]
    """In source order."""
    problems: tuple[SyntaxProblem, ...]
    """The first few."""
    doc: str
    """First lines of the file's own documentation."""
    words: str
    """Every word of code, comments and strings once, in lower case, with the parts of
    `parseHTTPUrl` and `parse_http_url` beside the whole; parted by blanks, by first use."""
    is_test: bool
    """Named like a file of tests, or holds nothing but tests."""
    uses: bytes
    """Names that are used, packed; `references` unpacks them."""
    used: str
    """These names, each once, parted by blanks."""

    @property
    def references(self) -> tuple[Reference, ...]:
        """The names that are used, by first use."""
        return references_in(self.uses)


class Unread(NamedTuple):
    """A file that is listed and not read."""

    why: str
    """`no grammar`, `binary`, `too large`, `generated`, `minified`, `vendored`,
    `takes too long`."""


def place_around(definitions: Sequence[Definition], line: int) -> int:
    """Return the place of the innermost definition that holds the line; -1: none does."""
    found = -1
    for place, definition in enumerate(definitions):
        if definition.line > line:
            break
        if definition.end_line >= line:
            found = place
    return found
