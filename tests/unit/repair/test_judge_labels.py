"""How far a patch is believed, by how many others there are and what was held back."""

import pytest

from agent.edits.spans import ByteEdit
from agent.repair.judge.labels import Extent, confidence, explain
from agent.repair.proposal import Flag, Proposal, Sketch
from agent.task import RepoPath


def a_proposal(*flags: Flag) -> Proposal:
    return Proposal(
        path=RepoPath("shop.py"),
        sketch=Sketch((ByteEdit(0, 1, b"x"),), "test", 0.5, 1, frozenset(flags)),
        line=1,
        suspicion=1.0,
        unit=None,
        before="a",
        after="x",
    )


def an_extent(
    tried: int = 2_000, *, exhausted: bool = True, held_back: int = 0, overfit: int = 0
) -> Extent:
    return Extent(
        tried=tried, exhausted=exhausted, passing_tests=3, held_back=held_back, overfit=overfit
    )


@pytest.mark.parametrize(
    ("count", "extent", "label"),
    [
        (1, an_extent(50), "likely"),
        (3, an_extent(50), "likely"),
        (4, an_extent(50), "ambiguous"),
        (3, an_extent(2_000, exhausted=False), "likely"),
        (2, an_extent(500, exhausted=False), "plausible"),
        (1, an_extent(500, exhausted=False), "likely"),
        (1, an_extent(50, exhausted=False), "plausible"),
    ],
)
def test_behaviours_are_held_to_a_lower_bound(count: int, extent: Extent, label: str) -> None:
    assert confidence(a_proposal(), count, extent, is_observed=True) == label


def test_a_small_share_of_the_edits_is_not_enough() -> None:
    extent = Extent(tried=200, exhausted=False, left=1_700, passing_tests=3)
    assert confidence(a_proposal(), 1, extent) == "likely"
    extent = Extent(tried=200, exhausted=False, left=1_900, passing_tests=3)
    assert confidence(a_proposal(), 1, extent) == "plausible"


def test_a_search_that_fitted_itself_to_the_tests_it_knew_is_not_believed() -> None:
    assert confidence(a_proposal(), 2, an_extent(held_back=2, overfit=2)) == "likely"
    assert confidence(a_proposal(), 2, an_extent(held_back=2, overfit=3)) == "plausible"


def test_a_flag_keeps_it_from_being_likely() -> None:
    flagged = a_proposal(Flag.SWALLOWS)
    assert confidence(flagged, 1, an_extent(), is_observed=True) == "plausible"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (1, "no edit that does anything else passes the same tests (all 2000 tried)"),
        (2, "2 kinds of edits pass the same tests (all 2000 tried)"),
    ],
)
def test_the_reason_counts_behaviours(count: int, text: str) -> None:
    assert explain(a_proposal(), count, an_extent(), is_observed=True) == text
