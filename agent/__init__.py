"""What a task is and how it is carried through. Knows nothing of LSP or Docker."""
