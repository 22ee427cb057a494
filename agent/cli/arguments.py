"""What can be written on the command line. Imports argparse and little else: see its start-up."""

import argparse
import io
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr

from agent import __version__
from agent.errors import ConfigError

_DESCRIPTION = """\
A coding agent whose green can be trusted: verdicts are measured in a clean
sandbox, never claimed. Your files change only when you accept a patch."""

_EXIT_CODES = """\
exit codes:
  0    done; for fix: a green that is likely or plausible
  1    not green, ambiguous, a conflict, or evidence that does not hold
  2    usage, configuration, or a request that cannot be carried out
  70   an error in greenloop itself
  75   the machine failed; trying again may help
  130  interrupted"""

_RUN = "the run's id, a beginning of it that fits no other, or `last` (of this repository)"


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return what was asked; `command` names it. Raises: SystemExit on `--help` and bad usage."""
    words = sys.argv[1:] if argv is None else list(argv)
    if "--json" not in words:
        return _parser().parse_args(words)
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            return _parser().parse_args(words)
    except SystemExit as exc:
        sys.stderr.write(said.getvalue())
        if exc.code:
            _print_usage_error(said.getvalue())
        raise


def given_settings(arguments: argparse.Namespace) -> dict[str, object]:
    """Return the settings that were given on the command line; None for those that were not.

    Raises: ConfigError.
    """
    settings: dict[str, object] = {}
    for text in arguments.set:
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"--set {text}: no value.", remedy="Write --set NAME=VALUE.")
        settings[name.strip()] = value.strip()
    for option, name in (("budget_s", "search_s"), ("test_command", "test_command")):
        value = getattr(arguments, option, None)
        if value is not None:
            settings[name] = value
    return settings


def _print_usage_error(said: str) -> None:
    message = said.strip().splitlines()[-1].partition("error: ")[2]
    answer = {"error": message, "remedy": "See greenloop --help.", "exit_code": 2}
    sys.stdout.write(json.dumps(answer) + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="greenloop",
        description=_DESCRIPTION,
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"greenloop {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for add in (_add_fix, _add_runs, _add_show, _add_apply, _add_undo, _add_verify, _add_doctor):
        command = add(commands.add_parser)
        command.add_argument(
            "--json", action="store_true", help="print one JSON object on stdout, nothing else"
        )
        command.add_argument(
            "--set",
            metavar="NAME=VALUE",
            action="append",
            default=[],
            help="set a setting for this command (docs/configuration.md lists them)",
        )
    return parser


AddParser = Callable[..., argparse.ArgumentParser]


def _add_fix(add: AddParser) -> argparse.ArgumentParser:
    command = add("fix", help="make failing tests pass, offline, and show the patch")
    command.add_argument(
        "targets",
        nargs="*",
        metavar="TARGET",
        help="a test id, a test file, or FILE:LINE; none: every test that fails",
    )
    _add_repo(command)
    command.add_argument("--goal", default="", metavar="TEXT", help="what is wanted, in words")
    command.add_argument(
        "--strategy",
        choices=("auto", "offline", "model"),
        default="auto",
        help="who proposes edits (default: auto, which is offline without a model)",
    )
    command.add_argument(
        "--budget-s", type=_seconds, metavar="N", help="seconds the search may take"
    )
    _add_test_command(command)
    command.add_argument(
        "--apply", action="store_true", help="accept the patch at once if it is likely or plausible"
    )
    return command


def _add_runs(add: AddParser) -> argparse.ArgumentParser:
    command = add("runs", help="list past and present runs")
    command.add_argument(
        "--limit", type=_count, default=20, metavar="N", help="the newest N (default: 20)"
    )
    return command


def _add_show(add: AddParser) -> argparse.ArgumentParser:
    command = add("show", help="show a run: verdict, evidence, diff")
    command.add_argument("run", metavar="RUN", help=_RUN)
    command.add_argument("--html", metavar="FILE", help="write it as one self-contained page")
    return command


def _add_apply(add: AddParser) -> argparse.ArgumentParser:
    command = add("apply", help="accept a run's patch, or single hunks of it")
    command.add_argument("run", metavar="RUN", help=_RUN)
    command.add_argument(
        "--hunk",
        dest="hunks",
        metavar="ID",
        action="append",
        default=[],
        help="only this hunk (a beginning of its id is enough); may be repeated",
    )
    return command


def _add_undo(add: AddParser) -> argparse.ArgumentParser:
    command = add("undo", help="take back what apply wrote")
    command.add_argument("run", metavar="RUN", help=_RUN)
    return command


def _add_verify(add: AddParser) -> argparse.ArgumentParser:
    command = add("verify", help="replay a receipt and say whether it holds")
    command.add_argument("receipt", metavar="RECEIPT", help="a receipt's path, or a run")
    _add_test_command(command)
    return command


def _add_doctor(add: AddParser) -> argparse.ArgumentParser:
    command = add("doctor", help="say what greenloop finds here and what is missing")
    _add_repo(command)
    return command


def _add_repo(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--repo", metavar="DIR", help="any folder in the repository (default: the current one)"
    )


def _add_test_command(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--test-command", metavar="CMD", help="how tests are run, instead of plain pytest"
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)
