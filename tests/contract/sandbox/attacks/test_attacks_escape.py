"""Attacks on the walls: links, foreign files, read-only places, rights, other processes."""

import os
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

from sandbox.base import FileWrite, LinkWrite, Reason
from tests.support.attacks import CANARY, Scene
from tests.support.sandboxes import MIB

TRY = """
import os
def attempt(what, *arguments, **more):
    try:
        print("GOT", what.__name__, arguments, what(*arguments, **more))
    except (OSError, ValueError) as error:
        print("no", what.__name__, arguments, error)
def read(path):
    with open(path, "rb") as file:
        return file.read(100)
def write(path):
    with open(path, "r+b") as file:
        file.write(b"broken")
def create(path):
    with open(path, "xb") as file:
        file.write(b"broken")
"""


async def assert_nothing_works(scene: Scene, program: str) -> None:
    """Run attempts of which not one may succeed."""
    end = await scene.attack(TRY + program)
    assert (end.reason, end.exit_code) == (Reason.EXITED, 0), end.output
    assert b"no " in end.output, "nothing was attempted"
    assert b"GOT" not in end.output, end.output.decode()


async def test_a_symlink_out_of_the_tree_leads_nowhere(scene: Scene) -> None:
    await assert_nothing_works(
        scene,
        """
os.symlink(OUTSIDE, "out")
os.symlink("../outside/canary", "out2")
attempt(os.listdir, "out")
attempt(write, "out/canary")
attempt(create, "out/new")
attempt(write, "out2")
attempt(write, "link")
attempt(read, "link")
""",
    )


async def test_what_is_beside_the_tree_is_not_there(scene: Scene) -> None:
    await assert_nothing_works(
        scene,
        """
attempt(os.listdir, OUTSIDE)
attempt(read, OUTSIDE + "/canary")
attempt(write, os.path.dirname(REPO) + "/beside")
""",
    )


async def test_a_hard_link_to_a_file_of_the_host_cannot_be_made(scene: Scene) -> None:
    await assert_nothing_works(
        scene,
        """
for path in ("/usr/bin/env", "/etc/passwd", OUTSIDE + "/canary", "/proc/self/exe"):
    attempt(os.link, path, "hard" + path.replace("/", "_"))
""",
    )


async def test_a_folder_swapped_for_a_link_does_not_mislead_the_host(scene: Scene) -> None:
    """The next sync and the next reading go through names that commands may have changed."""
    sandbox = scene.sandbox
    await scene.attack(
        """
import os, shutil
shutil.rmtree("src")
os.symlink("/usr", "src")
os.symlink("/etc/passwd", "secret")
"""
    )
    assert await sandbox.read_file("secret", limit_bytes=MIB) is None
    assert await sandbox.read_file("src/bin/env", limit_bytes=MIB) is None
    await sandbox.sync([FileWrite(path="src/code.py", data=b"x = 2\n")])
    assert await sandbox.read_file("src/code.py", limit_bytes=MIB) == b"x = 2\n"


async def test_a_link_of_the_host_is_text_inside(scene: Scene) -> None:
    await scene.sandbox.sync([LinkWrite(path="out", target=str(scene.outside / "canary"))])
    await scene.sandbox.sync([FileWrite(path="out", data=b"mine\n")])
    assert await scene.sandbox.read_file("out", limit_bytes=MIB) == b"mine\n"
    assert (scene.outside / "canary").read_bytes() == CANARY


async def test_secrets_of_the_host_cannot_be_read(scene: Scene) -> None:
    home = str(Path.home())
    await assert_nothing_works(
        scene,
        f"""
home = {home!r}
for path in ("/etc/shadow", "/etc/sudoers", "/etc/ssh", "/root/.bashrc", "/root/.ssh",
             home + "/.bashrc", home + "/.profile", home + "/.ssh", home + "/.gitconfig",
             "/var/run/docker.sock", "/run/docker.sock", "/var/lib/docker", "/run/containerd",
             "/var/log/dpkg.log", "/boot", "/proc/kcore", "/proc/kmsg", "/dev/mem", "/dev/kmsg",
             "/dev/vda", "/dev/sda", "/dev/nvme0n1", "/host"):
    attempt(os.listdir if os.path.isdir(path) else read, path)
""",
    )


async def test_shared_memory_of_the_host_is_not_there(scene: Scene) -> None:
    shared = SharedMemory(create=True, size=4096)
    try:
        await assert_nothing_works(
            scene,
            f"""
from multiprocessing.shared_memory import SharedMemory
attempt(SharedMemory, {shared.name!r})
attempt(read, "/dev/shm/" + {shared.name!r})
""",
        )
    finally:
        shared.close()
        shared.unlink()


async def test_the_environment_of_the_host_is_not_inherited(scene: Scene) -> None:
    end = await scene.shell("env; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'")
    assert end.exit_code is not None
    names = {line.partition(b"=")[0].decode() for line in end.output.splitlines() if b"=" in line}
    foreign = {name for name in names if name in os.environ} - {
        "HOME", "USER", "LOGNAME", "PATH", "LANG", "TMPDIR", "PWD", "SHLVL", "_", "HOSTNAME",
        "VIRTUAL_ENV",
    }  # fmt: skip
    assert foreign == set()


