"""Groups of patches by what was observed, and the question that tells them apart."""

from collections.abc import Sequence

import pytest

from agent.job import Answer, Question
from agent.repair.judge.behaviours import Behaviours, Reply, unmeasured
from agent.repair.judge.groups import groups, telling
from agent.repair.judge.question import Asking, questions
from agent.repair.validate.observing import Outcome, Seen, Shown, Tried, Typed
from agent.task import RepoPath


def returning(source: str, **changed: str) -> Outcome:
    return Outcome(
        how="returns",
        digest=f"{source} {changed}",
        value=Shown(shown=source, source=source, imports=()),
        changed=tuple(
            (name, Shown(shown=text, source=text, imports=())) for name, text in changed.items()
        ),
    )


def raising(error: str, message: str = "", source: str | None = None) -> Outcome:
    return Outcome(
        how="raises",
        digest=f"{error} {message}",
        value=Shown(
            shown=f"{error}: {message}",
            source=error if source is None else source,
            imports=("from shop import Trouble",) if error == "Trouble" else (),
        ),
        error=error,
    )


HANGING = Outcome(
    how="hangs", digest="hangs", value=Shown(shown="does not end", source="", imports=())
)


def an_input(
    call: str,
    base: Outcome,
    *,
    is_recorded: bool = False,
    is_nothing: bool = False,
    named: str = "",
    setup: tuple[str, ...] = (),
) -> Tried:
    typed = Typed(
        inline=call, named=named or call, setup=setup, imports=("from shop import total",)
    )
    return Tried(
        function="total",
        is_recorded=is_recorded,
        is_nothing=is_nothing,
        typed=typed if call else None,
        base=base,
    )


def seen(inputs: Sequence[Tried], *patches: Sequence[Outcome | None]) -> Seen:
    return Seen(
        inputs=tuple(inputs),
        patches=tuple(
            {index: outcome for index, outcome in enumerate(patch) if outcome} for patch in patches
        ),
    )


def asked(found: Seen, taken: str = "") -> list[Asking]:
    inputs = telling(found)
    return list(questions(found, inputs, groups(found, inputs), taken))


def test_patches_with_equal_answers_share_a_group() -> None:
    inputs = [an_input("total(1)", returning("1")), an_input("total(2)", returning("2"))]
    one, other = [returning("5"), returning("6")], [returning("5"), returning("7")]
    found = seen(inputs, one, other, one)
    assert groups(found, telling(found)) == (1, 2, 1)


def test_a_patch_that_was_hardly_seen_has_no_group() -> None:
    inputs = [an_input(f"total({n})", returning("1")) for n in range(4)]
    whole = [returning("1")] * 4
    found = seen(inputs, whole, [returning("1"), None, None, None], whole[:2], [])
    assert groups(found, telling(found)) == (1, 0, 1, 0)


def test_types_that_the_code_is_not_made_for_tell_nothing() -> None:
    inputs = [
        an_input("total(1)", returning("1"), is_recorded=True),
        an_input("total('a')", raising("TypeError")),
        an_input("total(None)", returning("1"), is_nothing=True),
        an_input("total(2)", returning("1")),
    ]
    crash = raising("AttributeError")
    found = seen(inputs, [returning("1"), returning("2"), crash, crash])
    assert telling(found) == (0, 3)


def test_a_crash_that_is_the_bug_tells_something() -> None:
    inputs = [
        an_input("total(None)", raising("TypeError"), is_recorded=True),
        an_input("total('a')", raising("TypeError")),
    ]
    assert telling(seen(inputs, [returning("1"), returning("2")])) == (0, 1)


def test_the_input_that_divides_most_evenly_is_asked_first() -> None:
    inputs = [
        an_input("total(1)", returning("0")),
        an_input("total(22)", returning("0")),
        an_input("total(3)", returning("0")),
    ]
    found = seen(
        inputs,
        [returning("1"), returning("1"), returning("1")],
        [returning("1"), returning("1"), returning("1.5")],
        [returning("1"), returning("2"), returning("1")],
        [returning("3"), returning("2"), returning("1")],
    )
    first, *others = asked(found)
    assert first.call == "total(22)"
    assert [draft.groups for draft in first.drafts] == [{1, 2}, {3, 4}]
    assert len(others) == 2


def test_of_equal_questions_one_without_a_crash_that_fails_now_and_is_short_is_asked() -> None:
    two, three = returning("2"), returning("3")
    inputs = [
        an_input("total(0)", returning("0")),
        an_input("total(1, 2)", returning("0")),
        an_input("total(1)", two),
        an_input("total(2)", returning("0")),
    ]
    crash = raising("ValueError")
    found = seen(inputs, [crash, two, two, two], [three] * 4)
    assert [asking.call for asking in asked(found)] == [
        "total(2)",
        "total(1, 2)",
        "total(1)",
        "total(0)",
    ]


