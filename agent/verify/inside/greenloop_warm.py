"""Forks test sessions from a process that has pytest and its plugins imported already.

Holds no code of the repository: a plugin that lies in the tree is not imported ahead, and a
parent that has threads refuses to fork. Requests come as lines of JSON over stdin, each with the
files to bring the tree up to date with. What a warm run says is for searching; a verdict is
measured in a fresh process.
"""

# Pathlib would cost the start of every run; the environment changed here is the sandbox's.
# ruff: noqa: PTH100, PTH103, PTH108, PTH118, PTH120, PTH123, PTH211, TID251
from __future__ import annotations

import base64
import gc
import importlib
import importlib.util
import json
import os
import sys
import tempfile
import threading
from typing import Any


def main() -> None:
    """Get ready, then run one session a line of input."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    sys.path.append(here)
    supervise = importlib.import_module("greenloop_supervise")
    session = importlib.import_module("greenloop_session")
    channel = importlib.import_module("greenloop_channel")
    supervise.protect_process()
    first = json.loads(sys.stdin.buffer.readline())
    send = channel.sender(supervise.write_stdout, bytes.fromhex(first["secret"]))
    unsound = prepare(session, first["root"], first["variables"])
    unwatched = session.import_beside("greenloop_fingerprint").Unwatched()
    sys.path.remove(here)
    send({"k": "ready", "unsound": unsound})
    for line in sys.stdin.buffer:
        request = json.loads(line)
        bring_up_to_date(first["root"], request.pop("files"))
        directory = request.pop("cwd")

        def start(request_fd: int, results_fd: int, directory: str = directory) -> None:
            supervise.make_dumpable()
            os.chdir(directory)
            with open(request_fd, "rb") as stream:
                own = json.loads(stream.read())
            status = session.run(own, results_fd, unwatched)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

        supervise.supervise(request, channel, send, start)


def prepare(session: Any, root: str, variables: dict[str, str]) -> str:
    """Import pytest and its plugins; return why forking would be unsound, or nothing."""
    os.environ.update(variables)
    try:
        session.import_pytest()
    except ImportError as error:
        return str(error)
    if not variables.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        import_plugins(root)
    session.import_beside("greenloop_reporter")
    session.import_beside("greenloop_plugin")
    import_what_a_session_imports(root)
    accept_imported_plugins()
    inside = [name for name, module in list(sys.modules.items()) if is_in_tree(module, root)]
    if inside:
        return f"a plugin imports {inside[0]}, which is part of the repository"
    if threading.active_count() > 1:
        return "a plugin starts threads when it is imported"
    gc.collect()
    gc.freeze()  # what is there now is not walked through again at the end of every session
    return ""


def import_what_a_session_imports(root: str) -> None:
    """Learn in a child what an empty session imports on its way, and import that here too."""
    results, report = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            names = modules_of_an_empty_session(root)
            os.write(report, json.dumps(names).encode("ascii"))
        finally:
            os._exit(0)
    os.close(report)
    with open(results, "rb") as stream:
        names = json.loads(stream.read() or b"[]")
    os.waitpid(child, 0)
    for name in names:
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001, S112 - then every session imports it for itself
            continue


def modules_of_an_empty_session(root: str) -> list[str]:
    """Run one passing test in an empty folder and return the modules that came in by it."""
    import pytest

    silence = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(silence, fd)
    before = set(sys.modules)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "test_nothing.py")
        with open(path, "w") as stream:
            stream.write("def test_nothing():\n    assert True\n")
        pytest.main(["-p", "no:cacheprovider", "--rootdir", folder, "-c", os.devnull, path])
    new = [name for name in sys.modules if name not in before and name != "test_nothing"]
    return [name for name in new if not is_in_tree(sys.modules[name], root)]


def accept_imported_plugins() -> None:
    """Keep pytest from warning, in every session, that it did not import the plugins itself.

    A repository that turns warnings into errors would fail by it. What is lost is the rewriting
    of assertions inside of plugins.
    """
    from _pytest.assertion.rewrite import AssertionRewritingHook

    AssertionRewritingHook._warn_already_imported = lambda *_: None  # type: ignore[method-assign]


def import_plugins(root: str) -> None:
    """Import the plugins that pytest would load by their entry points."""
    from importlib import metadata

    for distribution in metadata.distributions():
        for point in distribution.entry_points:
            if point.group != "pytest11":
                continue
            name = point.value.partition(":")[0].strip()
            try:
                spec = importlib.util.find_spec(name.partition(".")[0])
                origin = getattr(spec, "origin", None)
                if origin and not is_below(origin, root):
                    importlib.import_module(name)
            except Exception:  # noqa: BLE001, S112 - pytest itself will say it, where it counts
                continue


def is_in_tree(module: Any, root: str) -> bool:
    """Look whether a module comes from the repository."""
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and is_below(file, root)


def is_below(path: str, root: str) -> bool:
    """Look whether a path lies in the repository, virtualenvs left aside."""
    path = os.path.realpath(path)
    return path.startswith(os.path.realpath(root) + os.sep) and "/site-packages/" not in path


def bring_up_to_date(root: str, files: list[Any]) -> None:
    """Write, link or delete files of the tree."""
    for path, kind, data in files:
        target = os.path.join(os.fsencode(root), base64.b64decode(path))
        if os.path.lexists(target):
            os.unlink(target)
        if kind == "gone":
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if kind == "link":
            os.symlink(base64.b64decode(data), target)
            continue
        mode = 0o755 if kind == "executable" else 0o644
        fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with open(fd, "wb") as stream:
            stream.write(base64.b64decode(data))


if __name__ == "__main__":
    main()
