"""The scripts behind `make`: what they say to somebody whose machine lacks something."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.setup_wheel import ROOT

NEEDED = {"sh", "id", "cat", "dirname", "uname", "mktemp", "rm", "tail", "env", "sleep"}
SCRIPTS = sorted(p for p in (ROOT / ".ci").iterdir() if os.access(p, os.X_OK) and p.is_file())


def run(script: str, *arguments: str, path: str = "/usr/bin:/bin", **variables: str):
    return subprocess.run(
        [str(ROOT / ".ci" / script), *arguments],
        env={"HOME": "/nonexistent", **variables, "PATH": path},
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def programs(folder: Path, **scripts: str) -> str:
    """Return a PATH with the programs given and the few that every script needs."""
    stubs = {name.replace("_", "-"): text for name, text in scripts.items()}
    for name in NEEDED - set(stubs):
        found = next(p for p in (Path("/usr/bin") / name, Path("/bin") / name) if p.exists())
        (folder / name).symlink_to(found)
    for name, text in stubs.items():
        # "x" makes a new file: written through a link, a stub would replace the real program.
        with (folder / name).open("x") as program:
            program.write(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return str(folder)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_script_is_sound_shell(script):
    assert script.read_text().startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", str(script)], check=True)


def test_python_is_the_first_that_is_new_enough(tmp_path):
    path = programs(tmp_path, python3="exit 1")  # too old, as its own check says
    new = tmp_path / "python3.12"
    new.write_text("#!/bin/sh\necho /somewhere/python3.12\n")
    new.chmod(0o755)
    done = run("python", path=path)
    assert (done.returncode, done.stdout) == (0, "/somewhere/python3.12\n")


def test_without_a_python_it_says_what_to_install(tmp_path):
    done = run("python", path=programs(tmp_path))
    assert done.returncode == 1
    assert "3.11" in done.stderr
    assert "apt-get install" in done.stderr


def test_without_root_the_command_for_an_administrator_is_shown(tmp_path):
    path = programs(tmp_path, apt_get="exit 0", sudo="exit 1", id="echo 1000")
    done = run("apt", "no Docker Engine here", "docker.io", path=path)
    assert done.returncode == 1
    assert "no Docker Engine here" in done.stderr
    assert "sudo apt-get update && sudo apt-get install -y docker.io" in done.stderr


def test_as_root_packages_are_installed_without_a_question(tmp_path):
    log = tmp_path / "log"
    path = programs(tmp_path, apt_get=f'echo "$DEBIAN_FRONTEND $*" >>{log}', id="echo 0")
    done = run("apt", "missing here: bwrap", "bubblewrap", path=path)
    assert done.returncode == 0, done.stderr
    assert "bubblewrap" in done.stdout
    updated, installed = log.read_text().splitlines()
    assert updated.startswith("noninteractive")
    assert updated.endswith("update")
    assert installed.endswith("install bubblewrap")


def test_a_failed_installation_shows_the_last_lines(tmp_path):
    path = programs(tmp_path, apt_get="echo E: no such package; exit 100", id="echo 0")
    done = run("apt", "missing here: bwrap", "bubblewrap", path=path)
    assert done.returncode == 1
    assert "E: no such package" in done.stderr


def test_elsewhere_than_on_debian_the_packages_are_named(tmp_path):
    done = run("apt", "missing here: git", "git", path=programs(tmp_path))
    assert done.returncode == 1
    assert "package manager: git" in done.stderr


def test_tools_that_are_there_need_nothing():
    done = run("tools", "sh", "cat")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_engine_that_was_named_and_does_not_answer_is_not_replaced(tmp_path):
    done = run("engine", DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert done.returncode == 1
    assert f"unix://{tmp_path}/none.sock" in done.stderr
    assert "unset DOCKER_HOST" in done.stderr


@pytest.mark.docker
def test_an_engine_that_answers_is_named():
    host = {name: value for name, value in os.environ.items() if name.startswith("DOCKER_")}
    done = run("engine", **{"HOME": str(Path.home()), **host})
    assert done.returncode == 0, done.stderr
    assert "answers" in done.stdout
