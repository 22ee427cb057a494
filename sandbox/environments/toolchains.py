"""What other languages than Python need of the host: compilers, package caches, node_modules.

Only if the repository's own manifest asks for it, and only the packages: registries' credentials
lie beside the caches and stay where they are.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.environments.exposure import Exposure
from sandbox.environments.folders import follow, is_file, is_folder, is_link, names_in
from sandbox.environments.managers import read_toml


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """What one language adds to an environment."""

    program_folder: Path | None
    """Folder of its programs, for PATH; None if the system has none."""
    variables: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def show_toolchains(
    exposure: Exposure, *, repo: Path, variables: Mapping[str, str], home: Path
) -> list[Toolchain]:
    """Show what the repository's manifests ask for; return what it means for the commands."""
    found = []
    if is_file(repo / "package.json"):
        found.append(_show_node(exposure, repo, variables))
    if is_file(repo / "go.mod"):
        found.append(_show_go(exposure, variables, home))
    if is_file(repo / "Cargo.toml"):
        found.append(_show_cargo(exposure, repo, variables, home))
    return found


def _show_node(exposure: Exposure, repo: Path, variables: Mapping[str, str]) -> Toolchain:
    """Show `node_modules` of the repository; npm and yarn hoist those of workspaces into it."""
    modules = repo / "node_modules"
    shown = is_folder(modules) and not is_link(modules)
    notes = [exposure.show_folder(modules)] if shown else []
    program, trouble = _show_program(exposure, "node", variables, repo)
    return Toolchain(program_folder=program, notes=_said(*notes, trouble))


def _show_go(exposure: Exposure, variables: Mapping[str, str], home: Path) -> Toolchain:
    gopath = Path(variables.get("GOPATH", "").partition(":")[0] or home / "go")
    cache = Path(variables.get("GOMODCACHE") or gopath / "pkg" / "mod")
    folders = [cache / "cache" / "download"]
    if is_folder(cache):
        folders += [cache / name for name in names_in(cache) if name != "cache"]
    notes = [exposure.show_folder(folder) for folder in folders if is_folder(folder)]
    program, trouble = _show_program(exposure, "go", variables, None)
    settings = {
        "GOMODCACHE": str(cache),
        "GOPROXY": "off",
        "GOTOOLCHAIN": "local",
        "GOCACHE": "/tmp/go-build",  # noqa: S108 (the sandbox's own)
    }
    return Toolchain(program_folder=program, variables=settings, notes=_said(*notes, trouble))


def _show_cargo(
    exposure: Exposure, repo: Path, variables: Mapping[str, str], home: Path
) -> Toolchain:
    cargo_home = Path(variables.get("CARGO_HOME") or home / ".cargo")
    registry = cargo_home / "registry"
    notes = [exposure.show_folder(registry)] if is_folder(registry) else []
    rustup = Path(variables.get("RUSTUP_HOME") or home / ".rustup")
    toolchain = _rust_toolchain(repo, rustup)
    if toolchain is not None:
        notes.append(exposure.show_folder(toolchain))
        program: Path | None = toolchain / "bin"
    else:
        program, trouble = _show_program(exposure, "cargo", variables, repo)
        notes.append(trouble)
    settings = {
        "CARGO_HOME": str(cargo_home),
        "CARGO_NET_OFFLINE": "true",
        "CARGO_TARGET_DIR": "/tmp/cargo-target",  # noqa: S108 (the sandbox's own)
    }
    return Toolchain(program_folder=program, variables=settings, notes=_said(*notes))


def _rust_toolchain(repo: Path, rustup: Path) -> Path | None:
    """Return the folder of the toolchain that rustup would take, without asking rustup."""
    channel = _rust_channel(repo) or read_toml(rustup / "settings.toml").get("default_toolchain")
    if not isinstance(channel, str) or not channel or "/" in channel:
        return None
    names = names_in(rustup / "toolchains")
    fitting = (name for name in names if name == channel or name.startswith(f"{channel}-"))
    return next((rustup / "toolchains" / name for name in fitting), None)


def _rust_channel(repo: Path) -> str | None:
    """Return the channel that the repository pins."""
    for name in ("rust-toolchain.toml", "rust-toolchain"):
        try:
            text = (repo / name).read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
        try:
            table = tomllib.loads(text).get("toolchain", {})
        except ValueError:
            return text.strip()
        channel = table.get("channel") if isinstance(table, dict) else None
        return channel if isinstance(channel, str) else None
    return None


def _show_program(
    exposure: Exposure, name: str, variables: Mapping[str, str], repo: Path | None
) -> tuple[Path | None, str | None]:
    """Show the installation of the first program of this name on PATH.

    Returns its folder of programs and why it is not shown. Shims that are scripts are passed over.
    """
    for text in dict.fromkeys(variables.get("PATH", "").split(":")):
        folder = Path(text)
        if not text.startswith("/") or (repo and folder.is_relative_to(repo)):
            continue
        real = follow(folder / name)
        if is_file(real) and real.name == name and real.parent.name == "bin":
            return real.parent, exposure.show_installation(real.parents[1])
    return None, None


def _said(*notes: str | None) -> tuple[str, ...]:
    return tuple(note for note in notes if note)
