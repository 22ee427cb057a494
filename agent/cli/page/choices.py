"""The patches that a person may choose from, side by side, and the input on which they differ."""

from collections.abc import Mapping
from typing import Any

from agent.cli.outcome import behaviours_line, patches_text
from agent.cli.page.code import diff_html
from agent.cli.page.elements import Html, div, element, joined, span, text
from agent.telling.wording import colour


def choices(result: Mapping[str, Any]) -> Html:
    """Return every candidate of a result with its diff, and the question where there is one."""
    hint = f"{behaviours_line(result)}. The first is the patch above."
    return joined(
        (
            element("p", text(hint), class_="hint"),
            div("options", *map(_option, result["candidates"])),
            _question(result.get("question")),
        )
    )


def _option(option: Mapping[str, Any]) -> Html:
    confidence = option["confidence"]
    return div(
        "option",
        div(
            "option-head",
            span("rank", f"#{option['rank']}"),
            span(f"badge small tone-{colour('green', confidence)}", confidence),
            span("behaviour", f"behaviour {option['group']}" if option.get("group") else ""),
        ),
        element("p", text(option["why"]), class_="why"),
        diff_html(option["patch"]),
    )


def _question(question: Mapping[str, Any] | None) -> Html:
    """Return the input on which the patches differ, and the tests that decide."""
    if not question:
        return text("")
    rows = joined(
        element(
            "tr",
            element("td", text(str(number)), class_="number"),
            element("td", element("code", text(answer["shown"]))),
            element("td", text(patches_text(answer["ranks"]))),
            element("td", text("" if answer["fails_now"] else "as the code does now")),
            element(
                "td",
                element(
                    "details",
                    element("summary", text("test")),
                    element("pre", text(answer["test"])),
                ),
            ),
        )
        for number, answer in enumerate(question["answers"], 1)
    )
    asked = element(
        "p", text("Which is right? "), element("code", text(question["call"])), class_="asked"
    )
    return div("question", asked, element("table", element("tbody", rows), class_="answers"))