async def test_processes_of_the_host_cannot_be_seen(scene: Scene) -> None:
    end = await scene.attack(
        """
import os
print(*(int(name) for name in os.listdir("/proc") if name.isdigit()))
"""
    )
    assert max(map(int, end.output.split())) < os.getpid()
    assert len(end.output.split()) < 8


async def test_read_only_places_stay_read_only(scene: Scene) -> None:
    await assert_nothing_works(
        scene,
        """
for path in ("/", "/usr", "/usr/bin", "/etc", "/bin", "/lib", "/dev", "/proc", "/sys", "/run",
             "/home", "/root", "/var"):
    attempt(create, os.path.join(path, "new-file"))
for path in ("/etc/passwd", "/usr/bin/env", "/bin/sh", "/proc/sys/kernel/core_pattern",
             "/proc/sys/kernel/hostname", "/proc/sys/vm/drop_caches", "/proc/sysrq-trigger",
             "/proc/sys/net/ipv4/ip_forward", "/proc/sys/fs/binfmt_misc/register", "/proc/kcore",
             "/sys/kernel/uevent_helper", "/sys/fs/cgroup/memory/memory.limit_in_bytes",
             "/sys/fs/cgroup/cgroup.procs", "/proc/irq/0/smp_affinity"):
    attempt(write, path)
    attempt(os.remove, path)
attempt(os.chmod, "/usr/bin/env", 0o777)
attempt(os.chmod, "/", 0o777)
""",
    )


async def test_no_right_of_root_is_left(scene: Scene) -> None:
    await assert_nothing_works(
        scene,
        """
attempt(os.setuid, 0)
attempt(os.setresuid, 0, 0, 0)
attempt(os.setgroups, [0])
attempt(os.chown, "README", 0, 0)
attempt(os.chroot, "/tmp")
attempt(os.mknod, "device", 0o060666, os.makedev(8, 0))
attempt(os.nice, -5)
attempt(os.kill, 1, 9) if os.getpid() == 1 else print("no kill of itself")
""",
    )
    status = await scene.shell(
        "grep -E '^(CapEff|CapPrm|CapInh|CapAmb|NoNewPrivs)' /proc/self/status"
    )
    assert status.output.split() == [
        *(b"CapInh:", b"0000000000000000", b"CapPrm:", b"0000000000000000"),
        *(b"CapEff:", b"0000000000000000", b"CapAmb:", b"0000000000000000", b"NoNewPrivs:", b"1"),
    ]


async def test_a_setuid_program_gives_nothing(scene: Scene) -> None:
    await assert_nothing_works(
        scene,
        """
import shutil, subprocess
def run(*argv):
    if shutil.which(argv[0]) is None:
        raise OSError(argv[0] + " is not here")
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode:
        raise OSError(done.stderr)
    return done.stdout
attempt(run, "su", "-c", "true")
attempt(run, "mount", "-t", "tmpfs", "none", "/tmp")
attempt(run, "umount", "/proc")
attempt(run, "passwd", "-S", "root")
attempt(run, "chfn", "-f", "me")
""",
    )


async def test_calls_that_build_walls_are_refused(scene: Scene) -> None:
    """Straight to the kernel, past whatever the library would check."""
    end = await scene.attack(
        """
import ctypes, os, platform
numbers = {
    "x86_64": dict(mount=165, umount2=166, unshare=272, setns=308, pivot_root=155, bpf=321),
    "aarch64": dict(mount=40, umount2=39, unshare=97, setns=268, pivot_root=41, bpf=280),
}[platform.machine()]
libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWUSER, CLONE_NEWNS, MNT_DETACH = 0x10000000, 0x00020000, 2
for name, *arguments in (
    ("mount", b"none", b"/tmp", b"tmpfs", 0, None),
    ("umount2", b"/proc", MNT_DETACH),
    ("unshare", CLONE_NEWUSER),
    ("unshare", CLONE_NEWNS),
    ("setns", os.open("/proc/self/ns/net", os.O_RDONLY), 0),
    ("pivot_root", b"/tmp", b"/tmp"),
    ("bpf", 0, None, 0),
):
    print(name, libc.syscall(numbers[name], *arguments), os.strerror(ctypes.get_errno()))
"""
    )
    lines = end.output.decode().splitlines()
    assert len(lines) == 7, lines
    assert all(line.endswith(" -1 Operation not permitted") for line in lines), lines


async def test_a_new_user_namespace_cannot_be_had_by_clone_either(scene: Scene) -> None:
    end = await scene.attack(
        """
import ctypes, os, platform
libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWUSER, SIGCHLD = 0x10000000, 17
clone, clone3 = {"x86_64": (56, 435), "aarch64": (220, 435)}[platform.machine()]
done = libc.syscall(clone, CLONE_NEWUSER | SIGCHLD, None, None, None, None)
if done == 0:
    os._exit(0)
print(done, ctypes.get_errno())
class Arguments(ctypes.Structure):
    names = ("flags", "pidfd", "tid", "ptid", "sig", "stack", "size", "tls")
    _fields_ = list(zip(names, [ctypes.c_uint64] * len(names)))
wanted = Arguments(flags=CLONE_NEWUSER, sig=SIGCHLD)
done = libc.syscall(clone3, ctypes.byref(wanted), ctypes.sizeof(wanted))
if done == 0:
    os._exit(0)
print(done, ctypes.get_errno())
"""
    )
    first, second = end.output.splitlines()
    assert first == b"-1 1"
    assert second in (b"-1 38", b"-1 1")
