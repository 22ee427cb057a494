"""How priors are learnt: small fixes of a history, what is drawn there, factors from both."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.bench.places.clones import Clone
from tests.bench.repair import priors
from tests.bench.repair.cases import half_of
from tests.bench.repair.priors_draws import Draw, Example, example
from tests.bench.repair.priors_history import SmallFix, is_code, small_fixes, window
from tests.bench.repair.priors_model import blended, counted, factor_of, held_out, learn, ranks
from tests.bench.repair.priors_shapes import shape
from tests.bench.repair.priors_words import changed_words

CODE = """\
def total(rows, tax):
    result = 0
    for row in rows:
        if row < 10:
            result += row
    return result + tax
"""


def a_fix(before: str, after: str, repository: str = "someone/thing") -> SmallFix:
    return SmallFix(
        repository=repository,
        commit="c0ffee",
        path="thing.py",
        subject="fix it",
        is_tested=True,
        before=before.encode(),
        after=after.encode(),
    )


def right_draw(before: str, after: str) -> Draw | None:
    found = example(a_fix(before, after))
    assert found is not None
    return None if found.right is None else found.draws[found.right]


@pytest.mark.parametrize(
    ("old", "new", "template"),
    [
        ("row < 10", "row <= 10", "another operator"),
        ("row < 10:", "row <= 10:  # all of them", "another operator"),
        ("result + tax", "result - tax", "another operator"),
        ("result = 0", "result = 1", "another number"),
        ("result += row", "result += tax", "another name"),
    ],
)
def test_the_edit_that_is_the_fix_is_found(old: str, new: str, template: str) -> None:
    drawn = right_draw(CODE, CODE.replace(old, new))
    assert drawn is not None
    assert drawn.key[0] == template


def test_a_fix_that_no_edit_gives_has_no_right_one() -> None:
    after = CODE.replace("return result + tax", "return round(result * (1 + tax), ndigits=2)")
    assert right_draw(CODE, after) is None


def test_nothing_is_drawn_where_more_was_written_than_any_edit_does() -> None:
    added = "    names = [" + ", ".join(f"name_{number}" for number in range(60)) + "]\n"
    found = example(a_fix(CODE, CODE.replace("    result = 0\n", f"    result = 0\n{added}")))
    assert found is not None
    assert (found.draws, found.right) == ((), None)


def test_the_window_is_what_differs() -> None:
    before = b"a\nb\nc\nd\ne\n"
    found = window(before, b"a\nB\nc\nD\ne\n")
    assert found is not None
    assert (found.first, found.last, found.last_after) == (1, 4, 4)
    assert found.changed == ((1, 2), (3, 4))
    added = window(before, b"a\nb\nnew\nc\nd\ne\n")
    assert added is not None
    assert (added.first, added.last, added.last_after) == (2, 2, 3)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("x = 1\n", "x = 2\n", True),
        ("x = 1\n", "x = 1  # one\n", False),
        ("def f(a):\n    return a\n", "def f(a: int) -> int:\n    return a\n", False),
        ('def f(a):\n    "One."\n', 'def f(a):\n    "Two."\n', False),
        ("x: int = 1\n", "x: str = 1\n", False),
        ("print 'x'\n", "print 'y'\n", False),
    ],
)
def test_comments_texts_and_annotations_are_no_code(
    before: str, after: str, expected: bool
) -> None:
    assert is_code(before.encode(), after.encode()) is expected


def a_history(folder: Path, subjects: Mapping[str, str]) -> Clone:
    """Commit the code once, then each text under its subject."""

    def git(*arguments: str) -> None:
        who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)

    folder.mkdir()
    git("init", "--quiet")
    for subject, text in {"Begin": CODE, **subjects}.items():
        (folder / "thing.py").write_text(text)
        git("add", "--all")
        git("commit", "--quiet", "--message", subject)
    return Clone(folder / ".git", "someone/thing")


def test_only_small_fixes_of_code_are_read(tmp_path: Path) -> None:
    fixed = CODE.replace("<", "<=")
    clone = a_history(
        tmp_path / "thing",
        {
            "Fix the bound": fixed,
            "Add nothing": fixed.replace("result = 0", "result = 2"),
            "Fix a comment": fixed.replace("result = 0", "result = 2  # two"),
            "Fix everything": "import sys\n" * 9 + fixed,
        },
    )
    assert [each.subject for each in small_fixes(clone, most=9)] == ["Fix the bound"]


def test_of_mined_libraries_only_one_half_is_read(tmp_path: Path) -> None:
    texts = {f"Fix it again {n}": CODE.replace("10", str(n + 20)) for n in range(8)}
    clone = a_history(tmp_path / "thing", texts)
    mined = Clone(clone.folder, "pytoolz/toolz")
    halves = [half_of("pytoolz/toolz", each.commit) for each in small_fixes(clone, most=20)]
    assert len(halves) == 8
    assert len(list(small_fixes(mined, most=20))) == halves.count("A")


def an_example(repository: str, right: str | None, *names: str) -> Example:
    draws = tuple(Draw((name, ""), 0.5, 1) for name in names)
    keys = [draw.key[0] for draw in draws]
    return Example(
        repository=repository,
        commit="c0ffee",
        is_tested=False,
        draws=draws,
        right=None if right is None else keys.index(right),
        old=b"",
        new=b"",
    )


def mostly_rare() -> list[Example]:
    """Ten of `common` are drawn beside each `rare`, which is right nine times of ten."""
    drawn = ("rare", *["common"] * 10)
    return [
        an_example(f"owner/{number % 5}", "common" if number % 10 == 0 else "rare", *drawn)
        for number in range(60)
    ]


def test_kinds_that_are_right_more_often_than_drawn_come_forward() -> None:
    factors = learn(mostly_rare())
    assert factors["rare", ""] > 20 * factors["common", ""]


def test_a_kind_with_few_observations_stays_near_its_prior() -> None:
    once = learn([an_example("owner/one", "seen", "seen", "other")])
    assert 0.7 < once["seen", ""] / once["other", ""] < 1.6


def test_what_was_learnt_is_judged_where_it_was_not_learnt() -> None:
    examples = mostly_rare()
    assert held_out(examples, 1.0).middle == 1
    assert ranks(examples, {}).middle == 6
    own_only = [an_example("owner/one", "a", "b", "a"), an_example("owner/two", "b", "a", "b")]
    assert held_out(own_only, 1.0).middle > ranks(own_only, learn(own_only)).middle - 0.01


def test_a_detail_is_told_apart_where_it_was_right_often_enough() -> None:
    draws = (Draw(("op", "<="), 0.5, 1), Draw(("op", ">"), 0.5, 1), Draw(("op", ""), 0.5, 1))
    examples = [
        Example(
            repository=f"owner/{n}",
            commit="c0ffee",
            is_tested=False,
            draws=draws,
            right=0,
            old=b"",
            new=b"",
        )
        for n in range(8)
    ]
    factors = learn(examples)
    assert ("op", ">") not in factors
    assert factor_of(draws[0], factors) > 1.5 * factor_of(draws[1], factors)


def test_believing_nothing_leaves_the_priors_as_they_are() -> None:
    assert set(blended(learn(mostly_rare()), 0.0).values()) == {1.0}


def test_drawn_and_right_are_counted_also_where_no_edit_was_right() -> None:
    found = list(counted([an_example("o/a", "x", "x", "y"), an_example("o/b", None, "x")]))
    assert found == [(("x", ""), 2, 1), (("y", ""), 1, 0)]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("return a < b", "return a <= b", "- < + <="),
        ("x = f(a)", "x = f(a, b)", "+ , x"),
        ("x = a", "x = str(a)", "+ str (; + )"),
        ("", "if a is None:\n    return []\n", "line added: if … return"),
        ("x = 1\n", "", "line removed: x = …"),
        ("a = one.two(three)", "for name in sorted(names): yield name", "rewritten"),
    ],
)
def test_a_fix_is_told_by_its_shape(old: str, new: str, expected: str) -> None:
    assert shape(old.encode(), new.encode()) == expected


def test_words_that_differ_are_counted_on_both_sides() -> None:
    assert changed_words(b"a < b  # so", b"a <= b") == 2


def test_a_folder_without_clones_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert priors.main(["--clones", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("No clone was found")
