"""Facts of a file as the index keeps them: lines and JSON for what is shown, words for full text.

What comes out of a store is checked before it is believed; what does not fit is `Damaged`.
"""

import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from agent.repo.facts import Definition, FileFacts, Import, SyntaxProblem, Unread
from agent.repo.index.trees import NO_GRAMMAR, READ_BYTES
from agent.repo.reading import read_facts
from agent.task import RepoPath

_SEGMENTS: Final = re.compile(r"[^0-9A-Za-z_$\x80-\U0010ffff]+")
_PARTS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")

_ENCODE: Final = json.JSONEncoder(separators=(",", ":")).encode
"""Made once: `json.dumps` with settings makes an encoder each time, which takes longest."""


_PARTING: Final = "\x1f"
_PARTINGS: Final = 11
"""In the line of a definition."""
_NO_MARKS: Final = {ord("\n"): " ", ord(_PARTING): " "}


class Damaged(Exception):
    """What was kept cannot have been written by us."""


class Packed(NamedTuple):
    """A file, ready to be written."""

    key: bytes
    """Id of the bytes that were read, which may be younger than those asked for."""
    why: str
    """Why it is not read; empty where it is, and all below is empty where it is not."""
    head: bytes
    """Language, lines, problems, documentation, whether it is a test."""
    imports: bytes
    """Empty where there is none."""
    uses: bytes
    definitions: bytes
    """A line each, by place."""
    sum: int
    """Over all above from `head` on, by which damage is noticed."""
    folded: tuple[bytes, ...]
    """Folded names of the definitions, by place."""
    names: str
    used: str
    taken: str
    """What it imports: names and segments of modules."""
    words: str


def blob_key(data: bytes, like: bytes) -> bytes:
    """Return git's id of the bytes, by the algorithm that made the other id."""
    algorithm = "sha256" if len(like) == 32 else "sha1"
    return hashlib.new(algorithm, b"blob %d\0" % len(data) + data).digest()


def pack(path: RepoPath, data: bytes, key: bytes) -> Packed:
    """Read a file, and return what is to be kept of it; `key` is the id it is expected to have."""
    if len(data) > READ_BYTES:
        return unread(key, "too large")
    actual = blob_key(data, key)
    try:
        facts = read_facts(path, data)
    except ImportError:
        return unread(actual, NO_GRAMMAR)
    return unread(actual, facts.why) if isinstance(facts, Unread) else pack_facts(actual, facts)


def unread(key: bytes, why: str) -> Packed:
    """Return what is kept of a file that is not read."""
    return Packed(key, why, b"", b"", b"", b"", 0, (), "", "", "", "")


def pack_facts(key: bytes, facts: FileFacts) -> Packed:
    """Return what is kept of a file that was read."""
    head = _json((facts.language, facts.lines, facts.problems, facts.doc, facts.is_test))
    imports = _json(facts.imports) if facts.imports else b""
    definitions = _lines(facts.definitions)
    names = list(dict.fromkeys([one.name for one in facts.definitions]))
    return Packed(
        key=key,
        why="",
        head=head,
        imports=imports,
        uses=facts.uses,
        definitions=definitions,
        sum=sum_over(head, imports, facts.uses, definitions),
        folded=tuple([fold(one.name) for one in facts.definitions]),
        names=_text([*names, *split_words(" ".join(names))]),
        used=_text([facts.used]),
        taken=_text(import_words(one) for one in facts.imports),
        words=_text([facts.words]),
    )


def sum_over(*parts: bytes) -> int:
    """Return a sum over what is kept of a file, by which damage is noticed."""
    total = 0
    for part in parts:
        total = zlib.crc32(part, total)
    return total


def fold(name: str) -> bytes:
    """Return a name as it is compared where case does not matter."""
    return name.casefold().encode("utf-8", "surrogatepass")


def split_words(name: str) -> list[str]:
    """Return the parts of an identifier, in lower case: `parseURL` gives `parse`, `url`."""
    return [part.lower() for part in _PARTS.findall(name)]


def segments(text: str) -> list[str]:
    """Return what full text search takes for words in it: `a.b/c-d` gives `a`, `b`, `c`, `d`."""
    return [segment for segment in _SEGMENTS.split(text) if segment]


def import_words(one: Import) -> str:
    """Return the segments of an import's module, and the names."""
    return f"{one.module} {' '.join(one.names)}"


def unpack_head(head: bytes) -> FileFacts:
    """Return facts without definitions, imports, uses and words. Raises: Damaged."""
    try:
        language, lines, problems, doc, is_test = json.loads(head)
        return FileFacts(
            language=str(language),
            lines=int(lines),
            definitions=(),
            imports=(),
            problems=tuple(SyntaxProblem(*problem) for problem in problems),
            doc=str(doc),
            words="",
            is_test=bool(is_test),
            uses=b"",
            used="",
        )
    except (ValueError, TypeError) as exc:
        raise Damaged from exc


def lines_of(definitions: bytes) -> list[bytes]:
    """Return the lines of packed definitions, by place."""
    return definitions.split(b"\n") if definitions else []


def unpack_definition(line: bytes) -> Definition:
    """Return one definition. Raises: Damaged."""
    try:
        fields = line.decode("utf-8", "surrogatepass").split(_PARTING)
        name, kind, first, name_line, last, start, end, parent, flags, qualified, signature, doc = (
            fields
        )
        return Definition(
            name,
            kind,
            int(first),
            int(name_line),
            int(last),
            int(start),
            int(end),
            int(parent),
            qualified,
            signature,
            doc,
            "t" in flags,
            "s" in flags,
        )
    except ValueError as exc:
        raise Damaged from exc


def _lines(definitions: Sequence[Definition]) -> bytes:
    """Return definitions as lines: four times as quick as JSON, both ways."""
    lines = [
        f"{one.name}\x1f{one.kind}\x1f{one.line}\x1f{one.name_line}\x1f{one.end_line}\x1f{one.start}"
        f"\x1f{one.end}\x1f{one.parent}\x1f{'t' * one.is_test}{'s' * one.is_stub}"
        f"\x1f{one.qualified}\x1f{one.signature}\x1f{one.doc}"
        for one in definitions
    ]
    text = "\n".join(lines)
    if text.count("\n") >= len(lines) > 0 or text.count(_PARTING) != _PARTINGS * len(lines):
        text = "\n".join(_plain(one) for one in definitions)
    return text.encode("utf-8", "surrogatepass")


def _plain(one: Definition) -> str:
    """Return a line for a definition that has marks of ours in its text; only there."""
    texts = [
        text.translate(_NO_MARKS) for text in (one.name, one.qualified, one.signature, one.doc)
    ]
    name, qualified, signature, doc = texts
    return _lines(
        [one._replace(name=name, qualified=qualified, signature=signature, doc=doc)]
    ).decode("utf-8", "surrogatepass")


def unpack_imports(body: bytes) -> tuple[Import, ...]:
    """Return a file's imports. Raises: Damaged."""
    if not body:
        return ()
    try:
        return tuple(
            Import(str(module), tuple(names), int(level), int(line), bool(is_reexport))
            for module, names, level, line, is_reexport in json.loads(body)
        )
    except (ValueError, TypeError) as exc:
        raise Damaged from exc


def _json(value: Any) -> bytes:
    return _ENCODE(value).encode()


def _text(words: Iterable[str]) -> str:
    """Return words as a text that SQLite can keep."""
    text = " ".join(words)
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
