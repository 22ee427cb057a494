"""What a model did, as plain lines: for pipes, for what scrolls by, for `show`. Pure."""

from agent.events import (
    AttemptEnded,
    AttemptEvent,
    AttemptStarted,
    ContextEdited,
    ModelAnswered,
    ModelAsked,
    ModelStreamed,
    ModelWaits,
    PlanChanged,
    ToolFinished,
    ToolStarted,
)
from agent.telling.lanes import Lane, cost_text
from agent.telling.wording import clean, counted, duration, one_line, short_count, shortened

SOME: int = 1
"""Detail from which on reasoning is told at all."""
ALL: int = 2


def tell(event: AttemptEvent, lane: Lane, detail: int) -> list[str]:
    """Return the lines that an event is worth; `lane` has taken it in already."""
    match event:
        case AttemptStarted():
            return [_head(lane) + _start(event)]
        case ModelWaits():
            wait = f"waits up to {duration(event.wait_s)}: {one_line(event.why)}"
            return [f"{_head(lane)}step {event.step} {wait}"]
        case ModelAnswered():
            return [*_reasoning(event, lane, detail), _answer(event, lane)]
        case ToolFinished(tool="plan", failed=False):
            return []  # the plan itself is told
        case ToolFinished():
            failed = " failed" if event.failed else ""
            came = f"{one_line(event.tool)}{failed}: {shortened(event.shown, 160)}"
            return [f"{_head(lane)}  {came} ({duration(event.wall_s)})"]
        case PlanChanged():
            return [f"{_head(lane)}  plan: {plan_line(event.lines)}"]
        case ContextEdited():
            freed = short_count(event.freed_tokens)
            return [f"{_head(lane)}  context {one_line(event.how)}: {freed} tokens freed"]
        case AttemptEnded():
            return [f"{_head(lane)}{lane.stands(0.0)}", f"{_head(lane)}  {lane.spending()}"]
        case ModelAsked() | ModelStreamed() | ToolStarted():
            return []


def plan_line(lines: tuple[str, ...]) -> str:
    """Return `1 of 3 done, now: mend it`."""
    done = sum(not line.startswith("[ ]") for line in lines)
    now = next((line[3:].strip() for line in lines if line.startswith("[ ]")), "")
    following = f", now: {shortened(now, 120)}" if now else ""
    return f"{done} of {len(lines)} done{following}"


def _head(lane: Lane) -> str:
    return f"attempt {lane.attempt}: " if lane.attempts > 1 else ""


def _start(event: AttemptStarted) -> str:
    onwards = f", goes on after step {event.resumed_at}" if event.resumed_at else ""
    where = f"{one_line(event.model)} at {one_line(event.endpoint)}"
    return f"{where}, up to {counted(event.steps, 'step')}{onwards}"


def _answer(event: ModelAnswered, lane: Lane) -> str:
    cost = "" if event.cost_usd is None else f", {cost_text(event.cost_usd, '')}"
    spent = (
        f"{duration(event.wall_s)}, {short_count(event.prompt_tokens)} in,"
        f" {short_count(event.output_tokens)} out{cost}"
    )
    says = shortened(event.text, 200) or ", ".join(map(one_line, event.calls)) or "says nothing"
    return f"{_head(lane)}step {event.step} ({spent}): {says}"


def _reasoning(event: ModelAnswered, lane: Lane, detail: int) -> list[str]:
    reasoning = lane.reasoning or event.reasoning
    if detail < SOME or not reasoning.strip():
        return []
    if detail < ALL:
        return [f"{_head(lane)}  thinks: {shortened(reasoning, 400)}"]
    lines = (clean(line).rstrip() for line in reasoning.strip().splitlines())
    return [f"{_head(lane)}  | {line}".rstrip() for line in lines]
