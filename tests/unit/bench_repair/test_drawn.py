"""Whether the real fix is among the edits that the search draws."""

from pathlib import Path

import pytest

from tests.bench.places.clones import Clone
from tests.bench.repair.cases import Fix
from tests.bench.repair.drawn import template_of
from tests.support.repos import a_repo, git, write

CART = b'''\
"""Cart."""


def total(rows):
    """Add up."""
    # all of them
    return sum(rows) + 1
'''


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (b"sum(rows) + 1", b"sum(rows)", "one operand only"),
        (b"# all of them\n    return sum(rows) + 1", b"return sum( rows )", "one operand only"),
        (b"sum(rows) + 1", b"sum(rows) + 1 if rows else 17 + 4", ""),
        (b"Add up.", b"Sum.", ""),
    ],
)
def test_an_edit_that_gives_the_fix_is_named(
    tmp_path: Path, before: bytes, after: bytes, expected: str
) -> None:
    repo = a_repo(tmp_path / "repo", {"cart.py": CART})
    write(repo, {"cart.py": CART.replace(before, after)})
    git(repo, "commit", "-q", "-a", "-m", "Fix the total")
    fix = Fix(
        repository="shop/cart",
        commit=git(repo, "rev-parse", "HEAD"),
        lines=1,
        failing=(),
        files=(),
        python="3.12",
        requirements=(),
    )
    assert template_of(Clone(repo / ".git", "shop/cart"), fix) == expected
