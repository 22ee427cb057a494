"""The border between the search and whoever runs the tests for it."""

from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from agent.edits.changes import Content
from agent.edits.spans import apply_edits
from agent.repair.proposal import Proposal
from agent.task import RepoPath, TestId
from agent.workspace.base import Base

MOST_RUN_EACH: Final = 8
"""With more targets an edit that fails one of them is dropped at once."""


class Result(StrEnum):
    """What became of one proposal."""

    PASSES = "passes"
    """All targets pass and nothing near them broke."""
    PARTLY = "partly"
    """Some targets pass and nothing near them broke."""
    FAILS = "fails"
    DOUBTFUL = "doubtful"
    """Fails, but what was edited had done its work at import already: it may pass without its
    unit."""
    HANGS = "hangs"
    """Over its time limit; may be tried again with more."""
    LATER = "later"
    """Cannot be tried the quick way; hand it in again without its unit."""
    INVALID = "invalid"
    """Does not compile, or compiles to what is there already."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A proposal to be tried, and how patiently."""

    proposal: Proposal
    patience: float = 1.0
    """Stretches the time limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A proposal and what became of it."""

    proposal: Proposal
    result: Result
    patience: float = 1.0
    """With which it was tried."""
    fixed: tuple[TestId, ...] = ()
    """The targets that pass; for PASSES all of them."""
    further: int = 0
    """For FAILS: how much later the first target fails than on the base, while nothing broke.
    2: at a later line of the test, or at its assertion where there was a crash; 1: at a later line
    of the function that crashes; 0: no sign of that."""
    passed: int = 0
    """For HANGS: tests that had passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The tests that decide, with how long each takes."""

    targets: tuple[tuple[TestId, float], ...]
    """Seconds of CPU on the untouched base."""
    passing: tuple[tuple[TestId, float], ...]
    """Passing tests that run code which may be edited, cheapest first."""

    @property
    def ids(self) -> tuple[TestId, ...]:
        """Targets first."""
        return tuple(id_ for id_, _cpu_s in (*self.targets, *self.passing))

    @property
    def runs_each(self) -> bool:
        """Tell whether every target is run for each edit, to see which of them it mends."""
        return 1 < len(self.targets) <= MOST_RUN_EACH


class Validator(Protocol):
    """Runs the tests against proposals, inside a sandbox."""

    @property
    def is_quick(self) -> bool:
        """Hundreds of tries a second rather than about one."""
        ...

    async def watch(self, watched: Watched) -> None:
        """Set the tests that decide from now on. Raises: SandboxError."""
        ...

    def filter(self, asked: Iterator[Ask]) -> AsyncGenerator[Tried, None]:
        """Try proposals as they come, in about their order, and yield what became of each.

        Pulls a few ahead. State may leak from one try to another: a pass has to be confirmed.
        May be cancelled. Raises: SandboxError.
        """
        ...

    def recheck(self, proposals: Iterator[Proposal]) -> AsyncGenerator[Tried, None]:
        """The same, each from a fresh start that no other try has touched. Raises: SandboxError."""
        ...


def edited(base: Base, proposals: tuple[Proposal, ...]) -> dict[RepoPath, Content]:
    """Return the files of some proposals as they would be. Raises: ValueError on overlap."""
    contents: dict[RepoPath, Content] = {}
    for path in dict.fromkeys(proposal.path for proposal in proposals):
        before = base.read(path)
        if before is None:
            raise ValueError(f"{path} is not in the base")
        edits = [edit for one in proposals if one.path == path for edit in one.sketch.edits]
        contents[path] = Content(data=apply_edits(before.data, edits), mode=before.mode)
    return contents


def part_of(proposal: Proposal) -> dict[str, object]:
    """Return one edit as the scripts inside the sandbox take it, with its unit to be swapped."""
    unit = proposal.unit
    return {
        "path": proposal.path,
        "edits": [
            [edit.start, edit.end, edit.text.decode("utf-8", "surrogateescape")]
            for edit in proposal.sketch.edits
        ],
        "unit": unit
        and {
            "name": unit.name,
            "start": unit.start,
            "end": unit.end,
            "first_line": unit.first_line,
            "def_line": unit.def_line,
            "headers": unit.headers,
            "classes": unit.classes,
        },
    }
