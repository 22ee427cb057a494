"""The Docker backend; the only place that knows docker-py."""

from sandbox.docker.engine import DockerEngine

__all__ = ["DockerEngine"]
