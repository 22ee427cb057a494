"""Puts the project on the path."""
