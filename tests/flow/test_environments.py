"""Environments of every common kind, found on this machine and entered in a real container."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from sandbox.environments import resolve_environment
from tests.support.environments import (
    HATCHLING,
    PYTEST,
    copy_distributions,
    copy_of_tree,
    install_editable_for_real,
    look_inside,
    make_project,
    make_real_virtualenv,
)

pytestmark = pytest.mark.docker

FACTS = (
    "import json, sys, os\n"
    "print(json.dumps([sys.path[1:], sys.prefix, sys.base_prefix, '%d.%d' % sys.version_info[:2]]))"
)


def installed_pythons() -> list[str]:
    """Every CPython of this machine that greenloop supports."""
    roots = [Path("~/.pyenv/versions").expanduser(), Path(sys.base_prefix).parent]
    found = {str(path) for root in roots for path in root.glob("3.*/bin/python3")}
    found |= {"/usr/bin/python3", str(Path(sys.base_prefix) / "bin" / "python3")}
    versions = {}
    for program in sorted(found):
        code = "import sys; print('%d.%d' % sys.version_info[:2], sys.version_info >= (3, 8))"
        done = subprocess.run([program, "-c", code], capture_output=True, text=True, check=False)
        version, _, supported = done.stdout.strip().partition(" ")
        if supported == "True":
            versions.setdefault(version, program)
    return sorted(versions.values())


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return make_project(tmp_path / "work" / "calc")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def outside_tmp() -> Iterator[Path]:
    """A folder that no writable file system of the sandbox covers, as a real home folder is."""
    caches = Path.home() / ".cache"
    caches.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="greenloop-test-", dir=caches))
    yield folder
    shutil.rmtree(folder)


def plain_variables(home: Path, path: str = "/usr/bin:/bin") -> dict[str, str]:
    return {"HOME": str(home), "PATH": path}


async def test_virtualenv_in_the_repository_runs_its_tests(repo, home, tmp_path):
    copy_distributions(PYTEST, make_real_virtualenv(repo / ".venv"))
    environment = resolve_environment(repo, image=None, variables=plain_variables(home))
    tree = copy_of_tree(repo, tmp_path / "base")

    done = await look_inside(
        environment, repo, tree, str(environment.interpreter), "-m", "pytest", "--tb=native",
        "-p", "no:cacheprovider", "tests", env={"PYTHONPATH": "src"},
    )  # fmt: skip

    assert done.exit_code == 1, done.output.decode()
    assert b"1 failed" in done.output
    assert f'File "{repo}/tests/test_calc.py", line 4, in test_add'.encode() in done.output
    assert environment.interpreter == f"{repo}/.venv/bin/python"


@pytest.mark.parametrize("python", installed_pythons())
async def test_every_python_of_this_machine_starts_inside_as_outside(python, repo, home, tmp_path):
    folder = make_bin(tmp_path / "bin", python)
    environment = resolve_environment(
        repo, image=None, variables=plain_variables(home, str(folder)), module="unittest"
    )
    tree = copy_of_tree(repo, tmp_path / "base")

    outside = await anyio.run_process([python, "-c", FACTS], cwd=repo)
    inside = await look_inside(environment, repo, tree, str(environment.interpreter), "-c", FACTS)

    assert json.loads(inside.output) == json.loads(outside.stdout)


def make_bin(folder: Path, python: str) -> Path:
    """Make a folder on PATH whose python3 is a link, as version managers do."""
    folder.mkdir()
    (folder / "python3").symlink_to(os.path.realpath(python))
    return folder


async def test_virtualenv_of_the_distribution_sees_its_packages(repo, home, tmp_path):
    site = make_real_virtualenv(
        repo / ".venv", python="/usr/bin/python3", more=["--system-site-packages"]
    )
    copy_distributions(PYTEST, site)
    environment = resolve_environment(repo, image=None, variables=plain_variables(home))
    tree = copy_of_tree(repo, tmp_path / "base")
    code = FACTS + "\nimport pytest"

    outside = await anyio.run_process([repo / ".venv/bin/python", "-c", FACTS])
    inside = await look_inside(environment, repo, tree, str(environment.interpreter), "-c", code)

    assert json.loads(inside.output) == json.loads(outside.stdout)


async def test_packages_of_the_user_are_imported_where_they_are(repo, home, tmp_path):
    tag = Path(os.path.realpath("/usr/bin/python3")).name
    site = home / ".local" / "lib" / tag / "site-packages"
    copy_distributions(PYTEST, site)
    (home / ".local" / "share").mkdir()
    environment = resolve_environment(repo, image=None, variables=plain_variables(home))
    tree = copy_of_tree(repo, tmp_path / "base")
    code = f"import os, pytest; print(pytest.__file__, os.listdir({str(home / '.local')!r}))"

    done = await look_inside(environment, repo, tree, "python3", "-c", code)

    assert done.output.decode().strip() == f"{site}/pytest/__init__.py ['lib']"


async def test_environment_named_for_pyenv_is_entered(repo, home, tmp_path):
    root = tmp_path / "pyenv"
    copy_distributions(PYTEST, make_real_virtualenv(root / "versions" / "calc"))
    (repo / ".python-version").write_text("calc\n")
    variables = {**plain_variables(home), "PYENV_ROOT": str(root)}
    environment = resolve_environment(repo, image=None, variables=variables)
    tree = copy_of_tree(repo, tmp_path / "base")

    done = await look_inside(
        environment, repo, tree, "python", "-c", "import pytest, sys; print(sys.prefix)"
    )

    assert done.output.decode().strip() == str(root / "versions" / "calc")


async def test_editable_install_imports_the_tree_and_not_the_host(repo, home, tmp_path):
    site = make_real_virtualenv(repo / ".venv")
    copy_distributions((*PYTEST, *HATCHLING), site)
    install_editable_for_real(repo, repo / ".venv/bin/python")
    environment = resolve_environment(repo, image=None, variables=plain_variables(home))
    tree = copy_of_tree(repo, tmp_path / "base")
    (tree / "src" / "calc.py").write_text("def add(a, b):\n    return a + b\n")

    done = await look_inside(
        environment, repo, tree, str(environment.interpreter), "-m", "pytest", "-q", "tests",
        "-p", "no:cacheprovider",
    )  # fmt: skip

    assert b"1 passed" in done.output, done.output.decode()
    assert f"imports {repo}/src from the tree" in environment.why


async def test_generated_version_file_is_found_beside_editable_sources(repo, home, tmp_path):
    site = make_real_virtualenv(repo / ".venv")
    copy_distributions(PYTEST, site)
    (site / "pkg.pth").write_text(f"{repo}/src\n")
    package = repo / "src" / "pkg"
    package.mkdir()
    (package / "__init__.py").write_text("from pkg._version import version\n")
    tree = copy_of_tree(repo, tmp_path / "base")
    (package / "_version.py").write_text("version = '1.2'\n")
    (repo / ".git").mkdir()
    environment = resolve_environment(repo, image=None, variables=plain_variables(home))
    code = "import pkg; print(pkg.version); open('src/pkg/new.py', 'w').close()"

    done = await look_inside(environment, repo, tree, "python", "-c", code)

    assert done.output == b"1.2\n"


async def test_library_elsewhere_is_seen_without_what_lies_beside_its_code(repo, home, tmp_path):
    site = make_real_virtualenv(repo / ".venv")
    copy_distributions(PYTEST, site)
    library = tmp_path / "elsewhere"
    (library / "helper").mkdir(parents=True)
    (library / "helper" / "__init__.py").write_text("VALUE = 7\n")
    (library / ".env").write_text("PASSWORD=canary\n")
    (site / "helper.pth").write_text(f"{library}\n")
    environment = resolve_environment(repo, image=None, variables=plain_variables(home))
    tree = copy_of_tree(repo, tmp_path / "base")
    code = f"import helper, os; print(helper.VALUE, os.listdir({str(library)!r}))"

    done = await look_inside(environment, repo, tree, str(environment.interpreter), "-c", code)

    assert done.output.decode().strip() == "7 ['helper']"
    assert f"imports {library} from the host, read-only" in environment.why


async def test_nothing_secret_of_the_host_is_visible(repo, home, tmp_path):
    copy_distributions(PYTEST, make_real_virtualenv(repo / ".venv"))
    (repo / ".venv" / "pip.conf").write_text("index-url = https://user:canary@example.org\n")
    (home / ".ssh").mkdir()
    (home / ".ssh" / "id_ed25519").write_text("canary\n")
    variables = {**plain_variables(home), "SECRET_TOKEN": "canary", "PIP_INDEX_URL": "canary"}
    environment = resolve_environment(repo, image=None, variables=variables)
    tree = copy_of_tree(repo, tmp_path / "base")
    wanted = (
        repo / ".venv" / "pip.conf",
        home / ".ssh" / "id_ed25519",
        Path("/etc/shadow"),
        Path("/etc/ssl/private"),
        Path("/var/run/docker.sock"),
        Path("/run/docker.sock"),
        Path("/root/.bashrc"),
    )
    code = (
        f"import os; print([p for p in {[str(path) for path in wanted]} if os.path.exists(p)],"
        " [k for k, v in os.environ.items() if 'canary' in v])"
    )

    done = await look_inside(environment, repo, tree, str(environment.interpreter), "-c", code)

    assert done.output.decode().strip() == "[] []"
    assert "canary" not in repr(environment)


async def test_virtualenv_made_from_a_link_in_a_private_folder_starts(repo, outside_tmp, tmp_path):
    programs = outside_tmp / ".local" / "bin"
    programs.mkdir(parents=True)
    real = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    (programs / real.name).symlink_to(real)
    copy_distributions(
        PYTEST, make_real_virtualenv(repo / ".venv", python=str(programs / real.name))
    )
    (programs / "secret").write_text("canary")
    environment = resolve_environment(repo, image=None, variables=plain_variables(outside_tmp))
    tree = copy_of_tree(repo, tmp_path / "base")
    code = f"import pytest, sys, os; print(sys.base_prefix, os.listdir({str(programs)!r}))"

    done = await look_inside(environment, repo, tree, str(environment.interpreter), "-c", code)

    assert done.output.decode().strip() == f"{sys.base_prefix} ['{real.name}']"


async def test_virtualenv_that_git_does_not_ignore_is_in_the_tree_too(repo, home, tmp_path):
    copy_distributions(PYTEST, make_real_virtualenv(repo / ".venv"))
    environment = resolve_environment(repo, image=None, variables=plain_variables(home))
    tree = copy_of_tree(repo, tmp_path / "base", without=[".git"])

    done = await look_inside(environment, repo, tree, "python", "-c", "import pytest; print('ok')")

    assert done.output == b"ok\n"


async def test_virtualenv_deep_in_the_repository_leaves_its_folder_writable(repo, home, tmp_path):
    (repo / "backend").mkdir()
    (repo / "backend" / "app.py").write_text("VALUE = 7\n")
    copy_distributions(PYTEST, make_real_virtualenv(repo / "backend" / ".venv"))
    variables = {**plain_variables(home), "VIRTUAL_ENV": str(repo / "backend" / ".venv")}
    environment = resolve_environment(repo, image=None, variables=variables)
    tree = copy_of_tree(repo, tmp_path / "base")
    code = "import sys; sys.path.insert(0, 'backend'); import app, pytest; print(app.VALUE)"

    done = await look_inside(environment, repo, tree, "python", "-c", code)

    assert done.output == b"7\n"


async def test_node_modules_are_seen_read_only(repo, home, tmp_path):
    copy_distributions(PYTEST, make_real_virtualenv(repo / ".venv"))
    (repo / "package.json").write_text("{}")
    (repo / "node_modules" / "left").mkdir(parents=True)
    (repo / "node_modules" / "left" / "index.js").write_text("module.exports = 7\n")
    environment = resolve_environment(repo, image=None, variables=plain_variables(home))
    tree = copy_of_tree(repo, tmp_path / "base", without=[".venv", "node_modules"])
    script = "cat node_modules/left/index.js; echo x > node_modules/left/index.js"

    done = await look_inside(environment, repo, tree, "sh", "-c", script)

    assert b"module.exports = 7\n" in done.output
    assert done.exit_code != 0
    assert (repo / "node_modules" / "left" / "index.js").read_text() == "module.exports = 7\n"
