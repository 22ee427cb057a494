"""What each command takes: its words, its options and their help. Parses nothing by itself."""

import argparse
from collections.abc import Callable, Mapping
from typing import Final

AddParser = Callable[..., argparse.ArgumentParser]

SETTINGS: Final[Mapping[str, str]] = {
    "budget_s": "search_s",
    "test_command": "test_command",
    "model": "model",
    "attempts": "attempts",
    "steps": "steps",
    "max_cost": "model_cost_usd",
    "max_tokens": "model_tokens",
    "model_time": "model_s",
}
"""Options that are settings under another name, by where argparse leaves them."""

_RUN = "the run's id, a beginning of it that fits no other, or `last` (of this repository)"


def add_commands(add: AddParser) -> list[argparse.ArgumentParser]:
    """Add every command, in the order in which help lists them."""
    return [
        _fix(add),
        _implement(add),
        _resume(add),
        _cancel(add),
        _runs(add),
        _show(add),
        _apply(add),
        _undo(add),
        _answer(add),
        _verify(add),
        _index(add),
        _map(add),
        _where(add),
        _tests_for(add),
        _models(add),
        _fake_model(add),
        _doctor(add),
    ]


def _fix(add: AddParser) -> argparse.ArgumentParser:
    command = add("fix", help="make failing tests pass and show the patch")
    command.add_argument(
        "targets",
        nargs="*",
        metavar="TARGET",
        help="a test id, a test file, or FILE:LINE; none: every test that fails",
    )
    _repo(command)
    command.add_argument("--goal", default="", metavar="TEXT", help="what is wanted, in words")
    command.add_argument(
        "--strategy",
        choices=("auto", "offline", "model"),
        default="auto",
        help="who proposes edits (default: auto: the offline search, then a model if one is set)",
    )
    command.add_argument(
        "--budget-s", type=_seconds, metavar="N", help="seconds the offline search may take"
    )
    _model(command)
    _test_command(command)
    _accept(command)
    return command


def _implement(add: AddParser) -> argparse.ArgumentParser:
    command = add("implement", help="let a model write what is asked, with tests that bite")
    command.add_argument(
        "goal", metavar="GOAL", help="what is wanted, in words; - reads it from standard input"
    )
    _repo(command)
    command.add_argument(
        "--tests",
        nargs="+",
        default=[],
        metavar="PATH",
        help="tests that are there already and must pass; none: the model writes them first",
    )
    _model(command)
    _test_command(command)
    _accept(command)
    return command


def _resume(add: AddParser) -> argparse.ArgumentParser:
    command = add("resume", help="go on with a run of a model that was interrupted or killed")
    _run(command)
    _test_command(command)
    _accept(command)
    return command


def _cancel(add: AddParser) -> argparse.ArgumentParser:
    command = add("cancel", help="end a run that goes on in another process, or in an editor")
    _run(command)
    return command


def _runs(add: AddParser) -> argparse.ArgumentParser:
    command = add("runs", help="list past and present runs")
    command.add_argument(
        "--limit", type=_count, default=20, metavar="N", help="the newest N (default: 20)"
    )
    return command


def _show(add: AddParser) -> argparse.ArgumentParser:
    command = add("show", help="show a run: verdict, evidence, diff, what the model did")
    _run(command)
    command.add_argument("--html", metavar="FILE", help="write it as one self-contained page")
    _verbose(command, "every step of the model; -vv: with its reasoning")
    return command


def _apply(add: AddParser) -> argparse.ArgumentParser:
    command = add("apply", help="accept a run's patch, or single hunks of it")
    _run(command)
    command.add_argument(
        "--hunk",
        dest="hunks",
        metavar="ID",
        action="append",
        default=[],
        help="only this hunk (a beginning of its id is enough); may be repeated",
    )
    return command


def _undo(add: AddParser) -> argparse.ArgumentParser:
    command = add("undo", help="take back what apply wrote")
    _run(command)
    return command


def _answer(add: AddParser) -> argparse.ArgumentParser:
    command = add("answer", help="say which behaviour is right: keep its test in your files")
    _run(command)
    command.add_argument(
        "number", type=_count, metavar="N", help="the answer, as `greenloop show` numbers them"
    )
    return command


def _verify(add: AddParser) -> argparse.ArgumentParser:
    command = add("verify", help="replay a receipt and say whether it holds")
    command.add_argument("receipt", metavar="RECEIPT", help="a receipt's path, or a run")
    _test_command(command)
    return command


