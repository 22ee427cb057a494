"""Where a file does not parse, and what is around the place. Values only; decides nothing.

A grammar is forgiving so that a tree comes out of anything; what it forgives and the language does
not (indentation of Python) is found by rules over the tree. Of other languages a grammar may lag
behind: that it does not read a line is a hint there, and no proof.
"""

from dataclasses import dataclass

from agent.repo.facts import FileFacts
from agent.repo.languages import Language, language_of
from agent.repo.reading import read_facts
from agent.task import RepoPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One place at which a file does not parse."""

    line: int
    """1-based."""
    column: int
    """Bytes from the line's start, 1-based."""
    what: str
    """In words: "`(` is never closed"."""
    around: str
    """The smallest definition or statement around it that has a name: `def total`; else empty."""
    first_line: int
    last_line: int
    """Lines of what is around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """There is no grammar for the file: nothing is known of its syntax."""

    suffix: str


def find_problems(path: RepoPath, data: bytes) -> tuple[Problem, ...] | Unread:
    """Return the places at which the file does not parse, in order; none for a sound file."""
    match language_of(path):
        case Language.PYTHON:
            from agent.repo.python_problems import python_problems

            return python_problems(data)
        case _:
            facts = read_facts(path, data)
            if isinstance(facts, FileFacts):
                return tuple(_problem(facts, place) for place in range(len(facts.problems)))
            return Unread(suffix=path.rpartition(".")[2] if "." in path else "")


def is_certain(path: RepoPath) -> bool:
    """Tell whether a problem of this file is an error of the language, and no gap of a grammar."""
    return language_of(path) is Language.PYTHON


def _problem(facts: FileFacts, place: int) -> Problem:
    one = facts.problems[place]
    around = facts.definitions[one.inside] if one.inside >= 0 else None
    return Problem(
        line=one.line,
        column=1,
        what=f"does not parse ({one.around.replace('_', ' ')})",
        around=f"{around.kind} {around.qualified}" if around else "",
        first_line=around.line if around else one.line,
        last_line=around.end_line if around else one.end_line,
    )
