"""Bytes into bodies, whatever the pieces in which they come."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.wire import framing
from lsp_server.wire.framing import BrokenFraming, Frames, TooLarge, frame

BODIES = st.lists(st.binary(max_size=200), max_size=5)


@given(BODIES, st.lists(st.integers(min_value=1, max_value=30)))
def test_bodies_come_out_as_they_went_in_however_they_are_cut(
    bodies: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(map(frame, bodies))
    frames, got = Frames(), []
    for size in [*cuts, len(stream)]:
        piece, stream = stream[:size], stream[size:]
        frames.feed(piece)
        while (body := frames.next()) is not None:
            got.append(body)
    assert got == bodies
    assert frames.is_between_messages


@given(st.binary(max_size=400))
def test_any_bytes_are_bodies_a_refusal_or_not_enough(data: bytes) -> None:
    frames = Frames()
    frames.feed(data)
    with suppress(BrokenFraming):
        while frames.next() is not None:
            pass


@pytest.mark.parametrize(
    "header",
    [
        b"content-length: 2\r\n\r\n",
        b"Content-Length:2\r\n\r\n",
        b"Content-Length: 2\n\n",
        b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 2\r\n\r\n",
        b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n",
        b"\r\n\r\nContent-Length: 2\r\n\r\n",
    ],
)
def test_headers_are_read_as_http_has_them(header: bytes) -> None:
    frames = Frames()
    frames.feed(header + b"{}")
    assert frames.next() == b"{}"


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (b"Content-Type: x\r\n\r\n", "no Content-Length"),
        (b"Content-Length: -1\r\n\r\n", "no number"),
        (b"Content-Length: 1e3\r\n\r\n", "no number"),
        (b"Content-Length: \xb2\r\n\r\n", "no number"),
        (b"Content-Length: " + b"9" * 30 + b"\r\n\r\n", "no number"),
        (b"Content-Length: " + b"9" * 15 + b"\r\n\r\n", "was announced"),
        (b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "two lengths"),
        (b"hello\r\n\r\n", "without a colon"),
        (b"POST /a:b HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", "a request of HTTP"),
        (b"x" * 9000, "no end of a header"),
    ],
)
def test_a_stream_that_cannot_be_followed_is_refused(header: bytes, why: str) -> None:
    frames = Frames()
    frames.feed(header)
    with pytest.raises(BrokenFraming, match=why):
        frames.next()


def test_a_body_that_is_too_large_is_passed_over_without_being_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(framing, "BODY_LIMIT_BYTES", 100)
    frames = Frames()
    frames.feed(b"Content-Length: 1000\r\n\r\n" + b"x" * 10)
    assert frames.next() == TooLarge(length_bytes=1000)
    frames.feed(b"x" * 980)
    assert frames.next() is None
    assert not frames.is_between_messages
    frames.feed(b"x" * 10 + frame(b"{}"))
    assert frames.next() == b"{}"
