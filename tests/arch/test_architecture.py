"""ARCHITECTURE.md names tests and folders; all of them exist."""

import ast
import re

import pytest

from tests.support.setup_wheel import ROOT

TEXT = (ROOT / "ARCHITECTURE.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", TEXT)))
PLACES = sorted(set(re.findall(r"`((?:agent|sandbox|lsp_server|tests)/[\w/.]*)`", TEXT)))


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_test_that_holds_an_invariant_exists(file: str, test: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    assert test in {node.name for node in tree.body if isinstance(node, functions)}


def test_at_least_a_dozen_invariants_name_their_test() -> None:
    assert len(NAMED) >= 12


@pytest.mark.parametrize("place", PLACES)
def test_place_on_the_map_exists(place: str) -> None:
    assert (ROOT / place).exists()
