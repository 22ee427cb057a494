"""Which lines differ between two texts: small blocks, in bounded time.

Patience first (lines that are unique on both sides pin the alignment; Cohen 2003), then the
shortest edit script between the pins (Myers 1986), given up for one whole block where the gap
differs too much to be worth the time.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

DIFFERENCES: Final = 300
"""A gap with more differences than this and no unique common line becomes one block: time and
memory grow with its square."""


@dataclass(frozen=True, slots=True)
class Block:
    """Lines `old_start:old_end` became lines `new_start:new_end`; 0-based, ends not included."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def split_lines(data: bytes) -> list[bytes]:
    """Return the lines with their ends; only a line feed ends a line, as in git."""
    lines = data.split(b"\n")
    last = lines.pop()
    return [line + b"\n" for line in lines] + ([last] if last else [])


def diff_lines(old: Sequence[bytes], new: Sequence[bytes]) -> list[Block]:
    """Return the differing blocks in order; between two of them lies at least one equal line."""
    names: dict[bytes, int] = {}
    a = [names.setdefault(line, len(names)) for line in old]
    b = [names.setdefault(line, len(names)) for line in new]
    pairs = [(-1, -1), *_equal_pairs(a, b), (len(a), len(b))]
    return [
        Block(i + 1, next_i, j + 1, next_j)
        for (i, j), (next_i, next_j) in pairwise(pairs)
        if next_i > i + 1 or next_j > j + 1
    ]


def _equal_pairs(a: Sequence[int], b: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield pairs of indices of lines that stay, rising on both sides."""
    gaps = [(0, len(a), 0, len(b))]
    while gaps:
        a_start, a_end, b_start, b_end = gaps.pop()
        head = _common(a, b, a_start, a_end, b_start, b_end)
        yield from ((a_start + n, b_start + n) for n in range(head))
        a_start, b_start = a_start + head, b_start + head
        if a_start == a_end or b_start == b_end:
            continue
        tail = _common_tail(a, b, a_start, a_end, b_start, b_end)
        if tail:
            gaps.append((a_end - tail, a_end, b_end - tail, b_end))
            gaps.append((a_start, a_end - tail, b_start, b_end - tail))
            continue
        pins = _pins(a[a_start:a_end], b[b_start:b_end])
        if not pins:
            for i, j in _shortest(a[a_start:a_end], b[b_start:b_end]):
                yield a_start + i, b_start + j
            continue
        edges = [(a_start + i, b_start + j) for i, j in pins]
        starts, ends = [(a_start, b_start), *edges], [*edges, (a_end, b_end)]
        gaps += [(i, k, j, m) for (i, j), (k, m) in reversed(list(zip(starts, ends, strict=True)))]


def _common(
    a: Sequence[int], b: Sequence[int], a_start: int, a_end: int, b_start: int, b_end: int
) -> int:
    longest = min(a_end - a_start, b_end - b_start)
    n = 0
    while n < longest and a[a_start + n] == b[b_start + n]:
        n += 1
    return n


def _common_tail(
    a: Sequence[int], b: Sequence[int], a_start: int, a_end: int, b_start: int, b_end: int
) -> int:
    longest = min(a_end - a_start, b_end - b_start)
    n = 0
    while n < longest and a[a_end - 1 - n] == b[b_end - 1 - n]:
        n += 1
    return n


def _pins(a: Sequence[int], b: Sequence[int]) -> list[tuple[int, int]]:
    """Return the longest rising chain of lines that are unique on both sides."""
    count_a, count_b = Counter(a), Counter(b)
    place = {line: j for j, line in enumerate(b) if count_b[line] == 1}
    pairs = [(i, place[line]) for i, line in enumerate(a) if count_a[line] == 1 and line in place]
    ends: list[int] = []
    tops: list[int] = []
    before: list[int] = []
    for index, (_, j) in enumerate(pairs):
        at = bisect_left(ends, j)
        before.append(tops[at - 1] if at else -1)
        ends[at : at + 1] = [j]
        tops[at : at + 1] = [index]
    chain = []
    index = tops[-1] if tops else -1
    while index >= 0:
        chain.append(pairs[index])
        index = before[index]
    return chain[::-1]


def _shortest(a: Sequence[int], b: Sequence[int]) -> list[tuple[int, int]]:
    """Return the equal pairs of a shortest edit script; none where it would take too long."""
    reached = {1: 0}
    history: list[dict[int, int]] = []
    for cost in range(min(len(a) + len(b), DIFFERENCES) + 1):
        history.append(reached.copy())
        for k in range(-cost, cost + 1, 2):
            x = _step(reached, k, cost)
            while x < len(a) and 0 <= x - k < len(b) and a[x] == b[x - k]:
                x += 1
            reached[k] = x
            if x >= len(a) and x - k >= len(b):
                return _walk_back(history, len(a), len(b))
    return []


def _step(reached: dict[int, int], k: int, cost: int) -> int:
    """Return where diagonal k begins at this cost: down from k + 1, or right from k - 1."""
    if k == -cost or (k != cost and reached[k - 1] < reached[k + 1]):
        return reached[k + 1]
    return reached[k - 1] + 1


def _walk_back(history: Sequence[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    for cost in range(len(history) - 1, -1, -1):
        reached, k = history[cost], x - y
        start = _step(reached, k, cost)
        while x > start and y > 0 and x > 0:
            x, y = x - 1, y - 1
            pairs.append((x, y))
        if cost:
            down = k == -cost or (k != cost and reached[k - 1] < reached[k + 1])
            x, y = (x, y - 1) if down else (x - 1, y)
    return pairs[::-1]
