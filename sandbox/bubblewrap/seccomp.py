"""A system call filter for bubblewrap, as the kernel's own bytes.

bubblewrap by itself filters nothing. This keeps away the calls that only widen what of the
kernel can be attacked from inside: new namespaces and mounts, kernel modules, bpf, keys,
io_uring, the clock. The list is what the container engines' default profile withholds from a
process without capabilities. It knows the numbers of two processors; elsewhere there is no
filter, and the backend says so.
"""

import struct
from dataclasses import dataclass
from typing import Final

_LOAD_WORD = 0x20
_JUMP_IF_EQUAL = 0x15
_JUMP_IF_AT_LEAST = 0x35
_JUMP_IF_ANY_BIT = 0x45
_RETURN = 0x06
"""Classic BPF operations (linux/bpf_common.h)."""

_ALLOW = 0x7FFF0000
_NOT_PERMITTED = 0x00050000 | 1
_NO_SUCH_CALL = 0x00050000 | 38
"""SECCOMP_RET_ERRNO with EPERM and ENOSYS (linux/seccomp.h)."""

_AT_NUMBER, _AT_ARCH, _AT_FIRST_ARGUMENT = 0, 4, 16
"""Offsets in struct seccomp_data, the argument's lower half on a little-endian processor."""

_NEW_NAMESPACES = 0x7E020000
"""CLONE_NEW* without CLONE_NEWTIME, which clone() does not know (linux/sched.h)."""
_X32_CALLS = 0x40000000
"""From here on x86-64 has the same calls again in another guise."""


@dataclass(frozen=True, slots=True)
class _Processor:
    audit_arch: int
    clone: int
    denied: tuple[int, ...]


_CLONE3: Final = 435
_DENIED_EVERYWHERE: Final = (
    *range(425, 428),  # io_uring_setup, io_uring_enter, io_uring_register
    *range(428, 434),  # open_tree, move_mount, fsopen, fsconfig, fsmount, fspick
    442,  # mount_setattr
    443,  # quotactl_fd
)
_PROCESSORS: Final = {
    "x86_64": _Processor(
        audit_arch=0xC000003E,
        clone=56,
        denied=(
            *(103, 153, 155, 159),  # syslog, vhangup, pivot_root, adjtimex
            *(163, 164, 165, 166),  # acct, settimeofday, mount, umount2
            *(167, 168, 169),  # swapon, swapoff, reboot
            *(172, 173, 175, 176, 179),  # iopl, ioperm, init_module, delete_module, quotactl
            *(212, 227, 246),  # lookup_dcookie, clock_settime, kexec_load
            *(248, 249, 250, 272),  # add_key, request_key, keyctl, unshare
            *(
                298,
                300,
                304,
                305,
            ),  # perf_event_open, fanotify_init, open_by_handle_at, clock_adjtime
            *(308, 312, 313),  # setns, kcmp, finit_module
            *(320, 321, 323),  # kexec_file_load, bpf, userfaultfd
        ),
    ),
    "aarch64": _Processor(
        audit_arch=0xC00000B7,
        clone=220,
        denied=(
            *(18, 39, 40, 41),  # lookup_dcookie, umount2, mount, pivot_root
            *(58, 60, 89, 97),  # vhangup, quotactl, acct, unshare
            *(104, 105, 106),  # kexec_load, init_module, delete_module
            *(112, 116, 142),  # clock_settime, syslog, reboot
            *(170, 171),  # settimeofday, adjtimex
            *(217, 218, 219),  # add_key, request_key, keyctl
            *(224, 225),  # swapon, swapoff
            *(
                241,
                262,
                265,
                266,
            ),  # perf_event_open, fanotify_init, open_by_handle_at, clock_adjtime
            *(268, 272, 273, 280),  # setns, kcmp, finit_module, bpf
            *(282, 294),  # userfaultfd, kexec_file_load
        ),
    ),
}


def seccomp_program(machine: str) -> bytes | None:
    """Return the filter for a processor (`os.uname().machine`); None where it is not known."""
    processor = _PROCESSORS.get(machine)
    if processor is None:
        return None
    steps = [
        _step(_LOAD_WORD, _AT_ARCH),
        _step(_JUMP_IF_EQUAL, processor.audit_arch, then=1),
        _step(_RETURN, _NO_SUCH_CALL),
        _step(_LOAD_WORD, _AT_NUMBER),
    ]
    if machine == "x86_64":
        steps += _when(_JUMP_IF_AT_LEAST, _X32_CALLS, _NO_SUCH_CALL)
    # The flags of clone3 lie behind a pointer; told that it does not exist, libc uses clone.
    steps += _when(_JUMP_IF_EQUAL, _CLONE3, _NO_SUCH_CALL)
    for number in (*processor.denied, *_DENIED_EVERYWHERE):
        steps += _when(_JUMP_IF_EQUAL, number, _NOT_PERMITTED)
    steps += [
        _step(_JUMP_IF_EQUAL, processor.clone, otherwise=3),
        _step(_LOAD_WORD, _AT_FIRST_ARGUMENT),
        *_when(_JUMP_IF_ANY_BIT, _NEW_NAMESPACES, _NOT_PERMITTED),
        _step(_RETURN, _ALLOW),
    ]
    return b"".join(steps)


def _when(test: int, value: int, answer: int) -> list[bytes]:
    """Answer when the test holds, else go on."""
    return [_step(test, value, otherwise=1), _step(_RETURN, answer)]


def _step(operation: int, value: int, *, then: int = 0, otherwise: int = 0) -> bytes:
    """Return one instruction; `then` and `otherwise` are how many to skip."""
    return struct.pack("=HBBI", operation, then, otherwise, value)
