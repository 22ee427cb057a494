"""Delta debugging, without running anything."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from agent.task import HunkId
from agent.verify.minimise import smallest

ITEMS = tuple(HunkId(f"h{n}") for n in range(8))


async def search(
    needed: set[HunkId], *, items: Sequence[HunkId] = ITEMS, tries: int = 10_000
) -> tuple[set[HunkId], bool, int]:
    asked = 0

    async def is_enough(hunks: Sequence[HunkId]) -> bool:
        nonlocal asked
        asked += 1
        return needed <= set(hunks)

    kept, complete = await smallest(items, is_enough, lambda: asked < tries)
    return set(kept), complete, asked


@given(st.sets(st.sampled_from(ITEMS), min_size=1))
def test_exactly_what_is_needed_is_found(needed: set[HunkId]) -> None:
    import anyio

    kept, complete, asked = anyio.run(search, needed)
    assert (kept, complete) == (needed, True)
    assert asked <= 64


async def test_one_item_needs_no_question() -> None:
    assert await search({ITEMS[0]}, items=ITEMS[:1]) == ({ITEMS[0]}, True, 0)


async def test_a_spent_budget_keeps_what_is_not_known_to_be_optional() -> None:
    kept, complete, asked = await search({ITEMS[0]}, tries=1)
    assert ITEMS[0] in kept
    assert (complete, asked) == (False, 1)


async def test_without_a_budget_everything_stays() -> None:
    assert await search({ITEMS[0]}, tries=0) == (set(ITEMS), False, 0)
