"""Sandboxes by bubblewrap: the opt-in backend for machines without a container engine."""

from sandbox.bubblewrap.engine import BubblewrapEngine

__all__ = ["BubblewrapEngine"]
