"""A container image that the developer named, as an environment."""

import re
from typing import Final

from sandbox.base import Environment
from sandbox.environments.identity import image_identity
from sandbox.errors import EnvironmentMissing

_REFERENCE: Final = re.compile(r"[a-z0-9][A-Za-z0-9._:/-]*(@sha256:[0-9a-f]{64})?")

_VARIABLES: Final = {
    "LANG": "C.UTF-8",
    "TMPDIR": "/tmp",  # noqa: S108 (the sandbox's own)
    "PYTHONDONTWRITEBYTECODE": "1",
}
"""Added to those of the image; its own PATH stays."""


def image_environment(image: str) -> Environment:
    """Return the environment of an image; whether it exists is the engine's to find out.

    The interpreter is the image's own `python3`, wherever its PATH has it, so it is left open.
    Raises: EnvironmentMissing if this cannot be an image's name.
    """
    if not _REFERENCE.fullmatch(image):
        raise EnvironmentMissing(
            f"{image!r} is not the name of a container image",
            remedy="name it like python:3.12-slim or name@sha256:… in the setting `image`",
        )
    return Environment(
        kind="image",
        image=image,
        variables=_VARIABLES,
        why=f"image {image}, named in the settings",
        identity=image_identity(image, _VARIABLES),
    )
