import pytest

from retry import Policy


class Flaky:
    def __init__(self, failures):
        self.failures = failures

    def __call__(self):
        self.failures -= 1
        if self.failures >= 0:
            raise OSError
        return "done"


def test_three_tries_by_default():
    assert Policy().run(Flaky(2)) == "done"


def test_more_failures_get_through():
    with pytest.raises(OSError):
        Policy().run(Flaky(3))


def test_a_single_try():
    with pytest.raises(OSError):
        Policy(tries=1).run(Flaky(1))
