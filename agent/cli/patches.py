"""A run's patch and where its hunks are in the diff that people see."""

from agent.cli.diffs import DiffHunk, parse_diff
from agent.edits.hunks import Hunk
from agent.edits.patch import Patch, render_unified
from agent.errors import TaskError
from agent.task import HunkId

SHORT_ID_CHARACTERS = 8


def hunk_places(patch: Patch) -> dict[tuple[str, int], str]:
    """Return short hunk ids by (path, first old line) of the shown hunk that holds them.

    Close neighbours share one shown hunk; their ids stand there side by side.
    """
    shown = {
        file.path: file.hunks
        for file in parse_diff(render_unified(patch).decode("utf-8", "backslashreplace"))
    }
    places: dict[tuple[str, int], str] = {}
    for hunk in patch.hunks:
        place = _place(hunk, shown.get(str(hunk.path), ()))
        if place is not None:
            key = (str(hunk.path), place.old_start)
            places[key] = f"{places.get(key, '')} {hunk.id[:SHORT_ID_CHARACTERS]}".strip()
    return places


def _place(hunk: Hunk, shown: tuple[DiffHunk, ...]) -> DiffHunk | None:
    for each in shown:
        if each.old_start <= hunk.old_start_line <= each.old_start + each.old_count:
            return each
    return shown[0] if shown else None


def chosen_hunks(patch: Patch, beginnings: list[str]) -> frozenset[HunkId] | None:
    """Return the hunks that are named by a beginning of their id; None where none is named.

    Raises: TaskError for a beginning that fits none or several.
    """
    ids = [hunk.id for hunk in patch.hunks]
    return frozenset(_chosen(beginning, ids) for beginning in beginnings) if beginnings else None


def _chosen(beginning: str, ids: list[HunkId]) -> HunkId:
    found = [id_ for id_ in ids if beginning and id_.startswith(beginning)]
    if len(found) == 1:
        return found[0]
    shorts = ", ".join(id_[:SHORT_ID_CHARACTERS] for id_ in found or ids)
    what = "fits several hunks" if found else "is no hunk of this patch"
    raise TaskError(f"--hunk {beginning}: {what}.", remedy=f"Choose one of: {shorts}.")
