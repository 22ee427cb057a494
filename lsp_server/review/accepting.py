"""Puts chosen hunks into the user's files, and takes out again what was accepted.

Lines of an open document are changed through its editor, everything else on disk: files that are
not open, additions, deletions, replacements and the executable bit, where the editor holds nothing
newer. What went in is kept with the review file by file, so that an editor that goes away in the
middle leaves nothing unknown.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from agent.accept import Unreadable, Wanted, noted_paths, take_back, write_back, write_files
from agent.edits.changes import Content, Mode
from agent.edits.hunks import HunkKind
from agent.edits.merge import Conflict, Merged
from agent.task import HunkId, RepoPath
from lsp_server.review.buffers import NotChanged, change_buffer
from lsp_server.review.held import Held, content_of, held_files
from lsp_server.review.laying import Laid, lay, take_out
from lsp_server.review.reviewed import ReviewedFile
from lsp_server.review.reviews import Opened, Reviews
from lsp_server.review.state import HunkState, Review, accepted, taken_back
from lsp_server.review.uris import shown_path

if TYPE_CHECKING:
    from lsp_server.documents import OpenDocument
    from lsp_server.server import GreenloopServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One file that is now as was asked."""

    path: RepoPath
    document: "OpenDocument | None"
    """As it was before; None: the file was written on disk."""
    hunks: tuple[HunkId, ...]
    was_unsaved: bool = False


@dataclass(slots=True, kw_only=True)
class Account:
    """What came of a decision."""

    done: list[Done] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)


async def accept(
    server: "GreenloopServer", reviews: Reviews, opened: Opened, chosen: Collection[HunkId]
) -> Account:
    """Put hunks into the user's files; inside `deciding` only.

    Raises: ClientGone, JournalError, TaskError, WorkspaceError.
    """
    files = [file for file in opened.review.files if file.ids.intersection(chosen)]
    held = await held_files(server, opened.top, [file.path for file in files])
    in_buffer: dict[RepoPath, frozenset[HunkId]] = {}
    on_disk: dict[RepoPath, frozenset[HunkId]] = {}
    for file in files:
        ids = file.ids.intersection(chosen)
        lines = _lines_of(file, held[file.path]) & ids
        for part, where in ((lines, in_buffer), (ids - lines, on_disk)):
            if part:
                where[file.path] = part
    account = Account()
    # The disk first: once its lines have changed in the editor, a file is unsaved.
    await _accept_on_disk(reviews, opened, held, on_disk, account)
    for path, ids in in_buffer.items():
        await _accept_in_buffer(server, reviews, opened, held[path], path, ids, account)
    return account


async def undo(server: "GreenloopServer", reviews: Reviews, opened: Opened) -> Account:
    """Take out everything that was accepted; nothing, where undoing would lose newer text.

    Raises: ClientGone, JournalError, TaskError, WorkspaceError.
    """
    files = [file for file in opened.review.files if file.path in opened.review.taken]
    held = await held_files(server, opened.top, [file.path for file in files])
    account = Account()
    on_disk: dict[RepoPath, tuple[Content | None, Content | None]] = {}
    in_buffer: list[ReviewedFile] = []
    for file in files:
        each = held[file.path]
        outcome = _undone(opened.review, file, each)
        if not isinstance(outcome, Merged):
            account.conflicts += outcome
        elif _lines_of(file, each):
            in_buffer.append(file)
            mode_too = _with_mode(each, outcome.content)
            if mode_too is not None:
                on_disk[file.path] = mode_too
        elif not isinstance(each.on_disk, Unreadable):
            on_disk[file.path] = (each.on_disk, outcome.content)
    if account.conflicts:
        return account
    await _undo_on_disk(reviews, opened, on_disk, {file.path for file in in_buffer}, account)
    for file in in_buffer:
        await _undo_in_buffer(server, reviews, opened, held[file.path], file, account)
    return account


def _lines_of(file: ReviewedFile, held: Held) -> frozenset[HunkId]:
    """Return the hunks that are the editor's to make: lines of a document that is open."""
    if not held.in_buffer:
        return frozenset()
    is_new = file.base is None and held.on_disk is None
    kinds = {HunkKind.TEXT, HunkKind.CREATE} if is_new else {HunkKind.TEXT}
    return frozenset(hunk.id for hunk in file.hunks if hunk.kind in kinds)


