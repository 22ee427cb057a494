"""When two edits are the same to a reader: layout, comments and neutral arithmetic do not count."""

from typing import Final

from agent.repo.languages import Language
from agent.repo.syntax import tokens

_NEUTRAL: Final = {
    b"+": b"0",
    b"-": b"0",
    b"*": b"1",
    b"/": b"1",
    b"//": b"1",
    b"**": b"1",
}
_TIGHTER: Final = frozenset({b"*", b"/", b"//", b"%", b"**", b".", b"[", b"(", b"@"})


def form(language: Language, data: bytes) -> tuple[bytes, ...]:
    """Return what is equal for texts that say the same: `x + 0`, `x * 1` and `x - 1 + 1` as `x`."""
    left: list[bytes] = list(tokens(language, data))
    kept: list[bytes] = []
    at = 0
    while at < len(left):
        step = _neutral_length(left, at)
        if not step:
            kept.append(left[at])
        at += step or 1
    return tuple(kept)


def _neutral_length(found: list[bytes], at: int) -> int:
    """Return how many tokens from here on change nothing."""
    operator, *rest = found[at : at + 5]
    if operator not in _NEUTRAL or at == 0 or len(rest) < 1:
        return 0
    if rest[0] == _NEUTRAL[operator] and not _binds_tighter(found, at + 2):
        return 2
    undone = {b"+": b"-", b"-": b"+"}.get(operator)
    if len(rest) >= 3 and rest[1] == undone and rest[0] == rest[2] and rest[0].isdigit():
        return 0 if _binds_tighter(found, at + 4) else 4
    return 0


def _binds_tighter(found: list[bytes], at: int) -> bool:
    return at < len(found) and found[at] in _TIGHTER
