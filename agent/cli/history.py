"""`greenloop runs` and `greenloop show`: what was done and what came of it."""

import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.accept import patch_of
from agent.cli.outcome import commands_after_show, print_outcome
from agent.cli.patches import hunk_places
from agent.cli.screen import Screen
from agent.config import Settings, top_here
from agent.events import (
    AttemptEvent,
    BaselineMeasured,
    EnvironmentChosen,
    Event,
    ModelAnswered,
    Notice,
    RunFinished,
    RunStarted,
)
from agent.journal.store import RunStore
from agent.journal.stored import RunState, RunSummary, StoredRun
from agent.telling.account import model_account
from agent.telling.lanes import Lane, lane_of
from agent.telling.lines import ALL, tell
from agent.telling.wording import age, asked_for, colour, counted, duration, one_line, shortened


def runs(arguments: argparse.Namespace, settings: Settings, screen: Screen) -> int:
    """List the newest runs. Raises: JournalError."""
    store = RunStore(settings.state_dir)
    shown = store.runs(newest=arguments.limit)
    if screen.wants_json:
        screen.answer({"runs": [_summary_to_json(each) for each in shown]})
        return 0
    if not shown:
        screen.line("no runs yet; start one with: greenloop fix")
        return 0
    rows = [_row(each, now_unix_s=time.time()) for each in shown]
    if screen.is_rich:
        from agent.cli.paint import runs_table

        styles = [colour(*_outcome(each)) for each in shown]
        screen.draw(runs_table(rows, styles, width=screen.width))
    else:
        for row in rows:
            screen.line("  ".join(row))
    older = store.count() - len(shown)
    if older > 0:
        screen.line(f"... and {older} older; --limit shows more")
    return 0


def show(arguments: argparse.Namespace, settings: Settings, screen: Screen) -> int:
    """Show one run, on the terminal or as a page. Raises: AgentError."""
    stored = RunStore(settings.state_dir).open(arguments.run, top=top_here())
    result = result_of(stored)
    result["model"] = model_account(record.event for record in stored.records())
    if arguments.html:
        page = _write_page(stored, result, Path(arguments.html), screen)
        screen.answer({"run": stored.run, "page": str(page)})
        screen.line(f"written: {page}")
    elif screen.wants_json:
        screen.answer(result)
    else:
        patch = patch_of(stored)
        _print_circumstances(stored, screen)
        _print_work(stored, screen, arguments.verbose)
        places = hunk_places(patch) if patch else {}
        print_outcome(screen, result, places, commands_after_show(result))
    return 0


def _write_page(stored: StoredRun, result: Mapping[str, Any], path: Path, screen: Screen) -> Path:
    from agent.cli.evidence import rows_of
    from agent.cli.page import build_page, write_page
    from agent.cli.page.work import works_of

    patch = patch_of(stored)
    places = hunk_places(patch) if patch else {}
    rows, records = rows_of(stored, result), stored.records()
    works = works_of(stored.path, [record.event for record in records])
    page = build_page(result, records, rows, places, screen.redactor, works)
    return write_page(path, page)


def result_of(stored: StoredRun) -> dict[str, Any]:
    """Return the run's result; for a run without one, what its journal says, in the same shape."""
    kept = stored.result()
    if kept is not None:
        return kept
    summary = stored.summary()
    verdict, _ = _outcome(summary)
    events = [record.event for record in stored.records()]
    failing = next((list(e.failing) for e in events if isinstance(e, BaselineMeasured)), [])
    return {
        "run": stored.run,
        "verdict": verdict,
        "confidence": None,
        "message": summary.finished.message if summary.finished else "",
        "failing_before": failing,
        "failing_after": failing,
        "durations": {},
        "candidates": [],
        "patch": "",
        "notes": [],
    }


