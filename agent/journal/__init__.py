"""Append-only records of a run, and reading them back after any kind of death."""
