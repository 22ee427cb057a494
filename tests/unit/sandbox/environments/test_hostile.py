"""Whatever the files of a repository say, the answer is an environment or a plain refusal."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.base import Environment
from sandbox.environments import describe_search, resolve_environment
from sandbox.errors import EnvironmentMissing
from tests.support.installations import install, make_installation, make_virtualenv

TEXTS = st.one_of(
    st.binary(max_size=60),
    st.lists(
        st.sampled_from(
            [b"/", b"..", b"\0", b"\n", b"home = ", b"~", b"[tool.poetry]\n", b"name = ", b'"x"',
             b"import os", b"/etc/shadow", b"/root", b"\xff", b"3.12", b"MAPPING = {'a': '/etc'}",
             b"include-system-site-packages = true\n", b"gitdir: ", b"= 1", b"{", b"'/\\0'"]
        ),
        max_size=8,
    ).map(b"".join),
)  # fmt: skip

FILES = (
    ".venv/pyvenv.cfg",
    ".venv/lib/python3.12/site-packages/a.pth",
    ".venv/lib/python3.12/site-packages/__editable___a_finder.py",
    ".venv/lib/python3.12/site-packages/pytest-8.3.2.dist-info/direct_url.json",
    "venv",
    "pyproject.toml",
    "Pipfile",
    ".python-version",
    "environment.yml",
    "package.json",
    "rust-toolchain",
    "Cargo.toml",
    ".git",
)


@pytest.fixture(scope="module")
def machine(tmp_path_factory) -> Path:
    top = tmp_path_factory.mktemp("machine")
    make_installation(top / "py")
    (top / "home/.pyenv/versions").mkdir(parents=True)
    repo = top / "home/repo"
    repo.mkdir()
    install(make_virtualenv(repo / ".venv", top / "py"))
    return top


def test_path_with_a_zero_byte_in_pyvenv_cfg_is_no_trouble(machine):
    repo = machine / "home/repo"
    settings_file = repo / ".venv/pyvenv.cfg"
    before = settings_file.read_bytes()
    settings_file.write_bytes(b"home = /x\0/bin\nversion = 3.12.1\n")
    check(repo, {"HOME": str(machine / "home"), "PATH": ""})
    settings_file.write_bytes(before)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)
@given(contents=st.dictionaries(st.sampled_from(FILES), TEXTS, max_size=4))
def test_no_content_of_files_breaks_the_search(machine, contents):
    repo = machine / "home/repo"
    before = {name: (repo / name).read_bytes() for name in FILES if (repo / name).is_file()}
    try:
        for name, content in contents.items():
            (repo / name).write_bytes(content)
        check(repo, {"HOME": str(machine / "home"), "PATH": str(machine / "py/bin")})
    finally:
        for name in contents:
            if name in before:
                (repo / name).write_bytes(before[name])
            else:
                (repo / name).unlink()


def check(repo: Path, variables: dict[str, str]) -> None:
    try:
        environment: Environment | None = resolve_environment(
            repo, image=None, variables=variables, module="unittest"
        )
    except EnvironmentMissing:
        environment = None
    lines = describe_search(repo, image=None, variables=variables, module="unittest")

    assert lines[-1].ok == (environment is not None)
    assert environment or lines[-1].remedy
    for mount in environment.mounts if environment else ():
        source = str(mount.source)
        assert source not in ("/", "/etc", "/root", str(repo), str(repo.parent))
        assert not source.startswith(("/etc/shadow", "/root/"))
