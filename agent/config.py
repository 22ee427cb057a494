"""Settings: defaults < user file < project file < environment < flags; each knows its origin."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set. A workspace cannot set what is marked (user only)."""

    state_dir: Path
    """Journals, bases, receipts (user only)."""
    backend: Literal["docker", "bubblewrap"] = "docker"
    """(user only) bubblewrap is weaker and therefore never chosen by itself."""
    image: str | None = None
    """Container image to run tests in instead of the host toolchain."""
    test_command: str | None = None
    """How tests are run; a pytest command inside it is recognised with its options."""
    junit_path: str | None = None
    """Where `test_command` writes JUnit XML, relative to the repository."""
    memory_bytes: int = 2 * 1024**3
    processes: int = 256
    cpus: float = 2.0
    tree_bytes: int = 1024**3
    tmp_bytes: int = 256 * 1024**2
    search_s: float = 120.0
    test_wall_s: float = 600.0
    """Upper bound of one run of the whole suite; below it, learnt durations decide."""