def _index(add: AddParser) -> argparse.ArgumentParser:
    command = add("index", help="bring the index of a repository up to date, and say what it holds")
    command.add_argument("--status", action="store_true", help="only say what it holds")
    command.add_argument("--rebuild", action="store_true", help="forget all and read anew")
    _repo(command)
    return command


def _map(add: AddParser) -> argparse.ArgumentParser:
    command = add("map", help="draw the files and definitions most worth reading")
    command.add_argument(
        "--for", dest="text", default="", metavar="TEXT", help="what for, in words of an issue"
    )
    command.add_argument(
        "--tokens", type=_count, default=1500, metavar="N", help="about so long (default: 1500)"
    )
    _repo(command)
    return command


def _where(add: AddParser) -> argparse.ArgumentParser:
    command = add("where", help="say where a symbol is defined and used")
    command.add_argument("symbol", metavar="SYMBOL", help="a name, or Class.method")
    _repo(command)
    return command


def _tests_for(add: AddParser) -> argparse.ArgumentParser:
    command = add("tests-for", help="list the tests that may notice a change")
    command.add_argument(
        "paths", nargs="+", metavar="PATH", help="a changed file, or FILE:LINE for what is there"
    )
    _repo(command)
    return command


def _models(add: AddParser) -> argparse.ArgumentParser:
    command = add("models", help="list model profiles: window, price, where the key comes from")
    command.add_argument(
        "model", nargs="?", metavar="PROFILE", help="only this one, with all that is known of it"
    )
    command.add_argument(
        "--served", action="store_true", help="ask the profile's server which models it serves"
    )
    return command


def _fake_model(add: AddParser) -> argparse.ArgumentParser:
    command = add("fake-model", help="serve a script as if it were a model, on this machine")
    command.add_argument(
        "script", metavar="SCRIPT", help="a YAML file; docs/models.md describes it"
    )
    command.add_argument(
        "--port", type=_port, default=0, metavar="N", help="where to listen (default: a free one)"
    )
    command.add_argument(
        "--dialect",
        choices=("openai-chat", "anthropic-messages", "openai-responses"),
        default="openai-chat",
        help="for the profile that is printed; all three are served (default: openai-chat)",
    )
    command.add_argument(
        "--once", action="store_true", help="end when the last answer of the script was given"
    )
    return command


def _doctor(add: AddParser) -> argparse.ArgumentParser:
    command = add("doctor", help="say what greenloop finds here and what is missing")
    _repo(command)
    command.add_argument(
        "--model", metavar="PROFILE", help="try a model instead: schemas, reasoning, cache, usage"
    )
    command.add_argument(
        "-n",
        dest="requests",
        type=_count,
        default=5,
        metavar="N",
        help="requests to send with --model (default: 5); they cost what requests cost",
    )
    return command


def _model(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("model")
    group.add_argument("--model", metavar="PROFILE", help="which one (greenloop models lists them)")
    group.add_argument(
        "--attempts", type=_count, metavar="N", help="so many side by side, best one wins"
    )
    group.add_argument(
        "--steps", type=_count, metavar="N", help="answers of the model, each attempt"
    )
    group.add_argument("--max-cost", type=_amount, metavar="USD", help="what the run may cost")
    group.add_argument(
        "--max-tokens", type=_count, metavar="N", help="prompt and output of all answers together"
    )
    group.add_argument(
        "--model-time", type=_seconds, metavar="S", help="seconds the model may take"
    )


def _run(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", metavar="RUN", help=_RUN)


def _repo(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--repo", metavar="DIR", help="any folder in the repository (default: the current one)"
    )


def _test_command(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--test-command", metavar="CMD", help="how tests are run, instead of plain pytest"
    )


def _accept(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--apply", action="store_true", help="accept the patch at once if it is likely or plausible"
    )
    _verbose(command, "more of the model's reasoning; -vv: all of it")


def _verbose(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument("-v", "--verbose", action="count", default=0, help=what)


def _seconds(text: str) -> float:
    return _above_0(text, f"{text!r} is not a number of seconds above 0")


def _amount(text: str) -> float:
    return _above_0(text, f"{text!r} is not an amount of US dollars above 0")


def _above_0(text: str, complaint: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1e9:
        raise argparse.ArgumentTypeError(complaint)
    return number


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)
