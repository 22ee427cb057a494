"""Being asked to end: once is heeded, twice is answered, three times leaves at once."""

import signal
import subprocess
import sys
import textwrap

import pytest

SCRIPT = textwrap.dedent(
    """
    import sys
    import anyio
    from agent.cli.signals import heed_signals

    async def work():
        async with anyio.create_task_group() as tasks:
            def cancel():
                print("cancelled", flush=True)
                if sys.argv[1] == "ends":
                    tasks.cancel_scope.cancel()
            def say(text):
                print(text, flush=True)
            await tasks.start(heed_signals, cancel, say)
            print("ready", flush=True)
            await anyio.sleep_forever()

    anyio.run(work)
    print("over", flush=True)
    if sys.argv[1] == "ends":
        sys.stdin.readline()
    """
)


def started(way: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, way],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_first_signal_ends_the_work_and_later_ones_do_not_disturb_the_end(
    asked: signal.Signals,
) -> None:
    with started("ends") as process:
        assert next_line(process) == "ready"
        process.send_signal(asked)
        assert next_line(process) == "cancelled"
        assert next_line(process) == "stopping: removing the sandbox ..."
        assert next_line(process) == "over"
        process.send_signal(asked)
        _, err = process.communicate("\n", timeout=30)
    assert (process.returncode, err) == (0, "")


def test_third_signal_leaves_at_once() -> None:
    with started("hangs") as process:
        assert next_line(process) == "ready"
        process.send_signal(signal.SIGINT)
        assert next_line(process) == "cancelled"
        assert next_line(process) == "stopping: removing the sandbox ..."
        process.send_signal(signal.SIGINT)
        assert next_line(process) == "still stopping; a third time leaves at once"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "")
