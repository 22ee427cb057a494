"""Attacks by network: nothing outside answers, and nothing outside is even reached."""

import socket
import subprocess
from collections.abc import Iterator

import pytest

from sandbox.base import Reason
from tests.support.attacks import Scene

TRY = """
import socket
def attempt(address, port, kind=socket.SOCK_STREAM, family=socket.AF_INET):
    try:
        with socket.socket(family, kind) as end:
            end.settimeout(1)
            end.connect((address, port))
            end.send(b"x")
            print("GOT", address, port, end.recv(10))
    except OSError as error:
        print("no", address, port, error)
"""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket of the host that listens on every address it has."""
    with socket.create_server(("0.0.0.0", 0)) as server:
        server.setblocking(False)
        yield server


def addresses_of_host() -> list[str]:
    """Return the host's own addresses, the container bridge among them."""
    done = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False)
    return [*done.stdout.split(), "172.17.0.1", "127.0.0.1", "0.0.0.0", "10.0.2.2"]


async def test_no_port_of_the_host_can_be_reached(scene: Scene, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    end = await scene.attack(
        TRY
        + f"""
for address in {[a for a in addresses_of_host() if ":" not in a]}:
    attempt(address, {port})
"""
    )
    assert end.exit_code == 0
    assert b"GOT" not in end.output
    with pytest.raises(BlockingIOError):
        listener.accept()


async def test_nothing_beyond_the_host_can_be_reached(scene: Scene) -> None:
    end = await scene.attack(
        TRY
        + """
attempt("169.254.169.254", 80)
attempt("1.1.1.1", 443)
attempt("8.8.8.8", 53, socket.SOCK_DGRAM)
attempt("127.0.0.53", 53, socket.SOCK_DGRAM)
attempt("fd00:ec2::254", 80, family=socket.AF_INET6)
attempt("2606:4700:4700::1111", 443, family=socket.AF_INET6)
""",
    )
    assert end.exit_code == 0
    assert b"GOT" not in end.output
    assert end.wall_s < 15


async def test_no_name_of_the_world_is_resolved(scene: Scene) -> None:
    end = await scene.attack(
        """
import socket
for name in ("example.com", "metadata.google.internal", "host.docker.internal"):
    try:
        print("GOT", name, socket.getaddrinfo(name, 80))
    except OSError as error:
        print("no", name, error)
"""
    )
    assert end.reason is Reason.EXITED
    assert len(end.output.splitlines()) == 3, end.output
    assert b"GOT" not in end.output


async def test_there_is_no_interface_but_loopback(scene: Scene) -> None:
    end = await scene.attack("import socket; print([name for _, name in socket.if_nameindex()])")
    assert b"lo" in end.output
    assert not any(kind in end.output for kind in (b"eth", b"docker", b"veth", b"wlan", b"en"))


async def test_packets_cannot_be_forged(scene: Scene) -> None:
    end = await scene.attack(
        """
import socket
for family, kind in ((socket.AF_PACKET, socket.SOCK_RAW), (socket.AF_INET, socket.SOCK_RAW)):
    try:
        socket.socket(family, kind, socket.IPPROTO_ICMP)
        print("GOT", family)
    except OSError as error:
        print("no", error)
"""
    )
    assert end.output.count(b"no Op") + end.output.count(b"no [Errno 1]") == 2, end.output


async def test_a_hidden_socket_of_the_host_is_not_there(scene: Scene) -> None:
    """Abstract unix sockets belong to the network namespace, not to the file system."""
    with socket.socket(socket.AF_UNIX) as server:
        name = f"\0greenloop-attack-{scene.token}"
        server.bind(name)
        server.listen()
        end = await scene.attack(
            f"""
import socket
try:
    socket.socket(socket.AF_UNIX).connect({name!r})
    print("GOT it")
except OSError as error:
    print("no", error)
"""
        )
    assert end.output.startswith(b"no ")


async def test_loopback_inside_works(scene: Scene) -> None:
    """Many tests need it; a sandbox that breaks them teaches people to skip tests."""
    end = await scene.attack(
        """
import socket
server = socket.create_server(("127.0.0.1", 0))
near = socket.create_connection(("localhost", server.getsockname()[1]), timeout=2)
far, _ = server.accept()
far.sendall(b"hello")
print(near.recv(5).decode())
"""
    )
    assert (end.exit_code, end.output) == (0, b"hello\n")
