"""The ways on which clients reach this process: its own streams, or a TCP port.

A port of ours starts programs on this machine: it is opened on loopback only. (`websocket` is the
third way, on its own for what it imports.)
"""

import logging
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol, TypeVar

import anyio
from anyio.abc import SocketAttribute, SocketStream

from agent.errors import ConfigError
from lsp_server.wire.streams import DescriptorStream, FramedWire, Wire

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Serve(Protocol):
    """Carries one client to its end."""

    async def __call__(self, wire: Wire, *, watches_parent: bool) -> bool:
        """Return whether the client left in order; never raises but cancellation."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen."""

    host: str
    port: int
    """0: any free one."""


def loopback_address(text: str) -> Address:
    """Return `PORT` or `HOST:PORT` as an address.

    Raises:
        ConfigError: It is none, or it is not on this machine's loopback.
    """
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    if host in {"", "localhost"}:
        host = "127.0.0.1"
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise ConfigError(f"{text} is no address.", remedy="Write PORT or 127.0.0.1:PORT.")
    if not _is_loopback(host):
        raise ConfigError(
            f"{host} can be reached from other machines, and whoever reaches the server runs code.",
            remedy="Listen on 127.0.0.1 and forward the port, with `ssh -L` for one.",
        )
    return Address(host=host, port=int(port))


async def serve_streams(serve: Serve) -> bool:
    """Serve the client at this process' stdin and stdout; return whether it left in order."""
    stream = _take_streams()
    return await serve(FramedWire(stream), watches_parent=True)


async def serve_tcp(serve: Serve, address: Address, *, once: bool) -> bool:
    """Serve clients one after the other and at once, until cancelled; with `once`, the first."""
    listener = await listening(
        anyio.create_tcp_listener, local_host=address.host, local_port=address.port
    )
    here = listener.extra(SocketAttribute.local_address)  # noqa: S610 - this is no Django
    announce("tcp", here)
    left_in_order = False
    with anyio.CancelScope() as scope:

        async def carry_through(stream: SocketStream) -> None:
            nonlocal left_in_order
            async with stream:
                left_in_order = await serve(FramedWire(stream), watches_parent=False)
            if once:
                scope.cancel()

        async with listener:
            await listener.serve(carry_through)
    return left_in_order


async def listening(open_port: Callable[..., Awaitable[T]], **where: object) -> T:
    """Open a port.

    Raises:
        ConfigError: It cannot be had.
    """
    try:
        return await open_port(**where)
    except OSError as exc:
        place = " port ".join(str(part) for part in where.values())
        reason = os.strerror(exc.errno) if exc.errno else str(exc)
        raise ConfigError(
            f"cannot listen on {place}: {reason}.", remedy="Name another port; 0 takes a free one."
        ) from exc


def announce(scheme: str, address: object) -> None:
    """Tell on stderr where clients find us."""
    host, port = address[:2] if isinstance(address, tuple) else (address, "")
    shown = f"[{host}]" if ":" in str(host) else host
    with suppress(OSError):
        sys.stderr.write(f"greenloop-lsp: listening on {scheme}://{shown}:{port}\n")
        sys.stderr.flush()


def _take_streams() -> DescriptorStream:
    """Keep stdin and stdout for the client alone.

    Whatever else is printed in this process or by a child of it goes to stderr, and a child reads
    nothing: one stray line between two messages would end the connection.
    """
    stream = DescriptorStream(read_from=os.dup(0), write_to=os.dup(1))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return stream


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
