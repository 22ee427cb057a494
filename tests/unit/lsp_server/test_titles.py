"""What runs are called."""

import pytest

from lsp_server.titles import reported_goal, stub_goal, title_of


@pytest.mark.parametrize(
    ("kind", "targets", "goal", "title"),
    [
        ("test", (), "", "Run all tests"),
        ("test", ("tests/test_a.py::TestA::test_b[1]",), "", "Run test_b[1]"),
        ("test", ("tests/test_a.py",), "", "Run tests/test_a.py"),
        ("fix", (), "whatever", "Fix every failing test"),
        ("fix", ("a.py::test_b", "a.py::test_c"), "", "Fix test_b, test_c"),
        ("fix", tuple(f"a.py::test_{n}" for n in range(5)), "", "Fix 5 tests"),
        ("implement", (), "Add a cart.\n\nWith lines.", "Add a cart."),
        ("implement", (), stub_goal("Cart.total", "cart.py", 3), "Implement Cart.total"),
        (
            "implement",
            (),
            stub_goal("Cart.total", "cart.py", 3) + "\n\nIn cents.",
            "Implement Cart.total: In cents.",
        ),
        ("implement", (), reported_goal("a.py", ["line 6: no str (mypy)"]), "Fix no str (mypy)"),
        ("implement", (), "", "Implement"),
    ],
)
def test_title_says_what_a_run_is_about(
    kind: str, targets: tuple[str, ...], goal: str, title: str
) -> None:
    assert title_of(kind, targets, goal) == title


def test_title_is_short() -> None:
    assert len(title_of("implement", (), "x" * 500)) == 80
