"""Makes inputs out of recorded calls: the calls themselves, and what lies near them.

Near means one step in one argument: a number beside it, a container with one less, nothing at all.
The same calls always give the same inputs in the same order.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

from .observe_calls import Call, Function, parts  # noqa: TID252 - see inside/__init__
from .observe_text import made_from, text_of  # noqa: TID252

SEED = 20
MOST_CALLS = 20
"""Recorded calls of a function that are replayed."""
MOST_NEAR = 140
"""Inputs near these, for a function."""
MOST_TOGETHER = 3
"""Inputs near a call in which all its plain arguments are changed."""
MOST_CONSTANTS = 12
"""Values taken out of the function itself; what lies on a boundary tells most."""
DEEPEST = 2
"""Levels below an argument at which parts are changed."""
RECEIVERS = ("self", "cls")


class Input:
    """A call to be replayed once, with arguments of its own."""

    def __init__(self, call: Call, *, is_recorded: bool, is_nothing: bool = False) -> None:
        self.call = call
        self.is_recorded = is_recorded
        self.is_nothing = is_nothing
        """Has None where a recorded call has a value."""
        self.before = text_of(call.values)
        self.parts = {name: text_of(value) for name, value in call.values.items()}


def make_inputs(kept: dict[Function, list[Call]]) -> list[Input]:
    """Return inputs for all functions; those worth most come first."""
    found: list[Input] = []
    for calls in kept.values():
        recorded = _varied(calls)
        found.extend(Input(Call(c.function, c.values), is_recorded=True) for c in recorded)
    near: list[list[Input]] = [list(_near_all(_varied(calls))) for calls in kept.values()]
    for turn in range(max((len(some) for some in near), default=0)):
        found.extend(some[turn] for some in near if turn < len(some))
    return found


def _varied(calls: list[Call]) -> list[Call]:
    """Choose small calls, spread over the order in which they came."""
    if len(calls) <= MOST_CALLS:
        return calls
    by_size = sorted(range(len(calls)), key=lambda at: (parts(calls[at].values, 300), at))
    chosen = set(by_size[: MOST_CALLS // 2])
    step = len(calls) / (MOST_CALLS - len(chosen))
    chosen.update(int(turn * step) for turn in range(MOST_CALLS - len(chosen)))
    return [calls[at] for at in sorted(chosen)]


def _near_all(calls: list[Call]) -> Iterator[Input]:
    """Yield inputs near the calls, a step of each in turn, none twice."""
    seen = {text_of(call.values) for call in calls}
    streams = [_near(call) for call in calls]
    left = MOST_NEAR
    while streams and left:
        for stream in list(streams):
            try:
                call, is_nothing = next(stream)
                found = Input(call, is_recorded=False, is_nothing=is_nothing)
            except Exception:  # noqa: BLE001 - it is at its end, or methods of the repository fail
                streams.remove(stream)
                continue
            if found.before not in seen and left:
                seen.add(found.before)
                left -= 1
                yield found


def _near(call: Call) -> Iterator[tuple[Call, bool]]:
    """Yield calls one step away, and whether the step was to None."""
    function = call.function
    steps: list[tuple[str, Any]] = []
    known = constants(function)
    absent = {n: value for n, value in function.defaults.items() if n not in call.values}
    for name, value in {**call.values, **absent}.items():
        if name == function.more:
            steps.extend((name, _without(value, key)) for key in value)
        else:
            fixed = name == function.rest or name in RECEIVERS
            steps.extend((name, other) for other in changed(value, fixed))
            steps.extend((name, other) for other in known if type(other) is type(value))
    random.Random(SEED).shuffle(steps)  # noqa: S311 - the same order each time is what is wanted
    for turn, (name, other) in enumerate(steps):
        yield Call(function, _copied(call.values, {name: other})), other is None
        if turn < MOST_TOGETHER:
            yield Call(function, _copied(call.values, _all_changed(call, turn))), False
    for name in function.defaults:
        if name in call.values:
            left = {key: value for key, value in call.values.items() if key != name}
            yield Call(function, copy.deepcopy(left)), False


def constants(function: Function) -> list[Any]:
    """Return the numbers and texts that a function compares with, and the numbers beside them."""
    code = function.code
    named = [function.live.__globals__.get(name) for name in code.co_names]
    found: list[Any] = []
    for value in [*code.co_consts, *named]:
        if type(value) in (int, float) and len(found) < MOST_CONSTANTS:
            found.extend(dict.fromkeys((value - 1, value, value + 1)))
        elif type(value) is str and value != function.live.__doc__ and len(value) < 20:
            found.append(value)
    return list(dict.fromkeys(found))[:MOST_CONSTANTS]


def _copied(values: dict[str, Any], instead: dict[str, Any]) -> dict[str, Any]:
    """Copy the values together, so that what they share stays shared, but for some others."""
    kept = copy.deepcopy({name: value for name, value in values.items() if name not in instead})
    names = dict.fromkeys([*values, *instead])
    return {name: instead[name] if name in instead else kept[name] for name in names}


def _all_changed(call: Call, turn: int) -> dict[str, Any]:
    """Change all plain numbers and texts at once, so that no two are the same."""
    found: dict[str, Any] = {}
    for place, (name, value) in enumerate(call.values.items()):
        if type(value) in (int, float):
            found[name] = value + place + 1 + turn * len(call.values)
        elif type(value) is str:
            found[name] = value + "abcdefghij"[(place + turn) % 10]
    return found


def _without(values: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: copy.deepcopy(value) for name, value in values.items() if name != key}


def changed(value: Any, is_there: bool = False, depth: int = 0) -> list[Any]:
    """Return values near one, each independent of it and of the others.

    One that has to be there is not replaced by None.
    """
    kind = type(value)
    found: list[Any] = []
    if kind is bool:
        found = [not value]
    elif kind is int:
        found = [value + 1, value - 1, 0, 1, -value, value * 2, value + 10, 1000]
    elif kind is float:
        found = [value + 1, value - 0.5, 0.0, -value, value * 10]
    elif kind in (str, bytes):
        found = _changed_text(value)
    elif kind in (list, tuple):
        found = _changed_sequence(value, depth)
    elif kind in (set, frozenset):
        some = sorted(value, key=repr)
        found = [kind(some[1:]), kind(some[:-1]), kind()]
    elif kind is dict:
        found = _changed_mapping(value, depth)
    elif depth < DEEPEST:
        found = _changed_object(value, depth)
    if depth == 0 and value is not None and not is_there:
        found.append(None)
    texts = {text_of(value)}
    different = []
    for one in found:
        text = text_of(one)
        if text not in texts:
            texts.add(text)
            different.append(one)
    return different


def _changed_text(value: Any) -> list[Any]:
    empty, space = value[:0], " " if isinstance(value, str) else b" "
    letter = "a" if isinstance(value, str) else b"a"
    return [
        *(empty, value[1:], value[:-1], value + value, value[::-1]),
        *(value.upper(), value.lower(), value.swapcase(), value.title()),
        *(value + space, space + value, space, letter, value + letter),
        *(value[: len(value) // 2] + space + value[len(value) // 2 :], value * 5),
    ]


def _changed_sequence(value: Any, depth: int) -> list[Any]:
    def copied(some: Any) -> Any:
        return copy.deepcopy(some)

    found = [value[1:], value[:-1], value[:0], value[::-1], value + value[-1:], value[:1]]
    found.append(value + value)
    found = [copied(one) for one in found]
    if depth < DEEPEST:
        for at in dict.fromkeys((0, len(value) - 1, len(value) // 2)):
            if 0 <= at < len(value):
                others = changed(value[at], depth=depth + 1)[:6]
                for other in others:
                    parts_of = [copied(one) for one in value]
                    parts_of[at] = other
                    found.append(type(value)(parts_of))
    return found


def _changed_object(value: Any, depth: int) -> list[Any]:
    """Change what an object was made from: other attributes may depend on each other."""
    found: list[Any] = []
    for name in made_from(value)[:4]:
        for other in changed(value.__dict__[name], depth=depth + 1)[:4]:
            twin = copy.deepcopy(value)
            twin.__dict__[name] = other
            found.append(twin)
    return found


def _changed_mapping(value: dict[Any, Any], depth: int) -> list[Any]:
    found: list[Any] = [{}]
    for key in list(value)[:3]:
        found.append({k: copy.deepcopy(v) for k, v in value.items() if k != key})
        if depth < DEEPEST:
            others = changed(value[key], depth=depth + 1)[:4]
            found.extend({**copy.deepcopy(value), key: other} for other in others)
    return found
