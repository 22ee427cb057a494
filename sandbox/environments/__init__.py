"""Finds the environment in which a repository's tests run, and says how it was found."""

from sandbox.environments.node import is_for_node
from sandbox.environments.resolve import NODE, describe_search, resolve_environment

__all__ = ["NODE", "describe_search", "is_for_node", "resolve_environment"]
