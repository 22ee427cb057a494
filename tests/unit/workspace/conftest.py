"""A state folder and a short way to take a base."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from agent.workspace.base import Base
from agent.workspace.open import open_workspace

Take = Callable[..., Base]


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def take(state_dir: Path) -> Iterator[Take]:
    """Take a base and keep it until the test ends."""
    with ExitStack() as stack:

        def open_one(start: Path, **overlay: bytes) -> Base:
            named = {name.replace("__", "/").replace("_", "."): v for name, v in overlay.items()}
            return stack.enter_context(
                open_workspace(start, state_dir=state_dir, overlay=named)  # type: ignore[arg-type]
            )

        yield open_one
