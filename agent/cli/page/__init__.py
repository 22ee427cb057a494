"""One self-contained page about a run: `greenloop show RUN --html FILE`.

Needs no network and loads nothing: style and script are inside, and the page's own policy forbids
everything else. Whatever comes out of a repository is text on it, never markup.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from agent.cli.outcome import meaning_of
from agent.cli.page.choices import choices
from agent.cli.page.code import HunkIds, diff_html
from agent.cli.page.elements import Html, div, element, joined, raw_asset, section, span, text
from agent.cli.page.timeline import circumstances, phase_bars, timeline
from agent.cli.page.trajectory import trajectory
from agent.cli.page.work import Work
from agent.errors import WorkspaceError
from agent.journal.records import Record
from agent.journal.redaction import Redactor
from agent.telling.wording import colour, headline


def write_page(path: Path, page: str) -> Path:
    """Write the page and return its absolute path. Raises: WorkspaceError."""
    try:
        path.write_text(page, encoding="utf-8", errors="backslashreplace")
    except OSError as exc:
        raise WorkspaceError(
            f"cannot write {path}: {exc.strerror}.", remedy="Name another file with --html."
        ) from exc
    return path.absolute()


def build_page(
    result: Mapping[str, Any],
    records: Sequence[Record],
    tests: Sequence[tuple[str, str, str]],
    hunk_ids: HunkIds,
    redactor: Redactor,
    works: Sequence[Work] = (),
) -> str:
    """Return the page as HTML text.

    `tests` are (test, before, after) rows; `works` is what each attempt of a model did.
    """
    result = redactor.value(result)
    style, script = _asset("page.css"), _asset("page.js")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        _policy(style, script),
        element(
            "title",
            text(f"{headline(result['verdict'], result.get('confidence'))} - {result['run']}"),
        ),
        raw_asset("style", style),
    )
    body = element(
        "body",
        _masthead(result, works),
        _finder(works),
        _main(
            result, records, tests, hunk_ids, [trajectory(work, redactor.exact) for work in works]
        ),
        raw_asset("script", script),
    )
    return "<!doctype html>\n" + element("html", head, body, lang="en") + "\n"


def _asset(name: str) -> str:
    return files("agent.cli.page").joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> Html:
    """Forbid everything but the one style and the one script, known by their hashes."""
    allowed = f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}"
    content = f"{allowed}; base-uri 'none'; form-action 'none'"
    return Html(f'<meta http-equiv="Content-Security-Policy" content="{content}">')


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _masthead(result: Mapping[str, Any], works: Sequence[Work]) -> Html:
    verdict, confidence = result["verdict"], result.get("confidence")
    tone = colour(verdict, confidence)
    return element(
        "header",
        div(
            "title-row",
            span("brand", "greenloop"),
            span(f"badge tone-{tone}", headline(verdict, confidence)),
            span("run", result["run"]),
        ),
        element("p", text(result.get("message", "")), class_="message"),
        element(
            "p",
            text(meaning_of(result)),
            class_="meaning",
        ),
        element(
            "nav",
            *(element("a", text(name), href=f"#{id_}") for name, id_ in _parts(result, works)),
        ),
        class_=f"masthead tone-{tone}",
    )


def _parts(result: Mapping[str, Any], works: Sequence[Work]) -> list[tuple[str, str]]:
    parts = [("Patch", "patch")] if result.get("patch") else []
    if len(result.get("candidates", ())) > 1:
        parts.append(("Alternatives", "alternatives"))
    attempts = [(f"Attempt {work.attempt}", f"attempt-{work.attempt}") for work in works]
    return [
        *parts,
        ("Tests", "tests"),
        ("Evidence", "evidence"),
        *attempts,
        ("Timeline", "timeline"),
    ]


def _finder(works: Sequence[Work]) -> Html:
    """One search over everything on the page, and ways to the next edit or failure."""
    box = element(
        "input",
        type="search",
        id="find",
        placeholder="find in steps, tests and timeline",
        aria_label="find in steps, tests and timeline",
        autocomplete="off",
    )
    turns = [turn for work in works for turn in work.turns]
    jumps = (
        _jump("edit", "e", sum(turn.has_edit for turn in turns)),
        _jump("failure", "f", sum(turn.has_failure for turn in turns)),
        _jump("context edit", "c", sum(bool(turn.edits) for turn in turns)),
    )
    count = element("span", text(""), id="count", class_="count")
    return div("finder", box, count, *(jumps if turns else ()))


def _jump(what: str, key: str, count: int) -> Html:
    label = f"next {what} ({count})"
    return element(
        "button",
        text(label),
        type="button",
        title=f"key: {key}",
        data_jump=what.partition(" ")[0],
        data_key=key,
    )


def _main(
    result: Mapping[str, Any],
    records: Sequence[Record],
    tests: Sequence[tuple[str, str, str]],
    hunk_ids: HunkIds,
    attempts: Sequence[Html],
) -> Html:
    parts = []
    if result.get("patch"):
        parts.append(
            section("Patch", _apply_hint(result), diff_html(result["patch"], hunk_ids), id_="patch")
        )
    if len(result.get("candidates", ())) > 1:
        parts.append(section("Alternatives", choices(result), id_="alternatives"))
    parts += [
        section("Tests", _tests(tests), id_="tests"),
        section("Evidence", _evidence(result, records), id_="evidence"),
        *attempts,
        section("Timeline", timeline(records, with_steps=not attempts), id_="timeline"),
    ]
    return element("main", *parts)


def _apply_hint(result: Mapping[str, Any]) -> Html:
    command = element("code", text(f"greenloop apply {result['run']}"))
    return element(
        "p", text("It is in your files once you accept it: "), command, text("."), class_="hint"
    )


def _tests(tests: Sequence[tuple[str, str, str]]) -> Html:
    rows = joined(
        element(
            "tr",
            element("td", text(test), class_="test"),
            element("td", span(f"outcome {_word_class(before)}", before)),
            element("td", span(f"outcome {_word_class(after)}", after)),
            class_="changed" if before != after else "same",
        )
        for test, before, after in tests
    )
    head = element("tr", *(element("th", text(name)) for name in ("Test", "Before", "After")))
    return element("table", element("thead", head), element("tbody", rows), class_="tests")


def _word_class(outcome: str) -> str:
    if outcome in {"passes", "passed", "xfailed"}:
        return "good"
    return "bad" if outcome in {"fails", "failed", "error"} else "neutral"


def _evidence(result: Mapping[str, Any], records: Sequence[Record]) -> Html:
    facts = circumstances(records)
    if result.get("receipt"):
        facts += [("Receipt", result["receipt"]), ("Replay", f"greenloop verify {result['run']}")]
    facts += [("Note", note) for note in result.get("notes", ())]
    pairs = (
        joined([element("dt", text(name)), element("dd", text(value))]) for name, value in facts
    )
    return div("evidence", element("dl", *pairs), phase_bars(result.get("durations") or {}))
