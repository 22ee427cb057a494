"""What a task is and how it is carried through. Knows nothing of LSP or Docker."""

__version__ = "0.1.0"
