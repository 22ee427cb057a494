"""What can go wrong before a command could run at all.

    SandboxError
    ├── EngineUnavailable   no engine answers, or it is too weak; carries the remedy
    ├── EnvironmentMissing  no interpreter, image or tool for this repository
    └── SandboxLost         the container died or lied; open a new one

A command that fails, hangs, is killed or eats all memory is not an error here: it is a
`Completed` with a reason.
"""


class SandboxError(Exception):
    """Could not run at all. `message` says what and where, `remedy` what to do next."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class EngineUnavailable(SandboxError):
    """No engine answers, it is unreachable for this user, or a promised limit is not enforced."""


class EnvironmentMissing(SandboxError):
    """Nothing on this machine or in the configuration can run this repository."""


class SandboxLost(SandboxError):
    """The sandbox is gone in the middle of work; what it held is lost, the host is not touched."""
