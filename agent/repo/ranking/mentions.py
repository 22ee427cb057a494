"""What a text names outright: definitions, modules, files. These weigh more than any words."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from agent.repo.modules import Modules
from agent.repo.ranking.clues import Reading, is_name, parts_of
from agent.repo.roles import is_test_path
from agent.task import RepoPath

if TYPE_CHECKING:
    from agent.repo.index.queries import Found
    from agent.repo.index.view import View

_MOST_PLACES: Final = 12
"""A name with more definitions names none of them."""
_LOOKED_AT: Final = 500
"""Tests and other spellings included."""
_SHORTEST: Final = 3
_MOST_NAMES: Final = 60


def named_symbols(view: "View", reading: Reading) -> list[tuple["Found", float, str]]:
    """Return definitions that the text names, with weights and the words that do."""
    found: list[tuple[Found, float, str]] = []
    qualified = {name.lower() for name in reading.dotted}
    names = sorted(reading.names.items(), key=lambda item: -item[1])[:_MOST_NAMES]
    for token, weight in names:
        if len(token) < _SHORTEST:
            continue
        there = [one for one in _defined(view, token) if not is_test_path(one.path)]
        exact = [one for one in there if one.definition.name == token]
        chosen = exact or there
        if not chosen or len(chosen) > _MOST_PLACES:
            continue
        share = weight * (1.0 if exact else 0.7) * (1.5 if is_name(token) else 1.0)
        share /= math.sqrt(len({one.path for one in chosen}))
        for one in chosen:
            whole = one.definition.qualified.lower() in qualified
            found.append((one, share * (2.0 if whole else 1.0), token))
    return found


def _defined(view: "View", token: str) -> tuple["Found", ...]:
    """Return the definitions of a name, `setitem` for `__setitem__` too."""
    found = view.named_folded(token, most=_LOOKED_AT)
    if found or token.startswith("_"):
        return found
    dunder = view.named_folded(f"__{token}__", most=_LOOKED_AT)
    return dunder or view.named_folded(f"_{token}", most=_LOOKED_AT)


def named_files(modules: Modules, reading: Reading) -> Iterator[tuple[RepoPath, float, str]]:
    """Yield files that the text names by path, by module, or by their name alone."""
    for path in (*reading.paths, *(place for place, _ in reading.places)):
        yield from ((one, 3.0, path) for one in paths_ending(modules, path)[:3])
    for dotted in reading.dotted:
        parts = dotted.split(".")
        for length in range(len(parts), 1, -1):
            if found := modules.paths.ending(parts[:length], (".py", ".rb", ".lua", ".java")):
                yield from ((one, 2.0, dotted) for one in found[:3])
                break
    for token, weight in reading.names.items():
        spelled = {token, token.lower(), "_".join(parts_of(token)), "-".join(parts_of(token))}
        files = {path for one in spelled for path in modules.paths.stem(one)}
        code = [path for path in files if not is_test_path(path)]
        if 0 < len(code) <= 3:
            yield from ((path, 0.7 * weight, token) for path in sorted(code))


def paths_ending(modules: Modules, given: str) -> list[RepoPath]:
    """Return the files that an absolute or shortened path may mean, best agreement first."""
    parts = [part for part in given.replace("\\", "/").split("/") if part not in {"", ".", ".."}]
    for start in range(len(parts)):
        tail = "/".join(parts[start:])
        if found := modules.paths.named(tail):
            return found
    return []
