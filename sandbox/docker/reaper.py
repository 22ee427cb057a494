"""Removes what processes of ours left on the engine when they were killed."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.owner import MARK, is_abandoned

if TYPE_CHECKING:
    from docker import APIClient


def remove_abandoned(api: "APIClient") -> tuple[str, ...]:
    """Remove containers and volumes whose owner is dead or whose lease is over. Blocking.

    Untagged copies of our empty image go as well. Returns the names of what was removed.
    """
    mine = {"label": MARK}
    removed = [
        name
        for container in api.containers(all=True, filters=mine)
        if is_abandoned(container["Labels"] or {})
        for name in [container["Names"][0].lstrip("/")]
        if _is_removed(api.remove_container, name, v=True, force=True)
    ]
    removed += [
        volume["Name"]
        for volume in api.volumes(filters=mine)["Volumes"] or ()
        if is_abandoned(volume["Labels"] or {}) and _is_removed(api.remove_volume, volume["Name"])
    ]
    for image in api.images(filters={"label": MARK, "dangling": True}):
        _is_removed(api.remove_image, image["Id"])
    return tuple(sorted(removed))


def _is_removed(remove: Callable[..., object], name: str, **options: bool) -> bool:
    """Remove, and say whether it was us: another reaper may be at work, or it is in use."""
    import docker.errors

    try:
        remove(name, **options)
    except docker.errors.APIError:
        return False
    return True
