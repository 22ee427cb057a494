"""The empty image under the host toolchain: root links, a few names, nothing to run.

Made locally by importing a tar of a few kilobytes; no registry is asked. Its name holds the hash
of that tar, so one image serves until links or user change.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from sandbox.base import Environment
from sandbox.docker.client import Engine
from sandbox.errors import EnvironmentMissing, SandboxError
from sandbox.held import DEFAULT_VARIABLES, SCRATCH_HOME
from sandbox.inside.tree import BLOCK, header
from sandbox.layout import ordinary_ids
from sandbox.owner import MARK

if TYPE_CHECKING:
    from docker import APIClient

REPOSITORY: Final = "greenloop-host"
USER: Final = DEFAULT_VARIABLES["USER"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image that is on the engine."""

    id: str
    variables: Mapping[str, str] = field(default_factory=dict)
    """What the image sets for every command; the environment's own win."""
    volumes: tuple[str, ...] = ()
    """Where it wants a volume: without more, a writable folder on the engine's disk."""


async def ensure_image(engine: Engine, environment: Environment) -> Image:
    """Return the image to start, making it where it is ours. Raises: SandboxError."""
    if environment.kind == "image":
        wanted = environment.image or ""
        image = await engine.call(lambda api: find_image(api, wanted)) if wanted else None
        if image is None:
            raise EnvironmentMissing(
                f"the image {wanted or '(none named)'} is not on this engine",
                remedy=f"docker pull {wanted}" if wanted else "name an image in the configuration",
            )
        return image
    if not engine.is_local:
        raise EnvironmentMissing(
            "this engine does not see the files of this machine, so its tools cannot be used",
            remedy="name an image in the configuration, or use an engine on this machine",
        )
    tar = host_root(environment.links, *ordinary_ids())
    tag = hashlib.sha256(tar).hexdigest()[:12]
    name = f"{REPOSITORY}:{tag}"
    found = await engine.call(lambda api: find_image(api, name))
    if found is not None:
        return found
    return await engine.call(lambda api: _import(api, tar, tag))


def find_image(api: "APIClient", name: str) -> Image | None:
    """Return an image of the engine. Blocking."""
    import docker.errors

    inspect: Callable[[str], dict[str, Any]] = api.inspect_image
    try:
        found = inspect(name)
    except docker.errors.ImageNotFound:
        return None
    config = found.get("Config") or {}
    pairs = (pair.partition("=") for pair in config.get("Env") or ())
    return Image(
        id=found["Id"],
        variables={name: value for name, _, value in pairs},
        volumes=tuple(sorted(config.get("Volumes") or ())),
    )


def host_root(links: Mapping[str, str], uid: int, gid: int) -> bytes:
    """Return the tar of a root folder: links, passwd, group and empty folders."""
    files = {
        "etc/passwd": f"root:x:0:0:root:/:/bin/sh\n{USER}:x:{uid}:{gid}::{SCRATCH_HOME}:/bin/sh\n",
        "etc/group": f"root:x:0:\n{USER}:x:{gid}:\n",
        "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    }
    links = {"/var/tmp": "/tmp", **links}  # noqa: S108 - paths inside the sandbox
    folders = {"etc", "home", "root", "run", "tmp"}
    folders |= {str(folder) for name in links for folder in PurePosixPath(name[1:]).parents}
    parts = [
        header(os.fsencode(f"{folder}/"), 0, 0o755, b"5") for folder in sorted(folders - {"."})
    ]
    for name, text in files.items():
        data = text.encode()
        parts += [header(name.encode(), len(data), 0o644), data, b"\0" * (-len(data) % BLOCK)]
    for name, target in sorted(links.items()):
        parts.append(header(os.fsencode(name.strip("/")), 0, 0o777, b"2", os.fsencode(target)))
    return b"".join(parts) + b"\0" * (2 * BLOCK)


def _import(api: "APIClient", tar: bytes, tag: str) -> Image:
    api.import_image_from_data(tar, repository=REPOSITORY, tag=tag, changes=[f"LABEL {MARK}=1"])
    image = find_image(api, f"{REPOSITORY}:{tag}")
    if image is None:
        raise SandboxError("the engine lost the image that was just made", remedy="try again")
    return image
