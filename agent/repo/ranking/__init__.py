"""Which files and definitions are most worth reading for a task, each with the reasons.

Words of the text, what it names outright, where a failure went through, what failing tests use,
what was changed or is open; then what lies near all that, by imports and calls. Nothing is run.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from agent.repo.modules import Modules
from agent.repo.ranking.clues import Clues, Reading, read_text
from agent.repo.ranking.graph import spread
from agent.repo.ranking.lexical import by_words
from agent.repo.ranking.mentions import named_files, named_symbols, paths_ending
from agent.repo.ranking.symbols import (
    Definitions,
    Node,
    Span,
    flow,
    of_frames,
    of_tests,
    spans_of_tests,
    test_terms,
    told_of,
)
from agent.repo.roles import is_beside, is_test_path
from agent.task import RepoPath

if TYPE_CHECKING:
    from agent.repo.index.queries import Found
    from agent.repo.index.view import View

MOST_FILES: Final = 20
MOST_SYMBOLS: Final = 20
_LOOKED_INTO: Final = 12
"""Files whose definitions are weighed."""
_POOL: Final = 120
_WEIGHTS: Final = {"words": 1.0, "named": 0.8, "files": 0.9, "near": 0.5, "inside": 0.6}
"""Of what each says, where its best file has 1."""
_SURE: Final = 2.0
"""A frame, a change: seen, and not guessed."""
_BESIDE: Final = 0.35
"""Of the score of docs, examples, and built or foreign code."""
_MOST_TESTED: Final = 20
_TOLD: Final = 5.0
_TOLD_BY_TESTS: Final = 0.5
_NAMED: Final = 1.5
_FLOW: Final = 1.0
_LEAST: Final = 0.02
_HOLDING: Final = frozenset({"class", "interface"})
_AROUND: Final = 0.4
"""Of the score of a class: its methods say more."""
_CLUES: Final = frozenset({"changed", "open", "holds a failing test", "on the way to the failure"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedFile:
    """A file worth reading."""

    path: RepoPath
    score: float
    reasons: tuple[str, ...]
    """For people: `says relativedelta, weeks`, `names parse_udiff`, `on the way to the failure`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedSymbol:
    """A definition worth reading."""

    found: "Found"
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Best first; equal scores by path."""

    files: tuple[RankedFile, ...]
    symbols: tuple[RankedSymbol, ...]


def rank(
    view: "View",
    clues: Clues,
    *,
    most_files: int = MOST_FILES,
    most_symbols: int = MOST_SYMBOLS,
    modules: Modules | None = None,
) -> Ranking:
    """Return what to read first. Files of tests are left out unless a clue names them.

    `modules`: those of the view, where they are kept from one question to the next.
    """
    modules = modules or Modules(view)
    reading = read_text(clues.text)
    frames = (*_places(modules, reading), *clues.frames)
    named = named_symbols(view, reading)
    tally = _Tally()
    _take_words(tally, view, reading)
    _take_names(tally, modules, reading, named)
    _take_seen(tally, modules, clues, frames)
    likely = _likely(tally, modules)
    looked_into = [*likely, *(path for path, _ in frames), *_tested(modules, clues)]
    definitions = Definitions(view, modules, looked_into)
    words = definitions.words()
    told = told_of(words, reading.terms)
    for node, share in told.items():
        tally.raise_to(node.path, "inside", share)
    spans = spans_of_tests(modules, clues.tests)
    evidence = _evidence(definitions, words, spans, frames, reading, named)
    return Ranking(
        files=_files(tally, modules, most_files),
        symbols=_symbols(definitions, evidence, tally, most_symbols),
    )


class _Tally:
    """What speaks for each file, by kind, with reasons."""

    def __init__(self) -> None:
        self._shares: dict[RepoPath, dict[str, float]] = {}
        self.reasons: dict[RepoPath, dict[str, None]] = {}

    def raise_to(self, path: RepoPath, kind: str, share: float, reason: str = "") -> None:
        """Take the highest of what is given for a file and a kind."""
        shares = self._shares.setdefault(path, {})
        shares[kind] = max(shares.get(kind, 0.0), share)
        if reason:
            self.reasons.setdefault(path, {})[reason] = None

    def add(self, path: RepoPath, kind: str, share: float, reason: str) -> None:
        """Add to what was given before."""
        before = self._shares.get(path, {}).get(kind, 0.0)
        self.raise_to(path, kind, before + share, reason)

    def scores(self) -> dict[RepoPath, float]:
        """Return what all kinds say together, each from 0 to its weight."""
        highest: dict[str, float] = {}
        for shares in self._shares.values():
            for kind, share in shares.items():
                highest[kind] = max(highest.get(kind, 0.0), share)
        return {
            path: _standing(path)
            * sum(
                share * (_WEIGHTS[kind] / highest[kind] if kind in _WEIGHTS else 1.0)
                for kind, share in shares.items()
                if share > 0
            )
            for path, shares in self._shares.items()
        }


def _standing(path: RepoPath) -> float:
    return _BESIDE if is_beside(path) else 1.0


def _take_words(tally: _Tally, view: "View", reading: Reading) -> None:
    scores, said = by_words(view, reading, most=_POOL)
    for number, score in scores.items():
        reason = f"holds {', '.join(said[number])}"
        tally.raise_to(view.path_of(number), "words", score, reason)


def _take_names(
    tally: _Tally,
    modules: Modules,
    reading: Reading,
    named: list[tuple["Found", float, str]],
) -> None:
    best: dict[tuple[RepoPath, str], float] = {}
    for found, weight, token in named:
        best[found.path, token] = max(best.get((found.path, token), 0.0), weight)
    for (path, token), weight in best.items():
        tally.add(path, "named", weight, f"defines {token}")
    for path, weight, given in named_files(modules, reading):
        tally.raise_to(path, "files", weight, f"{given} names it")


def _take_seen(
    tally: _Tally, modules: Modules, clues: Clues, frames: tuple[tuple[RepoPath, int], ...]
) -> None:
    for at, (path, _) in enumerate(reversed(frames)):
        tally.raise_to(path, "seen", _SURE / (1 + 0.2 * at), "on the way to the failure")
    for path in clues.changed:
        tally.raise_to(path, "changed", 0.5 * _SURE, "changed")
    for path in clues.open:
        tally.raise_to(path, "open", 0.3 * _SURE, "open")
    for test in clues.tests:
        path = RepoPath(test.partition("::")[0])
        if modules.facts(path) is not None:
            tally.raise_to(path, "failing", _SURE, "holds a failing test")


def _likely(tally: _Tally, modules: Modules) -> list[RepoPath]:
    """Return the likeliest code files, best first, after what lies near the likely was added."""
    near = spread(modules, tally.scores())
    for path, share in near.items():
        tally.raise_to(path, "near", share)
    ordered = _sorted(tally.scores())
    code = (path for path in ordered if not is_test_path(path) and modules.facts(path))
    return list(islice(code, _LOOKED_INTO))


def _sorted(scores: Mapping[RepoPath, float]) -> list[RepoPath]:
    return sorted(scores, key=lambda path: (-scores[path], path))


def _tested(modules: Modules, clues: Clues) -> list[RepoPath]:
    """Return the code that the files of failing tests import."""
    paths = dict.fromkeys(RepoPath(test.partition("::")[0]) for test in clues.tests)
    found = {other: None for path in paths for other in modules.imported(path)}
    further = {other: None for path in found for other in modules.imported(path)}
    code = [path for path in (found | further) if not is_test_path(path)]
    return code[:_MOST_TESTED]


def _places(modules: Modules, reading: Reading) -> list[tuple[RepoPath, int]]:
    """Return the frames of a trace in the text, as far as its paths are of this repository."""
    found = []
    for given, line in reading.places:
        files = paths_ending(modules, given)
        if len(files) == 1:
            found.append((files[0], line))
    return found


def _evidence(
    definitions: Definitions,
    words: Mapping[Node, Counter[str]],
    spans: Sequence[Span],
    frames: Sequence[tuple[RepoPath, int]],
    reading: Reading,
    named: Sequence[tuple["Found", float, str]],
) -> dict[Node, dict[str, float]]:
    """Return by definition what speaks for it, by reason."""
    found: dict[Node, dict[str, float]] = {}

    def take(shares: Mapping[Node, float], reason: str) -> None:
        for node, share in shares.items():
            if node.path in definitions.files:
                own = found.setdefault(node, {})
                own[reason] = max(own.get(reason, 0.0), share)

    terms = test_terms(definitions, spans) | dict(reading.terms)
    told = told_of(words, terms)
    much = _TOLD if reading.terms else _TOLD_BY_TESTS
    take(of_frames(definitions, frames), "on the way to the failure")
    take(of_tests(definitions, spans), "a failing test uses it")
    take({node: much * share for node, share in told.items()}, "the text is about it")
    highest = max((weight for _, weight, _ in named), default=1.0)
    for one, weight, token in named:
        take({Node(one.path, one.place): _NAMED * weight / highest}, f"the text names {token}")
    return found


def _files(tally: _Tally, modules: Modules, most: int) -> tuple[RankedFile, ...]:
    scores = tally.scores()
    ranked: list[RankedFile] = []
    for path in _sorted(scores):
        if modules.facts(path) is None or (is_test_path(path) and not _is_clue(tally, path)):
            continue
        reasons = tuple(tally.reasons.get(path, ())) or ("near what the text is about",)
        ranked.append(RankedFile(path=path, score=scores[path], reasons=reasons))
        if len(ranked) == most:
            break
    return tuple(ranked)


def _is_clue(tally: _Tally, path: RepoPath) -> bool:
    return any(reason in _CLUES for reason in tally.reasons.get(path, ()))


def _symbols(
    definitions: Definitions,
    evidence: Mapping[Node, Mapping[str, float]],
    tally: _Tally,
    most: int,
) -> tuple[RankedSymbol, ...]:
    from agent.repo.index.queries import Found

    own = {node: sum(shares.values()) for node, shares in evidence.items()}
    spread_out = flow(definitions, own)
    files = tally.scores()
    highest = max(files.values(), default=1.0) or 1.0
    scores = {
        node: (own.get(node, 0.0) + _FLOW * spread_out.get(node, 0.0))
        * (0.5 + 0.5 * files.get(node.path, 0.0) / highest)
        * (_AROUND if definitions.definition(node).kind in _HOLDING else 1.0)
        for node in {*own, *(node for node, share in spread_out.items() if share > _LEAST)}
        if not is_test_path(node.path)
    }
    ranked = sorted(scores, key=lambda node: (-scores[node], node))[:most]
    return tuple(
        RankedSymbol(
            found=Found(node.path, node.place, definitions.definition(node)),
            score=scores[node],
            reasons=tuple(evidence.get(node, ())) or ("likely code uses it",),
        )
        for node in ranked
    )
