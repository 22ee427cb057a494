from units import running_total


def test_running_total():
    assert running_total([1, 2]) == [0.3048, 0.9144]
