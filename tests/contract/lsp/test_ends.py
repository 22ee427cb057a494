"""How the process ends, and what its streams hold: on its own stdin and stdout."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.abc import Process

from tests.support.lsp import PATIENCE_S, framed, running_server, surroundings


async def test_shutdown_and_exit_end_it_with_0(tmp_path: Path) -> None:
    async with running_server(home=tmp_path) as editor:
        await editor.initialize()
        await editor.leave()
        assert await editor.exit_code() == 0


@pytest.mark.parametrize("methods", [["exit"], ["initialize", "exit"]])
async def test_exit_without_shutdown_ends_it_with_1(tmp_path: Path, methods: list[str]) -> None:
    async with running_server(home=tmp_path) as editor:
        if "initialize" in methods:
            await editor.initialize()
        await editor.notify("exit")
        assert await editor.exit_code() == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_signal_ends_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    async with running_server(home=tmp_path) as editor:
        await editor.initialize()
        await editor.request("greenloop/runs", {})
        editor.process.send_signal(number)
        assert await editor.exit_code() == 1
    assert "Traceback" not in (tmp_path / "server.log").read_text()


async def test_the_end_of_its_input_ends_it_with_1_or_0_after_shutdown(tmp_path: Path) -> None:
    async with running_server(home=tmp_path) as editor:
        await editor.initialize()
        await editor.request("greenloop/runs", {})
        await editor.process.stdin.aclose()
        assert await editor.exit_code() == 1
    async with running_server(home=tmp_path) as editor:
        await editor.initialize()
        await editor.request("shutdown")
        await editor.process.stdin.aclose()
        assert await editor.exit_code() == 0


def test_a_client_that_reads_no_more_ends_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "lsp_server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=surroundings(tmp_path),
    ) as server:
        server.stdout.close()
        body = b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}'
        server.stdin.write(framed(body))
        server.stdin.flush()
        try:
            assert server.wait(PATIENCE_S) == 1
            assert server.stderr.read() == b""
        finally:
            server.kill()


def test_input_from_a_file_and_output_into_one(tmp_path: Path) -> None:
    """Descriptors that cannot be waited for."""
    messages = b"".join(
        framed(body)
        for body in (
            b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}',
            b'{"jsonrpc":"2.0","id":2,"method":"shutdown"}',
            b'{"jsonrpc":"2.0","method":"exit"}',
        )
    )
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(messages)
    with source.open("rb") as stdin, target.open("wb") as stdout:
        done = subprocess.run(
            [sys.executable, "-m", "lsp_server"],
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=surroundings(tmp_path),
            timeout=PATIENCE_S,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b'"id":2' in target.read_bytes()


@asynccontextmanager
async def sleeper() -> AsyncGenerator[Process]:
    """A process that does nothing."""
    async with await anyio.open_process(["sleep", "600"]) as process:
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()


async def test_it_ends_with_the_process_that_the_editor_says_it_is(tmp_path: Path) -> None:
    """Its streams stay open here, as where a child of the editor inherited them."""
    async with sleeper() as parent, running_server(home=tmp_path) as editor:
        await editor.request("initialize", {"processId": parent.pid, "capabilities": {}})
        await editor.notify("initialized", {})
        await editor.request("greenloop/runs", {})
        parent.kill()
        assert await editor.exit_code() == 1


async def test_a_process_that_is_none_here_is_not_waited_for(tmp_path: Path) -> None:
    """As that of an editor outside the container in which the server runs."""
    async with running_server(home=tmp_path) as editor:
        await editor.request("initialize", {"processId": 2**22 + 5, "capabilities": {}})
        await editor.notify("initialized", {})
        assert await editor.request("greenloop/runs", {}) == {"runs": []}
        await editor.leave()
        assert await editor.exit_code() == 0


async def test_it_ends_with_the_process_given_on_the_command_line(tmp_path: Path) -> None:
    async with sleeper() as parent:
        arguments = ("--parent-pid", str(parent.pid))
        async with running_server(*arguments, home=tmp_path) as editor:
            await editor.initialize()
            parent.kill()
            assert await editor.exit_code() == 1


PRINTS = """
import os, subprocess, sys
import lsp_server.process as process
open_core = process.open_core

