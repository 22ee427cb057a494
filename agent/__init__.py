"""What a task is and how it is carried through. Knows nothing of LSP or Docker."""

from typing import Final

__version__: Final = "0.1.0"
