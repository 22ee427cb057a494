"""Builds the archives that a hostile or an honest sandbox would send out."""

import io
import tarfile
from collections.abc import Mapping


def an_archive(files: Mapping[str, bytes], *, format: int = tarfile.GNU_FORMAT) -> bytes:
    """Return an archive of regular files."""
    return an_archive_of(*((a_member(name), data) for name, data in files.items()), format=format)


def an_archive_of(
    *members: tuple[tarfile.TarInfo, bytes], format: int = tarfile.GNU_FORMAT
) -> bytes:
    """Return an archive of members made by hand."""
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=format, encoding="utf-8", errors="surrogateescape"
    ) as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def a_member(
    name: str, *, kind: bytes = tarfile.REGTYPE, mode: int = 0o644, target: str = ""
) -> tarfile.TarInfo:
    """Return the header of one member."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.mode = mode
    info.linkname = target
    return info
