"""Names that say whose a control group is."""

import pytest

from sandbox.bubblewrap.names import is_name_abandoned, owned_name


def with_part(index: int, value: str) -> str:
    parts = owned_name(60, "token").split("-")
    parts[index] = value
    return "-".join(parts)


def test_what_this_process_owns_is_not_abandoned() -> None:
    assert not is_name_abandoned(owned_name(60, "token"))


def test_what_a_dead_process_owned_is_abandoned() -> None:
    assert is_name_abandoned(with_part(0, "4194999"))
    assert is_name_abandoned(with_part(1, "1"))


def test_what_is_past_its_lease_is_abandoned() -> None:
    assert is_name_abandoned(with_part(2, "1"))
    assert is_name_abandoned(owned_name(-10, "token"))


def test_of_another_place_only_the_lease_is_believed() -> None:
    assert not is_name_abandoned(with_part(3, "elsewhere"))


@pytest.mark.parametrize("name", ["", "a", "a-b-c-d-e", "1-2", "1-2-3-4-5-6"])
def test_a_name_that_is_not_ours_is_left_alone(name: str) -> None:
    assert not is_name_abandoned(name)