async def _accept_on_disk(
    reviews: Reviews,
    opened: Opened,
    held: Mapping[RepoPath, Held],
    wanted: Mapping[RepoPath, frozenset[HunkId]],
    account: Account,
) -> None:
    """Write every file or, where one cannot be written, none."""
    laid: dict[RepoPath, tuple[Content | None, Laid]] = {}
    for file in opened.review.files:
        ids = wanted.get(file.path)
        if ids is None:
            continue
        now = held[file.path].on_disk
        why = held[file.path].why_not_on_disk
        if why or isinstance(now, Unreadable):
            account.conflicts.append(Conflict(path=file.path, hunks=tuple(sorted(ids)), why=why))
            continue
        inside = opened.review.ids(HunkState.ACCEPTED, path=file.path)
        outcome = lay(file, inside=inside, chosen=ids, now=now)
        account.conflicts += outcome.conflicts
        if outcome.hunks:
            laid[file.path] = (now, outcome)
    if not laid:
        return
    contents = {path: (now, each.content) for path, (now, each) in laid.items()}
    written = await write_files(opened.top, contents, opened.stored.undo_dir)
    if written.conflicts:
        account.conflicts += _stopped(written.conflicts, laid)
        return
    review = opened.review
    for path, (now, each) in laid.items():
        review = accepted(review, path, each.hunks, before=now, after=each.content)
        account.done.append(Done(path=path, document=None, hunks=each.hunks))
    await reviews.keep(opened, review)


def _stopped(
    conflicts: Sequence[Conflict], laid: Mapping[RepoPath, tuple[Content | None, Laid]]
) -> list[Conflict]:
    """Name every hunk that was not written because one file could not be."""
    at = {conflict.path: conflict for conflict in conflicts}
    first = conflicts[0]
    others = f"nothing was written, because of {shown_path(first.path)}: {first.why}"
    return [
        replace(at[path], hunks=each.hunks)
        if path in at
        else Conflict(path=path, hunks=each.hunks, why=others)
        for path, (_, each) in laid.items()
    ]


async def _accept_in_buffer(
    server: "GreenloopServer",
    reviews: Reviews,
    opened: Opened,
    held: Held,
    path: RepoPath,
    ids: frozenset[HunkId],
    account: Account,
) -> None:
    file, document = opened.review.file(path), held.document
    if file is None or document is None:
        return
    inside = opened.review.ids(HunkState.ACCEPTED, path=path)
    mode = _mode_of(file, inside)
    is_new = held.on_disk is None

    def content(data: bytes) -> Content | None:
        return content_of(data, mode, is_new=is_new)

    def laid(data: bytes) -> Laid:
        return lay(file, inside=inside, chosen=ids, now=content(data))

    label = f"accept {_counted(len(ids))} in {shown_path(path)}"
    outcome = await change_buffer(server, document.path, laid, label=label)
    if isinstance(outcome, NotChanged):
        account.conflicts += _not_changed(file, outcome, ids)
        return
    account.conflicts += outcome.laid.conflicts
    hunks = outcome.laid.hunks
    if not hunks:
        return
    before, after = content(outcome.before), content(outcome.after)
    review = accepted(
        opened.review, path, hunks, before=before, after=after, is_exact=outcome.is_exact
    )
    await reviews.keep(opened, review)
    account.done.append(
        Done(path=path, document=document, hunks=hunks, was_unsaved=outcome.was_unsaved)
    )


def _mode_of(file: ReviewedFile, inside: Collection[HunkId]) -> Mode:
    """Return the mode that a buffer's bytes are compared with: it has none of its own."""
    known = file.just(inside) or file.new
    return known.mode if known else Mode.FILE


def _not_changed(
    file: ReviewedFile, outcome: NotChanged, wanted: Collection[HunkId]
) -> list[Conflict]:
    tried = outcome.laid.hunks if outcome.laid is not None else tuple(sorted(wanted))
    others = outcome.laid.conflicts if outcome.laid is not None else ()
    line = next((hunk.old_start_line for hunk in file.hunks if hunk.id in tried), 0)
    return [*others, Conflict(path=file.path, hunks=tried, why=outcome.why, line=line)]


