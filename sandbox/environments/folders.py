"""Looking into folders that may be missing or closed."""

import os
from pathlib import Path


def names_in(folder: Path) -> list[str]:
    """Return the names in a folder, sorted; none if it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries)
    except OSError:
        return []


def follow(path: Path) -> Path:
    """Return a path with all links followed, whether it exists or not."""
    return Path(os.path.realpath(path))
