"""What each model is doing: a pure account of its events, an attempt a lane. Draws nothing.

Time comes in from outside, so that the same events give the same lanes.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

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
from agent.telling.account import total_cost
from agent.telling.wording import counted, duration, one_line, short_count, shortened

CALLS_KEPT: Final = 12
STREAM_KEPT: Final = 100_000
"""Last characters of what this step streamed: more than an answer may have at the usual limits."""


@dataclass(slots=True, kw_only=True)
class Call:
    """One tool at work, or done."""

    id: str
    tool: str
    shown: str
    started_s: float
    wall_s: float | None = None
    """None while it runs."""
    failed: bool = False


@dataclass(slots=True, kw_only=True)
class Lane:
    """One attempt, brought up to date by `apply`."""

    attempt: int
    attempts: int = 1
    model: str = ""
    endpoint: str = ""
    price_as_of: str = ""
    step: int = 0
    steps: int = 0
    doing: str = "starting"
    """In a word or a few: asking, thinking, writing, running, waiting, ended."""
    since_s: float = 0.0
    wait_s: float = 0.0
    """How long a wait takes at most."""
    reasoning: str = ""
    text: str = ""
    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))
    plan: tuple[str, ...] = ()
    tests: str = ""
    """What the last test run came to."""
    context_tokens: int = 0
    window_tokens: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0
    edits: int = 0
    """Times that older parts of the conversation were hidden."""
    ended: AttemptEnded | None = None

    def apply(self, event: AttemptEvent, now_s: float) -> None:
        """Take in what happened."""
        match event:
            case AttemptStarted():
                self._start(event, now_s)
            case ModelAsked():
                self.step = event.step
                self.reasoning = self.text = ""
                self.context_tokens = event.prompt_tokens
                self.window_tokens = event.window_tokens
                self._do("asking", now_s)
            case ModelStreamed():
                self._stream(event, now_s)
            case ModelWaits():
                self.reasoning = self.text = ""
                self.wait_s = event.wait_s
                self._do(f"waiting: {one_line(event.why)}", now_s)
            case ModelAnswered():
                self._account(event, now_s)
            case ToolStarted() | ToolFinished():
                self._call(event, now_s)
            case PlanChanged():
                self.plan = event.lines
            case ContextEdited():
                self.edits += 1
            case AttemptEnded():
                self._end(event, now_s)

    def _start(self, event: AttemptStarted, now_s: float) -> None:
        self.attempts, self.steps = event.attempts, event.steps
        self.model, self.endpoint = event.model, event.endpoint
        self.price_as_of = event.price_as_of
        self.step, self.ended = event.resumed_at, None
        self._do("starting", now_s)

    def _end(self, event: AttemptEnded, now_s: float) -> None:
        """Take the whole account, with what was spent on summaries (see `account.Spent`)."""
        self.ended = event
        self.prompt_tokens = max(self.prompt_tokens, event.prompt_tokens)
        self.cached_tokens = max(self.cached_tokens, event.cached_tokens)
        self.output_tokens = max(self.output_tokens, event.output_tokens)
        if self.cost_usd is not None and event.cost_usd is not None:
            self.cost_usd = max(self.cost_usd, event.cost_usd)
        self._do("ended", now_s)

    def _do(self, what: str, now_s: float) -> None:
        self.doing, self.since_s = what, now_s

    def _stream(self, event: ModelStreamed, now_s: float) -> None:
        match event.kind:
            case "reasoning":
                self.reasoning = (self.reasoning + event.text)[-STREAM_KEPT:]
                doing = "thinking"
            case "text":
                self.text = (self.text + event.text)[-STREAM_KEPT:]
                doing = "writing"
            case _:
                doing = f"calling {one_line(event.text)}"
        if doing != self.doing:
            self._do(doing, now_s)

    def _account(self, event: ModelAnswered, now_s: float) -> None:
        self.step = event.step
        self.reasoning, self.text = self.reasoning or event.reasoning, event.text
        self.context_tokens = event.prompt_tokens + event.output_tokens
        self.prompt_tokens += event.prompt_tokens
        self.cached_tokens += event.cached_tokens
        self.output_tokens += event.output_tokens
        self.cost_usd = total_cost((self.cost_usd, event.cost_usd))
        self._do("next step", now_s)

    def _call(self, event: ToolStarted | ToolFinished, now_s: float) -> None:
        if event.tool == "plan" and not (isinstance(event, ToolFinished) and event.failed):
            return  # the plan itself is shown
        known = next((each for each in self.calls if each.id == event.call), None)
        if isinstance(event, ToolStarted) or known is None:
            known = Call(id=event.call, tool=event.tool, shown=event.shown, started_s=now_s)
            self.calls.append(known)
        if isinstance(event, ToolFinished):
            known.wall_s, known.failed, known.shown = event.wall_s, event.failed, event.shown
            if event.tool == "run_tests":
                self.tests = event.shown
        running = [each.tool for each in self.calls if each.wall_s is None]
        doing = f"running {one_line(', '.join(running))}" if running else "next step"
        if doing != self.doing:
            self._do(doing, now_s)

    def note_tests(self, line: str) -> None:
        """Show how far the tests are beside the call that runs them."""
        for call in self.calls:
            if call.tool == "run_tests" and call.wall_s is None:
                call.shown = line

    def stands(self, now_s: float) -> str:
        """Return `step 7 of 300 · thinking 12.0 s · window 5 % full`."""
        if self.ended is not None:
            reason = shortened(self.ended.reason, 120)
            return f"{_ENDS.get(self.ended.how, self.ended.how)} after {_steps(self)}: {reason}"
        step = f"step {self.step:,} of {self.steps:,}" if self.step else f"up to {_steps_of(self)}"
        parts = [step, self.now(now_s)]
        if self.window_tokens:
            parts.append(f"window {100 * self.context_tokens / self.window_tokens:.0f} % full")
        return " · ".join(parts)

    def now(self, now_s: float) -> str:
        """Return `thinking 12 s`, `waiting: rate limit, 3 of 20 s`."""
        if self.ended is not None:
            return _ENDS.get(self.ended.how, self.ended.how)
        spent_s = max(now_s - self.since_s, 0.0)
        if self.doing.startswith("waiting"):
            return f"{self.doing}, {spent_s:.0f} of {duration(self.wait_s)}"
        return f"{self.doing} {duration(spent_s)}" if spent_s >= 1.0 else self.doing

    def spending(self) -> str:
        """Return `tokens 45.3k in (92 % cached), 3.1k out · $0.0210 (prices of 2026-09-01)`."""
        parts = [
            f"tokens {short_count(self.prompt_tokens)} in{self._cached_share()},"
            f" {short_count(self.output_tokens)} out"
        ]
        parts.append(cost_text(self.cost_usd, self.price_as_of))
        if self.edits:
            parts.append(f"older results hidden {counted(self.edits, 'time')}")
        return " · ".join(parts)

    def _cached_share(self) -> str:
        if not self.prompt_tokens:
            return ""
        return f" ({100 * self.cached_tokens / self.prompt_tokens:.0f} % cached)"


def cost_text(cost_usd: float | None, price_as_of: str) -> str:
    """Return `$0.0210 (prices of 2026-09-01)`, or that the price is not known."""
    if cost_usd is None:
        return "price unknown"
    digits = 2 if cost_usd >= 1 else 4
    dated = f" (prices of {price_as_of})" if price_as_of else ""
    return f"${cost_usd:.{digits}f}{dated}"


def lane_of(lanes: dict[int, Lane], event: AttemptEvent) -> Lane:
    """Return the lane that an event is about, a new one where there is none yet."""
    return lanes.setdefault(event.attempt, Lane(attempt=event.attempt))


def last_line(text: str) -> str:
    """Return the last line of a text in which something stands, cleaned."""
    return next((one_line(line) for line in reversed(text.splitlines()) if line.strip()), "")


def _steps(lane: Lane) -> str:
    return counted(lane.ended.steps if lane.ended else lane.step, "step")


def _steps_of(lane: Lane) -> str:
    return counted(lane.steps, "step")


_ENDS: Final = {
    "green": "green",
    "gave_up": "gave up",
    "test_is_wrong": "says the test is wrong",
    "budget": "budget spent",
    "stalled": "stalled",
    "error": "ended by an error",
}
