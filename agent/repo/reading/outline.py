"""Reads what an editor marks in a file while somebody types: definitions, tests, stubs.

As `read_facts` finds them, but nothing else is looked for, which takes a third of the time.
"""

from typing import Final

from agent.repo.facts import Definition, Unread
from agent.repo.languages import spec_of
from agent.repo.reading.captures import Captures, is_flat, reader_of
from agent.repo.reading.definitions import read_definitions
from agent.repo.reading.refusal import DEFAULT_LIMITS, ReadLimits, refuse
from agent.task import RepoPath

_PASSED_OVER: Final = frozenset({"references", "calls", "imports", "elements", "parameters"})
"""Stems of query files that define nothing."""
_HEAD_BYTES: Final = 200


def read_outline(
    path: RepoPath, data: bytes, *, limits: ReadLimits = DEFAULT_LIMITS
) -> tuple[Definition, ...] | Unread:
    """Return the definitions of a file in source order, or why it is not read.

    Takes 0.07 s for 5,000 lines (measured 2026-11-23, Python): for a thread, not for an event loop.

    Raises:
        ImportError: The language's grammar is not installed.
    """
    spec = spec_of(path, data[:_HEAD_BYTES])
    if spec is None:
        return Unread("no grammar")
    if (why := refuse(path, data, limits)) is not None:
        return Unread(why)
    reader = reader_of(spec, without=_PASSED_OVER)
    tree = reader.parse(data, limits.parse_s)
    if tree is None or is_flat(tree.root_node):
        return Unread("takes too long")
    return read_definitions(spec, path, Captures(data, reader.captures(tree.root_node)))[0]
