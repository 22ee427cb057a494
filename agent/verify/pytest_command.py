"""Recognises a pytest command in what a user says runs their tests. Pure: words in, words out.

`FOO=1 uv run --extra test python -W error -m pytest -q tests` becomes the interpreter's options,
pytest's arguments and the variables, so that our own interpreter can run the same with a report.
Anything that needs a shell (pipes, `$`, several commands) is not recognised.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

_SHELL = re.compile(r"[|;&<>$`\n(){}*?]")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_PYTHON = re.compile(r"python(\d+(\.\d+)?)?$")
_WRAPPERS = frozenset(
    {"env", "time", "nice", "uv", "uvx", "poetry", "pipenv", "pdm", "hatch", "rye", "coverage"}
)
_OPTIONS_WITH_VALUE = frozenset({"-W", "-X", "-Q"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PytestCommand:
    """How the user starts pytest, taken apart."""

    arguments: tuple[str, ...] = ()
    """After `pytest`."""
    interpreter_options: tuple[str, ...] = ()
    """Between `python` and `-m pytest`."""
    variables: Mapping[str, str] = field(default_factory=dict)
    directory: str = ""
    """From a leading `cd DIR &&`; empty: the top of the repository."""
    cwd_on_path: bool = True
    """`python -m pytest` puts the working directory on the path, `pytest` alone does not."""


def recognise_pytest(command: str) -> PytestCommand | None:
    """Return the pytest command in it; None when it is something else."""
    directory, rest = _split_directory(command.strip())
    if _needs_shell(rest):
        return None
    try:
        words = shlex.split(rest)
    except ValueError:
        return None
    variables: dict[str, str] = {}
    while words:
        word = words.pop(0)
        name = PurePosixPath(word).name
        if _ASSIGNMENT.match(word):
            key, _, value = word.partition("=")
            variables[key] = value
        elif name in {"pytest", "py.test"}:
            return PytestCommand(
                arguments=tuple(words), variables=variables, directory=directory, cwd_on_path=False
            )
        elif _PYTHON.match(name):
            return _module_call(words, variables, directory)
        elif name == "coverage":
            return _after_coverage(words, variables, directory)
        elif name in _WRAPPERS:
            words = _after_wrapper(words)
        else:
            return None
    return None


def _split_directory(command: str) -> tuple[str, str]:
    found = re.match(r"cd\s+([A-Za-z0-9_./-]+)\s*&&\s*(.*)$", command, re.DOTALL)
    if found is None or found[1].startswith("/") or ".." in found[1].split("/"):
        return "", command
    return found[1], found[2]


def _needs_shell(command: str) -> bool:
    """Look for what a shell would act on, outside of quotes."""
    bare = re.sub(r"'[^']*'", "", command)
    if "$" in bare or "`" in bare:
        return True
    return bool(_SHELL.search(re.sub(r'"[^"]*"', "", bare)))


def _after_wrapper(words: Sequence[str]) -> list[str]:
    """Drop the wrapper's own words: everything before the next word that starts a command."""
    for place, word in enumerate(words):
        name = PurePosixPath(word).name
        if name in {"pytest", "py.test", "coverage"} or _PYTHON.match(name):
            return list(words[place:])
        if _ASSIGNMENT.match(word):
            return list(words[place:])
    return []


def _module_call(
    words: Sequence[str], variables: Mapping[str, str], directory: str
) -> PytestCommand | None:
    options: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "-m":
            module = rest.pop(0) if rest else ""
            if module == "coverage":
                return _after_coverage(rest, variables, directory, options)
            if module not in {"pytest", "py.test"}:
                return None
            return PytestCommand(
                arguments=tuple(rest),
                interpreter_options=tuple(options),
                variables=variables,
                directory=directory,
            )
        if not word.startswith("-") or word == "-c":
            return None
        options.append(word)
        if word in _OPTIONS_WITH_VALUE and rest:
            options.append(rest.pop(0))
    return None


def _after_coverage(
    words: Sequence[str],
    variables: Mapping[str, str],
    directory: str,
    options: Sequence[str] = (),
) -> PytestCommand | None:
    """`coverage run [options] -m pytest …`: the tests are run without measuring coverage."""
    if not words or words[0] != "run" or "-m" not in words:
        return None
    place = words.index("-m")
    return _module_call([*options, *words[place:]], variables, directory)
