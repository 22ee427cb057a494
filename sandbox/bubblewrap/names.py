"""Names of control groups that say whose they are; a group has no labels like a container."""

import hashlib

from sandbox.owner import PREFIX, is_abandoned, this_process

_FIELDS = ("pid", "start", "expires")


def owned_name(lease_s: int, token: str) -> str:
    """Return a name for something that this process owns for at most the lease."""
    labels = this_process().labels(lease_s)
    return "-".join([*(labels[PREFIX + field] for field in _FIELDS), _here(), token])


def is_name_abandoned(name: str) -> bool:
    """Tell whether the owner in the name is dead or the lease over; False for foreign names."""
    parts = name.split("-")
    if len(parts) != len(_FIELDS) + 2:
        return False
    labels = {PREFIX + field: part for field, part in zip(_FIELDS, parts, strict=False)}
    # Who is of another boot or pid namespace is none of the living ones here.
    place = this_process().place if parts[-2] == _here() else ""
    return is_abandoned({**labels, PREFIX + "place": place})


def _here() -> str:
    """Return a short form of this boot and pid namespace."""
    return hashlib.sha256(this_process().place.encode()).hexdigest()[:12]
