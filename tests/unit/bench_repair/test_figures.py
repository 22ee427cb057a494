"""How outcomes are counted: what nobody read is not right."""

from tests.bench.repair.figures import Figures, as_json, figures, silence_lines
from tests.bench.repair.readings import Judged, Reading, patch_hash
from tests.unit.bench_repair.outcomes import an_offer, an_outcome


def a_reading(case: str, patch: str, judged: Judged) -> dict[tuple[str, str], Reading]:
    return {(case, patch): Reading(case=case, patch=patch, judged=judged, why="")}


def test_right_is_what_parses_alike_or_was_read_to_be_right() -> None:
    outcome = an_outcome("a", an_offer(1), an_offer(2), an_offer(3, same=True))
    assert outcome.right_rank({}) == 3
    assert outcome.right_rank(a_reading("a", "patch2", Judged.EQUIVALENT)) == 2
    assert outcome.right_rank(a_reading("b", "patch2", Judged.EQUIVALENT)) == 3
    assert outcome.right_rank(a_reading("a", "patch1", Judged.ACCEPTABLE)) == 3
    assert [offer.rank for offer in outcome.unread({})] == [1, 2]


def test_what_fails_the_tests_of_the_fix_is_wrong_without_a_reading() -> None:
    outcome = an_outcome("a", an_offer(1, passes=False))
    assert outcome.judged(outcome.offered[0], {}) is Judged.WRONG
    assert outcome.unread({}) == ()


def test_figures_count_first_five_likely_and_unread() -> None:
    outcomes = [
        an_outcome("a", an_offer(1, same=True)),
        an_outcome("b", an_offer(1, passes=False), an_offer(2, same=True)),
        an_outcome("c", an_offer(1), confidence="ambiguous"),
        an_outcome("d"),
    ]
    assert figures(outcomes, {}) == Figures(
        cases=4,
        unmeasured=0,
        suggested=3,
        first_right=1,
        five_right=2,
        likely=2,
        likely_right=1,
        likely_acceptable=0,
        unread=1,
        first_s=2.0,
    )


def test_silence_is_told_of_what_is_out_of_reach() -> None:
    outcomes = [an_outcome("a", lines=9), an_outcome("b", an_offer(1), lines=9)]
    assert silence_lines(outcomes, {}, "half A") == [
        "half A: 2 fixes of 4 to 25 lines",
        "  no suggestion         1  50 %",
        "  none called likely    1  50 %",
        "  suggested and right   0, likely and right 0",
    ]
    assert as_json(outcomes, {})["small"] == {
        **dict.fromkeys(Figures.__dataclass_fields__, 0),
        "first_s": None,
    }


def test_a_patch_is_named_by_its_changed_lines_wherever_they_stand() -> None:
    patch = "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a = 1\n+a = 2\n"
    assert patch_hash(patch) == patch_hash(patch.replace("@@ -1 +1 @@", "@@ -9 +9 @@ def f():"))
    assert patch_hash(patch) != patch_hash(patch.replace("+a = 2", "+a = 3"))
