"""What common modules of the standard library offer, asked of the Python that runs this."""

from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from typing import Final

_KNOWN: Final = frozenset(
    {
        "bisect", "collections", "copy", "datetime", "functools", "heapq", "itertools", "json",
        "math", "operator", "os.path", "random", "re", "shutil", "statistics", "string", "textwrap",
        "time", "unicodedata",
    }
)  # fmt: skip
"""Importing one of these does nothing but define names."""


@lru_cache(maxsize=len(_KNOWN))
def module_members(module: str) -> Sequence[str]:
    """Return the module's public names, in order; empty for modules that are not common."""
    if module not in _KNOWN:
        return ()
    return tuple(name for name in dir(import_module(module)) if not name.startswith("_"))
