"""From what a client asks for to a task, complete: kind, goal, targets, limits.

Reads settings and files; starts nothing. What a run cannot do is refused here, before there is one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.config import Settings, load_settings
from agent.task import Budget, Kind, RepoPath, StrategyName, TaskSpec, TestPolicy
from agent.telling.wording import shortened
from lsp_server.settings import EditorSettings
from lsp_server.titles import reported_goal, stub_goal, title_of
from lsp_server.units import Unit
from lsp_server.where import Place
from lsp_server.wire.errors import Refused

_MOST_DIAGNOSTICS: Final = 50
_MESSAGE_CHARACTERS: Final = 500
_NO_MODEL: Final = (
    "Set `model` in Greenloop's configuration file or in the editor's settings (docs/models.md)."
    " Failing tests can be fixed without one."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a client asks for, read as far as files and settings say."""

    params: Mapping[str, Any]
    top: Path
    place: Place | None
    units: Sequence[Unit]
    """Of the file of the place."""
    editor: EditorSettings
    variables: Mapping[str, str]
    overlay: Mapping[RepoPath, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A task, and how it is shown in a list."""

    task: TaskSpec
    title: str
    flags: Mapping[str, object]


def flags_of(editor: EditorSettings, params: Mapping[str, Any]) -> dict[str, object]:
    """Return settings of the engine: what the request says, else the editor's settings."""
    flags = editor.flags()
    for key in ("model", "attempts"):
        if params.get(key):
            flags[key] = params[key]
    return flags


def wanted(wish: Wish) -> Wanted:
    """Return the task. Blocking: reads configuration files.

    Raises:
        ConfigError: A configuration file is wrong; names file and line.
        Refused: The wish cannot be carried out.
    """
    params = wish.params
    flags = flags_of(wish.editor, params)
    settings = load_settings(repo=wish.top, variables=wish.variables, flags=flags)
    strategy = StrategyName(params.get("strategy") or wish.editor.strategy)
    targets = tuple(params.get("targets") or ())
    marked = _marked_tests(params)
    goal = str(params.get("goal") or "").strip()
    diagnostics = _foreign(params)
    is_fix = params["kind"] == "fix"
    if is_fix and not targets:
        targets = marked or _test_around(wish)
    if is_fix and not targets and diagnostics and settings.model and strategy is not _OFFLINE:
        is_fix = False  # no test fails for it yet: a model writes one, and makes it pass
    task = TaskSpec(
        kind=Kind.FIX if is_fix else Kind.IMPLEMENT,
        repo=wish.top,
        goal=_fix_goal(wish, goal, diagnostics) if is_fix else _goal(wish, goal, diagnostics),
        targets=targets,
        strategy=strategy if is_fix else StrategyName.MODEL,
        model=settings.model or "",
        attempts=settings.attempts,
        budget=_budget(settings),
        test_policy=TestPolicy() if is_fix else TestPolicy(may_add=True),
        overlay=wish.overlay,
    )
    _check_model(task, settings)
    title = title_of(task.kind.value, task.targets, task.goal)
    return Wanted(task=task, title=title, flags=flags)


_OFFLINE: Final = StrategyName.OFFLINE


def _check_model(task: TaskSpec, settings: Settings) -> None:
    if settings.model:
        return
    if task.kind is Kind.IMPLEMENT:
        raise Refused("no_model", "implementing needs a model, and none is set.", _NO_MODEL)
    if task.strategy is StrategyName.MODEL:
        message = "the strategy is set to `model`, and no model is."
        raise Refused("no_model", message, f"{_NO_MODEL} Or set the strategy to `auto`.")


def _marked_tests(params: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the failing tests that diagnostics of ours mark."""
    return tuple(
        one["code"]
        for one in params.get("diagnostics") or ()
        if one.get("source") == "greenloop" and isinstance(one.get("code"), str)
    )


def _foreign(params: Mapping[str, Any]) -> list[str]:
    """Return what others report, each in a line with its place."""
    told = []
    for one in (params.get("diagnostics") or ())[:_MOST_DIAGNOSTICS]:
        if one.get("source") == "greenloop":
            continue
        line = one["range"]["start"]["line"] + 1
        who = " ".join(str(one[key]) for key in ("source", "code") if one.get(key) is not None)
        message = shortened(str(one.get("message", "")), _MESSAGE_CHARACTERS)
        told.append(f"line {line}: {message}" + (f" ({who})" if who else ""))
    return told


def _test_around(wish: Wish) -> tuple[str, ...]:
    """Return the test at the place, where that is in one."""
    if wish.place is None:
        return ()
    around = [one for one in wish.units if one.span.holds(wish.place.span)]
    tests = [one.id for one in around if one.kind in {"test", "suite"}]
    return tuple(tests[-1:])


def _stub_around(wish: Wish) -> Unit | None:
    if wish.place is None:
        return None
    found = [one for one in wish.units if one.kind == "stub" and one.span.holds(wish.place.span)]
    return found[-1] if found else None


def _fix_goal(wish: Wish, goal: str, diagnostics: Sequence[str]) -> str:
    """Return what is known besides the failing tests."""
    about = f"This is about {wish.place.shown}." if wish.place and not _test_around(wish) else ""
    return "\n\n".join(filter(None, (goal, _reported(wish, diagnostics), about)))


def _goal(wish: Wish, goal: str, diagnostics: Sequence[str]) -> str:
    """Return what is to be implemented. Raises: Refused, where nobody says."""
    stub = _stub_around(wish)
    parts = []
    if stub is not None and wish.place is not None:
        line = stub.name_span.start[0] + 1
        parts.append(stub_goal(stub.name, wish.place.repo_path, line))
    if diagnostics:
        parts.append(_reported(wish, diagnostics))
    if goal:
        parts.append(goal)
    if not parts:
        raise Refused(
            "bad_request",
            "there is no goal, and no function that is still to be written at that place.",
            "Say in words what is to be implemented, or start at a function whose body is `...`,"
            " `pass`, `raise NotImplementedError` or a TODO.",
        )
    if stub is None and wish.place is not None:
        parts.append(f"This is about {wish.place.shown}.")
    return "\n\n".join(parts)


def _reported(wish: Wish, diagnostics: Sequence[str]) -> str:
    if not diagnostics:
        return ""
    return reported_goal(wish.place.repo_path if wish.place is not None else "", diagnostics)


def _budget(settings: Settings) -> Budget:
    return Budget(
        search_s=settings.search_s,
        steps=settings.steps,
        tokens=settings.model_tokens,
        cost_usd=settings.model_cost_usd,
        model_s=settings.model_s,
    )
