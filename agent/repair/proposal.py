"""What a template draws and what the search tries: byte edits with where they came from."""

from dataclasses import dataclass
from enum import StrEnum

from agent.edits.spans import ByteEdit
from agent.task import RepoPath


class Flag(StrEnum):
    """A shape that patches have which please the tests and nobody else."""

    DELETES = "takes code away"
    CONSTANT = "puts a constant in the place of a computation"
    SWALLOWS = "hides an exception"
    UNREACHABLE = "makes code unreachable"


@dataclass(frozen=True, slots=True)
class Sketch:
    """One edit of one file, as a template draws it."""

    edits: tuple[ByteEdit, ...]
    template: str
    """What was done, for a person: `comparison`, `near name`."""
    prior: float
    """How often such an edit is the right one, from 0 to 1; ranks, and means nothing absolute."""
    tier: int = 1
    """0: the error message led to it; 1: operators, names, values; 2: guards, donors, statements
    put in or moved; 3: statements taken away, constants; 4: two edits at once."""
    flags: frozenset[Flag] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """The function or method around an edit, where its body may be swapped in a live process."""

    name: str
    start: int
    """First byte of the line with `def`."""
    end: int
    first_line: int
    """1-based; the first decorator's line where there is one."""
    def_line: int
    headers: tuple[str, ...]
    """What has to stand around the definition so that it compiles as it does in its file."""
    classes: tuple[str, ...]
    """The classes among these, outermost first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A sketch in its place, ready to be tried."""

    path: RepoPath
    sketch: Sketch
    line: int
    """1-based, of the first edit."""
    suspicion: float
    unit: Unit | None
    """None: the file has to be imported anew."""
    before: str
    """The edited lines as they are, stripped, for a person."""
    after: str

    @property
    def score(self) -> float:
        """Higher is tried earlier."""
        return self.suspicion * self.sketch.prior

    @property
    def size(self) -> int:
        """Bytes taken out and put in; the smaller of two equal edits ranks first."""
        return sum(edit.end - edit.start + len(edit.text) for edit in self.sketch.edits)

    @property
    def why(self) -> str:
        """One line: where, which kind of edit, before and after."""
        return f"{self.path}:{self.line}: {self.sketch.template}: {self.before} → {self.after}"
