"""Runs one command; whatever goes wrong ends as one line, its remedy and an exit code.

The only broad `except` of the command line is here. It keeps the traceback in a file.
"""

import argparse
import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Final

from agent.cli.arguments import given_settings
from agent.cli.logs import logged
from agent.cli.screen import Screen, open_screen
from agent.config import Settings, host_variables, load_settings
from agent.errors import AgentError, TaskError
from sandbox.errors import EnvironmentMissing, SandboxError

INTERNAL_ERROR: Final = 70
INFRASTRUCTURE: Final = 75
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141
"""Whoever read our output has left; the shells' convention, 128 + SIGPIPE."""

Command = Callable[[argparse.Namespace, Settings, Screen], int]


def carry_out(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code; never raises."""
    variables = host_variables()
    screen = open_screen(variables, wants_json=arguments.json)
    try:
        code = _run(arguments, variables, screen)
        screen.out.flush()
    except KeyboardInterrupt:
        _ignore_ctrl_c()
        return _tell(screen, "interrupted.", "", INTERRUPTED)
    except BrokenPipeError:
        _silence_stdout()
        return BROKEN_PIPE
    except Exception as exc:  # noqa: BLE001 - the last one to hear of it
        return _explain(_only_cause(exc), variables, screen)
    return code


def _run(arguments: argparse.Namespace, variables: Mapping[str, str], screen: Screen) -> int:
    flags = given_settings(arguments)
    repo = _repo(arguments)
    settings = load_settings(repo=repo, variables=variables, flags=flags)
    with logged(settings.state_dir / "logs" / "greenloop.log", screen.redactor):
        return _command(arguments.command)(arguments, settings, screen)


_HOMES: Final[Mapping[str, str]] = {
    "fix": "fix:fix",
    "implement": "fix:implement",
    "resume": "resume:resume",
    "cancel": "cancel:cancel",
    "runs": "history:runs",
    "show": "history:show",
    "apply": "review:apply",
    "undo": "review:undo",
    "answer": "answer:answer",
    "verify": "verify:verify",
    "index": "index:index",
    "map": "map:map_",
    "where": "where:where",
    "tests-for": "tests_for:tests_for",
    "models": "models:models",
    "fake-model": "fake_model:fake_model",
    "doctor": "doctor:doctor",
}
"""Module below this package and function of each command."""


def _command(name: str) -> Command:
    """Import the one command that is asked for, and nothing of the others."""
    module, _, function = _HOMES[name].partition(":")
    command: Command = getattr(import_module(f"agent.cli.{module}"), function)
    return command


def _repo(arguments: argparse.Namespace) -> Path | None:
    """The folder whose project settings count; None for commands that look at no repository."""
    if "repo" not in arguments:
        return None
    repo = Path(arguments.repo or ".").absolute()
    if not repo.is_dir():
        raise TaskError(f"there is no folder {repo}.", remedy="Name another one with --repo.")
    arguments.repo = repo
    return repo


def _only_cause(exc: BaseException) -> BaseException:
    """Look through groups of one: task groups wrap what their body raised."""
    while isinstance(exc, BaseExceptionGroup) and len(exc.exceptions) == 1:
        exc = exc.exceptions[0]
    return exc


def _explain(exc: BaseException, variables: Mapping[str, str], screen: Screen) -> int:
    match exc:
        case AgentError():
            return _tell(screen, exc.message, exc.remedy, exc.exit_code)
        case SandboxError():
            code = AgentError.exit_code if isinstance(exc, EnvironmentMissing) else INFRASTRUCTURE
            return _tell(screen, exc.message, exc.remedy, code)
        case BrokenPipeError():
            _silence_stdout()
            return BROKEN_PIPE
        case OSError(errno=errno.ENOSPC):
            _silence_stdout()
            remedy = "Make room where it goes; `greenloop show last` prints the newest run again."
            return _tell(screen, "no room is left to write the output.", remedy, INFRASTRUCTURE)
        case _:
            message = f"internal error: {type(exc).__name__}: {exc}"
            return _tell(screen, message, _keep_traceback(exc, variables, screen), INTERNAL_ERROR)


def _tell(screen: Screen, message: str, remedy: str, code: int) -> int:
    with suppress(OSError):
        screen.note(f"greenloop: {message}")
        if remedy:
            screen.note(f"  {remedy}")
        if screen.wants_json:
            screen.answer({"error": message, "remedy": remedy, "exit_code": code})
    return code


def _keep_traceback(exc: BaseException, variables: Mapping[str, str], screen: Screen) -> str:
    text = screen.redactor.text("".join(traceback.format_exception(exc)))
    try:
        folder = load_settings(repo=None, variables=variables, flags={}).state_dir / "errors"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}.log"
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except (OSError, AgentError):
        return "It could not be written down either; please report what you did."
    return f"Please report it, with {path}."


def _ignore_ctrl_c() -> None:
    """Let the exit itself end in peace."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _silence_stdout() -> None:
    """Keep the interpreter from flushing into the broken pipe once more at its end."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError, ValueError):
        os.dup2(devnull, sys.stdout.fileno())
