"""Tokens and cost of an attempt, step by step, as drawings inside the page."""

from collections.abc import Sequence
from typing import Final

from agent.cli.page.elements import Html, div, element, joined, span, text
from agent.cli.page.work import Turn
from agent.telling.lanes import cost_text
from agent.telling.wording import short_count

WIDTH: Final = 1000
HEIGHT: Final = 110
"""In the drawing's own units; the page scales it to its width."""


def charts(turns: Sequence[Turn], *, attempt: int) -> Html:
    """Return the prompt of each step, and the cost so far where prices are known."""
    counted = [turn for turn in turns if turn.answered.usage is not None]
    if not counted:
        return div("charts")
    parts = [_figure("prompt of each step, in tokens", _legend(), _prompts(counted, attempt))]
    if all(turn.answered.cost_usd is not None for turn in counted):
        parts.append(_figure("cost so far", Html(""), _costs(counted, attempt)))
    return div("charts", *parts)


def _figure(title: str, legend: Html, drawing: Html) -> Html:
    return element("figure", element("figcaption", text(title), legend), drawing)


def _legend() -> Html:
    return element(
        "span",
        span("key key-fresh", "new"),
        span("key key-cached", "from the cache"),
        span("key key-edit", "older results hidden"),
        class_="legend",
    )


def _prompts(turns: Sequence[Turn], attempt: int) -> Html:
    most = max(_tokens(turn)[0] for turn in turns) or 1
    bars = []
    for at, turn in enumerate(turns):
        prompt, cached, output = _tokens(turn)
        title = (
            f"step {turn.answered.step}: {prompt:,} tokens in, {cached:,} of them cached,"
            f" {output:,} out"
        )
        bars.append(
            _linked(
                turn,
                attempt,
                title,
                _bar("fresh", at, len(turns), 0, prompt / most),
                _bar("cached", at, len(turns), 0, cached / most),
                *([_edit_mark(at, len(turns))] if turn.edits else []),
            )
        )
    return _drawing(bars, f"{short_count(most)} tokens", turns)


def _costs(turns: Sequence[Turn], attempt: int) -> Html:
    total = sum(turn.answered.cost_usd or 0.0 for turn in turns) or 1e-9
    bars, spent = [], 0.0
    for at, turn in enumerate(turns):
        spent += turn.answered.cost_usd or 0.0
        title = f"step {turn.answered.step}: {cost_text(spent, '')} so far"
        bars.append(_linked(turn, attempt, title, _bar("cost", at, len(turns), 0, spent / total)))
    return _drawing(bars, cost_text(spent, ""), turns)


def _tokens(turn: Turn) -> tuple[int, int, int]:
    usage = turn.answered.usage
    return (usage.prompt, usage.cached, usage.output) if usage else (0, 0, 0)


def _drawing(bars: Sequence[Html], most: str, turns: Sequence[Turn]) -> Html:
    first, last = turns[0].answered.step, turns[-1].answered.step
    return div(
        "drawing",
        element(
            "svg",
            joined(bars),
            viewBox=f"0 0 {WIDTH} {HEIGHT}",
            preserveAspectRatio="none",
            role="img",
        ),
        span("most", most),
        element("div", span("", f"step {first}"), span("", f"step {last}"), class_="ends"),
    )


def _linked(turn: Turn, attempt: int, title: str, *shapes: Html) -> Html:
    label = element("title", text(title))
    return element("a", label, *shapes, href=f"#a{attempt}-s{turn.answered.step}")


def _bar(class_: str, at: int, count: int, bottom: float, share: float) -> Html:
    width = WIDTH / count
    height = max(share * HEIGHT, 0.0)
    return element(
        "rect",
        class_=f"bar-{class_}",
        x=f"{at * width:.2f}",
        y=f"{HEIGHT - height - bottom:.2f}",
        width=f"{width * 0.85:.2f}",
        height=f"{height:.2f}",
    )


def _edit_mark(at: int, count: int) -> Html:
    width = WIDTH / count
    return element(
        "rect",
        class_="bar-edit",
        x=f"{at * width + width * 0.85:.2f}",
        y="0",
        width=f"{max(width * 0.15, 1.5):.2f}",
        height=str(HEIGHT),
    )