def noisy():
    print("a stray line")
    sys.stdout.write("another")
    os.write(1, b"a third")
    subprocess.run(["echo", "from a child"])
    subprocess.run(["cat"], timeout=20)
    return open_core()

process.open_core = noisy
from lsp_server.cli import main
sys.exit(main())
"""


async def test_nothing_but_messages_goes_to_stdout_and_no_child_reads_stdin(tmp_path: Path) -> None:
    program = (sys.executable, "-c", PRINTS)
    async with running_server(home=tmp_path, program=program) as editor:
        await editor.initialize()
        assert await editor.request("greenloop/runs", {}) == {"runs": []}
        await editor.leave()
        assert await editor.exit_code() == 0
    log = (tmp_path / "server.log").read_text()
    for line in ("a stray line", "another", "a third", "from a child"):
        assert line in log


async def test_no_payload_is_logged_at_any_level(tmp_path: Path) -> None:
    secret = "hunter2-in-the-buffer"
    document = {"uri": "file:///x.py", "languageId": "python", "version": 1, "text": secret}
    async with running_server("--log-level", "debug", home=tmp_path) as editor:
        await editor.initialize()
        await editor.notify("textDocument/didOpen", {"textDocument": document})
        await editor.notify("textDocument/didOpen", {"textDocument": {"text": secret}})
        await editor.notify("no/such", {"text": secret})
        await editor.request("greenloop/runs", {"note": secret})
        await editor.leave()
        assert await editor.exit_code() == 0
    assert secret not in (tmp_path / "server.log").read_text()


async def test_nothing_heavy_is_imported_before_the_first_answer(tmp_path: Path) -> None:
    heavy = "docker git httpx tree_sitter rich jsonschema rustworkx websockets yaml "
    heavy += "agent.events agent.edits agent.journal agent.config agent.host.client lsp_server.core"
    program = f"""
import sys
from lsp_server.wire.protocol import WireProtocol
answer = WireProtocol._answer_result
def telling(self, message_id, method, result):
    if method == "initialize":
        print([name for name in {heavy.split()!r} if name in sys.modules], file=sys.stderr)
    return answer(self, message_id, method, result)
WireProtocol._answer_result = telling
from lsp_server.cli import main
sys.exit(main())
"""
    async with running_server(home=tmp_path, program=(sys.executable, "-c", program)) as editor:
        await editor.initialize()
        await editor.leave()
        await editor.exit_code()
    assert (tmp_path / "server.log").read_text() == "[]\n"


async def test_a_log_file_is_written_instead_of_stderr(tmp_path: Path) -> None:
    log = tmp_path / "deep" / "lsp.log"
    arguments = ("--log-file", str(log), "--log-level", "info")
    async with running_server(*arguments, home=tmp_path) as editor:
        await editor.initialize()
        os.kill(editor.process.pid, signal.SIGTERM)
        await editor.exit_code()
    assert "ended by SIGTERM" in log.read_text()
    assert (tmp_path / "server.log").read_text() == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--tcp", "0.0.0.0:4000"], "can be reached from other machines"),
        (["--ws", "example.org:4000"], "can be reached from other machines"),
        (["--tcp", "nonsense"], "is no address"),
        (["--tcp", "70000"], "is no address"),
        (["--log-file", "/proc/none/lsp.log"], "cannot log to"),
    ],
)
def test_wrong_arguments_end_with_one_line_and_what_to_do(
    tmp_path: Path, arguments: list[str], told: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lsp_server", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=surroundings(tmp_path),
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stderr.count("\n") == 2
    assert done.stdout == ""


@pytest.mark.docker
def test_health_is_told_line_by_line_with_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "no-repository"
    folder.mkdir()
    environment = surroundings(tmp_path) | {"GIT_CEILING_DIRECTORIES": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "lsp_server", "--check-health"],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 1
    first, *findings = done.stdout.splitlines()
    assert first.startswith("greenloop-lsp ")
    assert f"no  repository: none at {folder}" in findings
    assert any(line.startswith("ok  engine: ") for line in findings)
    assert "what to do:" in findings
    assert done.stderr == ""
