"""What comes before the right statement, by its suspicion and that of the others."""

from math import inf, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.repair.formulas_work import PRIORS, Placed, placed, share_before


def test_a_fix_where_nothing_is_suspected_is_never_tried() -> None:
    assert placed([1.0, 0.5], []) == Placed(rank=inf, work=inf)


def test_statements_as_suspicious_share_the_middle_of_their_ranks() -> None:
    assert placed([1.0, 0.5, 0.5, 0.5], [0.5]).rank == 3
    assert placed([1.0, 0.5, 0.5, 0.5], [0.5, 1.0]).rank == 1


def test_half_the_edits_of_an_equal_statement_come_before() -> None:
    assert placed([0.5], [0.5]).work == 0.5
    assert placed([0.5] * 7, [0.5]).work == 3.5


def test_no_prior_makes_up_for_a_large_difference() -> None:
    far = PRIORS[0] / PRIORS[1]
    assert share_before(far / 2, 1.0) == 0.0
    assert share_before(1.0, far / 2) == 1.0


@given(st.floats(1e-6, 1.0), st.floats(1e-6, 1.0))
def test_what_comes_before_one_comes_after_the_other(one: float, other: float) -> None:
    assert share_before(one, other) + share_before(other, one) == pytest.approx(1.0)


@given(st.floats(1e-3, 1.0))
def test_it_is_the_share_of_priors_that_are_high_enough(score: float) -> None:
    steps = 400
    width = log(PRIORS[1] / PRIORS[0])
    right = [PRIORS[0] * (PRIORS[1] / PRIORS[0]) ** ((step + 0.5) / steps) for step in range(steps)]
    shares = [min(1.0, max(0.0, log(PRIORS[1] * score / prior) / width)) for prior in right]
    assert share_before(score, 1.0) == pytest.approx(sum(shares) / steps, abs=0.01)
