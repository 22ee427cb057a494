"""What a stored run says for going on with it, or for measuring on its base again. Reads only."""

from agent.errors import TaskError
from agent.events import BaseTaken
from agent.journal.store import task_from_json
from agent.journal.stored import RunState, StoredRun
from agent.task import TaskSpec


def resumable(stored: StoredRun) -> tuple[TaskSpec, BaseTaken]:
    """Return task and base of a run that did not come to its end. Raises: JournalError, TaskError.

    A run is also unfinished where a model stopped answering on the way.
    """
    summary = stored.summary()
    if summary.state is RunState.FINISHED and summary.finished and not _is_unfinished(stored):
        raise TaskError(
            f"run {stored.run} is over: {summary.finished.verdict}.",
            remedy=f"`greenloop show {stored.run}` shows it; start a new one to try again.",
        )
    return task_and_base(stored)


def task_and_base(stored: StoredRun) -> tuple[TaskSpec, BaseTaken]:
    """Return what was asked and the base as it was told. Raises: JournalError, TaskError."""
    asked = stored.task()
    told = (each.event for each in stored.records() if isinstance(each.event, BaseTaken))
    taken = next(told, None)
    if asked is None or taken is None:
        raise TaskError(
            f"run {stored.run} ended before its base was taken.", remedy="Start it again."
        )
    return task_from_json(asked), taken


def _is_unfinished(stored: StoredRun) -> bool:
    """Look whether a model's work ended by an error: nothing but that keeps it from going on."""
    from agent.context.entries import Ended
    from agent.context.log import read_log

    logs = [read_log(folder) for folder in sorted(stored.path.glob("attempt-*"))]
    return any(log and not isinstance(log[-1], Ended) for log in logs)
