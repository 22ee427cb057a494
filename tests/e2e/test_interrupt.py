"""Runs that do not reach their end: Ctrl-C, a killed process, an engine that goes away."""

import json
import os
import shutil
import signal
import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.product import (
    containers_of,
    fingerprint,
    interrupt,
    make_project,
    wait_until,
)
from tests.support.shop import SHOP, SLOW_TEST

pytestmark = [pytest.mark.docker, pytest.mark.timeout(150)]


@pytest.fixture
def repo(tmp_path):
    return make_project(tmp_path / "shop", {**SHOP, "tests/test_slow.py": SLOW_TEST})


def started(desk, process):
    """Wait until the run's first container is there; return the run's id."""
    runs = desk.state / "greenloop" / "runs"

    def first_container():
        assert process.poll() is None, process.communicate()
        return runs.is_dir() and any(containers_of(run.name) for run in runs.iterdir())

    wait_until(first_container)
    return desk.run_dirs()[-1].name


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_at_once_and_leaves_nothing_but_a_readable_run(desk, repo, blow):
    before = fingerprint(repo)
    process = desk.start(repo, "fix")
    run = started(desk, process)
    process.send_signal(blow)
    out, err = process.communicate(timeout=20)

    assert process.returncode == 130, out + err
    assert "Traceback" not in out + err
    assert containers_of(run) == []
    assert fingerprint(repo) == before
    assert "interrupted" in desk.run(repo, "runs").out
    shown = desk.run(repo, "show", run)
    assert shown.code == 0, shown.text
    assert "interrupted" in shown.out


def test_a_second_interrupt_shows_no_traceback_either(desk, repo):
    process = desk.start(repo, "fix", "--json")
    started(desk, process)
    interrupt(process)
    with suppress(ProcessLookupError):
        interrupt(process)
    out, err = process.communicate(timeout=20)
    assert process.returncode in {130, -signal.SIGINT}, out + err
    assert "Traceback" not in out + err


def test_a_killed_run_reads_as_interrupted_and_its_container_is_reaped(desk, repo):
    before = fingerprint(repo / "shop")
    process = desk.start(repo, "fix")
    run = started(desk, process)
    process.kill()
    process.communicate(timeout=20)

    runs = desk.run(repo, "runs")
    assert runs.code == 0
    assert "interrupted" in runs.out
    shown = desk.run(repo, "show", run)
    assert shown.code == 0, shown.text

    check_reaped_by_the_next_run(desk, repo, run)
    assert fingerprint(repo / "shop") == before


def test_an_engine_that_goes_away_ends_the_run_as_infrastructure(desk, repo, tmp_path):
    with EngineOnALeash(tmp_path / "leash.sock") as leash:
        process = desk.start(repo, "fix", "--json", extra={"DOCKER_HOST": leash.address})
        run = started(desk, process)
        leash.cut()
        out, err = process.communicate(timeout=90)
    assert process.returncode == 75, out + err
    assert "Traceback" not in out + err
    assert json.loads(out)["exit_code"] == 75

    check_reaped_by_the_next_run(desk, repo, run)


def check_reaped_by_the_next_run(desk, repo, run):
    shutil.rmtree(repo / "tests")
    assert desk.run(repo, "fix").code == 2  # for want of tests
    wait_until(lambda: containers_of(run) == [], 20)


class EngineOnALeash:
    """A socket in front of the real engine that can be cut, with all that hangs on it."""

    def __init__(self, path: Path) -> None:
        self.address = f"unix://{path}"
        self._path = path
        self._real = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")[len("unix://") :]
        self._server = socket.socket(socket.AF_UNIX)
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._is_cut = False

    def __enter__(self) -> "EngineOnALeash":
        self._server.bind(str(self._path))
        self._server.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.cut()

    def cut(self) -> None:
        """Close every connection and answer no more."""
        with self._lock:
            self._is_cut = True
        self._path.unlink(missing_ok=True)
        for end in (self._server, *self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                ours, _ = self._server.accept()
                real = socket.socket(socket.AF_UNIX)
                real.connect(self._real)
                with self._lock:
                    self._open += [ours, real]
                    if self._is_cut:
                        ours.close()
                        real.close()
                        return
                for source, sink in ((ours, real), (real, ours)):
                    threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
