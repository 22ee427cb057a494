"""The empty image under the host toolchain: root links, a few names, nothing to run.

Made locally by importing a tar of a few kilobytes; no registry is asked. Its name holds the hash
of that tar, so one image serves until links or user change.
"""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from sandbox.base import Environment
from sandbox.docker.client import Engine
from sandbox.errors import EnvironmentMissing
from sandbox.held import DEFAULT_VARIABLES, SCRATCH_HOME
from sandbox.inside.tree import BLOCK, header
from sandbox.layout import ordinary_ids
from sandbox.owner import MARK

if TYPE_CHECKING:
    from docker import APIClient

REPOSITORY: Final = "greenloop-host"
USER: Final = DEFAULT_VARIABLES["USER"]


async def ensure_image(engine: Engine, environment: Environment) -> str:
    """Return the name of an image on the engine. Raises: EnvironmentMissing, SandboxError."""
    if environment.kind == "image":
        wanted = environment.image or ""
        if not wanted or not await engine.call(lambda api: has_image(api, wanted)):
            raise EnvironmentMissing(
                f"the image {wanted or '(none named)'} is not on this engine",
                remedy=f"docker pull {wanted}" if wanted else "name an image in the configuration",
            )
        return wanted
    if not engine.is_local:
        raise EnvironmentMissing(
            "this engine does not see the files of this machine, so its tools cannot be used",
            remedy="name an image in the configuration, or use an engine on this machine",
        )
    tar = host_root(environment.links, *ordinary_ids())
    tag = hashlib.sha256(tar).hexdigest()[:12]
    name = f"{REPOSITORY}:{tag}"
    if not await engine.call(lambda api: has_image(api, name)):
        await engine.call(lambda api: _import(api, tar, tag))
    return name


def has_image(api: "APIClient", name: str) -> bool:
    """Tell whether the engine holds the image. Blocking."""
    import docker.errors

    try:
        inspect: Callable[[str], object] = api.inspect_image
        inspect(name)
    except docker.errors.ImageNotFound:
        return False
    return True


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


def _import(api: "APIClient", tar: bytes, tag: str) -> None:
    api.import_image_from_data(tar, repository=REPOSITORY, tag=tag, changes=[f"LABEL {MARK}=1"])
