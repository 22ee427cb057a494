"""SIGKILL at every moment: an action runs in a child that dies before its n-th disk call."""

import os
import signal
import warnings
from collections.abc import Callable
from typing import Any

CALLS = (
    *("open", "rename", "replace", "fsync", "unlink", "rmdir"),
    *("mkdir", "symlink", "link", "write"),
)


def is_killed_at(call: int, action: Callable[[], object]) -> bool:
    """Run the action in a child that dies just before its n-th call; tell whether it died."""
    with warnings.catch_warnings():
        # Python 3.12 warns when idle threads of other tests are about; the child uses none of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        left = [call]
        for name in CALLS:
            setattr(os, name, dying(getattr(os, name), left))
        action()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def dying(original: Callable[..., Any], left: list[int]) -> Callable[..., Any]:
    """Return the call, which kills its process when its turn has come."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **kwargs)

    return wrapped
