"""Runs as they travel to a client: plain JSON by docs/protocol.md. Knows nothing of connections."""

from collections.abc import Mapping, Sequence
from typing import Any

from lsp_server.convert import uri_of
from lsp_server.runs.state import Attempt, Failure, LogLine, RunLine, RunState

Json = dict[str, Any]


def line_to_json(line: RunLine) -> Json:
    """Return a `RunLine`."""
    hunks = line.hunks
    return _given(
        {
            "run": line.run,
            "kind": line.kind,
            "folder": uri_of(line.top) if line.top else "",
            "title": line.title,
            "state": line.state.value,
            "phase": line.phase,
            "doing": line.doing,
            "percent": line.percent,
            "verdict": line.verdict,
            "confidence": line.confidence,
            "message": line.message,
            "startedAt": round(line.started_at_unix_s, 3),
            "endedAt": None if line.ended_at_unix_s is None else round(line.ended_at_unix_s, 3),
            "hunks": {"open": hunks.open, "accepted": hunks.accepted, "rejected": hunks.rejected}
            if hunks
            else None,
            "here": line.here,
            "canCancel": line.can_cancel,
            "canResume": line.can_resume,
            "canReview": line.can_review,
        }
    )


def state_to_json(state: RunState, log: Sequence[LogLine]) -> Json:
    """Return a `RunState`."""
    baseline = state.baseline
    return _given(
        {
            **line_to_json(state.line),
            "goal": _text(state.goal),
            "targets": list(map(_text, state.targets)),
            "strategy": state.strategy,
            "environment": state.environment,
            "weaker": state.weaker,
            "baseline": {
                "failing": list(map(_text, baseline.failing)),
                "passing": baseline.passing,
                "flaky": list(map(_text, baseline.flaky)),
            }
            if baseline
            else None,
            "failures": [failure_to_json(each) for each in state.failures],
            "attempts": [_attempt(each) for each in state.attempts],
            "candidates": [
                {
                    "rank": each.rank,
                    "why": each.why,
                    "verdict": each.verdict,
                    "detail": each.detail,
                }
                for each in state.candidates
            ],
            "ownTests": list(map(_text, state.own_tests)),
            "options": [
                {
                    "rank": each.rank,
                    "confidence": each.confidence,
                    "why": each.why,
                    "patch": _text(each.patch),
                }
                for each in state.options
            ],
            "notes": list(state.notes),
            "receipt": _text(state.receipt),
            "log": [log_line_to_json(each) for each in log],
        }
    )


def log_line_to_json(line: LogLine) -> Json:
    """Return a `LogLine`."""
    return _given(
        {
            "number": line.number,
            "at": line.at_unix_s,
            "kind": line.kind,
            "text": line.text,
            "diff": _text(line.diff) or None,
        }
    )


def failure_to_json(failure: Failure) -> Json:
    """Return a `TestFailure`; its range is the whole line."""
    return {
        "id": _text(failure.test),
        "uri": uri_of(failure.path) if failure.path else "",
        "range": {
            "start": {"line": failure.line0, "character": 0},
            "end": {"line": failure.line0 + 1, "character": 0},
        },
        "message": _text(failure.message),
        "frames": [
            {"uri": uri_of(each.path), "line": each.line0, "function": _text(each.function)}
            for each in failure.frames
        ],
    }


def _attempt(attempt: Attempt) -> Json:
    return _given(
        {
            "attempt": attempt.attempt,
            "model": attempt.model,
            "endpoint": attempt.endpoint,
            "step": attempt.step,
            "steps": attempt.steps,
            "state": attempt.state,
            "doing": attempt.doing,
            "plan": list(attempt.plan),
            "promptTokens": attempt.prompt_tokens,
            "cachedTokens": attempt.cached_tokens,
            "outputTokens": attempt.output_tokens,
            "costUsd": attempt.cost_usd,
        }
    )


def _text(text: str) -> str:
    """Return text without lone surrogates (names that are no UTF-8): not all clients read them."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def _given(fields: Mapping[str, Any]) -> Json:
    """Leave out what is not known: optional fields are absent, never null."""
    return {name: each for name, each in fields.items() if each is not None}
