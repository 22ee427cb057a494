"""What a model spent in a run: steps, tokens, cost, by attempt and together. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.events import AttemptEnded, AttemptStarted, Event, ModelAnswered


@dataclass(slots=True, kw_only=True)
class Spent:
    """Of one attempt, so far: the sum of its answers, or what its end says where that is more.

    Summaries are paid for and are no answers, so that only the end tells them; an end tells only
    of its own process, so that a resumed attempt's answers may sum up to more.
    """

    started: AttemptStarted
    ended: AttemptEnded | None = None
    answers: dict[int, ModelAnswered] = field(default_factory=dict)
    """By step: an answer that was lost with the process and given again counts once."""

    @property
    def steps(self) -> int:
        """Answers so far."""
        return len(self.answers)

    @property
    def prompt_tokens(self) -> int:
        """The whole input of all answers, cached part included."""
        told = sum(each.prompt_tokens for each in self.answers.values())
        return max(told, self.ended.prompt_tokens if self.ended else 0)

    @property
    def cached_tokens(self) -> int:
        """Part of `prompt_tokens` that was read from a cache."""
        told = sum(each.cached_tokens for each in self.answers.values())
        return max(told, self.ended.cached_tokens if self.ended else 0)

    @property
    def output_tokens(self) -> int:
        """Reasoning included."""
        told = sum(each.output_tokens for each in self.answers.values())
        return max(told, self.ended.output_tokens if self.ended else 0)

    @property
    def cost_usd(self) -> float | None:
        """None where the price is unknown."""
        told = total_cost(each.cost_usd for each in self.answers.values())
        at_end = self.ended.cost_usd if self.ended else 0.0
        return None if told is None or at_end is None else max(told, at_end)

    @property
    def wall_s(self) -> float:
        """Time the model took, without the tools."""
        return sum(each.wall_s for each in self.answers.values())


def spending(events: Iterable[Event]) -> tuple[Spent, ...]:
    """Return what each attempt spent, by its number; empty where no model worked."""
    attempts: dict[int, Spent] = {}
    for event in events:
        match event:
            case AttemptStarted():
                known = attempts.setdefault(event.attempt, Spent(started=event))
                known.started, known.ended = event, None
            case ModelAnswered() if event.attempt in attempts:
                attempts[event.attempt].answers[event.step] = event
            case AttemptEnded() if event.attempt in attempts:
                attempts[event.attempt].ended = event
            case _:
                pass
    return tuple(attempts[number] for number in sorted(attempts))


def total_cost(costs: Iterable[float | None]) -> float | None:
    """Return the sum; None where a part of it is unknown."""
    total = 0.0
    for cost in costs:
        if cost is None:
            return None
        total += cost
    return total


def model_account(events: Iterable[Event]) -> Mapping[str, Any] | None:
    """Return the `model` field of the JSON answer; None where no model worked."""
    attempts = spending(events)
    if not attempts:
        return None
    cost_usd = total_cost(each.cost_usd for each in attempts)
    return {
        "profile": attempts[0].started.model,
        "endpoint": attempts[0].started.endpoint,
        "steps": sum(each.steps for each in attempts),
        "prompt_tokens": sum(each.prompt_tokens for each in attempts),
        "cached_tokens": sum(each.cached_tokens for each in attempts),
        "output_tokens": sum(each.output_tokens for each in attempts),
        "cost_usd": None if cost_usd is None else round(cost_usd, 6),
        "attempts": [_attempt_to_json(each) for each in attempts],
    }


def _attempt_to_json(spent: Spent) -> Mapping[str, Any]:
    ended = spent.ended
    return {
        "attempt": spent.started.attempt,
        "how": ended.how if ended else "interrupted",
        "reason": ended.reason if ended else "",
        "steps": spent.steps,
        "prompt_tokens": spent.prompt_tokens,
        "cached_tokens": spent.cached_tokens,
        "output_tokens": spent.output_tokens,
        "cost_usd": None if spent.cost_usd is None else round(spent.cost_usd, 6),
    }
