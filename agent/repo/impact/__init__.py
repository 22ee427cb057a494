"""Which tests may notice a change, the likeliest first.

From the definitions that changed to what uses their names, in the files that import them, and so on
to the tests: a shortest way, where a name that much else has too makes the way longer. Where a
program finds its code by other ways (operators, `getattr`, registries, processes, data files), what
is around counts as changed as well. Names do not tell everything, so this says what to run first;
whether nothing broke is for the whole suite to say.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agent.repo.facts import FileFacts
from agent.repo.impact.changes import Change, change_of
from agent.repo.impact.reach import FAR, Reach
from agent.repo.impact.walk import walk
from agent.repo.modules import Modules
from agent.repo.ranking.clues import parts_of
from agent.repo.ranking.symbols import Definitions, Node
from agent.repo.roles import is_test_path
from agent.task import RepoPath

if TYPE_CHECKING:
    from agent.repo.index.view import View

__all__ = ["Change", "Impact", "ImpactedFile", "change_of", "impacted_tests"]

SHARE: Final = 0.33
"""Of all tests, so many are chosen at most; a third of a suite is what pays (measured 2026-11)."""
FEWEST: Final = 60
"""So many are chosen where so many may notice, however small the suite is."""
_LIKENESS: Final = 4.0
"""Steps that a test gains by the rare words it shares with the changed lines."""
_NAMESAKE: Final = 1.0
_CONFIGURATION: Final = re.compile(
    r"(^|/)(pyproject\.toml|setup\.(py|cfg)|tox\.ini|pytest\.ini|noxfile\.py|package(-lock)?\.json"
    r"|tsconfig[^/]*\.json|[^/]*\.config\.[cm]?[jt]s|go\.(mod|sum)|Cargo\.(toml|lock)|pom\.xml"
    r"|build\.gradle(\.kts)?|Makefile|CMakeLists\.txt|Gemfile(\.lock)?|composer\.(json|lock)"
    r"|requirements[^/]*\.txt|[^/]*\.lock|sitecustomize\.py|\.env[^/]*|\.mocharc[^/]*|\.babelrc)$"
)
_PROSE: Final = re.compile(r"\.(md|rst|txt|adoc)$|(^|/)(LICENSE|AUTHORS|CODEOWNERS)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactedFile:
    """A file of tests that may notice."""

    path: RepoPath
    tests: tuple[str, ...]
    """Qualified names, in source order; empty: all of the file's."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """The tests that may notice a change."""

    everything: str = ""
    """Why the whole suite has to run; empty: the files are enough to begin with."""
    files: tuple[ImpactedFile, ...] = ()
    """The likeliest first; none where nothing can notice."""
    left_out: int = 0
    """So many tests at least may notice too and are less likely to."""
    known: tuple[RepoPath, ...] = ()
    """All files of tests there are."""


def impacted_tests(
    view: "View",
    changes: Sequence[Change],
    *,
    most_share: float = SHARE,
    modules: Modules | None = None,
) -> Impact:
    """Return the tests that may notice the changes. `view` shows the state with them.

    `most_share`: of all tests; 1 chooses every one that may notice. `modules`: those of the view,
    where they are kept from one question to the next.
    """
    modules = modules or Modules(view)
    known = tuple(path for path in view.paths() if _holds_tests(modules, path))
    changes = [change for change in changes if not _is_prose(change.path)]
    if not changes:
        return Impact(known=known)
    for change in changes:
        if _CONFIGURATION.search(change.path):
            return Impact(everything=f"{change.path} configures how all runs", known=known)
    reach = Reach(view, modules, frozenset(known))
    starts: list[Change] = []
    for change in changes:
        found = _starts(view, modules, change)
        if not found:
            return Impact(everything=f"nothing tells who reads {change.path}", known=known)
        starts += found
    for change in starts:
        reach.extend(change.path)
    sizes = {path: _tests_in(modules, path) for path in known}
    total = sum(map(len, sizes.values()))
    most = max(FEWEST, int(most_share * total)) if most_share < 1 else total
    costs = walk(reach, starts, enough=None if most_share >= 1 else 2 * most)
    if not any(place.path in sizes for place in costs):
        costs = _of_files(reach, sizes)
    if not costs:
        return Impact(everything="no test is seen to reach what changed", known=known)
    tests = {node: cost for node, cost in costs.items() if node.place in sizes.get(node.path, ())}
    return _chosen(view, reach, starts, tests, sizes, most)


