"""Finds the environment in which a repository's tests run, and says how it was found."""

from sandbox.environments.resolve import describe_search, resolve_environment

__all__ = ["describe_search", "resolve_environment"]
