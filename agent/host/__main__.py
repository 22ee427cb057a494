"""`python -m agent.host FD`: a host, cut loose from who started it. See `agent.host.launch`."""

import os
import socket
import sys


def main() -> None:
    """Fork, so that the host is nobody's child; carry it out in the fork."""
    control = int(sys.argv[1])
    if os.fork():
        os._exit(0)
    os.set_inheritable(control, False)
    # Only now: these imports take a good part of a second, and the parent waits for the fork.
    from agent.host.process import run_host

    run_host(socket.socket(fileno=control))


if __name__ == "__main__":
    main()
