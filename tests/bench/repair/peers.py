"""`python -m tests.bench.repair peers --checkout DIR --fluidfix PYTHON …`: others on QuixBugs.

Runs repair tools that need no model side by side on the programs of QuixBugs, with all cases as
their tests and the same time for each, and judges what they propose as `quixbugs` judges ours. Each
PYTHON is an interpreter with that tool installed, in an environment of its own, and with pytest.
They run edited programs on this machine without a sandbox, with bounds on memory and time alone.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from agent.errors import AgentError
from tests.bench.repair.peers_tools import LIMIT, TOOLS, Tool
from tests.bench.repair.quixbugs import chosen
from tests.bench.repair.quixbugs_oracle import judge
from tests.bench.repair.quixbugs_programs import Program, load_programs, project_files


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """What one tool made of one program."""

    tool: str
    program: str
    how: str
    """`patch`, `none`, `time is up` or the last line of what it said when it fell over."""
    wall_s: float
    passes_all: bool = False
    is_equal: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A tool with where it lives."""

    tool: Tool
    python: Path
    more: tuple[str, ...] = ()
    """Arguments of its script that the user's paths give."""


def main(arguments: Sequence[str]) -> int:
    """Run every tool that there is an interpreter for, print a table; 1 where there was none."""
    options = _options(arguments)
    console = Console(width=options.width)
    peers = list(_peers(options))
    if not peers:
        sys.stderr.write("No tool to run: give --fixkit, --fluidfix or --pyggi an interpreter.\n")
        return 1
    try:
        programs = chosen(load_programs(options.checkout), options.only)
    except AgentError as error:
        sys.stderr.write(f"{error.message} {error.remedy}\n")
        return 2
    work = [(peer, program) for peer in peers for program in programs]
    tries: list[Try] = []
    with ThreadPoolExecutor(options.jobs) as pool:
        for each in pool.map(lambda one: run(*one, limit_s=options.limit_s), work):
            tries.append(each)
            console.print(f"[dim]{each.tool}, {each.program}: {each.how}[/dim]", highlight=False)
            if options.json:
                kept = [asdict(one) for one in tries]
                options.json.write_text(json.dumps(kept, indent=1) + "\n")
    console.print(_table(tries, _ours(options.ours) if options.ours else None))
    return 0


def run(peer: Peer, program: Program, *, limit_s: float) -> Try:
    """Let a tool work on a fresh project, and judge what it leaves."""
    with tempfile.TemporaryDirectory(prefix="greenloop-peers-") as name:
        folder, out = Path(name) / program.name, Path(name) / "out"
        folder.mkdir()
        out.mkdir()
        for path, text in project_files(program, program.names).items():
            (folder / path).write_text(text)
        argv = [str(peer.python), "-c", LIMIT + peer.tool.script, str(folder), program.name]
        started = time.monotonic()
        said = _said([*argv, str(out), *peer.tool.arguments, *peer.more], Path(name), limit_s)
        wall_s = time.monotonic() - started
        found = out / "found.py"
        text = found.read_text() if found.exists() else ""
    judged = judge(program, text) if text else None
    return Try(
        tool=peer.tool.name,
        program=program.name,
        how="patch" if text else said,
        wall_s=wall_s,
        passes_all=judged.passes_all if judged else False,
        is_equal=judged.is_equal if judged else False,
        text=text,
    )


def _said(argv: Sequence[str], home: Path, limit_s: float) -> str:
    """Run a command with all that it starts; return how it ended."""
    variables = {"PATH": os.defpath, "HOME": str(home), "LANG": "C.UTF-8"}
    with (home / "said.txt").open("wb+") as file:
        process = subprocess.Popen(
            argv,
            cwd=home,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            return "time is up"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        file.seek(0)
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    return "none" if code == 0 or not lines else lines[-1][:200]


def _peers(options: argparse.Namespace) -> Iterator[Peer]:
    more: Mapping[str, tuple[str, ...]] = {
        "pyggi": (str(options.pyggi_source),),
        "fluidfix": (sys.executable,),
    }
    for tool in TOOLS:
        python: Path | None = getattr(options, tool.option)
        if python and (not options.tool or tool.name in options.tool):
            yield Peer(tool=tool, python=python, more=more.get(tool.option, ()))


def _ours(file: Path) -> list[Mapping[str, Any]]:
    """Return the outcomes of `quixbugs --json` with all cases seen."""
    outcomes: list[Mapping[str, Any]] = json.loads(file.read_text())["whole"]
    return outcomes


def _table(tries: Sequence[Try], ours: Sequence[Mapping[str, Any]] | None) -> Table:
    table = Table(title="QuixBugs, Python: all cases seen, the first patch that is proposed")
    for name in ("tool", "programs", "patch", "every case", "equal", "time up", "fell over",
                 "median s"):  # fmt: skip
        table.add_column(name, justify="left" if name == "tool" else "right")
    if ours is not None:
        table.add_row("greenloop", *_own_row(ours), end_section=True)
    for tool in dict.fromkeys(each.tool for each in tries):
        own = [each for each in tries if each.tool == tool]
        walls = sorted(each.wall_s for each in own)
        table.add_row(
            tool,
            str(len(own)),
            str(sum(each.how == "patch" for each in own)),
            str(sum(each.passes_all for each in own)),
            str(sum(each.is_equal for each in own)),
            str(sum(each.how == "time is up" for each in own)),
            str(sum(each.how not in {"patch", "none", "time is up"} for each in own)),
            f"{walls[len(walls) // 2]:.0f}",
        )
    return table


def _own_row(outcomes: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    green = [each for each in outcomes if each["verdict"] == "green" and each["options"]]
    judged = [each["options"][0]["judged"] for each in green]
    right = [each for each in judged if each["passed"] and not each["failed"]]
    equal = [each for each in right if each["equal"] == each["inputs"]]
    walls = sorted(float(each["whole_s"]) for each in outcomes)
    counts = (len(outcomes), len(green), len(right), len(equal))
    fell = sum(each["verdict"] == "error" for each in outcomes)
    return (*map(str, counts), "0", str(fell), f"{walls[len(walls) // 2]:.0f}")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.repair peers", description=__doc__)
    parser.add_argument("--checkout", type=Path, required=True, metavar="DIR", help="of QuixBugs")
    parser.add_argument("--fixkit", type=_absolute, metavar="PYTHON", help="has fixkit")
    parser.add_argument("--fluidfix", type=_absolute, metavar="PYTHON", help="has fluidfix")
    parser.add_argument(
        "--pyggi", type=_absolute, metavar="PYTHON", help="has astor; 3.11 or older"
    )
    parser.add_argument("--pyggi-source", type=_absolute, metavar="DIR", help="checkout of pyggi")
    parser.add_argument("--tool", action="append", metavar="NAME", help="only that line")
    parser.add_argument("--only", action="append", metavar="PROGRAM")
    parser.add_argument("--limit-s", type=float, default=60.0, metavar="N")
    parser.add_argument("--jobs", type=int, default=1, metavar="N")
    parser.add_argument("--ours", type=Path, metavar="FILE", help="what quixbugs --json wrote")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--width", type=int, default=110, metavar="COLUMNS")
    options = parser.parse_args(arguments)
    if options.pyggi and not options.pyggi_source:
        parser.error("--pyggi needs --pyggi-source: it is not on the package index")
    return options


def _absolute(text: str) -> Path:
    """Not resolved: an interpreter of an environment is a link."""
    return Path(text).absolute()
