"""The scripts that observe, piece by piece in this process."""

import collections
import dataclasses
import datetime
import decimal
import enum
import itertools
import textwrap
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.repair.inside.observe_call_text import call_of
from agent.repair.inside.observe_calls import Call, Function, Recorder, parts
from agent.repair.inside.observe_inputs import Input, changed, make_inputs
from agent.repair.inside.observe_replay import replay
from agent.repair.inside.observe_text import express, gives_back, text_of


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Node:
    def __init__(self, value: object, successor: object = None) -> None:
        self.value = value
        self.successor = successor


class Hidden:
    __slots__ = ("_inner",)

    def __init__(self, inner: int) -> None:
        self._inner = inner + 1


class Colour(enum.Enum):
    RED = 1


class Shop:
    rate = 2

    def __init__(self, name: str) -> None:
        self.name = name

    def total(self, price: int, count: int = 1, *more: int, tax: int = 0, **named: int) -> int:
        return price * count + sum(more) + tax + sum(named.values())

    @classmethod
    def rated(cls, price: int) -> int:
        return price * cls.rate

    @staticmethod
    def plain(price: int) -> int:
        return price

    @property
    def size(self) -> int:
        return len(self.name)

    def __getitem__(self, at: int) -> str:
        return self.name[at]

    def __secret(self) -> int:
        return 1


def total(price: int, count: int) -> int:
    return price + count


def append(items: list[int], item: int = 0) -> None:
    items.append(item)


def counting(n: int) -> Iterator[int]:
    yield from range(n)


def endless(n: int) -> int:
    while n:
        n += 1
    return n


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({3, 1, 2}, {1, 2, 3}),
        ({"b": 1, "a": 2}, {"a": 2, "b": 1}),
        (object(), object()),
        (Node(1, Node(2)), Node(1, Node(2))),
        (Hidden(3), Hidden(3)),
        (iter([1, 2]), iter([1, 2])),
        (map(str, [1]), map(str, [1])),
        (ValueError("a"), ValueError("a")),
        (itertools.count(), itertools.count()),
        (float("nan"), float("nan")),
    ],
)
def test_values_that_are_alike_have_one_text(one: object, other: object) -> None:
    assert text_of(one) == text_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        ([1, 2], (1, 2)),
        (Node(1), Node(2)),
        (Hidden(3), Hidden(4)),
        (iter([1, 2]), iter([1, 3])),
        (collections.OrderedDict(a=1), {"a": 1}),
        (ValueError("a"), KeyError("a")),
        (decimal.Decimal("1.0"), decimal.Decimal("1.00")),
    ],
)
def test_values_that_differ_have_two_texts(one: object, other: object) -> None:
    assert text_of(one) != text_of(other)


def test_a_value_that_holds_itself_has_a_text() -> None:
    node = Node(1)
    node.successor = node
    assert "again 0" in text_of(node)


@pytest.mark.parametrize(
    "value",
    [
        None,
        -3,
        "a'b",
        b"\x00",
        float("inf"),
        [1, (2,), {"a": {3}}, set(), frozenset({4})],
        Point(1, 2),
        [Point(1)],
        Node(1, Node(2)),
        Colour.RED,
        datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC),
        decimal.Decimal("1.50"),
        collections.OrderedDict(a=1),
        collections.Counter("aab"),
        Point,
        total,
        range(3),
    ],
)
def test_an_expression_gives_the_value_back(value: object) -> None:
    found = express(value)
    assert found is not None
    assert gives_back(found, value)


def test_an_expression_says_what_it_needs_imported() -> None:
    found = express([Point(1), datetime.date(2020, 1, 2)])
    assert found is not None
    assert found.source == "[Point(x=1, y=0), datetime.date(2020, 1, 2)]"
    assert found.imports() == [f"from {__name__} import Point", "import datetime"]
    infinite = express(float("-inf"))
    assert infinite is not None
    assert infinite.source == 'float("-inf")'


