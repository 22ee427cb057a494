"""The stage on which every backend is attacked."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.base import SandboxEngine
from tests.support.attacks import Scene, under_attack


@pytest.fixture
async def scene(engine: SandboxEngine, tmp_path: Path) -> AsyncIterator[Scene]:
    """A sandbox under attack; after the test, proof that the host is unharmed."""
    async with under_attack(engine, tmp_path) as scene:
        yield scene
