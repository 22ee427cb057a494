"""A failing test as a diagnostic, and as the protocol's `TestFailure`. Pure."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from lsprotocol import types

from agent.events import TestFailed
from lsp_server.convert import Encoding, units_of, uri_of
from lsp_server.marks import Span
from lsp_server.tested.results import Result

SOURCE: Final = "greenloop"
_MOST_FRAMES: Final = 12
_MOST_CHARACTERS: Final = 1_000

LinesOf = Callable[[Path], Sequence[str]]
"""Returns the lines of a file as the editor has it, else as it is on disk; empty without one."""


def place_of(failed: TestFailed, lines_of: LinesOf, top: Path, encoding: Encoding) -> Span:
    """Return where to mark a failing test: its innermost step in its own file, else its line.

    From the first thing on the line to its end.
    """
    steps = [line for path, line, _ in failed.frames if path == failed.path]
    line = max((steps[-1] if steps else failed.line) - 1, 0)
    lines = lines_of(top / failed.path)
    if not lines:
        return Span((line, 0), (line, 0))
    line = min(line, len(lines) - 1)
    bare = lines[line].rstrip()
    start = units_of(bare[: len(bare) - len(bare.lstrip())], encoding)
    return Span((line, start), (line, units_of(bare, encoding)))


def diagnostic_of(result: Result, span: Span, top: Path) -> types.Diagnostic:
    """Return what an editor shows at the place of a failing test."""
    failed = result.failure
    return types.Diagnostic(
        range=span.range,
        severity=types.DiagnosticSeverity.Error,
        source=SOURCE,
        code=result.id,
        message=message_of(result),
        related_information=_related(failed, top) if failed is not None else None,
        data={"test": result.id},
    )


def message_of(result: Result) -> str:
    """Return how it fails, in a few lines, with the test's name where it is one of several."""
    failed = result.failure
    said = (failed.message.strip() or failed.error_type) if failed is not None else ""
    said = said or f"{result.outcome}, without a word why"
    name = result.id.rpartition("::")[2] or result.id
    return f"{name}: {said}"[:_MOST_CHARACTERS]


def failure_to_json(result: Result, span: Span, top: Path) -> dict[str, Any]:
    """Return the protocol's `TestFailure`."""
    failed = result.failure
    frames = failed.frames if failed is not None else ()
    return {
        "id": result.id,
        "uri": uri_of(top / failed.path) if failed is not None and failed.path else "",
        "range": span.json,
        "message": failed.message if failed is not None else "",
        "frames": [
            {"uri": uri_of(top / path), "line": max(line - 1, 0), "function": function}
            for path, line, function in frames
        ],
    }


def _related(failed: TestFailed, top: Path) -> list[types.DiagnosticRelatedInformation]:
    """Return the steps that led there, innermost first: that is where one looks."""
    return [
        types.DiagnosticRelatedInformation(
            location=types.Location(
                uri=uri_of(top / path), range=Span((line - 1, 0), (line - 1, 0)).range
            ),
            message=f"in {function}" + (f": {_first_line(failed)}" if at == 0 else ""),
        )
        for at, (path, line, function) in enumerate(reversed(failed.frames))
        if line > 0
    ][:_MOST_FRAMES]


def _first_line(failed: TestFailed) -> str:
    return failed.message.strip().split("\n", 1)[0]