@pytest.mark.parametrize(
    "value",
    [float("nan"), object(), Hidden(3), "x" * 1000, list(range(1000)), [object()], {1: object()}],
)
def test_what_has_no_simple_expression_has_none(value: object) -> None:
    assert express(value) is None


def recorded(run: Callable[[], object], *functions: Callable[..., Any]) -> list[Call]:
    known = [Function(function, "module.py") for function in functions]
    recorder = Recorder(known, 10.0)
    recorder.start()
    try:
        run()
    finally:
        recorder.stop()
    return [call for function in known for call in recorder.kept[function]]


def test_arguments_are_kept_as_they_were_before_the_call() -> None:
    def run() -> None:
        items = [1]
        append(items)
        append(items, item=5)
        append([1])

    found = recorded(run, append)
    assert [call.values for call in found] == [
        {"items": [1]},
        {"items": [1, 0], "item": 5},
    ]


def test_a_generator_is_recorded_once() -> None:
    (call,) = recorded(lambda: list(counting(5)), counting)
    assert call.values == {"n": 5}


def test_arguments_too_large_to_copy_are_left_out() -> None:
    assert recorded(lambda: append(list(range(5000))), append) == []
    assert parts(list(range(5000)), 100) == 101


def test_a_recorder_is_full_after_its_time() -> None:
    assert Recorder([Function(total, "module.py")], 0.0).is_full
    assert not Recorder([Function(total, "module.py")], 1.0).is_full


def test_a_call_can_be_made_again() -> None:
    shop = Shop("ab")
    calls = recorded(lambda: shop.total(2, 3, 4, 5, tax=1, other=7), Shop.total)
    assert [call.run(Shop.total) for call in calls] == [23]
    values = {key: value for key, value in calls[0].values.items() if key != "count"}
    assert Call(calls[0].function, values).run(Shop.total) == 10


def inputs_of(run: Callable[[], object], function: Callable[..., Any]) -> list[Input]:
    return make_inputs({(calls := recorded(run, function))[0].function: calls})


def test_inputs_near_a_call_change_one_argument_or_all() -> None:
    found = inputs_of(lambda: total(2, 30), total)
    values = [tuple(one.call.values.values()) for one in found]
    assert values[0] == (2, 30)
    assert {(3, 30), (1, 30), (2, 31), (2, 29), (0, 30), (2, None), (3, 32)} < set(values)
    assert [one.is_recorded for one in found] == [True] + [False] * (len(found) - 1)
    assert all(one.is_nothing is (None in value) for one, value in zip(found, values, strict=True))
    again = inputs_of(lambda: total(2, 30), total)
    assert [tuple(one.call.values.values()) for one in again] == values


@pytest.mark.parametrize(
    ("value", "near"),
    [
        (True, [False, None]),
        ("ab", ["", "b", "a", "abab", "ba", "AB", "ab ", " ab", "aba", None]),
        ([1, 2], [[2], [1], [], [2, 1], [1, 2, 2], [2, 2], [1, 3], None]),
        ((1,), [(), (1, 1), (2,), (0,), None]),
        ({"a": 1}, [{}, {"a": 2}, None]),
        ({1, 2}, [{2}, {1}, set(), None]),
        (1.5, [2.5, 1.0, 0.0, -1.5, None]),
        (b"ab", [b"", b"b", b"AB", None]),
        (Point(1), [Point(2), Point(0), Point(1, 1), None]),
    ],
)
def test_values_near_a_value(value: object, near: list[object]) -> None:
    found = changed(value)
    for one in near:
        assert one in found
    assert value not in found or value == 0
    assert None not in changed(value, is_there=True)


