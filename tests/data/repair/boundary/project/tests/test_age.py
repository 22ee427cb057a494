import pytest

from age import may_vote


@pytest.mark.parametrize("age", [19, 40, 99])
def test_older_people_may(age):
    assert may_vote(age)


@pytest.mark.parametrize("age", [0, 5, 17])
def test_children_may_not(age):
    assert not may_vote(age)


def test_eighteen_is_of_age():
    assert may_vote(18)


def test_others_may_not():
    assert not may_vote(30, citizen=False)
