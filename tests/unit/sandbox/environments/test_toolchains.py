from pathlib import Path

import pytest

from sandbox.environments.exposure import Exposure
from sandbox.environments.toolchains import Toolchain, show_toolchains


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "home/work/repo").mkdir(parents=True)
    return tmp_path / "home/work/repo"


def make_program(folder: Path, name: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / name).write_text("")
    return folder / "bin"


def show(repo: Path, variables: dict[str, str]) -> tuple[list[Toolchain], list[str]]:
    home = repo.parents[1]
    exposure = Exposure(repo=repo, home=home)
    found = show_toolchains(exposure, repo=repo, variables=variables, home=home)
    return found, [mount.target for mount in exposure.mounts]


def test_repository_without_manifests_gets_nothing_more(repo, tmp_path):
    (tmp_path / "home/.cargo/registry").mkdir(parents=True)
    (repo / "node_modules").mkdir()

    assert show(repo, {"PATH": "/usr/bin"}) == ([], [])


def test_node_project_sees_its_modules_and_the_node_on_path(repo, tmp_path):
    programs = make_program(tmp_path / "home/.nvm/versions/node/v22", "node")
    (repo / "package.json").write_text("{}")
    (repo / "node_modules").mkdir()
    found, shown = show(repo, {"PATH": f"relative:{repo}:{tmp_path}:{programs}"})

    assert found == [Toolchain(program_folder=programs)]
    assert shown == [f"{repo}/node_modules", str(programs)]


def test_linked_node_modules_are_left_to_the_tree(repo, tmp_path):
    (repo / "package.json").write_text("{}")
    (tmp_path / "elsewhere").mkdir()
    (repo / "node_modules").symlink_to(tmp_path / "elsewhere")
    found, shown = show(repo, {})

    assert found == [Toolchain(program_folder=None)]
    assert shown == []


def test_go_project_sees_modules_but_not_the_clones_beside_them(repo, tmp_path):
    programs = make_program(tmp_path / "sdk/go", "go")
    (repo / "go.mod").write_text("module x\n")
    cache = tmp_path / "home/go/pkg/mod"
    for name in ("cache/download", "cache/vcs", "example.org"):
        (cache / name).mkdir(parents=True)
    found, shown = show(repo, {"PATH": str(programs)})

    assert len(found) == 1
    assert found[0].program_folder == programs
    assert found[0].variables["GOMODCACHE"] == str(cache)
    assert found[0].variables["GOPROXY"] == "off"
    assert sorted(shown) == sorted(
        [str(programs), f"{cache}/cache/download", f"{cache}/example.org"]
    )


@pytest.mark.parametrize("variable", ["GOMODCACHE", "GOPATH"])
def test_go_cache_may_lie_elsewhere(repo, tmp_path, variable):
    (repo / "go.mod").write_text("module x\n")
    value = {"GOMODCACHE": f"{tmp_path}/mods", "GOPATH": f"{tmp_path}/gp:{tmp_path}/more"}[variable]
    found, _ = show(repo, {variable: value})

    expected = {"GOMODCACHE": f"{tmp_path}/mods", "GOPATH": f"{tmp_path}/gp/pkg/mod"}[variable]
    assert found[0].variables["GOMODCACHE"] == expected


def make_rust(home: Path) -> Path:
    for name in ("nightly-x86", "stable-x86"):
        (home / ".rustup/toolchains" / name / "bin").mkdir(parents=True)
    (home / ".rustup/settings.toml").write_text('default_toolchain = "stable-x86"\n')
    (home / ".cargo/registry").mkdir(parents=True)
    (home / ".cargo/credentials.toml").write_text("canary")
    return home / ".rustup/toolchains"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("unrelated", "", "stable-x86"),
        ("rust-toolchain", "nightly\n", "nightly-x86"),
        ("rust-toolchain.toml", '[toolchain]\nchannel = "nightly"\n', "nightly-x86"),
        ("rust-toolchain.toml", "[toolchain]\n", "stable-x86"),
        ("rust-toolchain.toml", "toolchain = 1\n", "stable-x86"),
    ],
)
def test_rust_project_sees_its_toolchain_and_the_registry(repo, tmp_path, name, text, expected):
    toolchains = make_rust(tmp_path / "home")
    (repo / "Cargo.toml").write_text("")
    (repo / name).write_text(text)
    found, shown = show(repo, {})

    assert found[0].program_folder == toolchains / expected / "bin"
    assert sorted(shown) == sorted([f"{tmp_path}/home/.cargo/registry", str(toolchains / expected)])
    assert found[0].variables["CARGO_NET_OFFLINE"] == "true"


@pytest.mark.parametrize("channel", ["1.80", "../../../.ssh"])
def test_rust_toolchain_that_is_not_installed_is_not_shown(repo, tmp_path, channel):
    make_rust(tmp_path / "home")
    (repo / "Cargo.toml").write_text("")
    (repo / "rust-toolchain").write_text(channel)
    found, shown = show(repo, {})

    assert found[0].program_folder is None
    assert shown == [f"{tmp_path}/home/.cargo/registry"]


def test_cargo_without_rustup_is_taken_from_path(repo, tmp_path):
    programs = make_program(tmp_path / "rust", "cargo")
    (repo / "Cargo.toml").write_text("")
    found, shown = show(repo, {"PATH": str(programs)})

    assert found[0].program_folder == programs
    assert shown == [str(programs)]