def _undone(review: Review, file: ReviewedFile, held: Held) -> Merged | tuple[Conflict, ...]:
    """Return what a file is without what was accepted, or why that would lose newer text."""
    inside = review.ids(HunkState.ACCEPTED, path=file.path)
    if isinstance(held.now, Unreadable):
        return (Conflict(path=file.path, hunks=tuple(sorted(inside)), why=held.now.why),)
    if not _lines_of(file, held) and held.why_not_on_disk:
        why = held.why_not_on_disk
        return (Conflict(path=file.path, hunks=tuple(sorted(inside)), why=why),)
    return _without(review, file, held.now)


def _without(
    review: Review, file: ReviewedFile, now: Content | None
) -> Merged | tuple[Conflict, ...]:
    """Return a file without what was accepted: to the byte where nobody touched it since."""
    taken = review.taken[file.path]
    if taken.unbroken and now == taken.after:
        return Merged(content=taken.before)
    return take_out(file, inside=review.ids(HunkState.ACCEPTED, path=file.path), now=now)


def _with_mode(held: Held, wanted: Content | None) -> tuple[Content, Content] | None:
    """Return what a file that is open has to become on disk; None where its mode stays."""
    found = held.on_disk
    if not isinstance(found, Content) or wanted is None or found.mode is wanted.mode:
        return None
    return (found, replace(found, mode=wanted.mode))


async def _undo_on_disk(
    reviews: Reviews,
    opened: Opened,
    wanted: Wanted,
    in_buffer: Collection[RepoPath],
    account: Account,
) -> None:
    """Give back what is on disk; as the apply noted it, where nothing came in between."""
    review, undo_dir = opened.review, opened.stored.undo_dir
    noted = await noted_paths(undo_dir)
    is_as_noted = bool(noted) and all(
        path in wanted
        and path not in in_buffer
        and review.taken[path].unbroken
        and review.taken[path].after == wanted[path][0]
        for path in noted
    )
    conflicts: Sequence[Conflict] = ()
    if is_as_noted:
        conflicts = (await take_back(opened.top, undo_dir)).conflicts
    rest = {path: each for path, each in wanted.items() if not (is_as_noted and path in noted)}
    if not conflicts and (rest or (noted and not is_as_noted)):
        undone = frozenset(wanted) | frozenset(in_buffer)
        conflicts = (await write_back(opened.top, rest, undo_dir, undone=undone)).conflicts
    if conflicts:
        account.conflicts += conflicts
        return
    closed = [path for path in wanted if path not in in_buffer]
    for path in closed:
        hunks = tuple(sorted(review.ids(HunkState.ACCEPTED, path=path)))
        account.done.append(Done(path=path, document=None, hunks=hunks))
    await reviews.keep(opened, taken_back(review, closed))


async def _undo_in_buffer(
    server: "GreenloopServer",
    reviews: Reviews,
    opened: Opened,
    held: Held,
    file: ReviewedFile,
    account: Account,
) -> None:
    review, document = opened.review, held.document
    if document is None:
        return
    inside = review.ids(HunkState.ACCEPTED, path=file.path)
    mode = _mode_of(file, inside)

    def laid(data: bytes) -> Laid:
        now = Content(data=data, mode=mode)
        before = _without(review, file, now)
        if isinstance(before, Merged):
            return Laid(content=before.content, hunks=tuple(inside), conflicts=())
        return Laid(content=now, hunks=(), conflicts=before)

    label = f"undo {_counted(len(inside))} in {shown_path(file.path)}"
    outcome = await change_buffer(server, document.path, laid, label=label)
    if isinstance(outcome, NotChanged):
        account.conflicts += _not_changed(file, outcome, inside)
    elif outcome.laid.conflicts:
        account.conflicts += outcome.laid.conflicts
    else:
        await reviews.keep(opened, taken_back(opened.review, [file.path]))
        account.done.append(
            Done(
                path=file.path,
                document=document,
                hunks=tuple(sorted(inside)),
                was_unsaved=outcome.was_unsaved,
            )
        )


def _counted(count: int) -> str:
    return "1 change" if count == 1 else f"{count} changes"
