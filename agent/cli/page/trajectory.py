"""What a model did, step by step, as HTML: reasoning, words, calls, results, diffs, plan."""

import json
from collections.abc import Callable
from typing import Final

from agent.cli.page.chart import charts
from agent.cli.page.code import diff_html
from agent.cli.page.elements import Html, div, element, joined, section, span, text
from agent.cli.page.work import Done, Turn, Work
from agent.context.entries import Hid, Summarised
from agent.telling.account import total_cost
from agent.telling.lanes import cost_text
from agent.telling.lines import plan_line
from agent.telling.wording import counted, duration, short_count, shortened

SHOWN_LINES: Final = 12
"""Of a result, so many lines are open; the others are one click away."""

Safe = Callable[[str], str]
"""Takes known secrets out of a text."""


def trajectory(work: Work, safe: Safe) -> Html:
    """Return one attempt as a section of the page."""
    return section(
        f"Attempt {work.attempt}",
        _facts(work),
        charts(work.turns, attempt=work.attempt),
        _plans(work, safe),
        _opening(work, safe),
        joined(_turn(turn, work.attempt, safe) for turn in work.turns),
        _end(work, safe),
        id_=f"attempt-{work.attempt}",
    )


def _facts(work: Work) -> Html:
    usages = [turn.answered.usage for turn in work.turns if turn.answered.usage]
    prompt, cached = sum(each.prompt for each in usages), sum(each.cached for each in usages)
    cost = cost_text(total_cost(turn.answered.cost_usd for turn in work.turns), "")
    share = f" ({100 * cached / prompt:.0f} % cached)" if prompt else ""
    facts = [
        (work.opened.model if work.opened else "?")
        + (f" at {work.endpoint}" * bool(work.endpoint)),
        counted(len(work.turns), "step"),
        f"{short_count(prompt)} tokens in{share}",
        f"{short_count(sum(each.output for each in usages))} out",
        cost,
        f"{duration(sum(turn.answered.wall_s for turn in work.turns))} for the answers",
    ]
    return element("p", *(span("fact", fact) for fact in facts), class_="facts")


def _plans(work: Work, safe: Safe) -> Html:
    """The plan as it ended, and each form it had before."""
    plans = [(turn.answered.step, turn.plan) for turn in work.turns if turn.plan]
    if not plans:
        return Html("")
    earlier = [
        element(
            "li",
            element("a", text(f"step {step}"), href=f"#a{work.attempt}-s{step}"),
            text(safe(f" {plan_line(lines)}")),
            _plan_list(lines, safe),
        )
        for step, lines in plans[:-1]
    ]
    title = f"plan, last changed at step {plans[-1][0]}"
    history = (
        [_folded(f"as it was before ({counted(len(earlier), 'time')})", element("ol", *earlier))]
        if earlier
        else []
    )
    return div("plan", element("h3", text(title)), _plan_list(plans[-1][1], safe), *history)


def _plan_list(lines: tuple[str, ...], safe: Safe) -> Html:
    rows = (
        element(
            "li",
            text(safe(line[3:].strip() if line[:3] in _PLAN_CLASS else line)),
            class_=_PLAN_CLASS.get(line[:3], "open"),
        )
        for line in lines
    )
    return element("ul", *rows, class_="plan-lines")


_PLAN_CLASS: Final = {"[x]": "done", "[-]": "dropped", "[ ]": "open"}


def _opening(work: Work, safe: Safe) -> Html:
    """What the model was told before its first answer."""
    if work.opened is None:
        return Html("")
    tools = "\n\n".join(f"{tool.name}: {tool.description}" for tool in work.opened.tools)
    return div(
        "turn opening",
        _folded(
            "what it is told: the task and the state at the start", _pre(work.opened.message, safe)
        ),
        _folded("what it is told: the rules", _pre(work.opened.system, safe)),
        _folded(f"what it is told: {counted(len(work.opened.tools), 'tool')}", _pre(tools, safe)),
        *(div("told", _pre(line, safe)) for line in work.before),
    )


def _turn(turn: Turn, attempt: int, safe: Safe) -> Html:
    step = turn.answered.step
    kinds = [
        kind
        for kind, holds in (
            ("edit", turn.has_edit),
            ("failure", turn.has_failure),
            ("context", bool(turn.edits)),
        )
        if holds
    ]
    said = turn.answered.message.text.strip()
    parts = [
        _head(turn, attempt),
        _reasoning(turn, safe),
        element("p", text(safe(said)), class_="says") if said else Html(""),
        *(_leak(leaked, safe) for leaked in turn.answered.leaked),
        *(_call(done, safe) for done in turn.calls),
        *(div("told", span("by", "the harness says"), _pre(line, safe)) for line in turn.told),
        *(_judged(each.verdict, safe(each.detail)) for each in turn.judged),
    ]
    if turn.plan:
        parts.append(div("plan-change", span("by", "plan"), _plan_list(turn.plan, safe)))
    body = element(
        "article", *parts, class_="turn", id=f"a{attempt}-s{step}", data_kinds=" ".join(kinds)
    )
    return joined([body, *(_context_edit(edit, safe) for edit in turn.edits)])


