"""Runs pytest once and reports over a pipe. The process in which the code under test lives.

Everything of pytest is imported and remembered before the first line of the repository runs.
Started as a program it reads its request from the file descriptor named by its first argument and
reports to the second; `run` is also called in a child forked by `greenloop_warm`.
"""

# Pathlib would cost the start of every run.
# ruff: noqa: PTH100, PTH109, PTH118, PTH120
from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any


def main() -> None:
    """Read the request, run it, and leave without asking the code under test."""
    request_fd, results_fd = int(sys.argv[1]), int(sys.argv[2])
    with open(request_fd, "rb") as stream:
        request = json.loads(stream.read())
    os.set_inheritable(results_fd, False)
    leave = os._exit
    status = run(request, results_fd)
    sys.stdout.flush()
    sys.stderr.flush()
    # Handlers that the code under test registered for the exit have no say in the result.
    leave(status)


def run(request: dict[str, Any], results_fd: int, unwatched: Any = None) -> int:
    """Run one session and return pytest's exit status.

    `unwatched` takes the place of a fingerprint where no verdict rests on the run.
    """
    channel = import_beside("greenloop_channel")
    send = channel.sender(_writer(results_fd), bytes.fromhex(request.pop("key")))
    try:
        import_pytest()
    except ImportError as error:
        send({"k": "no_pytest", "message": str(error)})
        return 4
    import pytest

    plugin, reporter = import_beside("greenloop_plugin"), import_beside("greenloop_reporter")
    selected = (send, request["root"], request["select"])
    if unwatched:
        told = reporter.Reporter(*selected, unwatched, None)
        plugin.tell = lambda _, *news: told.take(*news)
    else:
        ours = [import_beside("greenloop_" + name) for name in ("channel", "ear", "fingerprint")]
        ours += [plugin, reporter, sys.modules[__name__]]
        watch = ours[2].Fingerprint(ours)
        canaries = import_beside("greenloop_canary").put_in
        told = reporter.Reporter(*selected, watch, canaries)
        ours[1].listen(plugin, told.take, told.place_of, watch.seen, ours)
    forget_ourselves()
    arguments = request["arguments"]
    sys.argv[:] = [os.path.join(os.path.dirname(pytest.__file__), "__main__.py"), *arguments]
    if request["cwd_on_path"]:
        sys.path.insert(0, os.getcwd())
    status = int(pytest.main(arguments, plugins=[plugin.Plugin()]))
    told.finish(status)
    return status


def import_beside(name: str) -> Any:
    """Import another of these scripts; the folder does not stay on the path."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(here)


def import_pytest() -> None:
    """Import everything of pytest's own that a session may need."""
    from _pytest.config import default_plugins

    for name in default_plugins:
        try:
            importlib.import_module("_pytest." + name)
        except ImportError:  # an optional part that this pytest came without
            continue


def forget_ourselves() -> None:
    """Leave neither our folder on the path nor our modules where they are found by name."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    for name in [name for name in sys.modules if name.startswith("greenloop_")]:
        del sys.modules[name]


def _writer(fd: int) -> Any:
    write = os.write

    def write_all(data: bytes) -> None:
        while data:
            data = data[write(fd, data) :]

    return write_all


if __name__ == "__main__":
    main()
