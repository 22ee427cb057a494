"""Where output goes: results to stdout, everything on the way to stderr, JSON alone on stdout.

A terminal gets colours and layout (rich); a pipe or a dumb terminal gets plain lines without any
escape code. Nothing reaches either without being made safe first (see `wording.clean`).
"""

import io
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from agent.journal.redaction import Redactor
from agent.telling.wording import clean

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """The two streams of one command."""

    out: TextIO
    err: TextIO
    variables: Mapping[str, str]
    redactor: Redactor
    wants_json: bool = False

    @property
    def is_rich(self) -> bool:
        """Whether results may be laid out for a terminal."""
        return not self.wants_json and self._is_terminal(self.out)

    @property
    def is_live(self) -> bool:
        """Whether progress may be drawn over and over in one place."""
        return self._is_terminal(self.err)

    @property
    def width(self) -> int:
        """Columns of the terminal that results go to."""
        return self._console(self.out).width

    def line(self, text: str = "") -> None:
        """Print one line of a result. Under JSON, nothing.

        Known secrets are replaced; what only looks like one stays, since lines of diffs come here.
        """
        if not self.wants_json:
            self.out.write(self.redactor.exact(clean(text)) + "\n")

    def note(self, text: str) -> None:
        """Print one line about what is going on, on stderr."""
        self.err.write(self.redactor.text(clean(text)) + "\n")
        self.err.flush()

    def draw(self, renderable: "RenderableType") -> None:
        """Print something laid out; only where `is_rich`."""
        self._console(self.out).print(renderable)

    def answer(self, value: Mapping[str, Any]) -> None:
        """Print the one JSON object of a command. Without JSON, nothing."""
        if not self.wants_json:
            return
        self.out.write(json.dumps(self.redactor.value(value)) + "\n")
        self.out.flush()

    def live_console(self) -> "Console":
        """Return the console on which progress is drawn."""
        return self._console(self.err)

    def _console(self, stream: TextIO) -> "Console":
        from rich.console import Console

        return Console(
            file=stream,
            no_color=bool(self.variables.get("NO_COLOR")),
            highlight=False,
            markup=False,
            emoji=False,
            force_terminal=True,
        )

    def _is_terminal(self, stream: TextIO) -> bool:
        return stream.isatty() and self.variables.get("TERM", "dumb") not in {"dumb", "unknown"}


def open_screen(variables: Mapping[str, str], *, wants_json: bool) -> Screen:
    """Return the screen on this process's streams; what they cannot encode is escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    return Screen(
        out=sys.stdout,
        err=sys.stderr,
        variables=variables,
        redactor=Redactor.from_variables(variables),
        wants_json=wants_json,
    )
