"""`greenloop answer`: keep the test that says which of several behaviours is the right one.

Writes that one test into the user's tree and nothing else; no patch is chosen by it. The next run
has the test to go by.
"""

import argparse
import re
import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import anyio

from agent.accept import Unreadable, Wanted, Written, read_files, repository_of, write_files
from agent.cli.review import CONFLICT, conflict_lines
from agent.cli.screen import Screen
from agent.config import Settings, top_here
from agent.edits.changes import Content
from agent.edits.hunks import split_file
from agent.edits.patch import Patch, render_unified
from agent.errors import TaskError
from agent.events import RunStarted
from agent.journal.store import RunStore
from agent.journal.stored import StoredRun
from agent.task import RepoPath
from agent.telling.wording import one_line
from agent.workspace.review import Stale

_TEST_NAME: Final = re.compile(r"^def (test_\w+)\(", re.MULTILINE)


def answer(arguments: argparse.Namespace, settings: Settings, screen: Screen) -> int:
    """Write the test of one answer to a run's question. Raises: AgentError."""
    stored = RunStore(settings.state_dir).open(arguments.run, top=top_here())
    question = _question_of(stored)
    chosen = _chosen(question["answers"], arguments.number, stored)
    path, test = RepoPath(question["path"]), str(chosen["test"])
    repo = repository_of(stored)
    before = anyio.run(partial(read_files, repo, (path,)))[path]
    if isinstance(before, Unreadable):
        raise TaskError(f"{path}: {before.why}.", remedy="Move it out of the way and try again.")
    after = _with_test(before, path, test)
    wanted: Wanted = {path: (before, after)}
    written = anyio.run(partial(write_files, repo, wanted, stored.undo_dir))
    if written.conflicts:
        return _refuse(screen, stored, written)
    kept = f"{path}::{_name_of(test)}"
    following = _next_command(stored, kept if chosen["fails_now"] else "")
    screen.answer({"run": stored.run, "kept": kept, "files": [path], "next": following})
    _show(screen, path, before, after)
    for note in written.notes:
        screen.line(f"note: {one_line(note)}")
    screen.line(f"kept: {one_line(kept)}: {one_line(question['call'])} {chosen['shown']}")
    screen.line(f"look for a fix that it allows: {following}")
    screen.line(f"take it back: greenloop undo {stored.run}")
    return 0


def _question_of(stored: StoredRun) -> Mapping[str, Any]:
    question = (stored.result() or {}).get("question")
    if not isinstance(question, Mapping):
        raise TaskError(
            f"run {stored.run} has no question: no input was found on which its patches differ.",
            remedy=f"`greenloop show {stored.run}` says what it came to.",
        )
    return question


def _chosen(
    answers: Sequence[Mapping[str, Any]], number: int, stored: StoredRun
) -> Mapping[str, Any]:
    if not 1 <= number <= len(answers):
        raise TaskError(
            f"run {stored.run} has no answer {number}.",
            remedy=f"Choose one of 1 to {len(answers)}; `greenloop show {stored.run}` lists them.",
        )
    return answers[number - 1]


def _with_test(before: Content | None, path: RepoPath, test: str) -> Content:
    """Return the file with the test at its end. Raises: TaskError."""
    if before is None:
        return Content(data=test.encode())
    name = _name_of(test)
    if re.search(rf"^\s*def {re.escape(name)}\(".encode(), before.data, re.MULTILINE):
        raise TaskError(
            f"{path} has a test named {name} already.",
            remedy="Rename that one, or take it out, and try again.",
        )
    end = b"\r\n" if b"\r\n" in before.data else b"\n"
    above = before.data.rstrip()
    gap = end * 3 if above else b""
    lines = _without_known_imports(test, before.data.decode("utf-8", "replace")).splitlines()
    data = above + gap + end.join(line.encode() for line in lines) + end
    return Content(data=data, mode=before.mode)


def _without_known_imports(test: str, text: str) -> str:
    """Leave out what the test imports at its top and the file imports already."""
    imports, defined, body = test.partition("def ")
    left = [line for line in imports.splitlines() if line and not _is_imported(line, text)]
    above = "\n".join((*left, "", "", "")) if left else ""
    return f"{above}{defined}{body}"


def _is_imported(line: str, text: str) -> bool:
    found = re.fullmatch(r"(from [\w.]+ import )(\w+)", line)
    if found is None:
        return line in text.splitlines()
    known = re.findall(rf"^{re.escape(found[1])}(.*)$", text, re.MULTILINE)
    return any(found[2] in (name.strip() for name in names.split(",")) for names in known)


def _name_of(test: str) -> str:
    found = _TEST_NAME.search(test)
    if found is None:
        raise TaskError(
            "the test of that answer has no name.", remedy="Write the test by hand, please."
        )
    return found[1]


def _next_command(stored: StoredRun, kept: str) -> str:
    """Return how to look for a fix that makes the kept test pass as well."""
    started = stored.summary().started
    targets = started.targets if isinstance(started, RunStarted) else ()
    if not targets:
        return "greenloop fix"
    return shlex.join(["greenloop", "fix", *targets, *filter(None, [kept])])


def _show(screen: Screen, path: RepoPath, before: Content | None, after: Content) -> None:
    diff = render_unified(Patch(files=(split_file(path, before, after),)))
    text = diff.decode("utf-8", "backslashreplace")
    if screen.is_rich:
        from agent.cli.paint import diff_view

        screen.draw(diff_view(text, {}))
        return
    for line in text.splitlines():
        screen.line(line)


def _refuse(screen: Screen, stored: StoredRun, written: Written) -> int:
    lines = conflict_lines(Stale(conflicts=written.conflicts))
    screen.answer({"run": stored.run, "kept": "", "files": [], "conflicts": lines})
    for line in (*lines, "nothing was written: the file has changed meanwhile."):
        screen.line(line)
    return CONFLICT
