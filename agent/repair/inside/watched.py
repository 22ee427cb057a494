"""The tests that decide over an edit, and how far one has come that they do not let pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .items import ItemRunner  # noqa: TID252 - has another package name inside the sandbox

TELL_EVERY_S = 0.05
"""How often a child says how many tests have passed, for the case that the next one hangs."""
EACH_S = 0.15
"""How long others are begun after a target failed, to see whether the edit mends one of them, and
the highest limit of those (CPU seconds): a slow one would cost more than the knowledge is worth."""
BLUNDERS = frozenset(
    {"NameError", "UnboundLocalError", "AttributeError", "TypeError", "SyntaxError"}
)
"""What a wrong edit mostly ends in; no sign that it went further."""


class Watched:
    """Targets, which have to pass, and passing tests, which must not break."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._targets: list[list[Any]] = told.get("targets", [])
        self._passing: list[list[Any]] = told.get("passing", [])
        self._each: bool = told.get("each", False)
        self._places: dict[str, list[Any]] = told.get("places", {})

    def judge(
        self,
        run: ItemRunner,
        items: dict[str, Any],
        patience: float,
        tell: Callable[[dict[str, Any]], None],
        root: str,
    ) -> dict[str, Any]:
        """Run the targets, then what must not break; stop as soon as the answer is known.

        With few targets all of them are run, so that an edit which mends one of several is seen.
        """
        fixed = []
        further = 0
        started = told_at = time.monotonic()
        has_failed = False
        for index, (test, limit) in enumerate(self._targets):
            if has_failed and (limit > EACH_S or time.monotonic() > started + EACH_S):
                break
            if _target_passes(run, items, test, limit * patience):
                fixed.append(index)
                if time.monotonic() > told_at + TELL_EVERY_S:
                    told_at = time.monotonic()
                    tell({"passed": len(fixed)})
                continue
            if not fixed and index == 0 and test in items and test in self._places:
                further = how_much_further(run.place(items[test], root), self._places[test])
            if not self._each:
                break
            has_failed = True
        is_whole = len(fixed) == len(self._targets)
        if not is_whole and not further and not (fixed and self._each):
            return {"result": "fail", "by": ""}
        for index, (test, limit) in enumerate(self._passing):
            item = items.get(test)
            if item is None or not run.passes(item, limit * patience):
                self._passing.insert(0, self._passing.pop(index))
                return {"result": "fail", "by": test}
            if time.monotonic() > told_at + TELL_EVERY_S:
                told_at = time.monotonic()
                tell({"passed": len(fixed) + index + 1})
        if is_whole or fixed:
            return {"result": "pass", "fixed": fixed}
        return {"result": "fail", "by": "", "further": further}


def _target_passes(run: ItemRunner, items: dict[str, Any], test: str, limit: float) -> bool:
    """A target without `::` is a file that could not be collected: all of its tests count."""
    if "::" not in test:
        of_file = [item for id_, item in items.items() if id_.split("::")[0] == test]
        return bool(of_file) and all(run.passes(item, limit) for item in of_file)
    return test in items and run.passes(items[test], limit)


def how_much_further(now: list[Any], base: list[Any]) -> int:
    """Tell by two places of failure (see `ItemRunner.place`) whether the first is behind the other.

    2: the test itself came further, or got an answer that it did not like where there was a crash;
    1: the crash is at a later line of the same function. 0: nothing of that.
    """
    if not now or not base or not now[0] or not base[0]:
        return 0
    if now[0] != base[0]:
        return 2 if now[0] > base[0] else 0
    crashed_below = base[3] != base[0] or base[1] != now[1]
    is_in_test = now[3] == now[0]
    if crashed_below and is_in_test and now[4] == "AssertionError" != base[4]:
        return 2
    if now[1:3] == base[1:3] and now[3] > base[3] and now[4] not in BLUNDERS:
        return 1
    return 0
