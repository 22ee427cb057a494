"""Notices that the process which started us is gone.

Its end of our streams is closed then too, unless a child of it inherited them: seen with editors
that were killed.
"""

import errno
import logging
import os

import anyio

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 3.0
"""Where the kernel has no descriptors for processes."""


async def until_gone(pid: int) -> bool:
    """Return True once the process has ended; False at once if there is none that can be watched.

    An editor in a container gives a number that means nothing here.
    """
    try:
        descriptor = os.pidfd_open(pid)
    except (OSError, OverflowError) as exc:
        if isinstance(exc, OSError) and exc.errno in {errno.ENOSYS, errno.EPERM}:
            return await _look_again_and_again(pid)
        logger.info("there is no process %s to watch", pid)
        return False
    try:
        await anyio.wait_readable(descriptor)
    finally:
        os.close(descriptor)
    return True


async def _look_again_and_again(pid: int) -> bool:
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            pass
        await anyio.sleep(LOOK_EVERY_S)