def _head(turn: Turn, attempt: int) -> Html:
    answered = turn.answered
    facts = [duration(answered.wall_s)]
    if answered.usage is not None:
        facts += [
            f"{short_count(answered.usage.prompt)} in",
            f"{short_count(answered.usage.output)} out",
        ]
    if answered.cost_usd is not None:
        facts.append(cost_text(answered.cost_usd, ""))
    if answered.tries > 1:
        facts.append(f"asked {answered.tries} times")
    if answered.finish not in {"stop", "calls"}:
        facts.append(f"ended by {answered.finish}")
    names = ", ".join(call.name for call in answered.message.calls) or "no call"
    link = element("a", text(f"step {answered.step}"), href=f"#a{attempt}-s{answered.step}")
    return div("turn-head", link, span("names", names), *(span("fact", fact) for fact in facts))


def _reasoning(turn: Turn, safe: Safe) -> Html:
    reasoning = safe(turn.answered.message.reasoning.strip())
    if not reasoning:
        return Html("")
    title = f"reasoning: {shortened(reasoning, 110)}"
    return element(
        "details", element("summary", text(title)), _pre(reasoning, str), class_="reasoning"
    )


def _leak(leaked: str, safe: Safe) -> Html:
    note = span("by", "a call that came as text; it was not run")
    return div("told", note, _pre(leaked, safe))


def _call(done: Done, safe: Safe) -> Html:
    failed = bool(done.result and done.result.failed)
    shown = safe(done.shown.shown) if done.shown else ""
    took = [span("fact", duration(done.shown.wall_s))] if done.shown else []
    parts = [
        div("call-head", span("tool", safe(done.call.name)), span("came", shown), *took),
        _arguments(done.call.arguments, safe),
    ]
    if done.shown and done.shown.diff:
        parts.append(diff_html(safe(done.shown.diff)))
    if done.result is None:
        parts.append(div("told", text("no result: the run was interrupted here")))
    elif done.result.text.strip():
        parts.append(_result(safe(done.result.text)))
    if done.whole:
        parts.append(_folded("the whole of it, as it is on the shelf", _pre(done.whole, safe)))
    return div("call failed" if failed else "call", *parts)


def _arguments(raw: str, safe: Safe) -> Html:
    """The arguments as they were given: a row for each where they are an object."""
    try:
        given = json.loads(raw)
    except ValueError:
        return div("arguments malformed", _pre(raw, safe))
    if not isinstance(given, dict):
        return div("arguments malformed", _pre(raw, safe))
    rows = []
    for name, value in given.items():
        shown = safe(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        block = (
            _excerpt(shown) if "\n" in shown or len(shown) > 160 else element("code", text(shown))
        )
        rows += [element("dt", text(str(name))), element("dd", block)]
    return element("dl", *rows, class_="arguments") if rows else Html("")


def _result(content: str) -> Html:
    return div("result", _excerpt(content))


def _excerpt(content: str) -> Html:
    """The first lines, and the rest folded."""
    lines = content.rstrip().split("\n")
    head = "\n".join(lines[:SHOWN_LINES])
    if len(lines) <= SHOWN_LINES + 3:
        return _pre("\n".join(lines), str)
    rest = "\n".join(lines[SHOWN_LINES:])
    more = counted(len(lines) - SHOWN_LINES, "more line")
    return joined([_pre(head, str), _folded(more, _pre(rest, str))])


def _judged(verdict: str, detail: str) -> Html:
    tone = "green" if verdict == "green" else "red"
    return div(f"judged tone-{tone}", span("by", f"the gate: {verdict}"), text(detail))


def _context_edit(edit: Hid | Summarised, safe: Safe) -> Html:
    match edit:
        case Hid():
            how = "all but the last results" if edit.hard else "older results"
            told = (
                f"context edit: {how} up to step {edit.upto} are shown to the model as one line"
                f" each from here on ({edit.freed_tokens:,} tokens freed)"
            )
            return div("context-edit", text(told))
        case Summarised():
            told = f"context edit: everything up to step {edit.upto} is summarised from here on"
            return div("context-edit", text(told), _folded("the summary", _pre(edit.text, safe)))


def _end(work: Work, safe: Safe) -> Html:
    if work.ended is None:
        return div(
            "turn ended", text("the log ends here: the run was interrupted, or still goes on")
        )
    return div(
        "turn ended",
        span("by", f"ended: {work.ended.how.replace('_', ' ')}"),
        text(safe(work.ended.reason)),
    )


def _folded(title: str, *content: Html) -> Html:
    return element("details", element("summary", text(title)), *content)


def _pre(content: str, safe: Safe) -> Html:
    return element("pre", text(safe(content)))
