"""What fixes look like that no single edit gives: their changed words, with names left out."""

import keyword
from collections import Counter, defaultdict
from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Final

from tests.bench.repair.priors_draws import Example
from tests.bench.repair.priors_words import words

LONGEST: Final = 9
"""Words of a shape; more are no shape but a piece of code."""
SAME_LINE: Final = 0.5
"""From this likeness on a line counts as changed, below as replaced."""


def shape(old: bytes, new: bytes) -> str:
    """Return what was put in and taken out, names and values as kinds: `- x .  + x [ 1 ]`."""
    before, after = words(old), words(new)
    if not before and not after:
        return "layout"
    if not before or not after:
        return f"line {'added' if after else 'removed'}: {_statement(after or before)}"
    matcher = SequenceMatcher(a=before, b=after, autojunk=False)
    changes = [each for each in matcher.get_opcodes() if each[0] != "equal"]
    if matcher.ratio() < SAME_LINE or len(changes) > 3:
        return "rewritten"
    parts = [_change(before[a:b], after[c:d]) for _what, a, b, c, d in changes]
    return "; ".join(dict.fromkeys(parts)) if parts else "layout"


def _change(old: list[str], new: list[str]) -> str:
    if len(old) > LONGEST or len(new) > LONGEST:
        return "long piece"
    kinds = " ".join(map(_kind, old)), " ".join(map(_kind, new))
    if not old:
        return f"+ {kinds[1]}"
    return f"- {kinds[0]} + {kinds[1]}" if new else f"- {kinds[0]}"


def _statement(line: list[str]) -> str:
    """Return a whole line by what it begins with, or that it assigns or calls."""
    first = line[0]
    if keyword.iskeyword(first):
        rest = [each for each in line[1:] if each in {"return", "raise", "continue", "break"}]
        return " … ".join([first, *rest[:1]])
    if "=" in line:
        return "x = …"
    return "x ( … )" if "(" in line else "…"


def _kind(word: str) -> str:
    if word[:1].isdigit():
        return "1"
    if word[-1:] in "\"'" and len(word) > 1:
        return "'text'"
    is_known = keyword.iskeyword(word) or word in _KNOWN
    return word if is_known or not word[:1].isidentifier() else "x"


_KNOWN: Final = frozenset(
    {"self", "len", "str", "list", "dict", "set", "tuple", "int", "isinstance", "get", "sorted"}
)


def clusters(examples: Iterable[Example], most: int) -> list[tuple[str, int, list[Example]]]:
    """Return the most frequent shapes of fixes out of reach, with their fixes."""
    by_shape: defaultdict[str, list[Example]] = defaultdict(list)
    for each in examples:
        if each.right is None:
            by_shape[shape(each.old, each.new)].append(each)
    counts = Counter({name: len(found) for name, found in by_shape.items()})
    return [(name, count, by_shape[name]) for name, count in counts.most_common(most)]
