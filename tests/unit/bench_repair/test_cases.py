"""The committed cases: names only, split in two by hash."""

from pathlib import Path

from tests.bench.repair.cases import FIXES, Fix, half_of, load_fixes, save_fixes


def a_fix(commit: str, lines: int = 1) -> Fix:
    return Fix(
        repository="shop/cart",
        commit=commit,
        lines=lines,
        failing=("tests/test_cart.py::test_total",),
        files=("tests/test_cart.py",),
        python="3.12",
        requirements=("pytest",),
    )


def test_written_cases_are_read_back_in_a_steady_order(tmp_path: Path) -> None:
    file = tmp_path / "data" / "fixes.jsonl"
    larger, small, first = a_fix("a" * 40, lines=9), a_fix("c" * 40), a_fix("b" * 40)
    save_fixes([larger, small, first], file)
    assert load_fixes(file) == (first, small, larger)


def test_the_half_depends_on_repository_and_commit_alone() -> None:
    commits = [f"{number:040x}" for number in range(400)]
    halves = [half_of("shop/cart", commit) for commit in commits]
    assert halves == [half_of("shop/cart", commit) for commit in commits]
    assert 150 < halves.count("A") < 250
    assert halves != [half_of("shop/till", commit) for commit in commits]


def test_the_set_is_large_and_split() -> None:
    small = [fix for fix in load_fixes() if fix.is_small]
    large = [fix for fix in load_fixes() if not fix.is_small]
    assert len(small) >= 60
    assert len({fix.repository for fix in small}) >= 10
    assert len(large) >= 30
    for half in ("A", "B"):
        assert sum(fix.half == half for fix in small) >= 25


def test_the_data_hold_names_and_no_code() -> None:
    for fix in load_fixes():
        assert len(fix.commit) == 40
        assert all("\n" not in name for name in (*fix.failing, *fix.files, *fix.requirements))
    assert FIXES.stat().st_size < 200_000
