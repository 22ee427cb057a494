"""The search runs tests with the same options switched off as the gate that judges it.

Both tables stand in scripts that run inside the sandbox, in packages that cannot see each other.
"""

import ast
from pathlib import Path
from typing import Any

import agent

INSIDE = Path(agent.__file__).parent


def table_of(script: str) -> dict[str, Any]:
    for node in ast.parse((INSIDE / script).read_text()).body:
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "NEUTRAL":
            assert node.value is not None
            return dict(ast.literal_eval(node.value))
    raise AssertionError(f"{script} has no NEUTRAL")


def test_search_and_gate_switch_off_the_same_options() -> None:
    search = table_of("repair/inside/session.py")
    assert search == table_of("verify/inside/greenloop_reporter.py")
    assert search
