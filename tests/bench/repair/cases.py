"""The mined fixes, as names only: no text and no code of the libraries."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

FIXES: Final = Path(__file__).parent / "data" / "fixes.jsonl"
REACH_LINES: Final = 3
"""Changed source lines up to which a fix is called small; the larger side of each hunk counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """One commit whose tests were seen to fail without its source and to pass with it."""

    repository: str
    """`owner/name`."""
    commit: str
    lines: int
    """Changed lines of code: what is no comment and no docstring."""
    failing: tuple[str, ...]
    """Tests that fail without the fix and pass with it; none: so many that `files` says it."""
    files: tuple[str, ...]
    """Test files that the commit touched, or that read what it touched; all their tests pass."""
    suite: tuple[str, ...] = ()
    """Paths that pytest is given as the whole suite, where the repository's own is too long."""
    python: str
    """`3.12`."""
    requirements: tuple[str, ...]

    @property
    def key(self) -> str:
        """Short name of the case, for people and files."""
        return f"{self.repository.partition('/')[2]}@{self.commit[:10]}"

    @property
    def is_small(self) -> bool:
        """Whether it is a fix that one or two edits might be; else it is out of reach."""
        return self.lines <= REACH_LINES

    @property
    def half(self) -> str:
        """`A` may be looked at; `B` is only counted."""
        return half_of(self.repository, self.commit)


def half_of(repository: str, commit: str) -> str:
    """Return the half, `A` or `B`, that a commit belongs to, by its hash alone."""
    digest = hashlib.sha256(f"{repository}@{commit}".encode()).digest()
    return "A" if digest[0] % 2 else "B"


def load_fixes(file: Path = FIXES) -> tuple[Fix, ...]:
    """Return the cases that are in the repository, in the order of the file."""
    return tuple(fix_of(json.loads(line)) for line in file.read_text("utf-8").splitlines())


def save_fixes(fixes: Iterable[Fix], file: Path = FIXES) -> None:
    """Write the cases, one a line, so that two minings give the same bytes."""
    ordered = sorted(fixes, key=lambda fix: (fix.repository.lower(), not fix.is_small, fix.commit))
    file.parent.mkdir(exist_ok=True)
    file.write_text("".join(json.dumps(asdict(fix)) + "\n" for fix in ordered), "utf-8")


def fix_of(record: Mapping[str, Any]) -> Fix:
    """Return the case that a record in JSON tells."""
    return Fix(
        repository=record["repository"],
        commit=record["commit"],
        lines=record["lines"],
        failing=tuple(record["failing"]),
        files=tuple(record["files"]),
        suite=tuple(record["suite"]),
        python=record["python"],
        requirements=tuple(record["requirements"]),
    )
