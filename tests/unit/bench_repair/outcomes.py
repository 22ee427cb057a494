"""Builders of outcomes."""

from tests.bench.repair.score import Offered, Outcome


def an_offer(rank: int, *, same: bool = False, passes: bool = True) -> Offered:
    return Offered(
        rank=rank,
        confidence="likely",
        why="",
        patch="",
        name=f"patch{rank}",
        is_same=same,
        passes=passes,
    )


def an_outcome(case: str, *offered: Offered, confidence: str = "likely", lines: int = 1) -> Outcome:
    return Outcome(
        case=case,
        repository="shop/cart",
        commit="c" * 40,
        half="A",
        lines=lines,
        verdict="green" if offered else "none",
        confidence=confidence if offered else "",
        message="",
        distinct=len(offered),
        tried=10,
        first_s=2.0 if offered else None,
        total_s=9.0,
        phases_s={},
        offered=offered,
    )
