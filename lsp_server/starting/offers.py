"""What can be started from a place in a document: actions and lenses, made of what is known. Pure.

Each carries a command with its params; which client draws what is decided by who calls.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types

from lsp_server.marks import Span

if TYPE_CHECKING:
    from lsp_server.units import Unit

FIX: Final = "quickfix.greenloop"
REWRITE: Final = "refactor.rewrite.greenloop"
START: Final = "greenloop.server.start"
TEST: Final = "greenloop.server.test"
OWN_SOURCES: Final = frozenset({"greenloop", "greenloop-review"})

_UNTRUSTED: Final = "The workspace is not trusted, so nothing of it is run."
_TITLE_CHARACTERS: Final = 60
_MOST_LENSES: Final = 2_000
_HINT: Final = types.DiagnosticSeverity.Hint

Outcome = Callable[[str], str | None]
"""Returns how a test ended last, by its id; None: unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A place in a document, and what a client wants to know of it."""

    uri: str
    range: types.Range
    diagnostics: Sequence[types.Diagnostic]
    only: Sequence[str] | None
    """Kinds of actions that are wanted; None: all."""
    trusted: bool
    asks_for_text: bool
    """The client asks its user for a goal where one is missing."""
    shows_disabled: bool
    """The client shows what cannot be done, with the reason; else it is left out."""

    def wants(self, kind: str) -> bool:
        """Tell whether actions of a kind are wanted: it, or one that it is a part of."""
        if self.only is None:
            return True
        return any(one in {"", kind} or kind.startswith(f"{one}.") for one in self.only)


def actions(asked: Asked, units: "Sequence[Unit]", outcome: Outcome) -> list[types.CodeAction]:
    """Return what can be started there, the likeliest first."""
    here = Span.of(asked.range)
    found: list[types.CodeAction] = []
    test = _innermost(units, here, {"test"}) or _innermost_named(units, here)
    if asked.wants(FIX):
        found += _for_diagnostics(asked)
        if test is not None:
            found += _for_test(asked, test, outcome(test.id))
    if asked.wants(REWRITE):
        stub = _innermost(units, here, {"stub"})
        if stub is not None:
            found.append(_for_stub(asked, stub))
        if here.start < here.end and asked.asks_for_text:
            found.append(_for_selection(asked))
    if asked.trusted:
        return found
    return [_disabled(one) for one in found] if asked.shows_disabled else []


def lenses(uri: str, units: "Sequence[Unit]", outcome: Outcome) -> list[types.CodeLens]:
    """Return what stands above tests and stubs: run, fix, implement."""
    found: list[types.CodeLens] = []
    for unit in units:
        match unit.kind:
            case "test":
                is_failing = outcome(unit.id) in {"failed", "error"}
                found.append(_lens(unit, "Run", _run(uri, unit)))
                found.append(_lens(unit, "Fix (failing)" if is_failing else "Fix", _fix(uri, unit)))
            case "suite":
                found.append(_lens(unit, "Run all", _run(uri, unit)))
            case "stub":
                found.append(_lens(unit, "Implement", _implement(uri, unit.span)))
        if len(found) >= _MOST_LENSES:
            break
    return found


def _for_diagnostics(asked: Asked) -> list[types.CodeAction]:
    """Return one action for each failing test that is marked, and one for all that others say."""
    found: list[types.CodeAction] = []
    others: list[types.Diagnostic] = []
    for one in asked.diagnostics:
        if one.source == "greenloop" and isinstance(one.code, str):
            name = _shortened(one.code.rpartition("::")[2] or one.code)
            command = types.Command(
                title=f"Fix {name}",
                command=START,
                arguments=[{"kind": "fix", "folder": asked.uri, "targets": [one.code]}],
            )
            found.append(_action(f"Fix {name}", FIX, command, of=[one], is_preferred=True))
        elif one.source not in OWN_SOURCES and one.severity != _HINT:
            others.append(one)
    if others:
        what = (
            f"Fix with Greenloop: {_shortened(others[0].message)}"
            if len(others) == 1
            else f"Fix {len(others)} problems with Greenloop"
        )
        place = {"uri": asked.uri, "range": _around([one.range for one in others]).json}
        params = {"kind": "fix", "place": place, "diagnostics": [_plain(one) for one in others]}
        command = types.Command(title=what, command=START, arguments=[params])
        found.append(_action(what, FIX, command, of=others))
    return found


def _for_test(asked: Asked, test: "Unit", outcome: str | None) -> list[types.CodeAction]:
    name = _shortened(test.name.rpartition(".")[2] if "::" in test.id else test.name)
    marked = any(
        one.source == "greenloop" and _is_of(one.code, test.id) for one in asked.diagnostics
    )
    found: list[types.CodeAction] = []
    if not marked:  # else there is an action for the mark already, with its parameters
        is_failing = outcome in {"failed", "error"}
        title = f"Fix this test: {name}"
        found.append(_action(title, FIX, _fix(asked.uri, test), is_preferred=is_failing))
    found.append(_action(f"Run this test: {name}", FIX, _run(asked.uri, test)))
    return found


def _for_stub(asked: Asked, stub: "Unit") -> types.CodeAction:
    title = f"Implement {_shortened(stub.name)} with Greenloop"
    return _action(title, REWRITE, _implement(asked.uri, stub.span))


def _for_selection(asked: Asked) -> types.CodeAction:
    """An empty goal is one that the client asks for before it sends the command."""
    title = "Change selection with Greenloop …"
    place = {"uri": asked.uri, "range": Span.of(asked.range).json}
    params = {"kind": "implement", "place": place, "goal": ""}
    return _action(title, REWRITE, types.Command(title=title, command=START, arguments=[params]))


def _run(uri: str, unit: "Unit") -> types.Command:
    params = {"folder": uri, "targets": [unit.id]}
    return types.Command(title="Run", command=TEST, arguments=[params])


def _fix(uri: str, unit: "Unit") -> types.Command:
    params = {"kind": "fix", "folder": uri, "targets": [unit.id]}
    return types.Command(title="Fix", command=START, arguments=[params])


def _implement(uri: str, span: Span) -> types.Command:
    params = {"kind": "implement", "place": {"uri": uri, "range": span.json}}
    return types.Command(title="Implement", command=START, arguments=[params])


def _lens(unit: "Unit", title: str, command: types.Command) -> types.CodeLens:
    command = types.Command(title=title, command=command.command, arguments=command.arguments)
    return types.CodeLens(range=unit.selection_range, command=command)


def _action(
    title: str,
    kind: str,
    command: types.Command,
    *,
    of: Sequence[types.Diagnostic] | None = None,
    is_preferred: bool = False,
) -> types.CodeAction:
    return types.CodeAction(
        title=title,
        kind=kind,
        diagnostics=of,
        is_preferred=is_preferred or None,
        command=types.Command(title=title, command=command.command, arguments=command.arguments),
    )


def _disabled(one: types.CodeAction) -> types.CodeAction:
    return types.CodeAction(
        title=one.title,
        kind=one.kind,
        diagnostics=one.diagnostics,
        disabled=types.CodeActionDisabled(reason=_UNTRUSTED),
    )


def _innermost(units: "Sequence[Unit]", here: Span, kinds: set[str]) -> "Unit | None":
    """Return the innermost unit around a place; units come in source order."""
    around = [one for one in units if one.kind in kinds and one.span.holds(here)]
    return around[-1] if around else None


def _innermost_named(units: "Sequence[Unit]", here: Span) -> "Unit | None":
    """Return the test on whose first line the place is, as before its indentation."""
    line = here.start[0]
    return next(
        (
            one
            for one in units
            if one.kind == "test" and one.span.start[0] <= line <= one.name_span.start[0]
        ),
        None,
    )


def _around(ranges: Sequence[types.Range]) -> Span:
    spans = [Span.of(one) for one in ranges]
    return Span(min(one.start for one in spans), max(one.end for one in spans))


def _is_of(code: object, test: str) -> bool:
    return isinstance(code, str) and (code == test or code.startswith(f"{test}["))


def _plain(one: types.Diagnostic) -> Mapping[str, Any]:
    """Return of a diagnostic what says something; its data belongs to who made it."""
    told: dict[str, Any] = {
        "range": Span.of(one.range).json,
        "message": one.message,
        "source": one.source,
        "code": one.code,
        "severity": one.severity.value if one.severity is not None else None,
    }
    return {key: value for key, value in told.items() if value is not None}


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TITLE_CHARACTERS else f"{line[: _TITLE_CHARACTERS - 1]}…"