@pytest.mark.parametrize(
    ("run", "function", "text"),
    [
        (lambda: total(1, 2), total, "total(1, 2)"),
        (lambda: append([1]), append, "append([1])"),
        (lambda: append([1], 5), append, "append([1], item=5)"),
        (lambda: Shop("a").total(1), Shop.total, "Shop('a').total(1)"),
        (
            lambda: Shop("a").total(1, 1, 2, tax=3, other=4),
            Shop.total,
            "Shop('a').total(1, 1, 2, tax=3, other=4)",
        ),
        (lambda: Shop.rated(3), Shop.rated.__func__, "Shop.rated(3)"),  # type: ignore[attr-defined]
        (lambda: Shop.plain(3), Shop.plain, "Shop.plain(3)"),
        (lambda: Shop("a").size, Shop.size.fget, "Shop('a').size"),  # type: ignore[attr-defined]
        (lambda: Shop("a")[0], Shop.__getitem__, "Shop('a').__getitem__(0)"),
    ],
)
def test_a_call_is_typed_as_a_developer_would(
    run: Callable[[], object], function: Callable[..., Any], text: str
) -> None:
    found = call_of(inputs_of(run, function)[0])
    assert found is not None
    assert found.inline == text
    names: dict[str, Any] = {}
    exec("\n".join([*found.imports, *found.setup]), names)
    assert text_of(eval(found.inline, names)) == text_of(eval(found.named, names))


def test_a_call_that_nobody_can_type_has_no_text() -> None:
    def local(n: int) -> int:
        return n

    assert call_of(inputs_of(lambda: local(1), local)[0]) is None
    secret = Shop._Shop__secret  # type: ignore[attr-defined]
    assert call_of(inputs_of(lambda: secret(Shop("a")), secret)[0]) is None
    assert call_of(inputs_of(lambda: Shop("a"), Shop.__init__)[0]) is None


def outcome(run: Callable[[], object], function: Callable[..., Any]) -> dict[str, Any]:
    (first, *_others) = inputs_of(run, function)
    found = replay(first, function)
    return {key: found[key] for key in ("how", "shown", "source", "imports") if key in found}


def test_an_outcome_says_what_was_returned_raised_or_changed() -> None:
    assert outcome(lambda: total(1, 2), total) == {
        "how": "returns",
        "shown": "3",
        "source": "3",
        "imports": [],
    }
    assert outcome(lambda: list(counting(3)), counting)["source"] == "[0, 1, 2]"
    first = inputs_of(lambda: append([1], 2), append)[0]
    found = replay(first, append)
    assert (found["how"], found["shown"]) == ("returns", "None")
    assert [(one["name"], one["source"]) for one in found["changed"]] == [("items", "[1, 2]")]

    def failing(n: int) -> int:
        if n == 2:
            raise ValueError(f"at {object()}")
        return n

    call = recorded(lambda: failing(1), failing)[0]
    found = replay(Input(Call(call.function, {"n": 2}), is_recorded=False), failing)
    assert (found["how"], found["error"], found["source"]) == ("raises", "ValueError", "ValueError")
    assert found["shown"] == "ValueError: at <object object >"


def test_messages_worded_by_the_language_do_not_tell_calls_apart() -> None:
    def one(a: Any, b: Any) -> Any:
        return a * b

    def other(a: Any, b: Any) -> Any:
        return b * a

    call = recorded(lambda: one(1, 2), one)[0]
    first, second = [
        replay(Input(Call(call.function, {"a": None, "b": 2}), is_recorded=False), live)
        for live in (one, other)
    ]
    assert first["shown"] != second["shown"]
    assert first["digest"] == second["digest"]


def test_a_module_of_another_name_is_imported_by_it(tmp_path: Path) -> None:
    module = types.ModuleType("shop_of_this_test")
    code = textwrap.dedent("""
        def double(n):
            return 2 * n
    """)
    exec(compile(code, str(tmp_path / "shop.py"), "exec"), module.__dict__)
    found = inputs_of(lambda: module.double(2), module.double)[0]
    assert call_of(found) is None
