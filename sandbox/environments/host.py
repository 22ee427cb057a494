"""The machine's own toolchain as an environment: read-only mounts into an empty root.

Shown are the operating system's programs and libraries, the one Python that was found, and what
editable installs point to. Of `/etc` only what programs need to start and tests commonly read;
never accounts, keys, or the settings of package managers, which may hold passwords.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from sandbox.base import Environment
from sandbox.environments.exposure import Exposure
from sandbox.environments.folders import follow, is_folder, is_link, is_there
from sandbox.environments.generated import generated_files, package_roots
from sandbox.environments.identity import host_identity
from sandbox.environments.managers import read_toml
from sandbox.environments.places import Place
from sandbox.environments.pythons import Python, read_pyvenv
from sandbox.environments.search import Usable
from sandbox.environments.sites import Libraries
from sandbox.environments.toolchains import Toolchain, show_toolchains

_ROOT_NAMES: Final = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")

_ETC: Final = (
    "alternatives",
    "ca-certificates",
    "crypto-policies",
    "debian_version",
    "fonts",
    "gai.conf",
    "host.conf",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "localtime",
    "magic",
    "mime.types",
    "os-release",
    "pki/ca-trust",
    "pki/tls/certs",
    "protocols",
    "rpc",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
    "timezone",
)
"""`/etc/ssl/private` is left out by naming its neighbours."""

_MOST_NAMED: Final = 3

_STORES: Final = (
    ("/nix/store", ("",)),
    ("/gnu/store", ("",)),
    ("/home/linuxbrew/.linuxbrew", ("Cellar", "bin", "lib", "opt", "share")),
)
"""Package stores whose programs use libraries of other folders in the store."""

SYSTEM_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def host_environment(
    repo: Path, place: Place, found: Usable, *, variables: Mapping[str, str], home: Path
) -> Environment:
    """Return the environment around a Python that was found on this machine."""
    exposure = Exposure(repo=repo, home=home)
    show_operating_system(exposure)
    notes = [found.note] if found.note else []
    notes += _show_python(exposure, found.python, repo)
    notes += _show_libraries(exposure, found.libraries, found.python, repo)
    generated = _show_generated(exposure, found.libraries, repo)
    notes += [*_on_generated(generated, repo), *_on_copy(found.libraries, repo)]
    toolchains = show_toolchains(exposure, repo=repo, variables=variables, home=home)
    notes += [note for toolchain in toolchains for note in toolchain.notes]
    interpreter = _interpreter(exposure, found.python)
    settings = _variables(found, interpreter, toolchains)
    return Environment(
        kind="host",
        mounts=exposure.mounts,
        links=exposure.links,
        variables=settings,
        interpreter=str(interpreter),
        why="; ".join([_found(place, found.python, found.libraries), *dict.fromkeys(notes)]),
        identity=host_identity(
            found.python,
            found.libraries,
            generated=generated,
            mounts=exposure.mounts,
            links=exposure.links,
            variables=settings,
        ),
    )


def show_operating_system(exposure: Exposure) -> None:
    """Show programs, libraries and the harmless settings of the operating system."""
    exposure.show_system(Path("/usr"))
    for name in _ROOT_NAMES:
        path = Path("/") / name
        if is_link(path):
            exposure.link(path, path.readlink())
        else:
            exposure.show_system(path)
    for name in _ETC:
        exposure.show_system(Path("/etc") / name)
    for folder in sorted(Path("/etc").glob("python3*")):
        exposure.show_system(folder)


def _show_python(exposure: Exposure, python: Python, repo: Path) -> list[str]:
    """Show the virtualenv, its base and every path by which they name each other."""
    for store, parts in _STORES:
        if python.real.is_relative_to(store):
            for part in parts:
                exposure.show_system(Path(store) / part)
    notes = [exposure.show_prefix(python.prefix), exposure.show_prefix(python.base)]
    for hop in python.hops if python.is_virtual else ():
        if exposure.covers(hop) or not is_there(hop):
            continue
        if exposure.show_prefix(hop.parent.parent) is not None and not hop.is_relative_to(repo):
            exposure.link(hop, python.real)
    return [f"not shown: {note}" for note in notes if note]


def _show_libraries(
    exposure: Exposure, libraries: Libraries, python: Python, repo: Path
) -> list[str]:
    """Show what lies outside the installation; return a line for each that points elsewhere."""
    refusals = []
    if libraries.user_site is not None:
        refusals.append(exposure.show_folder(libraries.user_site))
    refusals += [f"{site} is a link" for site in libraries.sites if not exposure.covers(site)]
    sources = (*libraries.roots, *libraries.modules.values(), *libraries.pointers)
    notes = [_show_source(exposure, path, python, repo) for path in dict.fromkeys(sources)]
    return [*(f"not shown: {refusal}" for refusal in refusals if refusal), *filter(None, notes)]


def _show_source(exposure: Exposure, path: Path, python: Python, repo: Path) -> str | None:
    """Make one path that an editable install names exist; return what to say about it."""
    if exposure.covers(path):
        return None
    in_virtualenv = path.is_relative_to(python.prefix) and python.prefix.is_relative_to(repo)
    alias = _alias_of(repo, path)
    if alias is not None and not in_virtualenv:
        if alias != repo:
            exposure.link(alias, repo)
        return f"imports {path} from the tree"
    refusal = exposure.show_code(path)
    return f"not shown: {refusal}" if refusal else f"imports {path} from the host, read-only"


def _show_generated(exposure: Exposure, libraries: Libraries, repo: Path) -> list[Path]:
    """Show what builds left in the repository and git does not have; return the files."""
    editable = (*libraries.roots, *libraries.modules.values())
    files = generated_files(repo, [*package_roots(repo), *editable])
    shown = [path for path in files if not exposure.covers(path)]
    for path in shown:
        exposure.show_system(path)
    return shown


def _on_generated(files: Sequence[Path], repo: Path) -> list[str]:
    """Say which files are not the tree's."""
    names = ", ".join(str(path.relative_to(repo)) for path in files[:_MOST_NAMED])
    more = f" and {len(files) - _MOST_NAMED} more" if len(files) > _MOST_NAMED else ""
    return [f"generated and not in git, read-only: {names}{more}"] if files else []


