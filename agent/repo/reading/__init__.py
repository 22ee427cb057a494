"""Reads one source file into facts: one parse, one query, no tree kept.

Knows no language: what is a definition or an import is said by the queries of its data folder.
Broken code is read as far as it goes.
"""

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

import tree_sitter

from agent.repo.facts import FACTS_VERSION, Definition, FileFacts, Unread
from agent.repo.languages import Languages, built_in
from agent.repo.reading.captures import Captures, is_flat, reader_of
from agent.repo.reading.definitions import read_definitions
from agent.repo.reading.documents import file_doc
from agent.repo.reading.imports import read_imports
from agent.repo.reading.problems import read_problems
from agent.repo.reading.refusal import DEFAULT_LIMITS, ReadLimits, refuse
from agent.repo.reading.uses import KEYWORDS, read_uses
from agent.repo.reading.words import words_of
from agent.task import RepoPath

_HEAD_BYTES: Final = 200
_BESIDE_TESTS: Final = frozenset({"constant", "field", "macro"})


@cache
def reading_version() -> str:
    """Return what facts depend on besides path and bytes; under another one they are stale."""
    digest = sha256(f"{FACTS_VERSION}\0".encode())
    for spec in built_in().specs.values():
        for path in (spec.folder / "language.toml", *spec.folder.glob(KEYWORDS), *spec.queries):
            digest.update(path.read_bytes())
    packages = Path(tree_sitter.__file__).parents[1].glob("tree_sitter*.dist-info")
    digest.update("\n".join(sorted(path.name for path in packages)).encode())
    return digest.hexdigest()[:16]


def kind_of(path: RepoPath) -> str | None:
    """Return all of the path that facts depend on; None: `read_facts` says `no grammar`."""
    return built_in().kind_of(path)


def read_facts(
    path: RepoPath,
    data: bytes,
    *,
    limits: ReadLimits = DEFAULT_LIMITS,
    languages: Languages | None = None,
) -> FileFacts | Unread:
    """Return what the file holds, or why it is not read. Any bytes will do.

    Holds the GIL while it parses (about 0.1 s for 1 MB): not for an event loop.

    Raises:
        ImportError: The language's grammar is not installed.
    """
    known = built_in() if languages is None else languages
    spec = known.of(path, data[:_HEAD_BYTES])
    if spec is None:
        return Unread("no grammar")
    if (why := refuse(path, data, limits)) is not None:
        return Unread(why)
    reader = reader_of(spec)
    tree = reader.parse(data, limits.parse_s)
    if tree is None or is_flat(tree.root_node):
        return Unread("takes too long")
    root = tree.root_node
    captures = Captures(data, reader.captures(root))
    definitions, names = read_definitions(spec, path, captures)
    uses = read_uses(spec, captures, names)
    return FileFacts(
        language=spec.name,
        lines=data.count(b"\n") + (not data.endswith(b"\n") and bool(data)),
        definitions=definitions,
        imports=read_imports(spec, path, captures),
        problems=read_problems(root, definitions) if root.has_error else (),
        doc=file_doc(captures),
        words=words_of(data),
        is_test=spec.is_test_file(path) or _only_tests(definitions),
        uses=uses.packed,
        used=uses.names,
    )


def _only_tests(definitions: Sequence[Definition]) -> bool:
    """Tell whether everything at the top is a test; a module with tests in it is none."""
    top = [one for one in definitions if one.parent < 0 and one.kind not in _BESIDE_TESTS]
    return bool(top) and all(one.is_test for one in top)
