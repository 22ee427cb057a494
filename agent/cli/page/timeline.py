"""The events of a run as HTML: what happened when, and where the time went."""

from collections.abc import Mapping, Sequence

from agent.cli.page.elements import Html, div, element, joined, span
from agent.events import (
    AttemptEnded,
    AttemptStarted,
    BaselineMeasured,
    BaseTaken,
    CandidateProposed,
    ContextEdited,
    EnvironmentChosen,
    Event,
    ModelAnswered,
    ModelAsked,
    ModelStreamed,
    ModelWaits,
    Notice,
    PhaseFinished,
    PhaseStarted,
    PlanChanged,
    RunFinished,
    RunStarted,
    SearchPlanned,
    SearchProgress,
    StrategyGaveUp,
    TestFailed,
    TestsMeasured,
    TestsProgress,
    ToolFinished,
    ToolStarted,
    VerdictReached,
)
from agent.journal.records import Record
from agent.telling.board import baseline_line, planned_line, tests_line
from agent.telling.wording import asked_for, counted, duration


def timeline(records: Sequence[Record], *, with_steps: bool = True) -> Html:
    """Return every event with its time since the start.

    Without steps, what a model did is left out: the page has it in full elsewhere.
    """
    start_s = records[0].at_unix_s if records else 0.0
    rows = joined(
        element(
            "li",
            span("at", duration(record.at_unix_s - start_s)),
            span("what", type(record.event).__name__),
            span("told", describe(record.event)),
            class_=_weight(record.event),
        )
        for record in records
        if with_steps or not isinstance(record.event, _STEPS)
    )
    return element("ol", rows, class_="timeline")


_STEPS = ModelAsked | ModelAnswered | ToolStarted | ToolFinished | PlanChanged | ContextEdited


def describe(event: Event) -> str:  # noqa: C901, PLR0912 - a line for each kind of event
    """Return one line about an event."""
    match event:
        case RunStarted():
            asked = f"{event.kind} {asked_for(event)}"
            return f"{asked}, resumed" if event.resumed else asked
        case PhaseStarted():
            return f"{event.phase} begins"
        case PhaseFinished():
            return f"{event.phase} took {duration(event.wall_s)}"
        case BaseTaken():
            changed = f", {counted(event.dirty_files, 'uncommitted file')}"
            return f"commit {event.commit or 'none yet'}, tree {event.tree}{changed}"
        case EnvironmentChosen():
            return f"{event.backend}, {event.kind}: {event.why}"
        case TestsProgress():
            return tests_line(event)
        case TestFailed():
            return f"{event.id} fails: {event.message.partition(chr(10))[0]}"
        case TestsMeasured():
            return f"{counted(len(event.results), 'test')} measured"
        case BaselineMeasured():
            return baseline_line(event)
        case SearchPlanned():
            return planned_line(event)
        case SearchProgress():
            best = f", best: {event.best}" if event.best else ""
            return f"{event.tried:,} tried, {event.plausible:,} plausible{best}"
        case AttemptStarted():
            return f"attempt {event.attempt} of {event.attempts}: {event.model} at {event.endpoint}"
        case ModelAsked():
            return f"step {event.step}: about {event.prompt_tokens:,} tokens asked"
        case ModelStreamed():
            return event.text
        case ModelWaits():
            return f"step {event.step} waits {duration(event.wait_s)}: {event.why}"
        case ModelAnswered():
            return f"step {event.step}: {', '.join(event.calls) or event.text}"
        case ToolStarted():
            return f"{event.tool}: {event.shown}"
        case ToolFinished():
            return f"{event.tool}: {event.shown}"
        case PlanChanged():
            return " ".join(event.lines)
        case ContextEdited():
            return f"step {event.step}: {event.how}, {event.freed_tokens:,} tokens freed"
        case AttemptEnded():
            return f"attempt {event.attempt} ended after {event.steps} steps: {event.reason}"
        case CandidateProposed():
            return f"candidate {event.rank} ({event.confidence}): {event.why}"
        case VerdictReached():
            return f"candidate {event.rank} is {event.verdict}: {event.detail}"
        case StrategyGaveUp():
            return f"{event.reason} {event.advice}"
        case Notice():
            return f"{event.level}: {event.text}"
        case RunFinished():
            return f"{event.verdict} after {duration(event.wall_s)}: {event.message}"


def phase_bars(durations_s: Mapping[str, float]) -> Html:
    """Return a bar for each phase, as long as its share of the time."""
    longest_s = max(durations_s.values(), default=0.0) or 1.0
    return element(
        "div",
        *(
            div(
                "bar-row",
                span("bar-name", phase),
                element(
                    "progress", value=f"{wall_s:.3f}", max=f"{longest_s:.3f}", aria_label=phase
                ),
                span("bar-time", duration(wall_s)),
            )
            for phase, wall_s in durations_s.items()
        ),
        class_="bars",
    )


def circumstances(records: Sequence[Record]) -> list[tuple[str, str]]:
    """Return (name, value) of where and on what the run was carried out."""
    facts: list[tuple[str, str]] = []
    for record in records:
        match record.event:
            case RunStarted() as started if not started.resumed:
                facts += [
                    ("Repository", started.repo),
                    ("Asked", f"{started.kind} {asked_for(started)}"),
                    ("Strategy", started.strategy),
                    ("Greenloop", started.tool_version),
                ]
            case BaseTaken() as base:
                dirty = f" + {counted(base.dirty_files, 'uncommitted file')}"
                facts += [
                    ("Commit", (base.commit or "none yet") + (dirty if base.dirty_files else "")),
                    ("Tree", base.tree),
                ]
            case EnvironmentChosen() as chosen:
                facts += [
                    ("Sandbox", f"{chosen.backend}: {chosen.weaker or 'nothing is weaker'}"),
                    ("Environment", chosen.why),
                    ("Identity", chosen.identity),
                ]
            case BaselineMeasured() as baseline:
                facts.append(("Baseline", baseline_line(baseline)))
            case _:
                pass
    return list(dict(facts).items())  # a resumed run tells some of them again


def _weight(event: Event) -> str:
    match event:
        case VerdictReached() | RunFinished() | BaselineMeasured() | CandidateProposed():
            return "strong"
        case (
            PhaseStarted() | PhaseFinished() | TestsProgress() | TestsMeasured() | SearchProgress()
        ):
            return "faint"
        case _:
            return "plain"
