"""Whether the search would ever draw the real fix, wherever it looks: the ceiling of what it finds.

Reads and runs nothing: every edit of the statements around the fix is drawn, and compared to it.
Edits that an error message leads to are left out, since no test is run; so the ceiling is a little
higher than what this says. Two edits at once, and fixes of two files, are not looked at.
"""

from difflib import SequenceMatcher

from agent.edits.spans import apply_edits
from agent.repair.lang import grammar_for
from agent.repair.source import Source
from agent.repair.templates import drawn
from agent.repo.languages import Language
from agent.task import RepoPath
from tests.bench.places.clones import Clone
from tests.bench.repair.cases import Fix
from tests.bench.repair.changes import code_lines
from tests.bench.repair.score import sources_of


def template_of(clone: Clone, case: Fix) -> str:
    """Return the template that draws the real fix; empty where none does."""
    sources = sources_of(clone, case)
    if len(sources) != 1:
        return ""
    versions = [clone.file_at(each, sources[0]) for each in (f"{case.commit}^", case.commit)]
    old, new = (code_lines(version or b"") for version in versions)
    grammar = grammar_for(Language.PYTHON)
    if old is None or new is None or grammar is None:
        return ""
    source = Source(RepoPath(sources[0]), _text(old), grammar)
    wanted = _squashed(_text(new))
    rows = _rows(old, new)
    for region in source.regions:
        if not any(region.first_row <= row <= region.last_row for row in rows):
            continue
        for sketch in drawn(source, region, None):
            if _squashed(apply_edits(source.data, sketch.edits)) == wanted:
                return sketch.template
    return ""


def _rows(old: tuple[str, ...], new: tuple[str, ...]) -> set[int]:
    """Return the rows of before that were changed, and those around what was added."""
    matcher = SequenceMatcher(a=old, b=new, autojunk=False)
    rows: set[int] = set()
    for what, start, end, _new_start, _new_end in matcher.get_opcodes():
        if what != "equal":
            rows.update(range(start - 1, max(end, start + 1) + 1))
    return rows


def _text(lines: tuple[str, ...]) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def _squashed(data: bytes) -> bytes:
    return b"".join(data.split()).replace(b'"', b"'").replace(b",)", b")").replace(b",]", b"]")
