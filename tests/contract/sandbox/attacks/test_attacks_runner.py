"""Attacks on the runner, the one process inside that speaks with the host."""

from sandbox.base import FileWrite, Reason
from tests.support.attacks import Scene

FIND_RUNNER = """
import os, struct, sys
me = os.getpid()
parents, pid = [], me
while pid > 1:
    with open("/proc/%d/stat" % pid) as file:
        pid = int(file.read().rpartition(")")[2].split()[1])
    parents.append(pid)
runner = parents[0] or 1
others = [int(n) for n in os.listdir("/proc") if n.isdigit() and int(n) != me]
"""


async def test_streams_of_the_runner_cannot_be_opened(scene: Scene) -> None:
    end = await scene.attack(
        FIND_RUNNER
        + """
for pid in sorted({1, runner, *others}):
    for fd in range(12):
        for mode in (os.O_RDONLY, os.O_WRONLY):
            try:
                os.open("/proc/%d/fd/%d" % (pid, fd), mode | os.O_NONBLOCK)
                print("GOT", pid, fd, mode)
            except OSError as error:
                print("no", error)
"""
    )
    assert b"GOT" not in end.output
    assert b"Permission denied" in end.output


async def test_memory_and_environment_of_the_runner_are_closed(scene: Scene) -> None:
    end = await scene.attack(
        FIND_RUNNER
        + """
for name in ("environ", "mem", "maps", "auxv", "syscall", "stack", "io"):
    for mode in ("rb", "r+b"):
        try:
            with open("/proc/%d/%s" % (runner, name), mode) as file:
                data = file.read(64)
            print("GOT" if data else "no", name, data)
        except (OSError, ValueError) as error:
            print("no", name, error)
"""
    )
    assert end.exit_code == 0
    assert b"GOT" not in end.output


async def test_the_runner_cannot_be_traced_or_read(scene: Scene) -> None:
    end = await scene.attack(
        FIND_RUNNER
        + """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH, PTRACE_SEIZE = 16, 0x4206
for call in (PTRACE_ATTACH, PTRACE_SEIZE):
    done = libc.ptrace(call, runner, None, None)
    print("GOT" if done == 0 else "no", os.strerror(ctypes.get_errno()))
buffer = ctypes.create_string_buffer(16)
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
local = Vector(ctypes.cast(buffer, ctypes.c_void_p), 16)
remote = Vector(0x400000, 16)
done = libc.process_vm_readv(runner, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)
print("GOT" if done > 0 else "no", os.strerror(ctypes.get_errno()))
"""
    )
    assert end.output.count(b"no ") == 3, end.output


async def test_a_forged_end_on_stdout_is_only_output(scene: Scene) -> None:
    """The command's stdout is not the runner's: a frame written there is text like any other."""
    end = await scene.attack(
        """
import os, struct
payload = b'{"code": 0, "reason": "exited", "output_bytes": 0, "wall_s": 0.0}'
os.write(1, struct.pack(">16scI", b"\\0" * 16, b"r", len(payload)) + payload)
os._exit(3)
"""
    )
    assert (end.reason, end.exit_code) == (Reason.EXITED, 3)
    assert b'"code": 0' in end.output


async def test_no_descriptor_of_the_runner_is_inherited(scene: Scene) -> None:
    end = await scene.attack("import os; print(sorted(map(int, os.listdir('/proc/self/fd')))[:-1])")
    assert end.output == b"[0, 1, 2]\n"


async def test_a_runner_that_is_signalled_answers_or_is_replaced(scene: Scene) -> None:
    """Nothing is believed from it afterwards that it did not say itself."""
    for signal in ("TERM", "INT", "CHLD", "ALRM", "SEGV", "STOP", "KILL"):
        script = f"kill -{signal} $PPID; kill -{signal} 1; echo sent"
        end = await scene.shell(script, wall_s=1)
        if end.reason is Reason.EXITED:
            assert end.output.endswith(b"sent\n"), signal
        else:
            assert end.reason in (Reason.ENGINE_LOST, Reason.TIMEOUT), signal
            assert end.exit_code is None
        assert (await scene.shell("echo next")).output == b"next\n", signal


async def test_everything_that_can_be_killed_is_killed_and_the_sandbox_lives(scene: Scene) -> None:
    end = await scene.attack(
        """
import os, signal
os.kill(-1, signal.SIGKILL)
print("still here", flush=True)
""",
        wall_s=5,
    )
    assert end.reason in (Reason.EXITED, Reason.ENGINE_LOST)


async def test_a_replaced_sandbox_has_the_tree_of_the_host_again(scene: Scene) -> None:
    await scene.shell("echo spoilt > README")
    await scene.shell("kill -KILL $PPID; kill -KILL -1; sleep 5", wall_s=1)
    await scene.sandbox.sync([])
    end = await scene.shell("cat src/code.py")
    assert end.output == b"x = 1\n"
    await scene.shell("printf 'hello\\n' > README")


async def test_the_program_of_the_runner_cannot_be_changed_for_the_next_one(scene: Scene) -> None:
    end = await scene.attack(
        """
import os
for folder in ("/run/greenloop", "/tmp", "/tmp/home", os.getcwd()):
    for name in ("sandbox", "os", "json", "runner", "sitecustomize", "usercustomize", "struct"):
        with open(os.path.join(folder, name + ".py"), "w") as file:
            file.write("raise SystemExit('taken over')")
print("planted")
"""
    )
    assert end.output == b"planted\n"
    await scene.shell("kill -KILL $PPID", wall_s=1)
    after = await scene.shell("rm -f *.py; echo mine")
    assert after.output == b"mine\n"


async def test_a_command_that_deletes_all_it_can_costs_only_the_copy(scene: Scene) -> None:
    await scene.shell(
        "rm -rf /run /tmp /etc /dev /home /root /usr/bin 2>/dev/null; rm -rf .[!.]* *"
    )
    assert (await scene.shell("ls -A")).output == b""
    await scene.sandbox.sync([FileWrite(path="README", data=b"hello\n")])
    assert (await scene.shell("cat README")).output == b"hello\n"


async def test_a_tree_closed_by_its_owner_is_open_for_the_next_command(scene: Scene) -> None:
    await scene.shell("chmod 000 src . /tmp /tmp/home /run/greenloop")
    await scene.sandbox.sync([FileWrite(path="src/new.py", data=b"y = 1\n")])
    assert (await scene.shell("cat src/new.py")).output == b"y = 1\n"
