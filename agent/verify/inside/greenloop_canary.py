"""Tests of our own among those of the repository: they have to fail, and are not reported.

Whoever swallows failures, by whatever trick, swallows these too, and is found out by it. Each
stands in a module of the repository at a place where no class begins or ends, so that no fixture
is set up or taken down more often than without it.
"""

# ruff: noqa: PT009, PT011 - assertions of every kind are what is tried here
from __future__ import annotations

import os
import unittest
from collections.abc import Callable
from typing import Any

import pytest

MOST = 5
REASON = "a check of the test runner itself: this has to fail"


def plain() -> None:
    """Fail as a function."""
    raise AssertionError(REASON)


def unittest_comparison() -> None:
    """Fail by unittest's means."""
    unittest.TestCase().assertEqual(1, 2, REASON)


def missing_exception() -> None:
    """Fail by pytest's means."""
    with pytest.raises(ValueError):
        pass


def other_exception() -> None:
    """Fail by an exception that is no assertion."""
    raise LookupError(REASON)


KINDS: tuple[Callable[[], None], ...] = (
    plain,
    unittest_comparison,
    missing_exception,
    other_exception,
)


def put_in(items: list[Any]) -> set[str]:
    """Insert canaries at random places of the list and return their ids."""
    places = [place for place in range(1, len(items) + 1) if _is_boundary(items, place)]
    ids = set()
    for number, place in enumerate(sorted(_sample(places), reverse=True)):
        module = items[place - 1].getparent(pytest.Module)
        name = "test_" + os.urandom(6).hex()
        kind = KINDS[(number + os.urandom(1)[0]) % len(KINDS)]
        canary = pytest.Function.from_parent(module, name=name, callobj=kind)
        items.insert(place, canary)
        ids.add(canary.nodeid)
    return ids


def _is_boundary(items: list[Any], place: int) -> bool:
    before = items[place - 1]
    if before.getparent(pytest.Module) is None:
        return False
    if place == len(items) or getattr(before, "cls", None) is None:
        return True
    return items[place].getparent(pytest.Class) is not before.getparent(pytest.Class)


def _sample(places: list[int]) -> list[int]:
    """Choose some, the last among them, without touching the random numbers of the tests."""
    chosen = set(places[-1:])
    while len(chosen) < min(MOST, len(places)):
        chosen.add(places[int.from_bytes(os.urandom(4), "big") % len(places)])
    return list(chosen)
