"""Which tests need which hunk: measured on the way to the smallest patch, over real pytest."""

from pathlib import Path

import pytest

from agent.edits.patch import Patch, make_patch
from agent.task import TestId
from agent.verify.baseline import measure_baseline
from agent.verify.bench import Bench
from agent.verify.minimise import Minimised, minimise
from agent.verify.report import Baseline
from tests.support.verify import a_bench, a_delta

GAP = "\n" * 12
BASE = f"def double(x):\n    return x\n{GAP}def triple(x):\n    return x\n{GAP}NAME = 'a'\n"
GOOD = BASE.replace("double(x):\n    return x", "double(x):\n    return 2 * x").replace(
    "triple(x):\n    return x", "triple(x):\n    return 3 * x"
)
OTHER = GOOD.replace("'a'", "'b'")
TESTS = """
    from sums import double, triple

    def test_double():
        assert double(2) == 4

    def test_triple():
        assert triple(2) == 6

    def test_both():
        assert double(1) + triple(1) == 5
    """
DOUBLE, TRIPLE, BOTH = (
    TestId(f"test_sums.py::test_{name}") for name in ("double", "triple", "both")
)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return a_bench(tmp_path / "repo", {"sums.py": BASE, "test_sums.py": TESTS})


@pytest.fixture
async def baseline(bench: Bench) -> Baseline:
    return await measure_baseline(bench, (), wall_s=60, on_event=lambda _event: None)


def patch_to(bench: Bench, files: dict[str, str]) -> Patch:
    return make_patch(bench.base.read, a_delta(files))


def by_text(patch: Patch, found: Minimised) -> dict[str, set[TestId]]:
    texts = {hunk.id: hunk.new.decode().strip() for hunk in patch.hunks}
    return {texts[hunk]: set(tests) for hunk, tests in found.needed_for.items()}


async def test_each_needed_hunk_names_the_tests_that_fail_without_just_it(
    bench: Bench, baseline: Baseline
) -> None:
    patch = patch_to(bench, {"sums.py": OTHER})
    found = await minimise(bench, baseline, patch, budget_s=60, wall_s=30)
    assert by_text(patch, found) == {
        "return 2 * x": {DOUBLE, BOTH},
        "return 3 * x": {TRIPLE, BOTH},
    }
    assert len(found.optional) == 1


async def test_the_only_needed_hunk_is_needed_for_every_target(
    bench: Bench, baseline: Baseline
) -> None:
    one = patch_to(bench, {"sums.py": BASE.replace("    return x", "    return 2 * x", 1)})
    found = await minimise(bench, baseline, one, budget_s=60, wall_s=30)
    assert by_text(one, found) == {"return 2 * x": {DOUBLE, TRIPLE, BOTH}}


async def test_hunks_that_add_tests_are_needed_for_none(bench: Bench, baseline: Baseline) -> None:
    own = "from sums import double\n\ndef test_more():\n    assert double(3) == 6\n"
    patch = patch_to(bench, {"sums.py": GOOD, "test_more.py": own})
    new = TestId("test_more.py::test_more")
    found = await minimise(bench, baseline, patch, own_tests=(new,), budget_s=60, wall_s=30)
    assert by_text(patch, found) == {
        "return 2 * x": {DOUBLE, BOTH, new},
        "return 3 * x": {TRIPLE, BOTH},
    }


async def test_what_was_not_measured_is_not_said(bench: Bench, baseline: Baseline) -> None:
    patch = patch_to(bench, {"sums.py": OTHER})
    found = await minimise(bench, baseline, patch, budget_s=0, wall_s=30)
    assert (found.needed_for, found.complete) == ({}, False)
