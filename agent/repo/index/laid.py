"""Changed files that lie over a tree: an unsaved buffer, an attempt's edits.

Read at once, kept in memory, never written.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from agent.repo.facts import FileFacts, Unread
from agent.repo.index.filling import path_words
from agent.repo.index.packing import Packed, pack_facts, segments
from agent.repo.index.trees import READ_BYTES
from agent.repo.reading import read_facts
from agent.task import RepoPath

Field = Literal["names", "uses", "taken", "words", "path"]
"""Where a word stands: in names that are defined (whole, and in parts), names that are used
(whole), imports (names and segments of modules), anywhere in code and text, in the path."""


@dataclass(frozen=True, slots=True)
class LaidFile:
    """A file as it was changed."""

    data: bytes
    facts: FileFacts | Unread
    texts: Mapping[str, frozenset[str]]
    """Words by field, as full-text search has them: ASCII letters in lower case."""


Laid = Mapping[RepoPath, LaidFile | None]
"""None: there is no such file."""
NOTHING: Final[Laid] = {}


def lay(changes: Mapping[RepoPath, bytes | None]) -> dict[RepoPath, LaidFile | None]:
    """Read changed files. Blocking, as parsing is."""
    return {path: None if data is None else _laid(path, data) for path, data in changes.items()}


def facts_laid(laid: Laid) -> Iterator[tuple[RepoPath, FileFacts]]:
    """Yield the files that were read."""
    for path, file in laid.items():
        if file is not None and isinstance(file.facts, FileFacts):
            yield path, file.facts


def _laid(path: RepoPath, data: bytes) -> LaidFile:
    facts = Unread("too large") if len(data) > READ_BYTES else read_facts(path, data)
    packed = pack_facts(b"", facts) if isinstance(facts, FileFacts) else None
    return LaidFile(data, facts, _texts(path, packed))


def _texts(path: RepoPath, packed: Packed | None) -> dict[str, frozenset[str]]:
    name = path_words(path.encode("utf-8", "surrogateescape"))
    texts = {"path": name.replace("_", " ")}
    if packed is not None:
        texts |= {"names": packed.names, "uses": packed.used}
        texts |= {"taken": packed.taken, "words": packed.words}
    return {field: frozenset(as_searched(text)) for field, text in texts.items()}


def as_searched(text: str) -> list[str]:
    """Return the words of a text as the full-text index tells them apart."""
    return [_lower(word) for word in segments(text)]


_UPPER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def _lower(word: str) -> str:
    return word.translate(_UPPER)
