"""Messages in and out, and what may go wrong with them. Knows nothing of runs, tests or reviews."""
