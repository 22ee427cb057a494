"""The `greenloop-lsp` command: arguments in, one exit code out.

Knows no message of the protocol. What is heavy is imported once the client has its first answer.
"""

import argparse
import gc
import logging
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.errors import AgentError

if TYPE_CHECKING:
    from lsp_server.wire.serving import Serve

logger = logging.getLogger(__name__)

OUT_OF_ORDER: Final = 1
"""As LSP has it: the client went without asking for a shutdown."""
INTERNAL_ERROR: Final = 70
LEVELS: Final = ("debug", "info", "warning", "error")

_EPILOG: Final = """\
Over its own streams the server ends with its editor: 0 after shutdown and exit, 1 otherwise. On a
port it serves several editors, one after the other or at once, which share their runs, until it is
interrupted. Whoever reaches that port can run code as you: it is opened on loopback only, and a
WebSocket refuses clients that a web page opened. On a machine with other users, use --stdio.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Serve an editor and return the exit code; never raises, never prints a traceback."""
    try:
        arguments = _parser().parse_args(argv)
        if arguments.check_health:
            from lsp_server.health import check_health

            return check_health(Path.cwd())
        return _serve(arguments)
    except KeyboardInterrupt:
        return OUT_OF_ORDER
    except AgentError as exc:
        return _tell(exc.message, exc.remedy, exc.exit_code)
    except ExceptionGroup as exc:
        errors = exc.subgroup(AgentError)
        only = errors.exceptions[0] if errors is not None else exc
        while isinstance(only, ExceptionGroup):
            only = only.exceptions[0]
        return _explain(only)
    except Exception as exc:  # noqa: BLE001 - the last one to hear of it
        return _explain(exc)


def _parser() -> argparse.ArgumentParser:
    from agent import __version__

    parser = argparse.ArgumentParser(
        prog="greenloop-lsp",
        description="The language server of Greenloop, for editors.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"greenloop-lsp {__version__}")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--stdio", action="store_true", help="serve on stdin and stdout (default)")
    way.add_argument("--tcp", metavar="[HOST:]PORT", help="serve on a TCP port; 0: any free one")
    way.add_argument("--ws", metavar="[HOST:]PORT", help="serve on a WebSocket")
    way.add_argument(
        "--check-health",
        action="store_true",
        help="say whether runs could be started here, and what is missing; 0: they could",
    )
    parser.add_argument("--once", action="store_true", help="on a port: end with the first client")
    parser.add_argument("--log-file", type=Path, metavar="FILE", help="log there, not on stderr")
    parser.add_argument("--log-level", choices=LEVELS, default="warning", help="default: warning")
    parser.add_argument(
        "--parent-pid", type=int, metavar="PID", help="end when this process has ended"
    )
    # vscode-languageclient adds it to the arguments of every server
    parser.add_argument("--clientProcessId", type=int, dest="parent_pid", help=argparse.SUPPRESS)
    return parser


def _serve(arguments: argparse.Namespace) -> int:
    # Thousands of classes are made on the way to the first answer, and next to none is garbage:
    # collecting at the usual pace takes a twelfth of an editor's wait (measured 2026-11-23).
    usual = gc.get_threshold()
    gc.set_threshold(5000, 50, 100)
    import anyio

    from lsp_server.logs import log_to
    from lsp_server.process import run_process

    gc.freeze()
    gc.set_threshold(*usual)
    # Files are read into facts in threads, and answers must not wait a whole turn for each of them:
    # a code action beside it took 167 ms at p99 with the usual 5 ms, 50 ms so (2026-11-23).
    sys.setswitchinterval(0.0005)

    with log_to(arguments.log_file, arguments.log_level):
        way = _way(arguments)
        try:
            left_in_order = anyio.run(lambda: run_process(way, parent_pid=arguments.parent_pid))
        except Exception:
            logger.debug("the server broke", exc_info=True)
            raise
    on_port = bool(arguments.tcp or arguments.ws)
    return 0 if left_in_order or on_port else OUT_OF_ORDER


def _way(arguments: argparse.Namespace) -> "Callable[[Serve], Awaitable[bool]]":
    from lsp_server.wire.serving import loopback_address, serve_streams, serve_tcp

    if arguments.tcp:
        address = loopback_address(arguments.tcp)
        return lambda serve: serve_tcp(serve, address, once=arguments.once)
    if arguments.ws:
        from lsp_server.wire.websocket import serve_ws

        address = loopback_address(arguments.ws)
        return lambda serve: serve_ws(serve, address, once=arguments.once)
    return serve_streams


def _explain(exc: Exception) -> int:
    if isinstance(exc, AgentError):
        return _tell(exc.message, exc.remedy, exc.exit_code)
    message = f"internal error: {type(exc).__name__}: {exc}"
    return _tell(message, "Please report it, with what --log-level debug shows.", INTERNAL_ERROR)


def _tell(message: str, remedy: str, code: int) -> int:
    sys.stderr.write(f"greenloop-lsp: {message}\n" + (f"  {remedy}\n" if remedy else ""))
    return code