def _print_circumstances(stored: StoredRun, screen: Screen) -> None:
    """Print what was asked, when, and where the tests ran; once, however often it went on."""
    told: set[str] = set()
    for record in stored.records():
        line = _circumstance(record.event)
        if isinstance(record.event, RunStarted):
            when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.at_unix_s))
            line = f"{when}  {line}"
        if line and line not in told:
            told.add(line)
            screen.line(line)


def _print_work(stored: StoredRun, screen: Screen, detail: int) -> None:
    """Print what each attempt of a model came to; with detail, all of its steps."""
    lanes: dict[int, Lane] = {}
    whole = _reasoning(stored) if detail >= ALL else {}
    for record in stored.records():
        event = record.event
        if not isinstance(event, AttemptEvent):
            continue
        lane = lane_of(lanes, event)
        lane.apply(event, record.at_unix_s)
        if isinstance(event, ModelAnswered):
            lane.reasoning = whole.get((event.attempt, event.step), event.reasoning)
        if detail:
            for line in tell(event, lane, detail):
                screen.line(line)
    for lane in lanes.values():
        if not detail:
            _print_lane(lane, screen)


def _reasoning(stored: StoredRun) -> dict[tuple[int, int], str]:
    """All that was reasoned, by attempt and step: the journal holds only its beginnings."""
    from agent.cli.page.work import works_of

    return {
        (work.attempt, turn.answered.step): turn.answered.message.reasoning
        for work in works_of(stored.path, ())
        for turn in work.turns
    }


def _print_lane(lane: Lane, screen: Screen) -> None:
    number = f"attempt {lane.attempt}: " if lane.attempts > 1 else ""
    stands = lane.stands(lane.since_s) if lane.ended else f"{counted(lane.step, 'step')}, not ended"
    screen.line(f"{number}{one_line(lane.model)} at {one_line(lane.endpoint)}: {stands}")
    screen.line(f"  {lane.spending()}")
    for line in lane.plan:
        screen.line(f"  {one_line(line)}")


def _circumstance(event: Event) -> str:
    match event:
        case RunStarted():
            if event.resumed:
                return "resumed"
            return f"{event.kind} {asked_for(event)} in {one_line(event.repo)} ({event.strategy})"
        case EnvironmentChosen():
            weaker = f" (weaker: {one_line(event.weaker)})" if event.weaker else ""
            return f"tests ran in: {event.backend}{weaker}: {one_line(event.why)}"
        case Notice():
            return f"{event.level}: {one_line(event.text)}"
        case BaselineMeasured() if event.flaky:
            return f"flaky, not relied on: {', '.join(map(one_line, event.flaky))}"
        case _:
            return ""


def _row(summary: RunSummary, *, now_unix_s: float) -> tuple[str, str, str, str, str, str]:
    verdict, confidence = _outcome(summary)
    started, finished = summary.started, summary.finished
    return (
        summary.run,
        f"{verdict} {confidence}" if confidence else verdict,
        age(now_unix_s - summary.started_at_unix_s) if summary.started_at_unix_s else "?",
        duration(finished.wall_s) if finished else "-",
        shortened(asked_for(started), 60) if started else "everything",
        one_line(started.repo) if started else "-",
    )


def _outcome(summary: RunSummary) -> tuple[str, str | None]:
    match summary:
        case RunSummary(state=RunState.FINISHED, finished=RunFinished() as finished):
            return finished.verdict, finished.confidence or None
        case _:
            return summary.state.value, None


def _summary_to_json(summary: RunSummary) -> Mapping[str, Any]:
    started, finished = summary.started, summary.finished
    verdict, confidence = _outcome(summary)
    return {
        "run": summary.run,
        "state": summary.state.value,
        "started_at_unix_s": summary.started_at_unix_s,
        "verdict": verdict,
        "confidence": confidence,
        "message": finished.message if finished else "",
        "wall_s": finished.wall_s if finished else None,
        "repo": started.repo if started else None,
        "kind": started.kind if started else None,
        "targets": list(started.targets) if started else [],
    }
