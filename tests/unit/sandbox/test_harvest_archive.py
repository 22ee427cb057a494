"""The reader of untrusted archives: right on honest ones, at rest on crafted ones."""

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.harvest_archive import Damaged, Kind, Member, read_members
from tests.support.archives import a_member, an_archive, an_archive_of

LONG = "/".join(["folder"] * 40) + "/file.py"
FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]


def names(archive: bytes) -> list[str]:
    return [item.name if isinstance(item, Member) else item.why for item in read_members(archive)]


@pytest.mark.parametrize("format", FORMATS)
def test_long_names_are_read_in_every_common_format(format: int) -> None:
    name = LONG[:150] if format == tarfile.USTAR_FORMAT else LONG
    assert names(an_archive({name: b"x", "b": b"y"}, format=format)) == [name, "b"]


def test_a_member_carries_its_content_and_kind() -> None:
    (member,) = read_members(an_archive_of((a_member("a", mode=0o755), b"content")))
    assert isinstance(member, Member)
    assert (member.kind, member.executable, bytes(member.data)) == (Kind.FILE, True, b"content")


@given(
    st.dictionaries(
        st.text(
            st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1
        ).filter(lambda name: not name.endswith("/")),
        st.binary(max_size=1500),
        max_size=6,
    ),
    st.sampled_from(FORMATS[1:]),
)
def test_it_agrees_with_the_standard_library_on_honest_archives(
    files: dict[str, bytes], format: int
) -> None:
    archive = an_archive(files, format=format)
    read = [(m.name, bytes(m.data)) for m in read_members(archive) if isinstance(m, Member)]
    with tarfile.open(fileobj=io.BytesIO(archive), encoding="utf-8") as tar:
        assert read == [(m.name, tar.extractfile(m).read()) for m in tar]  # type: ignore[union-attr]


@given(st.binary(max_size=5_000), st.integers(0, 2_000))
def test_damage_anywhere_ends_the_reading_in_order(noise: bytes, at: int) -> None:
    archive = bytearray(an_archive({LONG: b"x" * 600, "b": b"y"}, format=tarfile.PAX_FORMAT))
    archive[at : at + len(noise)] = noise
    items = list(read_members(bytes(archive)))
    assert all(isinstance(item, Member) for item in items[:-1])


def header(**fields: tuple[int, bytes]) -> bytes:
    """Return the header of a file `a` with some fields overwritten and the checksum mended."""
    block = bytearray(an_archive({"a": b""})[:512])
    for offset, value in fields.values():
        block[offset : offset + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def test_a_wrong_checksum_is_damage() -> None:
    block = bytearray(header())
    block[0] ^= 1
    assert names(bytes(block)) == ["the archive has a header that makes no sense"]


@pytest.mark.parametrize("size", [b"\xff" * 12, b"not octal!\0\0", b"-1\0"])
def test_a_size_that_is_no_number_is_damage(size: bytes) -> None:
    assert names(header(size=(124, size))) == ["the archive has a header that makes no sense"]


def test_a_size_beyond_the_archive_is_damage_and_costs_no_memory() -> None:
    assert names(header(size=(124, b"\x80" + b"\xff" * 11))) == [
        "the archive ends in the middle of a file"
    ]


def test_an_empty_size_is_zero() -> None:
    assert names(header(size=(124, b"\0" * 12))) == ["a"]


def test_a_stump_of_a_header_is_damage() -> None:
    assert names(header() + b"stump") == ["a", "the archive ends in the middle of a header"]


def test_zeros_end_the_archive_whatever_follows() -> None:
    assert names(header() + bytes(512) + b"noise" * 300) == ["a"]


def pax(records: bytes) -> bytes:
    """Return an extended header with these records, then a file `a` of one byte."""
    extended = header(kind=(156, b"x"), size=(124, b"%011o\0" % len(records)))
    padding = bytes(-len(records) % 512)
    return extended + records + padding + header(size=(124, b"%011o\0" % 1)) + b"1" + bytes(511)


@pytest.mark.parametrize(
    "records",
    [
        b"no length\n",
        b"99 path=b\n",
        b"9 path b\n\n",
        b"9 path=bcd",
        b"0 path=b\n",
        b"\xb2 path=b\n",
        b"12345678 path=b\n",
    ],
)
def test_malformed_pax_records_are_damage(records: bytes) -> None:
    assert names(pax(records)) == ["the archive has an extended header that makes no sense"]


def test_pax_records_name_the_next_member_only() -> None:
    assert names(pax(b"10 path=b\n") + header()) == ["b", "a"]


def test_a_pax_size_beats_the_header() -> None:
    assert names(pax(b"10 size=1\n")) == ["a"]
    assert names(pax(b"12 size=-10\n")) == ["the archive has a header that makes no sense"]


def test_a_sparse_file_in_pax_clothes_is_known_as_one() -> None:
    (member,) = read_members(pax(b"22 GNU.sparse.major=1\n"))
    assert isinstance(member, Member)
    assert member.kind is Kind.SPARSE


def test_a_global_header_says_nothing_about_names() -> None:
    (member,) = read_members(header(kind=(156, b"g")) + header())
    assert isinstance(member, Member)
    assert member.name == "a"


def test_an_extended_header_without_end_is_damage() -> None:
    long = header(kind=(156, b"L"), size=(124, b"%011o\0" % (128 * 1024)))
    items = list(read_members(long + b"x" * 128 * 1024))
    assert items == [Damaged("the archive has an extended header that makes no sense")]
