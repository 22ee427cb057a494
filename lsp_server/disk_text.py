"""How a client reads a file as text, found by comparing the two; and text back into bytes.

LSP never says in which encoding an editor reads or saves. What reproduces the text that the editor
shows is what it uses; where several do, they have to agree on the bytes of a newer text too.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_OTHERS: Final = (
    "cp1252", "latin-1", "iso8859-15", "iso8859-2", "cp1250", "cp1251", "koi8-r", "cp1253",
    "iso8859-7", "cp1254", "shift_jis", "cp932", "euc_jp", "gb18030", "big5", "euc_kr", "cp949",
    "cp437", "mac-roman", "utf-16-le", "utf-16-be",
)  # fmt: skip
"""What VS Code and Neovim offer, the frequent ones."""
_EMPTY: Final = frozenset({"", "\n", "\r\n"})
"""What an empty file may be shown as: Neovim has a line end in it."""
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskText:
    """The way from a client's text to the bytes of its file."""

    encodings: tuple[str, ...]
    """Each that reproduces the text; none: the client shows replacement characters."""
    mark: bytes = b""
    """Byte order mark that the client does not show."""
    adds_returns: bool = False
    """The client shows LF where the file has CR LF."""

    def encode(self, text: str) -> bytes | None:
        """Return the file's bytes for a text; None where they cannot be known."""
        if self.adds_returns:
            text = text.replace("\n", "\r\n")
        found: set[bytes] = set()
        for encoding in self.encodings:
            try:
                found.add(self.mark + text.encode(encoding))
            except UnicodeEncodeError:
                continue
        return found.pop() if len(found) == 1 else None


def disk_text_of(data: bytes, text: str, like: DiskText | None = None) -> DiskText | None:
    """Return how these bytes are read as this text; None where in no way: they differ.

    `like`: how the client read the file before; it shows line ends in the same manner again.
    """
    if not data and text in _EMPTY:
        return DiskText(encodings=("utf-8",))
    found: dict[tuple[bytes, bool], list[str]] = {}
    for mark, encoding, shown in _readings(data):
        fits, adds_returns = _is_same(shown, text)
        if fits and (like is None or adds_returns == like.adds_returns):
            found.setdefault((mark, adds_returns), []).append(encoding)
            if encoding == "utf-8":
                break
    for (mark, adds_returns), encodings in found.items():
        return DiskText(encodings=tuple(encodings), mark=mark, adds_returns=adds_returns)
    fits, adds_returns = _is_same(data.decode("utf-8", "replace"), text)
    if fits and (like is None or adds_returns == like.adds_returns):
        return DiskText(encodings=(), adds_returns=adds_returns)
    return None


def guess_disk_text(data: bytes | None, text: str) -> DiskText | None:
    """Return how a client most likely reads a file that differs from its text; None: unknown.

    `data`: the file as it is; None: there is none yet.
    """
    if data is None:
        return DiskText(encodings=("utf-8",))
    for mark, encoding, shown in _readings(data):
        if mark or encoding == "utf-8":
            adds_returns = "\r" not in text and _ends(shown) == {"\r\n"}
            return DiskText(encodings=(encoding,), mark=mark, adds_returns=adds_returns)
    return None


def is_empty(text: str) -> bool:
    """Tell whether a text is what a file without a byte is shown as."""
    return text in _EMPTY


def read_bytes(path: Path) -> bytes | None:
    """Return what a file holds; None where there is none, or none that can be read."""
    try:
        return path.read_bytes() if path.is_file() else None
    except OSError:
        return None


def _readings(data: bytes) -> Iterator[tuple[bytes, str, str]]:
    """Yield mark, encoding and text of every way to read the bytes, the likely ones first."""
    from agent.edits.encoding import encoding_of  # not before a first document is there

    for mark, encoding in _MARKS:
        if data.startswith(mark) and (shown := _decoded(data[len(mark) :], encoding)) is not None:
            yield mark, encoding, shown
    named = encoding_of(data)
    for encoding in dict.fromkeys(("utf-8", named, *_OTHERS)):
        if (shown := _decoded(data, encoding)) is not None:
            yield b"", encoding, shown


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _is_same(disk: str, text: str) -> tuple[bool, bool]:
    """Tell whether a client shows the one as the other, and whether it hides the CR of CR LF."""
    if disk == text:
        return True, False
    ends = _ends(disk)
    if ends == {"\r\n"} and "\r" not in text:
        return disk.replace("\r\n", "\n") == text, True
    # An editor with one line end for a file makes mixed ones alike as it reads them.
    mixed = len(ends) > 1 and len(_ends(text)) == 1
    return mixed and _LINE_END.sub("\n", disk) == _LINE_END.sub("\n", text), False


def _ends(text: str) -> set[str]:
    return set(_LINE_END.findall(text)) if "\r" in text else ({"\n"} if "\n" in text else set())
