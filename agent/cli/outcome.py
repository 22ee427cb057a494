"""Prints what a run came to: verdict, evidence, diff, alternatives and the next commands.

Takes the result as the JSON object that is kept of it, so that `fix` and `show` print the same.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from agent.cli.diffs import changed_lines
from agent.cli.patches import SHORT_ID_CHARACTERS
from agent.cli.screen import Screen
from agent.telling.lanes import cost_text
from agent.telling.wording import counted, duration, explanation, headline, one_line, short_count

TESTS_SHOWN = 20
"""Of long lists of tests, this many are printed; `show --html` has them all."""


def print_outcome(
    screen: Screen,
    result: Mapping[str, Any],
    hunk_ids: Mapping[tuple[str, int], str],
    commands: Sequence[tuple[str, str]],
) -> None:
    """Print a result for a person, laid out on a terminal and plain elsewhere.

    `commands` are (what for, command) of what one may want to do next.
    """
    if screen.is_rich:
        _draw(screen, result, hunk_ids)
    else:
        _list(screen, result, hunk_ids)
    for note in result.get("notes", ()):
        screen.line(f"note: {one_line(note)}")
    if commands:
        screen.line()
        for what, command in commands:
            screen.line(f"{what}: {command}")


def _draw(
    screen: Screen, result: Mapping[str, Any], hunk_ids: Mapping[tuple[str, int], str]
) -> None:
    from agent.cli import choices, paint

    screen.draw(paint.verdict_panel(result, _facts(result)))
    if result.get("patch"):
        screen.draw(paint.diff_view(result["patch"], hunk_ids))
    for line in needed_lines(result):
        screen.line(line)
    tests = changed_tests(result)
    if tests:
        screen.draw(paint.tests_table(tests[:TESTS_SHOWN]))
        _left_out(screen, tests)
    if len(result.get("candidates", ())) > 1:
        screen.draw(choices.options_view(result, width=screen.width))
    if result.get("question"):
        screen.draw(choices.question_view(result["question"]))


def _list(
    screen: Screen, result: Mapping[str, Any], hunk_ids: Mapping[tuple[str, int], str]
) -> None:
    verdict, confidence = result["verdict"], result.get("confidence")
    screen.line(f"verdict: {headline(verdict, confidence)}")
    for text in (
        result.get("message", ""),
        meaning_of(result),
    ):
        if text:
            screen.line(f"  {one_line(text)}")
    for name, value in _facts(result):
        screen.line(f"{name}: {value}")
    tests = changed_tests(result)
    for test, before, after in tests[:TESTS_SHOWN]:
        screen.line(f"test: {one_line(test)}: {before} before, {after} after")
    _left_out(screen, tests)
    for (path, _), ids in hunk_ids.items():
        screen.line(f"hunk: {ids} in {one_line(path)}")
    for line in needed_lines(result):
        screen.line(line)
    if result.get("patch"):
        screen.line()
        for line in result["patch"].splitlines():
            screen.line(line)
    options = result.get("candidates", ())
    if len(options) > 1:
        screen.line()
        screen.line(behaviours_line(result))
    for option in options[1:]:
        _list_option(screen, option)
    if result.get("question"):
        _ask(screen, result["question"])


def _list_option(screen: Screen, option: Mapping[str, Any]) -> None:
    behaviour = f", behaviour {option['group']}" if option.get("group") else ""
    label = f"{option['confidence']}{behaviour}"
    screen.line()
    screen.line(f"alternative {option['rank']} ({label}): {one_line(option['why'])}")
    for sign, line in changed_lines(option["patch"]):
        screen.line(f"  {line}" if sign == "\\" else f"    {sign} {line.strip()}")


def _ask(screen: Screen, question: Mapping[str, Any]) -> None:
    screen.line()
    screen.line(f"which is right? {one_line(question['call'])}")
    for number, answer in enumerate(question["answers"], 1):
        now = "" if answer["fails_now"] else ", as the code does now"
        ranks = patches_text(answer["ranks"])
        screen.line(f"  {number}: {one_line(answer['shown'])} ({ranks}{now})")


def behaviours_line(result: Mapping[str, Any]) -> str:
    """Return `3 behaviours please the same tests`, or patches where behaviour was not measured."""
    if result.get("groups"):
        return f"{counted(result['groups'], 'behaviour')} with which the same tests pass"
    patches = max(result.get("alternatives", 0), len(result["candidates"]))
    return f"{counted(patches, 'patch')} with which the same tests pass"


def patches_text(ranks: Sequence[int]) -> str:
    """Return `patch 1`, `patches 1 and 3`."""
    listed = " and ".join(filter(None, (", ".join(map(str, ranks[:-1])), str(ranks[-1]))))
    return f"patch{'es' if len(ranks) > 1 else ''} {listed}"


def meaning_of(result: Mapping[str, Any]) -> str:
    """Return what a result means, in one or two sentences."""
    return explanation(
        result["verdict"],
        result.get("confidence"),
        alternatives=result.get("alternatives", 0),
        still_failing=len(result.get("failing_after", ())),
    )


def needed_lines(result: Mapping[str, Any]) -> list[str]:
    """Return what each hunk is needed for, where there are several and it was measured."""
    needed = result.get("needed_for") or {}
    if len(needed) < 2:
        return []
    return [
        f"hunk {hunk[:SHORT_ID_CHARACTERS]} is needed for {one_line(tests[0])}"
        + (f" and {counted(len(tests) - 1, 'other test')}" if len(tests) > 1 else "")
        for hunk, tests in needed.items()
        if tests
    ]


def _left_out(screen: Screen, tests: Sequence[object]) -> None:
    if len(tests) > TESTS_SHOWN:
        screen.line(f"... and {counted(len(tests) - TESTS_SHOWN, 'more test')}")


def _facts(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    facts = [("run", result["run"])]
    if result.get("receipt"):
        facts.append(("receipt", result["receipt"]))
    own = [one_line(test) for test in result.get("own_tests", ())]
    if own:
        more = f" and {counted(len(own) - 5, 'other')}" if len(own) > 5 else ""
        facts.append(("own tests", f"{', '.join(own[:5])}{more}: new, fail without the patch"))
    if result.get("model"):
        facts.append(("model", _spent(result["model"])))
    durations = result.get("durations") or {}
    if durations:
        parts = (f"{phase} {duration(wall_s)}" for phase, wall_s in durations.items())
        total = duration(sum(durations.values()))
        facts.append(("time", f"{total} ({', '.join(parts)})"))
    return facts


def _spent(model: Mapping[str, Any]) -> str:
    """Return `kimi-k3 at api.example.org: 12 steps, 45.3k tokens in (92 % cached), 3.1k out`."""
    prompt, cached = model["prompt_tokens"], model["cached_tokens"]
    share = f" ({100 * cached / prompt:.0f} % cached)" if prompt else ""
    attempts = len(model["attempts"])
    side_by_side = f" in {counted(attempts, 'attempt')}" if attempts > 1 else ""
    return (
        f"{one_line(model['profile'])} at {one_line(model['endpoint'])}:"
        f" {counted(model['steps'], 'step')}{side_by_side}, {short_count(prompt)} tokens in{share},"
        f" {short_count(model['output_tokens'])} out, {cost_text(model['cost_usd'], '')}"
    )


def changed_tests(result: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return (test, before, after) of every test that is new, failed before or fails now."""
    new = [(test, "fails", "passes") for test in result.get("own_tests", ())]
    before, after = result.get("failing_before", ()), result.get("failing_after", ())
    failed, fails = frozenset(before), frozenset(after)
    broken = [test for test in after if test not in failed]
    return new + [
        (test, "fails" if test in failed else "passes", "fails" if test in fails else "passes")
        for test in [*broken, *before]
    ]


def commands_after_fix(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a person may want to do with a run that has just ended."""
    run = result["run"]
    if result.get("applied"):
        return [
            ("take it back", f"greenloop undo {run}"),
            ("check the evidence", f"greenloop verify {run}"),
        ]
    commands = commands_after_show(result)
    if result["verdict"] == "green":
        return commands
    return [*commands, ("look closer", f"greenloop show {run}")]


def commands_after_show(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a person may want to do with a run that they are looking at."""
    run = result["run"]
    if can_go_on(result):
        return [("go on with it", f"greenloop resume {run}")]
    if result["verdict"] != "green":
        return []
    answer = [("say which is right", f"greenloop answer {run} N")] if result.get("question") else []
    return [
        *answer,
        ("look closer", f"greenloop show {run} --html run.html"),
        ("keep it", f"greenloop apply {run}"),
        ("check the evidence", f"greenloop verify {run}"),
    ]


def can_go_on(result: Mapping[str, Any]) -> bool:
    """Say whether a model's work was cut off, so that it can be resumed."""
    attempts = (result.get("model") or {}).get("attempts", ())
    return result["verdict"] in {"interrupted", "error", "none", "infrastructure"} and any(
        attempt["how"] in {"interrupted", "error"} for attempt in attempts
    )
