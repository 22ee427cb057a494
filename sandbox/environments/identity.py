"""One hash over everything that decides what a command sees; receipts are compared by it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.base import Mount
from sandbox.environments.pythons import Python
from sandbox.environments.sites import Libraries


def host_identity(
    python: Python,
    libraries: Libraries,
    *,
    mounts: Iterable[Mount],
    links: Mapping[str, str],
    variables: Mapping[str, str],
) -> str:
    """Return the identity of a host toolchain.

    The same interpreter, packages, mounts and variables give the same identity on the same
    machine; a package of another version, or a rebuilt interpreter, another one.
    """
    program = python.real.stat()
    return _hash(
        {
            "kind": "host",
            "python": [str(python.real), python.version, program.st_size, program.st_mtime_ns],
            "distributions": list(libraries.distributions),
            "mounts": [[str(mount.source), mount.target] for mount in mounts],
            "links": dict(links),
            "variables": dict(variables),
        }
    )


def image_identity(image: str, variables: Mapping[str, str]) -> str:
    """Return the identity of an image by its reference; a digest in it makes it exact."""
    return _hash({"kind": "image", "image": image, "variables": dict(variables)})


def _hash(record: dict[str, Any]) -> str:
    text = json.dumps(record, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