def test_answers_are_ready_made_tests() -> None:
    inputs = [an_input("total(1, -2)", returning("3"))]
    trouble = raising("Trouble", "too much")
    found = seen(inputs, [returning("True")], [trouble], [returning("3")], [returning("None")])
    (asking,) = asked(found)
    assert [draft.shown for draft in asking.drafts] == [
        "returns True",
        "raises Trouble: too much",
        "returns 3",
        "returns None",
    ]
    assert [draft.fails_now for draft in asking.drafts] == [True, True, False, True]
    assert [draft.test for draft in asking.drafts] == [
        "from shop import total\n\n\n"
        "def test_total_1_minus_2():\n    assert total(1, -2) is True\n",
        "import pytest\n\nfrom shop import Trouble\nfrom shop import total\n\n\n"
        "def test_total_1_minus_2():\n    with pytest.raises(Trouble):\n        total(1, -2)\n",
        "from shop import total\n\n\ndef test_total_1_minus_2():\n    assert total(1, -2) == 3\n",
        "from shop import total\n\n\n"
        "def test_total_1_minus_2():\n    assert total(1, -2) is None\n",
    ]


def test_an_iterator_is_asked_for_as_a_list() -> None:
    base = returning("[1]")
    drained = [
        Outcome(how="drains", digest=text, value=returning(text).value) for text in ("[1]", "[2]")
    ]
    found = seen([an_input("total(1)", base)], [drained[0]], [drained[1]], [raising("KeyError")])
    (asking,) = asked(found)
    assert [draft.shown for draft in asking.drafts][:2] == ["gives [1]", "gives [2]"]
    assert "assert list(total(1)) == [1]" in asking.drafts[0].test
    assert "        list(total(1))\n" in asking.drafts[2].test


def test_what_a_call_leaves_behind_can_be_the_answer() -> None:
    tried = an_input(
        "total([1])",
        returning("None"),
        named="total(items)",
        setup=("items = [1]",),
    )
    found = seen([tried], [returning("None", items="[1, 2]")], [returning("None")])
    (asking,) = asked(found)
    assert [draft.shown for draft in asking.drafts] == [
        "leaves items as [1, 2]",
        "leaves items as [1]",
    ]
    assert asking.drafts[0].test.endswith(
        "    items = [1]\n    total(items)\n    assert items == [1, 2]\n"
    )


@pytest.mark.parametrize(
    "answers",
    [
        (returning("1"), returning("1.0")),
        (returning("0"), returning("False")),
        (returning("1"), HANGING),
        (returning("1"), raising("Hidden", source="")),
        (raising("KeyError", "a"), raising("KeyError", "b")),
        (returning("1"), returning("")),
        (returning("1"), None),
    ],
)
def test_answers_that_no_test_tells_apart_are_not_asked_for(
    answers: tuple[Outcome, Outcome | None],
) -> None:
    shared = an_input("", returning("0"))
    inputs = [an_input("total(1)", returning("0")), shared]
    found = seen(inputs, [answers[0], returning("1")], [answers[1], returning("2")])
    assert asked(found) == []


def test_a_test_gets_a_name_that_is_not_taken() -> None:
    found = seen([an_input("total(1)", returning("3"))], [returning("1")], [returning("2")])
    (asking,) = asked(found, "def test_total_1():\n    pass\n\ndef test_total_1_2(): pass\n")
    assert "def test_total_1_3():" in asking.drafts[0].test


def test_nothing_is_asked_of_a_single_group() -> None:
    found = seen([an_input("total(1)", returning("3"))], [returning("1")], [returning("1")])
    assert asked(found) == []


def test_the_first_of_each_group_comes_before_the_second_of_any() -> None:
    found = Behaviours(groups=(1, 1, 2, 0, 2, 1, 3, 0))
    assert found.spread() == [0, 2, 3, 6, 7, 1, 4, 5]
    assert found.count == 3
    assert unmeasured(3).spread() == [0, 1, 2]


def test_alternatives_are_groups_and_what_was_not_measured() -> None:
    found = Behaviours(groups=(1, 1, 2, 0, 2, 0))
    assert found.alternatives(range(6)) == 4
    assert found.alternatives([0, 1]) == 1
    assert unmeasured(3).alternatives(range(3)) == 3


def test_a_question_names_the_patches_that_are_shown() -> None:
    def reply(patches: set[int], shown: str) -> Reply:
        return Reply(patches=frozenset(patches), shown=shown, test=shown, fails_now=True)

    found = Behaviours(
        groups=(1, 1, 2, 3),
        call="total(1)",
        path=RepoPath("test_shop.py"),
        replies=(reply({0, 1}, "1"), reply({2}, "2"), reply({3}, "3")),
    )
    question = found.question([2, 0, 1])
    assert question == Question(
        call="total(1)",
        path=RepoPath("test_shop.py"),
        answers=(
            Answer(ranks=(1,), shown="2", test="2", fails_now=True),
            Answer(ranks=(2, 3), shown="1", test="1", fails_now=True),
        ),
    )
    assert found.question([0, 1]) is None
    assert unmeasured(2).question([0, 1]) is None
