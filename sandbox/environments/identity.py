"""One hash over everything that decides what a command sees; receipts are compared by it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from sandbox.base import Mount
from sandbox.environments.pythons import Python
from sandbox.environments.sites import Libraries

_INSTALLED: Final = (".package-lock.json", ".yarn-integrity", ".yarn-state.yml", ".modules.yaml")
"""What package managers of JavaScript write into `node_modules` with each installation."""


def host_identity(
    python: Python,
    libraries: Libraries,
    *,
    generated: Iterable[Path],
    mounts: Iterable[Mount],
    links: Mapping[str, str],
    variables: Mapping[str, str],
) -> str:
    """Return the identity of a host toolchain.

    The same interpreter, packages, mounts and variables give the same identity on the same
    machine; a package of another version, a rebuilt interpreter or extension, another one.
    """
    return _hash(
        {
            "kind": "host",
            "python": [python.version, *_stamp(python.real)],
            "distributions": list(libraries.distributions),
            "generated": [_stamp(path) for path in generated],
            "mounts": [[str(mount.source), mount.target] for mount in mounts],
            "links": dict(links),
            "variables": dict(variables),
        }
    )


def node_identity(
    node: Path,
    modules: Path,
    *,
    mounts: Iterable[Mount],
    links: Mapping[str, str],
    variables: Mapping[str, str],
) -> str:
    """Return the identity of a node and of the packages that are installed for a repository."""
    records = (modules / name for name in _INSTALLED)
    return _hash(
        {
            "kind": "node",
            "node": _stamp(node),
            "packages": [_stamp(path) for path in records if path.is_file()],
            "mounts": [[str(mount.source), mount.target] for mount in mounts],
            "links": dict(links),
            "variables": dict(variables),
        }
    )


def image_identity(image: str, variables: Mapping[str, str]) -> str:
    """Return the identity of an image by its reference; a digest in it makes it exact."""
    return _hash({"kind": "image", "image": image, "variables": dict(variables)})


def _stamp(path: Path) -> list[str | int]:
    """Return what changes when a file is made anew."""
    status = path.stat()
    return [str(path), status.st_size, status.st_mtime_ns]


def _hash(record: dict[str, Any]) -> str:
    text = json.dumps(record, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
