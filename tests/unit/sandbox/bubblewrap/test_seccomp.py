"""The system call filter, run by a small machine that knows what the kernel would do."""

import struct

import pytest

from sandbox.bubblewrap.seccomp import seccomp_program

ALLOW, NOT_PERMITTED, NO_SUCH_CALL = 0x7FFF0000, 0x50001, 0x50026
ARCHES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def answer(program: bytes, arch: int, number: int, first_argument: int = 0) -> int:
    """Run a filter over one system call."""
    data = struct.pack("<IIQQ", number, arch, 0, first_argument)
    steps = list(struct.iter_unpack("=HBBI", program))
    at = accumulator = 0
    while True:
        operation, then, otherwise, value = steps[at]
        at += 1
        match operation:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, value)
            case 0x06:
                return value
            case 0x15:
                at += then if accumulator == value else otherwise
            case 0x35:
                at += then if accumulator >= value else otherwise
            case 0x45:
                at += then if accumulator & value else otherwise
            case _:
                raise AssertionError(f"unknown operation {operation:#x}")


@pytest.mark.parametrize("machine", ARCHES)
def test_everyday_calls_pass(machine: str) -> None:
    program = seccomp_program(machine)
    assert program is not None
    everyday = {
        "x86_64": (0, 1, 2, 3, 9, 39, 41, 57, 59, 101, 105, 117, 157, 202, 231, 257, 293, 317, 437),
        "aarch64": (56, 57, 63, 64, 93, 94, 98, 117, 146, 147, 167, 198, 221, 222, 277, 437, 439),
    }[machine]
    assert {answer(program, ARCHES[machine], number) for number in everyday} == {ALLOW}


@pytest.mark.parametrize(
    ("machine", "numbers"),
    [
        ("x86_64", (165, 166, 155, 272, 308, 321, 246, 175, 313, 425, 430, 442, 304, 250, 298)),
        ("aarch64", (40, 39, 41, 97, 268, 280, 104, 105, 273, 425, 430, 442, 265, 219, 241)),
    ],
)
def test_calls_that_widen_the_kernel_are_refused(machine: str, numbers: tuple[int, ...]) -> None:
    program = seccomp_program(machine)
    assert program is not None
    assert {answer(program, ARCHES[machine], n) for n in numbers} == {NOT_PERMITTED}


@pytest.mark.parametrize(("machine", "clone"), [("x86_64", 56), ("aarch64", 220)])
def test_clone_makes_processes_and_threads_but_no_namespaces(machine: str, clone: int) -> None:
    program = seccomp_program(machine)
    assert program is not None
    arch = ARCHES[machine]
    fork, thread = 0x01200011, 0x3D0F00
    assert answer(program, arch, clone, fork) == ALLOW
    assert answer(program, arch, clone, thread) == ALLOW
    new_namespaces = [1 << bit for bit in (17, 25, 26, 27, 28, 29, 30)]
    answers = {answer(program, arch, clone, fork | flag) for flag in new_namespaces}
    assert answers == {NOT_PERMITTED}
    assert answer(program, arch, 435) == NO_SUCH_CALL


def test_calls_in_another_guise_do_not_exist() -> None:
    program = seccomp_program("x86_64")
    assert program is not None
    assert answer(program, 0x40000003, 1) == NO_SUCH_CALL, "32-bit"
    assert answer(program, ARCHES["x86_64"], 0x40000000 + 165) == NO_SUCH_CALL, "x32"


def test_an_unknown_processor_has_no_filter() -> None:
    assert seccomp_program("mips") is None


def test_the_filter_fits_into_what_the_kernel_takes() -> None:
    for machine in ARCHES:
        program = seccomp_program(machine)
        assert program is not None
        assert len(program) // 8 <= 4096
