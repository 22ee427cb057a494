"""What a front end and a host say to each other, as JSON values and back; nothing is lost.

Sends nothing (see `lines`) and asks nothing: both sides are the same version of the same package,
so a value that does not fit is a bug and raises as one.
"""

import base64
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from agent.edits.changes import Content, Delta, Mode
from agent.errors import (
    AgentError,
    ConfigError,
    Infrastructure,
    JournalError,
    ModelError,
    TaskError,
    WorkspaceError,
)
from agent.host.api import Checked, CheckSpec, Condition, TestsSpec
from agent.journal.store import task_from_json, task_to_json
from agent.task import RepoPath, RunId, TaskSpec

_KINDS: Final[Mapping[str, type[AgentError]]] = {
    each.__name__: each
    for each in (ConfigError, TaskError, WorkspaceError, JournalError, ModelError, Infrastructure)
}


def task_out(task: TaskSpec) -> dict[str, Any]:
    """Return a task with the unsaved buffers themselves."""
    return {**task_to_json(task), "overlay": _files_out(task.overlay)}


def task_in(value: Mapping[str, Any]) -> TaskSpec:
    """Return the task that `task_out` gave."""
    return replace(task_from_json(value), overlay=_files_in(value["overlay"]))


def asked_out(spec: TestsSpec) -> dict[str, Any]:
    """Return what tests to run."""
    return {
        "repo": str(spec.repo),
        "targets": list(spec.targets),
        "overlay": _files_out(spec.overlay),
    }


def asked_in(value: Mapping[str, Any]) -> TestsSpec:
    """Return what `asked_out` gave."""
    return TestsSpec(
        repo=Path(value["repo"]),
        targets=tuple(value["targets"]),
        overlay=_files_in(value["overlay"]),
    )


def check_out(spec: CheckSpec) -> dict[str, Any]:
    """Return what change to measure."""
    return {"run": spec.run, "delta": _delta_out(spec.delta)}


def check_in(value: Mapping[str, Any]) -> CheckSpec:
    """Return what `check_out` gave."""
    return CheckSpec(run=RunId(value["run"]), delta=_delta_in(value["delta"]))


def checked_in(value: Mapping[str, Any]) -> Checked:
    """Return a measurement that was sent by its fields."""
    return Checked(**{**value, "flags": tuple(value["flags"])})


def condition_out(condition: Condition) -> dict[str, Any]:
    """Return a condition's fields."""
    return asdict(condition)


def condition_in(value: Mapping[str, Any]) -> Condition:
    """Return what `condition_out` gave."""
    return Condition(**value)


def error_out(error: Exception) -> dict[str, Any]:
    """Return what is told of an error: what happened and what to do, never where in our code.

    One that is not ours comes as a failure of the machine, with its first line.
    """
    default = AgentError if isinstance(error, AgentError) else Infrastructure
    kind = next((kind for kind in _KINDS.values() if isinstance(error, kind)), default)
    message = str(getattr(error, "message", "")) or f"{type(error).__name__}: {error}"
    return {
        "kind": kind.__name__,
        "message": message.partition("\n")[0],
        "remedy": str(getattr(error, "remedy", "")),
    }


def error_in(value: Mapping[str, Any]) -> AgentError:
    """Return the error that was told, as the nearest kind that is known here."""
    kind = _KINDS.get(value["kind"], AgentError)
    return kind(value["message"], remedy=value["remedy"])


def _files_out(files: Mapping[RepoPath, bytes]) -> dict[str, str]:
    return {path: base64.b64encode(data).decode("ascii") for path, data in files.items()}


def _files_in(value: Mapping[str, str]) -> dict[RepoPath, bytes]:
    return {RepoPath(path): base64.b64decode(data) for path, data in value.items()}


def _delta_out(delta: Delta) -> dict[str, tuple[str, str] | None]:
    return {path: _content_out(content) if content else None for path, content in delta.items()}


def _content_out(content: Content) -> tuple[str, str]:
    return content.mode.value, base64.b64encode(content.data).decode("ascii")


def _delta_in(value: Mapping[str, tuple[str, str] | None]) -> Delta:
    return {RepoPath(path): _content_in(*each) if each else None for path, each in value.items()}


def _content_in(mode: str, data: str) -> Content:
    return Content(mode=Mode(mode), data=base64.b64decode(data))
