"""Definitions alone: the same as the facts hold, for less."""

from pathlib import Path

import pytest

from agent.repo.facts import FileFacts, Unread
from agent.repo.reading import read_facts
from agent.repo.reading.outline import read_outline
from agent.task import RepoPath

PROGRAMS = sorted(
    path
    for path in (Path(__file__).parents[2] / "data" / "languages").rglob("*")
    if path.is_file() and path.suffix not in {".toml", ".json", ".md"}
)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_definitions_are_those_of_the_facts(program: Path) -> None:
    path, data = RepoPath(program.name), program.read_bytes()
    facts = read_facts(path, data)
    outline = read_outline(path, data)
    if isinstance(facts, FileFacts):
        assert [_marks(one) for one in outline] == [_marks(one) for one in facts.definitions]
    else:
        assert outline == facts


def test_file_that_nobody_reads_is_left_with_a_reason() -> None:
    assert read_outline(RepoPath("a.bin"), b"x") == Unread("no grammar")
    assert read_outline(RepoPath("a.py"), b"\0") == Unread("binary")
    assert read_outline(RepoPath("a.py"), b"#" * 2_000_000) == Unread("too large")


def _marks(one: object) -> tuple[object, ...]:
    kept = ("name", "kind", "line", "name_line", "end_line", "start", "end", "parent", "qualified")
    return tuple(getattr(one, name) for name in (*kept, "is_test", "is_stub"))
