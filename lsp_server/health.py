"""`greenloop-lsp --check-health`: whether runs could be started here, and what is missing.

`greenloop doctor` looks at more; this is what an editor's own check shows.
"""

import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import anyio

from agent import __version__
from agent.config import host_variables
from agent.host.api import Condition
from agent.host.client import open_host

NOT_READY: Final = 1


class Finding(NamedTuple):
    """One thing that was looked at."""

    name: str
    ok: bool
    text: str
    remedy: str = ""


def check_health(folder: Path) -> int:
    """Print what was found, and what to do about what is missing; return 0 if a run could start.

    Raises: AgentError.
    """
    findings = findings_of(anyio.run(_condition, folder), folder)
    python = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    lines = [f"greenloop-lsp {__version__} on {python}"]
    lines += [f"{'ok' if found.ok else 'no'}  {found.name}: {found.text}" for found in findings]
    advice = [f"  {found.name}: {found.remedy}" for found in findings if found.remedy]
    if advice:
        lines += ["what to do:", *advice]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if all(found.ok for found in findings) else NOT_READY


def findings_of(condition: Condition, folder: Path) -> Sequence[Finding]:
    """Return a condition as lines for a person."""
    no_repository = "Open a folder of a repository, or make it one with `git init`."
    repository = (
        Finding("repository", ok=True, text=condition.repository)
        if condition.repository
        else Finding("repository", ok=False, text=f"none at {folder}", remedy=no_repository)
    )
    text = condition.engine_text.removeprefix("engine: ")
    engine = Finding("engine", condition.engine_ok, text, condition.engine_remedy)
    return (repository, engine, _model(condition))


def _model(condition: Condition) -> Finding:
    """A run needs no model, so that none is no fault."""
    if not condition.model:
        text = condition.model_text or "none is set; the offline search needs none"
        return Finding("model", ok=True, text=text)
    at = f" at {condition.endpoint}" if condition.endpoint else ""
    text = f"{condition.model}{at}: {condition.model_text}".rstrip(": ")
    return Finding("model", not condition.model_remedy, text, condition.model_remedy)


async def _condition(folder: Path) -> Condition:
    async with open_host(variables=host_variables()) as host:
        return await host.condition(folder, flags={})