def _chosen(
    view: "View",
    reach: Reach,
    changes: Sequence[Change],
    costs: Mapping[Node, float],
    sizes: Mapping[RepoPath, Sequence[int]],
    most: int,
) -> Impact:
    likeness = _likeness(view, reach.modules, changes, costs)
    stems = {_stem(change.path) for change in changes}
    ranked = {
        node: cost
        - _LIKENESS * likeness.get(node, 0.0)
        - (_NAMESAKE if any(stem and stem in _stem(node.path) for stem in stems) else 0.0)
        for node, cost in costs.items()
    }
    order = sorted(ranked, key=lambda node: (ranked[node], node))
    files: dict[RepoPath, set[int]] = {}
    for node in order[:most]:
        files.setdefault(node.path, set()).add(node.place)
    return Impact(
        files=tuple(
            ImpactedFile(
                path=path,
                tests=_names(reach.modules, path, places, whole=len(sizes[path])),
                why=_why(reach.steps.get(path, FAR)),
            )
            for path, places in files.items()
        ),
        left_out=max(len(order) - most, 0),
        known=tuple(sizes),
    )


def _names(modules: Modules, path: RepoPath, places: set[int], *, whole: int) -> tuple[str, ...]:
    facts = modules.facts(path)
    if facts is None or len(places) == whole:
        return ()
    return tuple(dict.fromkeys(facts.definitions[place].qualified for place in sorted(places)))


def _why(steps: int) -> str:
    match steps:
        case 0:
            return "changed itself"
        case 1:
            return "imports what changed"
        case steps if steps >= FAR:
            return "starts it as a program"
        case _:
            return f"imports it through {steps - 1} more"


def _starts(view: "View", modules: Modules, change: Change) -> list[Change]:
    """Return the change; for a file without a grammar, the files that have its name in them."""
    if modules.facts(change.path) is not None:
        return [change]
    stem = change.path.rpartition("/")[2].partition(".")[0]
    holding = sorted(view.path_of(number) for number in view.holding(stem)) if stem else []
    return [Change(path=path) for path in holding]


def _is_prose(path: RepoPath) -> bool:
    return bool(_PROSE.search(path)) and not is_test_path(path)


def _holds_tests(modules: Modules, path: RepoPath) -> bool:
    return is_test_path(path) and bool(_tests_in(modules, path))


def _tests_in(modules: Modules, path: RepoPath) -> list[int]:
    facts = modules.facts(path)
    return [] if facts is None else tests_of(facts)


def tests_of(facts: FileFacts) -> list[int]:
    """Return the places of the tests in a file, classes of tests left out."""
    around = {"class", "interface", "module"}
    return [
        at for at, one in enumerate(facts.definitions) if one.is_test and one.kind not in around
    ]


def _of_files(reach: Reach, sizes: Mapping[RepoPath, Sequence[int]]) -> dict[Node, float]:
    """Return every test of the files that import what changed: names led to none."""
    return {
        Node(path, place): float(steps)
        for path, steps in reach.steps.items()
        for place in sizes.get(path, ())
    }


def _likeness(
    view: "View", modules: Modules, changes: Sequence[Change], costs: Mapping[Node, float]
) -> dict[Node, float]:
    """Return how many of the rare words of the changed lines each test has, 1 for the most."""
    wanted = {word for change in changes for word in change.words}
    wanted |= {name.rpartition(".")[2].lower() for change in changes for name in change.names or ()}
    wanted |= {part for name in wanted for part in parts_of(name) if len(part) > 2}
    if not wanted:
        return {}
    words = Definitions(view, modules, {node.path for node in costs}).words()
    wanted = {word.lower().strip("_") for word in wanted}
    shared: dict[Node, set[str]] = {
        node: wanted & words[node].keys() for node in costs if node in words
    }
    holding: Counter[str] = Counter(word for own in shared.values() for word in own)
    scores = {
        node: sum(math.log(1 + len(shared) / holding[word]) for word in own)
        for node, own in shared.items()
    }
    highest = max(scores.values(), default=0.0)
    return {node: score / highest for node, score in scores.items()} if highest else {}


def _stem(path: RepoPath) -> str:
    name = path.rpartition("/")[2].partition(".")[0].lower()
    bare = name.removeprefix("test_").removesuffix("_test").strip("_")
    return "" if bare in {"", "init", "index", "tests", "test"} else bare
