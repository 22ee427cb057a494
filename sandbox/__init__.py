"""Runs processes in isolation. Knows nothing of tests, models or editors."""