def _on_copy(libraries: Libraries, repo: Path) -> list[str]:
    """Say so if the project itself is installed as a copy, which edits do not reach."""
    project = read_toml(repo / "pyproject.toml").get("project")
    name = project.get("name") if isinstance(project, dict) else None
    version = libraries.version_of(name) if isinstance(name, str) else None
    if version is None or any(_alias_of(repo, path) for path in libraries.editables.values()):
        return []
    if any(_alias_of(repo, path) for path in (*libraries.roots, *libraries.modules.values())):
        return []
    return [
        f"{name} {version} is installed as a copy, so tests may not see edits (pip install -e .)"
    ]


def _alias_of(repo: Path, path: Path) -> Path | None:
    """Return the part of a path that is the repository, however it is spelled; None if none is."""
    real = follow(repo)
    if not follow(path).is_relative_to(real):
        return None
    return next((p for p in (path, *path.parents) if follow(p) == real), None)


def _interpreter(exposure: Exposure, python: Python) -> Path:
    """Return the path inside: the developer's own, unless that is a link in a private folder."""
    if python.is_virtual or exposure.covers(python.executable):
        return python.executable
    return python.real


def _variables(found: Usable, interpreter: Path, toolchains: Iterable[Toolchain]) -> dict[str, str]:
    """Return the environment of every command; nothing is taken over from the host's.

    PYTHONHASHSEED stays unset: a test that depends on the order of a set then shows itself as
    flaky instead of turning green by luck.
    """
    python = found.python
    settings = {
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",  # noqa: S108 (the sandbox's own)
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if python.is_virtual:
        settings["VIRTUAL_ENV"] = str(python.prefix)
    if is_folder(python.prefix / "conda-meta"):
        settings["CONDA_PREFIX"] = str(python.prefix)
    if found.libraries.user_site is not None:
        settings["PYTHONUSERBASE"] = str(found.libraries.user_site.parents[2])
    programs = [str(interpreter.parent)]
    for toolchain in toolchains:
        settings.update(toolchain.variables)
        programs += [str(toolchain.program_folder)] if toolchain.program_folder else []
    system = SYSTEM_PATH.split(":")
    settings["PATH"] = ":".join(
        [*(name for name in dict.fromkeys(programs) if name not in system), *system]
    )
    return settings


def _found(place: Place, python: Python, libraries: Libraries) -> str:
    """Say what was taken and where it is."""
    kind = "virtualenv" if python.is_virtual else "installation"
    maker = " of uv" if "uv" in read_pyvenv(python.prefix) else ""
    pytest = libraries.version_of("pytest")
    runner = f" with pytest {pytest}" if pytest else ""
    return f"Python {python.version}{runner} from {place.name}: {kind}{maker} {python.prefix}"
