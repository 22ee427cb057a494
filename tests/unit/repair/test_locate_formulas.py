"""What the formulas of suspicion have in common, and where they differ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.repair.formulas import FORMULAS, dstar, gp13, ochiai, op2, tarantula


@pytest.mark.parametrize(
    ("failing_here", "passing_here", "failing", "score"),
    [(1, 0, 1, 1.0), (1, 3, 1, 0.5), (0, 5, 1, 0.0), (2, 0, 2, 1.0)],
)
def test_ochiai(failing_here: int, passing_here: int, failing: int, score: float) -> None:
    assert ochiai(failing_here, passing_here, failing, 9) == score


def test_others_as_they_were_published() -> None:
    assert dstar(2, 3, 2, 9) == pytest.approx((4 / 3) / (1 + 4 / 3))
    assert op2(2, 3, 2, 9) * 2 == pytest.approx(2 - 3 / 10)
    assert gp13(2, 3, 2, 9) * 3 == pytest.approx(2 * (1 + 1 / 8))
    assert tarantula(1, 3, 2, 9) == pytest.approx((1 / 2) / (1 / 2 + 3 / 9))
    assert tarantula(1, 0, 1, 0) == 1.0


COUNTS = st.tuples(
    st.integers(0, 40), st.integers(0, 40), st.integers(0, 400), st.integers(0, 400)
).map(lambda four: (four[0], four[2], max(four[0] + four[1], 1), four[2] + four[3]))
"""Failing and passing tests here, and all of them."""


@pytest.mark.parametrize("name", sorted(FORMULAS))
@given(counts=COUNTS)
def test_every_formula_stays_between_nothing_and_one(
    name: str, counts: tuple[int, int, int, int]
) -> None:
    score = FORMULAS[name](*counts)
    assert 0 <= score <= 1 + 1e-9
    assert (score > 0) == (counts[0] > 0)


@pytest.mark.parametrize("name", sorted(FORMULAS))
@given(counts=COUNTS)
def test_a_line_is_no_more_suspicious_for_another_passing_test(
    name: str, counts: tuple[int, int, int, int]
) -> None:
    ef, ep, failing, passing = counts
    more = FORMULAS[name](ef, ep + 1, failing, passing + 1)
    assert more <= FORMULAS[name](ef, ep, failing, passing + 1) + 1e-9
